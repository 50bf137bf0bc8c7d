//! A cluster whose agent has a daemon of Docker's, and what its tasks are.

use std::path::PathBuf;

use harness::archive::Archive;
use harness::cluster::{Pair, START};
use harness::docker::Docker;
use harness::framework::{Framework, merge, scalar};
use harness::images::{Image, tar};
use harness::machine::on_a_machine;
use harness::wire::Form;
use harness::{busybox, http, process, wait};
use serde_json::{Value, json};

/// A cluster whose agent has a daemon of Docker's with the image `app:1`.
pub(crate) struct World {
    // In the order in which they go: the agent removes what it can.
    pub(crate) framework: Framework,
    pub(crate) pair: Pair,
    pub(crate) daemon: Docker,
}

/// Runs a test where it can be run.
pub(crate) fn with_docker(test: &str, body: impl FnOnce(&mut World) + Send) {
    if let Some(lacking) = busybox::lacking() {
        return println!("SKIPPED {test}: {lacking}");
    }
    let run = on_a_machine(|| {
        if let Some(mut world) = World::new(test) {
            body(&mut world);
        }
    });
    if run.is_none() {
        println!("SKIPPED {test}: needs network namespaces");
    }
}

impl World {
    fn new(test: &str) -> Option<World> {
        let daemon = Docker::start(test)?;
        load(&daemon, "app:1", &json!({"Cmd": ["sleep", "1000"]}));
        let mut pair = Pair::start();
        pair.agent_process().kill();
        pair.start_agent_with(&["--docker-socket", &daemon.socket().display().to_string()]);
        let framework = Framework::subscribe(pair.master, Form::Json);
        wait::until("an agent with Docker", START, || {
            let flags = http::get(pair.agent, "/flags")?.json();
            (flags["flags"]["containerizers"] == "docker,mesos").then_some(())
        });
        Some(World { framework, pair, daemon })
    }

    /// The only container of a task.
    pub(crate) fn container(&self) -> Value {
        let all = self.daemon.containers();
        assert_eq!(all.len(), 1, "{all:?}");
        self.daemon.call("GET", &format!("/containers{}/json", all[0]), &Value::Null).expect("an answer").json()
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.container()["State"]["Pid"].as_i64().expect("a pid")).expect("a pid")
    }

    /// The sandbox of the run whose container this is.
    pub(crate) fn sandbox(&self, container: &Value) -> PathBuf {
        let mounts = container["Mounts"].as_array().expect("mounts");
        let sandbox = mounts.iter().find(|mount| mount["Destination"] == "/mnt/mesos/sandbox").expect("a sandbox");
        sandbox["Source"].as_str().expect("a path").into()
    }

    #[track_caller]
    pub(crate) fn nothing_left(&self) {
        wait::until("no container is left", START, || self.daemon.containers().is_empty().then_some(()));
    }

    /// The agent again, as it was.
    pub(crate) fn start_agent(&mut self) {
        self.pair.start_agent_with(&["--docker-socket", &self.daemon.socket().display().to_string()]);
    }

    /// The processes of the agent's executors.
    pub(crate) fn executors(&self) -> Vec<i32> {
        let is_pool = |pid: &i32| process::command_line(*pid).contains("executor --pool");
        process::marked(self.pair.directory()).into_iter().filter(is_pool).collect()
    }
}

/// Gives the daemon an image of busybox with this configuration.
pub(crate) fn load(daemon: &Docker, name: &str, config: &Value) {
    daemon.load(&tar(&Image::busybox(Archive::new(), config).docker(&[name])).tar());
}

/// A task of a shell in the image.
pub(crate) fn task(id: &str, command: &str) -> Value {
    json!({"name": id, "task_id": {"value": id}, "command": {"value": command},
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
        "container": {"type": "DOCKER", "docker": {"image": "app:1", "network": "HOST"}}})
}

/// The same with more in its `docker`.
pub(crate) fn with_docker_info(mut task: Value, info: Value) -> Value {
    merge(&mut task["container"]["docker"], info);
    task
}

pub(crate) fn parameters(all: &[(&str, &str)]) -> Value {
    all.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// Waits until the task is told to be healthy, or not. A server that is not up yet may be found unhealthy before.
#[track_caller]
pub(crate) fn becomes(world: &World, healthy: bool) {
    loop {
        let status = world.framework.expect_reason("REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
        if status["healthy"] == healthy {
            return;
        }
    }
}

/// A file of a container, from outside.
pub(crate) fn inside(pid: i32, path: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/root")).join(path)
}

/// A server in a shell that says `well`.
pub(crate) fn server(port: u16) -> String {
    format!("mkdir -p /www && echo well > /www/index.html && exec httpd -f -p {port} -h /www")
}

#[track_caller]
pub(crate) fn ended(framework: &Framework, state: &str, message: &str) -> Value {
    loop {
        let status = framework.update();
        if !["TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"].contains(&status["state"].as_str().expect("a state")) {
            assert_eq!((&status["state"], &status["message"]), (&json!(state), &json!(message)), "{status}");
            return status;
        }
    }
}
