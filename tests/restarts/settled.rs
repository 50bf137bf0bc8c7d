//! The state that a cluster has to reach: every part knows the others, every task that somebody wants runs once, and
//! nothing else runs. And at the end of a row, all of it obeys: what is told to end does.

use std::net::SocketAddr;
use std::time::Duration;

use harness::cluster::START;
use harness::{http, process, wait};
use serde_json::{Value, json};

use crate::world::World;

/// The main process of every task.
pub(crate) const TASK: &str = "sleep 86399";

/// The main process of the standalone container.
pub(crate) const CONTAINER: &str = "sleep 86398";

/// An app on the machine's files, and one with an image.
pub(crate) const APPS: [&str; 2] = ["/web", "/boxed"];

/// The tasks of the pod.
const POD: u64 = 2;

/// The longest that the cluster may need until everything is as it should be.
const SETTLED: Duration = Duration::from_secs(60);

impl World {
    /// Waits until everything that is wanted runs once, and is known to everybody.
    pub(crate) fn settles(&self) {
        wait::until("every task to run once, and nothing else", SETTLED, || {
            let wanted = self.is_connected().then(|| self.wanted())??;
            let containers = self.containers()?.len();
            let runs = |command, count| process::running(command, self.directory()).len() == count;
            let is_settled = self.is_known(wanted) && runs(TASK, wanted) && runs(CONTAINER, containers);
            is_settled.then_some(())
        });
    }

    /// Ends everything by the APIs, and waits until nothing is left that these do not know.
    pub(crate) fn ends(&self) {
        for path in ["/v2/apps/web", "/v2/apps/boxed", "/v2/pods/pod"] {
            wait::until("a definition to be deleted", START, || {
                let gone = http::request(self.api, "DELETE", &format!("{path}?force=true"), &[], b"")?;
                matches!(gone.status, 200 | 202 | 404).then_some(())
            });
        }
        for id in self.containers().expect("an answer") {
            let kill = json!({"type": "KILL_CONTAINER", "kill_container": {"container_id": {"value": id}}});
            assert_eq!(self.ask_agent(&kill).expect("an answer").status, 200);
        }
        let left = || [TASK, CONTAINER].into_iter().flat_map(|command| process::running(command, self.directory()));
        wait::until("everything to end when it is told to", SETTLED, || left().next().is_none().then_some(()));
    }

    /// The number of tasks there should be; none while that changes. The question that takes longest is asked first,
    /// and alone.
    fn wanted(&self) -> Option<usize> {
        let mut instances = 0;
        for id in APPS.iter().filter(|id| **id == "/web" || self.has_images()) {
            let app = get(self.api, &format!("/v2/apps{id}"))?["app"].clone();
            let wanted = app["instances"].as_u64()?;
            (app["tasksHealthy"] == wanted && app["tasksRunning"] == wanted).then_some(())?;
            instances += wanted;
        }
        let is_stable = get(self.api, "/v2/pods/pod::status")?["status"] == "STABLE";
        let is_done = is_stable && get(self.api, "/v2/deployments")? == json!([]);
        usize::try_from(instances + POD).ok().filter(|_| is_done)
    }

    /// The agent has recovered what it could, and the master knows it and the scheduler.
    fn is_connected(&self) -> bool {
        let look = || {
            let agent = get(self.agent, "/metrics/snapshot")?;
            let is_back = agent["slave/registered"] == 1.0 && agent["slave/executors_registering"] == 0.0;
            let master = is_back.then(|| get(self.master, "/metrics/snapshot"))??;
            Some(master["master/slaves_active"] == 1.0 && master["master/frameworks_active"] == 1.0)
        };
        look().unwrap_or(false)
    }

    /// The master and the agent know of so many running tasks, and of no other that is not over.
    fn is_known(&self, wanted: usize) -> bool {
        let look = || {
            let master = get(self.master, "/metrics/snapshot")?;
            let agent = get(self.agent, "/metrics/snapshot")?;
            let count = |of: &Value, whose: &str, state: &str| of[format!("{whose}/tasks_{state}")].as_f64();
            let others = ["staging", "starting", "killing"];
            let is_right = |of, whose| {
                let running = count(of, whose, "running") == Some(wanted as f64);
                running && others.iter().all(|state| count(of, whose, state) == Some(0.0))
            };
            Some(is_right(&master, "master") && is_right(&agent, "slave"))
        };
        look().unwrap_or(false)
    }

    /// The standalone containers that the agent knows.
    fn containers(&self) -> Option<Vec<String>> {
        let all = json!({"type": "GET_CONTAINERS", "get_containers": {"show_standalone": true}});
        let answer: Value = serde_json::from_slice(&self.ask_agent(&all)?.body).ok()?;
        let containers = answer["get_containers"]["containers"].as_array().cloned().unwrap_or_default();
        let standalone = containers.iter().filter(|one| one.get("executor_id").is_none());
        standalone.map(|one| one["container_id"]["value"].as_str().map(str::to_owned)).collect()
    }

    pub(crate) fn ask_agent(&self, call: &Value) -> Option<http::Answer> {
        let headers = [("content-type", "application/json"), ("accept", "application/json")];
        http::request(self.agent, "POST", "/api/v1", &headers, call.to_string().as_bytes())
    }
}

/// The answer, if it is JSON: a part that has just begun may say something else.
fn get(address: SocketAddr, path: &str) -> Option<Value> {
    serde_json::from_slice(&http::get(address, path)?.body).ok()
}
