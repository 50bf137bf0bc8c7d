//! An app or a pod, and the tasks that it has now; and the tasks that are meant by ids of any of them.

use serde_json::Value;

use crate::api::{Api, path};
use crate::command::ids::Kind;
use crate::command::table::{items, text};
use crate::command::task::{ids, pods};

/// An app or a pod by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whole {
    App(String),
    Pod(String),
}

impl Whole {
    /// The app or pod with this id, if there is one.
    pub(super) async fn of(api: &Api, id: &str) -> anyhow::Result<Option<Whole>> {
        if id.trim_matches('/').is_empty() || id.contains(".instance-") {
            return Ok(None);
        }
        for whole in [Whole::App(id.to_owned()), Whole::Pod(id.to_owned())] {
            if api.has(&whole.path()).await? {
                return Ok(Some(whole));
            }
        }
        Ok(None)
    }

    /// The app or pod that is meant by its id or the beginning of it, if there is one.
    pub(super) async fn meant(api: &Api, short: &str) -> anyhow::Result<Option<Whole>> {
        Whole::begun(&api.get(Kind::App.path()).await?, &api.get(Kind::Pod.path()).await?, short)
    }

    fn begun(apps: &Value, pods: &Value, short: &str) -> anyhow::Result<Option<Whole>> {
        let ids = |kind: Kind, all: &Value| kind.ids(all).into_iter().map(str::to_owned).collect::<Vec<_>>();
        if let Some(app) = Kind::App.meant(&ids(Kind::App, apps), short)? {
            return Ok(Some(Whole::App(app)));
        }
        Ok(Kind::Pod.meant(&ids(Kind::Pod, pods), short)?.map(Whole::Pod))
    }

    /// Its id as events have it.
    pub(super) fn id(&self) -> String {
        let (Whole::App(id) | Whole::Pod(id)) = self;
        format!("/{}", id.trim_matches('/'))
    }

    fn path(&self) -> String {
        match self {
            Whole::App(id) => path("apps", id),
            Whole::Pod(id) => path("pods", id),
        }
    }

    /// The ids of its tasks.
    pub(super) async fn tasks(&self, api: &Api) -> anyhow::Result<Vec<String>> {
        Ok(match self {
            Whole::App(_) => {
                let tasks = api.get(&(self.path() + "/tasks")).await?;
                items(&tasks["tasks"]).iter().map(|task| text(&task["id"])).collect()
            }
            Whole::Pod(_) => ids::of_pods(&Value::Array(vec![api.get(&(self.path() + "::status")).await?])),
        })
    }

    /// All of it with the reasons, in the shape of an app: of a pod each container is a task.
    pub(super) async fn explained(&self, api: &Api) -> anyhow::Result<Value> {
        match self {
            Whole::App(_) => {
                Ok(api.get(&(self.path() + "?embed=apps.health&embed=apps.checkers")).await?["app"].take())
            }
            Whole::Pod(id) => pods::one(api, id).await,
        }
    }

    /// The tasks that ended lately though nobody asked for it, the last first.
    pub(super) async fn ended(&self, api: &Api) -> anyhow::Result<Vec<String>> {
        Ok(items(&self.explained(api).await?["ended"]).iter().map(|ended| text(&ended["taskId"])).collect())
    }

    /// The end of a task, if it is one of these.
    pub(super) async fn end_of(&self, api: &Api, task: &str) -> anyhow::Result<Option<Value>> {
        let explained = self.explained(api).await?;
        Ok(items(&explained["ended"]).iter().find(|ended| ended["taskId"] == task).cloned())
    }

    /// The next thing that is done about the instance of this task, if it has none now.
    pub(super) async fn next_of(&self, api: &Api, task: &str) -> anyhow::Result<Option<Value>> {
        let explained = self.explained(api).await?;
        let is_its_own =
            |waiting: &&Value| waiting["instance"].as_str().is_some_and(|instance| task.starts_with(instance));
        Ok(items(&explained["waiting"]).iter().find(is_its_own).map(|waiting| waiting["nextAction"].clone()))
    }

    /// True unless it is known to be gone.
    pub(super) async fn exists(&self, api: &Api) -> bool {
        api.has(&self.path()).await.unwrap_or(true)
    }
}

/// The tasks that are meant by these ids, each of a task, or of an app or pod; or all that run.
pub(super) async fn of_all(api: &Api, shorts: &[String]) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for short in shorts {
        match Whole::meant(api, short).await? {
            Some(whole) => all.extend(whole.tasks(api).await?),
            None => all.push(ids::known(api, short).await?),
        }
    }
    if shorts.is_empty() {
        all.extend(items(&api.get("/v2/tasks").await?["tasks"]).iter().map(|task| text(&task["id"])));
        all.extend(ids::of_pods(&api.get("/v2/pods::status").await?));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_app_or_pod_is_meant_by_its_beginning_and_a_task_is_neither() {
        let (apps, pods) = (json!({"apps": [{"id": "/shop/web"}, {"id": "/shop/db"}]}), json!([{"id": "/clock"}]));
        let begun = |short: &str| Whole::begun(&apps, &pods, short);
        assert_eq!(begun("shop/w").unwrap(), Some(Whole::App("/shop/web".to_owned())));
        assert_eq!(begun("/cl").unwrap(), Some(Whole::Pod("/clock".to_owned())));
        assert_eq!(begun("shop_web.instance-0123._app.1").unwrap(), None);
        assert!(begun("shop").is_err(), "two apps begin so");
    }
}
