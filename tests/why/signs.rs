//! The signs by which one knows that a way shows: in what the API says of it, so that nothing is waited for by time.

use std::net::SocketAddr;

use harness::http;
use serde_json::Value;

/// The words of the API about an app, or of a group.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) overview: Value,
    /// Null of a group.
    pub(crate) app: Value,
}

impl Seen {
    pub(crate) fn at(api: SocketAddr, id: &str) -> Option<Seen> {
        let overview = http::get(api, &format!("/v2/overview?group={id}"))?;
        let app = http::get(api, &format!("/v2/apps{id}?embed=apps.health&embed=apps.brake"))?;
        let app = if app.status == 200 { app.json()["app"].clone() } else { Value::Null };
        (overview.status == 200).then(|| Seen { overview: overview.json(), app })
    }

    /// The same without deployments that take long, as they do wherever an app does not come up.
    pub(crate) fn without_deployments(mut self) -> Seen {
        if let Some(all) = self.overview["notWell"].as_array_mut() {
            all.retain(|entry| entry["kind"] != "deployment");
        }
        self
    }

    /// The things that are not well.
    fn entries(&self) -> &[Value] {
        self.overview["notWell"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The instances that are not well.
    fn instances(&self) -> Vec<&Value> {
        self.entries().iter().filter(|entry| entry["kind"] != "deployment").collect()
    }

    /// True if all instances that are not well are so in this way, and this is done next.
    fn all(&self, kind: &str, next: &str) -> bool {
        let is_so = |entry: &&Value| entry["kind"] == kind && entry["nextAction"]["kind"] == next;
        !self.instances().is_empty() && self.instances().iter().all(is_so)
    }

    /// The first check of each task.
    fn checks(&self) -> impl Iterator<Item = &Value> {
        self.app["tasks"].as_array().into_iter().flatten().map(|task| &task["health"]["checks"][0])
    }

    /// The first check of the first task.
    pub(crate) fn check(&self) -> &Value {
        &self.app["tasks"][0]["health"]["checks"][0]
    }

    pub(crate) fn is_checked(&self) -> bool {
        self.app["tasksHealthy"] == self.app["instances"]
    }
}

/// Fails within its grace period, more than once.
pub(crate) fn forgiven(seen: &Seen) -> bool {
    seen.all("failing", "grace") && seen.check()["grace"]["failures"].as_u64() > Some(1)
}

/// Fails, more than once.
pub(crate) fn unhealthy(seen: &Seen) -> bool {
    let fails = |check: &Value| check["consecutiveFailures"].as_u64() > Some(1);
    seen.all("unhealthy", "kill") && seen.checks().any(fails)
}

/// Ended twice, and is launched again in a minute.
pub(crate) fn crashed(seen: &Seen) -> bool {
    seen.all("failing", "launch") && seen.instances()[0]["restarts"].as_u64() > Some(1)
}

/// Ended twice, as it had no memory left.
pub(crate) fn had_no_memory(seen: &Seen) -> bool {
    crashed(seen) && seen.instances()[0]["why"].as_str().is_some_and(|why| why.contains("emory"))
}

/// Waits for an offer, and offers have come.
pub(crate) fn waits(seen: &Seen) -> bool {
    seen.all("waiting", "offer") && seen.instances()[0]["why"] != "no offer has come"
}

pub(crate) fn held(seen: &Seen) -> bool {
    seen.all("held", "held") && seen.instances().len() == 2
}

pub(crate) fn not_checked(seen: &Seen) -> bool {
    seen.all("held", "paused")
}

pub(crate) fn lost(seen: &Seen) -> bool {
    seen.all("unreachable", "agent")
}

/// Healthy, and not checked.
pub(crate) fn unchecked(seen: &Seen) -> bool {
    seen.is_checked() && seen.all("unchecked", "checker")
}

/// A member waits for an offer, and the deployment of the group for that.
pub(crate) fn waits_for(seen: &Seen) -> bool {
    waits(seen) && seen.entries().len() == 2
}

pub(crate) fn canary_waits(seen: &Seen) -> bool {
    seen.entries().iter().any(|entry| entry["nextAction"]["kind"] == "word")
}

/// Two instances are, and there are others.
pub(crate) fn unhealthy_twice(seen: &Seen) -> bool {
    unhealthy(seen) && seen.instances().len() == 2
}

/// Two run, of another version than the app's, and nothing goes on.
pub(crate) fn as_before(seen: &Seen) -> bool {
    let tasks = seen.app["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let are_old = tasks.len() == 2 && tasks.iter().all(|task| task["version"] != seen.app["version"]);
    are_old && seen.all("halted", "word") && seen.app["deployments"].as_array().is_some_and(Vec::is_empty)
}
