//! Numbers that monitoring asks of every app and pod. In: a [`View`] at the core's parts. Out: a copy of the numbers, made while the
//! core waits, and of that a page for Prometheus, made while it does not. No instance is looked at: counts are kept.

mod page;

use std::time::Duration;

use crate::core::{AppFigures, How, View};
use crate::definition::RunSpec;
use crate::ids::AppId;
use crate::situation::{Situation, Situations};
use crate::time::{Now, Timestamp};

/// All numbers at one time.
#[derive(Debug)]
pub(crate) struct Monitoring {
    is_connected: bool,
    departed: usize,
    unanswered: usize,
    kills: usize,
    deployments: usize,
    begun: u64,
    ended: [(&'static str, u64); 4],
    apps: Vec<AppNumbers>,
}

/// The numbers of one app or pod.
#[derive(Debug)]
struct AppNumbers {
    id: AppId,
    wanted: u32,
    situations: Situations,
    held: usize,
    /// Failures in a row, and the time for which it is not launched because of them.
    failures: u32,
    delay: Duration,
    deployment: Option<Timestamp>,
    figures: AppFigures,
}

impl AppNumbers {
    /// The instances that do what they are for, of those wanted; nothing if none is.
    fn healthy_ratio(&self) -> Option<f64> {
        let well = self.situations.of(Situation::Healthy) + self.situations.of(Situation::Running);
        (self.wanted > 0).then(|| well as f64 / f64::from(self.wanted))
    }
}

impl View<'_> {
    /// All numbers as they are now.
    pub(crate) fn monitoring(&self, now: Now) -> Monitoring {
        let results = [
            ("succeeded", How::Succeeded),
            ("failed", How::Failed),
            ("cancelled", How::Cancelled),
            ("replaced", How::Replaced),
        ];
        Monitoring {
            is_connected: self.link.is_connected(),
            departed: self.kills.departed().len(),
            unanswered: self.reconciliation.unanswered().len(),
            kills: self.kills.len(),
            deployments: self.rollouts.all().len(),
            begun: self.out.counted().deployments,
            ended: results.map(|(name, how)| (name, self.past.count(how))),
            apps: self.definitions.within(&AppId::root()).map(|app| self.numbers(app, now)).collect(),
        }
    }

    fn numbers(&self, app: &RunSpec, now: Now) -> AppNumbers {
        let id = &app.id;
        AppNumbers {
            wanted: app.instances,
            situations: self.instances.situations(id),
            held: self.brake.held_of(id).count(),
            failures: self.queue.failures(id, now.moment),
            delay: self.queue.delay(id, now.moment),
            deployment: self.rollouts.of(id).map(|deployment| deployment.begun),
            figures: self.figures.get(id).cloned().unwrap_or_default(),
            id: id.clone(),
        }
    }
}
