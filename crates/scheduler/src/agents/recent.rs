//! Answers that agents gave about an app a moment ago, so that whoever looks at an app again and again, or together with
//! others, does not ask its agents each time. Bounded by the apps that are looked at within that moment. Owns no task.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Histories;
use crate::ids::AppId;

/// The age up to which an answer is as good as a new one.
const FRESH: Duration = Duration::from_secs(1);

/// By app: the answer, and when it came.
#[derive(Default)]
pub(super) struct Recent(Mutex<BTreeMap<AppId, (Instant, Arc<Histories>)>>);

impl Recent {
    pub(super) async fn find(&self, app: &AppId) -> Option<Arc<Histories>> {
        let mut all = self.0.lock().await;
        all.retain(|_, (at, _)| at.elapsed() < FRESH);
        all.get(app).map(|(_, histories)| Arc::clone(histories))
    }

    pub(super) async fn keep(&self, app: AppId, histories: &Arc<Histories>) {
        self.0.lock().await.insert(app, (Instant::now(), Arc::clone(histories)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_of_a_moment_ago_is_one_of_that_app_only() {
        let (recent, told) = (Recent::default(), Arc::new(Histories::default()));
        recent.keep(AppId::new("/web"), &told).await;
        assert!(recent.find(&AppId::new("/web")).await.is_some_and(|found| Arc::ptr_eq(&found, &told)));
        assert!(recent.find(&AppId::new("/shop")).await.is_none());
        let old = Instant::now().checked_sub(FRESH).unwrap();
        recent.0.lock().await.insert(AppId::new("/old"), (old, told));
        assert!(recent.find(&AppId::new("/old")).await.is_none());
    }
}
