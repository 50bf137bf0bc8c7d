//! An agent that is emptied while its app stays up, with the parts as processes of their own: instances move to the other
//! agent, none is missed meanwhile, the master that is killed in the middle of it goes on, and the agent is used again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::cluster::{Running, START, binary, free_address};
use harness::ports::Ports;
use harness::{http, wait};
use serde_json::{Value, json};

struct Cluster {
    // Killed before the rest.
    master: Option<Running>,
    _others: Vec<Running>,
    task_ports: Vec<Ports>,
    directory: tempfile::TempDir,
    master_at: SocketAddr,
    api: SocketAddr,
}

impl Cluster {
    /// A master and a scheduler, and no agent.
    fn start() -> Cluster {
        let directory = tempfile::Builder::new().prefix("cygnet-").tempdir().expect("a directory");
        let (master_at, api) = (free_address(), free_address());
        let mut cluster =
            Cluster { master: None, _others: Vec::new(), task_ports: Vec::new(), directory, master_at, api };
        cluster.start_master();
        let scheduler = cluster.run("scheduler", "scheduler", api, &["--master", &master_at.to_string()]);
        cluster._others.push(scheduler);
        wait::until("the scheduler", START, || http::get(api, "/ping"));
        cluster
    }

    fn start_master(&mut self) {
        self.master = Some(self.run("master", "master", self.master_at, &[]));
    }

    fn run(&self, part: &str, name: &str, at: SocketAddr, more: &[&str]) -> Running {
        let (work_dir, port) = (self.path(name).display().to_string(), at.port().to_string());
        let own = [part, "--work-dir", &work_dir, "--port", &port];
        let arguments: Vec<String> = own.iter().chain(more).map(|&argument| argument.to_owned()).collect();
        Running::start(&arguments, &self.path("log"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Another agent; its id.
    fn add_agent(&mut self, name: &str, resources: &str) -> String {
        let known = ids(&self.agents());
        let task_ports = Ports::take();
        let resources = format!("{resources};{}", task_ports.resource());
        let more = ["--master", &self.master_at.to_string(), "--resources", &resources];
        let agent = self.run("agent", name, free_address(), &more);
        self._others.push(agent);
        self.task_ports.push(task_ports);
        wait::until("the agent to register", START, || ids(&self.agents()).into_iter().find(|id| !known.contains(id)))
    }

    fn agents(&self) -> Value {
        http::get(self.api, "/v2/agents").filter(|answer| answer.status == 200).map_or(Value::Null, |it| it.json())
    }

    fn agent(&self, id: &str) -> Value {
        let found = |all: &Value| all["agents"].as_array()?.iter().find(|agent| agent["id"] == id).cloned();
        found(&self.agents()).unwrap_or_default()
    }

    fn app(&self) -> Value {
        http::get(self.api, "/v2/apps/web").map_or(Value::Null, |answer| answer.json()["app"].clone())
    }

    /// The healthy tasks of the app on an agent.
    fn healthy_on(&self, id: &str) -> usize {
        let is_well = |task: &&Value| task["slaveId"] == id && task["healthCheckResults"][0]["alive"] == true;
        self.app()["tasks"].as_array().map_or(0, |tasks| tasks.iter().filter(is_well).count())
    }

    fn cygnet(&self, line: &str) -> Command {
        let mut command = Command::new(binary());
        command.args(line.split_whitespace()).env("CYGNET_API", self.api.to_string()).stdin(Stdio::null());
        command
    }
}

fn ids(agents: &Value) -> Vec<String> {
    let all = agents["agents"].as_array().into_iter().flatten();
    all.filter_map(|agent| agent["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn an_app_moves_at_its_minimum_and_the_agent_is_used_again_also_when_the_master_is_killed_meanwhile() {
    let mut cluster = Cluster::start();
    let left = cluster.add_agent("left", "cpus:0.5;mem:1000");
    let app = json!({"id": "/web", "cmd": "exec cygnet demo http --port $PORT0", "cpus": 0.1, "mem": 10, "instances": 2,
        "upgradeStrategy": {"minimumHealthCapacity": 1.0, "maximumOverCapacity": 0.5}, "taskKillGracePeriodSeconds": 1,
        "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/health", "delaySeconds": 0, "intervalSeconds": 1}]});
    assert_eq!(http::send(cluster.api, "POST", "/v2/apps", &app).expect("an answer").status, 201);
    wait::until("two on the left", START, || (cluster.healthy_on(&left) == 2).then_some(()));
    let right = cluster.add_agent("right", "cpus:0.3;mem:1000");
    let expected = json!([{"id": "/web", "instances": 2, "ready": 2, "of": 2, "minimum": 2}]);
    assert_eq!(cluster.agent(&left)["apps"], expected);

    let line = format!("node drain {left} --max-grace 5s --wait --timeout 120s");
    let drain = cluster.cygnet(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    wait::until("instances to move", START, || cluster.agent(&left)["drain"]["state"].is_string().then_some(()));
    cluster.master.take().expect("started").kill();
    cluster.start_master();
    wait::until("two on the right", START * 2, || {
        let healthy = cluster.app()["tasksHealthy"].as_u64();
        assert!(healthy.is_none_or(|healthy| healthy >= 2), "below its minimum: {healthy:?}");
        (cluster.healthy_on(&right) == 2).then_some(())
    });
    wait::until("the left to be drained", START, || {
        (cluster.agent(&left)["drain"]["state"] == "DRAINED").then_some(())
    });
    let drain = drain.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&drain.stdout).into_owned();
    assert!(drain.status.success(), "{said}{}", String::from_utf8_lossy(&drain.stderr));
    assert!(said.starts_with("/web: 2 of 2 move; at least 2 stay ready"), "{said}");
    assert!(said.trim_end().ends_with("is drained"), "{said}");
    assert_eq!(cluster.app()["lastTaskFailure"], Value::Null);
    assert_eq!(cluster.agent(&left)["active"], false);

    assert!(cluster.cygnet(&format!("node undrain {left}")).status().expect("it starts").success());
    assert_eq!(cluster.agent(&left)["drain"], Value::Null);
    let scaled = http::send(cluster.api, "PUT", "/v2/apps/web", &json!({"instances": 5})).expect("an answer");
    assert_eq!(scaled.status, 200);
    wait::until("more than the right has room for", START, || (cluster.healthy_on(&left) >= 2).then_some(()));
}
