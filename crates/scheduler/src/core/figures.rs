//! Counts of what was done for each app and pod since the start, for monitoring. Pure, and not stored: a counter begins anew
//! with the process, as monitors expect.
//!
//! Invariant: nothing is kept of an app that is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use checks::Histogram;
use mesos::states;
use mesos::v1::TaskState;

use crate::ids::AppId;

/// The bounds of the time from when an instance is wanted until it runs.
const LAUNCH_DELAYS: &[Duration] = &[
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(600),
    Duration::from_secs(1800),
];

/// The kind of a failure of which an executor says only that it was one.
pub(super) const UNTOLD: &str = "untold";

/// The counts of one app.
#[derive(Debug, Clone)]
pub(crate) struct AppFigures {
    pub launches: u64,
    pub restarts: u64,
    pub health_kills: u64,
    pub holds: u64,
    /// By the name of the state in which tasks ended.
    pub ends: BTreeMap<String, u64>,
    /// By check and kind.
    pub failures: BTreeMap<(String, &'static str), u64>,
    pub launch_delays: Histogram,
}

impl Default for AppFigures {
    fn default() -> AppFigures {
        AppFigures {
            launches: 0,
            restarts: 0,
            health_kills: 0,
            holds: 0,
            ends: BTreeMap::new(),
            failures: BTreeMap::new(),
            launch_delays: Histogram::new(LAUNCH_DELAYS),
        }
    }
}

/// The counts of all apps of which something was counted.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<AppId, AppFigures>);

impl Figures {
    pub(crate) fn get(&self, app: &AppId) -> Option<&AppFigures> {
        self.0.get(app)
    }

    fn of(&mut self, app: &AppId) -> &mut AppFigures {
        self.0.entry(app.clone()).or_default()
    }

    /// An instance was launched.
    pub(super) fn launched(&mut self, app: &AppId) {
        self.of(app).launches += 1;
    }

    /// An instance runs, so long after it was wanted.
    pub(super) fn runs_after(&mut self, app: &AppId, delay: Duration) {
        self.of(app).launch_delays.count(delay);
    }

    /// A task ended, and whether its instance takes its next incarnation.
    pub(super) fn ended(&mut self, app: &AppId, state: TaskState, again: bool) {
        let figures = self.of(app);
        let name = states::name(state).trim_start_matches("TASK_").to_ascii_lowercase();
        *figures.ends.entry(name).or_default() += 1;
        figures.restarts += u64::from(again);
    }

    /// An instance is killed for its health.
    pub(super) fn killed_for_health(&mut self, app: &AppId) {
        self.of(app).health_kills += 1;
    }

    /// An instance is held by the brake.
    pub(super) fn held(&mut self, app: &AppId) {
        self.of(app).holds += 1;
    }

    /// An attempt of a check failed.
    pub(super) fn failed(&mut self, app: &AppId, check: String, kind: &'static str) {
        *self.of(app).failures.entry((check, kind)).or_default() += 1;
    }

    /// An app is gone.
    pub(super) fn forget(&mut self, app: &AppId) {
        self.0.remove(app);
    }
}
