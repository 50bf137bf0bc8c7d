//! The states of all tasks, asked of the scheduler every two seconds as in the article. One bar of the chart each.

use std::net::SocketAddr;
use std::ops::Add;
use std::time::Duration;

use serde_json::Value;

use super::{app, http};

/// The time between two questions.
pub(crate) const EVERY: Duration = Duration::from_secs(2);

/// The numbers of tasks by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct States {
    pub(crate) staged: u64,
    /// Run, without a result of their check so far.
    pub(crate) running: u64,
    pub(crate) healthy: u64,
    pub(crate) unhealthy: u64,
    /// Wanted, and not heard of: they wait for an offer, or are on their way.
    pub(crate) unknown: u64,
}

/// One look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Poll {
    /// Since the beginning.
    pub(crate) at: Duration,
    /// Nothing if the scheduler did not answer.
    pub(crate) states: Option<States>,
}

impl States {
    pub(crate) fn all_healthy(&self, wanted: u32) -> bool {
        *self == States { healthy: wanted.into(), ..States::default() }
    }

    /// As the scheduler counts, of an app.
    fn of(app: &Value) -> Option<States> {
        let count = |name: &str| app[name].as_u64();
        let (staged, all_running) = (count("tasksStaged")?, count("tasksRunning")?);
        let (healthy, unhealthy) = (count("tasksHealthy")?, count("tasksUnhealthy")?);
        Some(States {
            staged,
            running: all_running.saturating_sub(healthy + unhealthy),
            healthy,
            unhealthy,
            unknown: count("instances")?.saturating_sub(staged + all_running),
        })
    }
}

impl Add for States {
    type Output = States;

    fn add(self, other: States) -> States {
        States {
            staged: self.staged + other.staged,
            running: self.running + other.running,
            healthy: self.healthy + other.healthy,
            unhealthy: self.unhealthy + other.unhealthy,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// Without the list of tasks: to write that takes longer than anything else here.
pub(crate) fn states(scheduler: SocketAddr) -> Option<States> {
    let list = http::get(scheduler, "/v2/apps?embed=apps.counts").ok()?;
    let ours = list["apps"].as_array()?.iter().filter(|app| app::is_ours(&app["id"]));
    ours.map(States::of).try_fold(States::default(), |sum, states| Some(sum + states?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_instance_is_in_one_state() {
        let app = json!({"instances": 10, "tasksStaged": 2, "tasksRunning": 7, "tasksHealthy": 4, "tasksUnhealthy": 1});
        let states = States::of(&app).unwrap();
        assert_eq!(states, States { staged: 2, running: 2, healthy: 4, unhealthy: 1, unknown: 1 });
        assert!(!states.all_healthy(10));
    }
}
