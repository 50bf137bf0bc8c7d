//! A machine with a cluster and a framework, and what is asked of its containers.

use std::net::SocketAddr;
use std::process::Command;

use harness::cluster::{Pair, START};
use harness::framework::{Framework, scalar};
use harness::leftovers::Leftovers;
use harness::wire::Form;
use harness::{http, machine, wait};
use serde_json::{Value, json};

/// Keeps everything that belongs to containers below the test's directory.
pub(crate) const OURS: &str = "--network-cni-root-dir-persist";
/// The addresses of the machine and of its neighbour.
pub(crate) const MACHINE: &str = "192.0.2.1";
/// The server of every container.
pub(crate) const SERVER: &str = "exec cygnet demo http --address 0.0.0.0 --port 80";

/// A machine's cluster.
pub(crate) struct World {
    pub(crate) pair: Pair,
    pub(crate) framework: Framework,
    before: Leftovers,
    ports: u16,
}

/// Runs the test on a machine of its own, or says why it cannot.
pub(crate) fn on_a_machine(test: &str, programs: &[&str], body: impl FnOnce(World) + Send) {
    on_a_bare_machine(test, programs, || body(World::start()));
}

/// The same, without a cluster.
pub(crate) fn on_a_bare_machine(test: &str, programs: &[&str], body: impl FnOnce() + Send) {
    let is_missing = |program: &&&str| !Command::new("which").arg(program).output().is_ok_and(|it| it.status.success());
    if let Some(program) = ["nft", "ip"].iter().chain(programs).find(is_missing) {
        return println!("SKIPPED {test}: there is no {program} here");
    }
    if machine::on_a_machine(body).is_none() {
        println!("SKIPPED {test}: needs root");
    }
}

/// Runs a line of shell here; its output.
#[track_caller]
pub(crate) fn run(script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).output().expect("a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Does something on a neighbouring machine that has a cable to this one.
pub(crate) fn at_a_neighbour<T: Send>(action: impl FnOnce() -> T + Send) -> T {
    let thread = rustix::thread::gettid().as_raw_nonzero();
    let here = format!("/proc/{}/task/{thread}/ns/net", std::process::id());
    let there = move || {
        run(&format!(
            "ip link add cable type veth peer name cable netns {here}; ip addr add 192.0.2.2/24 dev cable; \
             ip link set cable up; \
             nsenter --net={here} sh -ec 'ip addr add {MACHINE}/24 dev cable; ip link set cable up'"
        ));
        action()
    };
    machine::on_a_machine(there).expect("a machine is there already")
}

/// A task in these networks, with these ports of the host.
pub(crate) fn networked(mut task: Value, networks: Value, ports: &[u16]) -> Value {
    let ranges: Vec<Value> = ports.iter().map(|port| json!({"begin": port, "end": port})).collect();
    let ports = json!({"name": "ports", "type": "RANGES", "ranges": {"range": ranges}});
    let mut resources = vec![scalar("cpus", 0.05), scalar("mem", 32.0)];
    resources.extend(Some(ports).filter(|_| !ranges.is_empty()));
    task["resources"] = json!(resources);
    task["container"] = json!({"type": "MESOS", "network_infos": networks});
    task
}

/// The bridge, with a port of the host that leads to port 80.
pub(crate) fn bridge(port: u16) -> Value {
    let mapping = json!({"host_port": port, "container_port": 80, "protocol": "tcp"});
    json!([{"name": "mesos-bridge", "ip_addresses": [{}], "port_mappings": [mapping]}])
}

/// The networks of a status.
pub(crate) fn networks(status: &Value) -> Vec<Value> {
    status["container_status"]["network_infos"].as_array().cloned().unwrap_or_default()
}

/// The first address of a status.
#[track_caller]
pub(crate) fn address(status: &Value) -> String {
    networks(status)[0]["ip_addresses"][0]["ip_address"].as_str().expect("an address").to_owned()
}

/// True if a server of ours answers there.
pub(crate) fn answers(place: &str) -> bool {
    let place: SocketAddr = place.parse().expect("an address");
    http::get(place, "/health").is_some_and(|answer| answer.status == 200)
}

#[track_caller]
pub(crate) fn answers_soon(place: &str) {
    wait::until(&format!("an answer from {place}"), START, || answers(place).then_some(()));
}

/// The master has seen the old agent go before it sees the new one come.
fn begin_agent_anew(pair: &mut Pair, more: &[&str]) {
    end_agent(pair);
    pair.start_agent_with(&[&[OURS], more].concat());
    pair.wait_until_registered();
}

fn end_agent(pair: &mut Pair) {
    pair.agent_process().kill();
    wait::until("the agent is seen to go", START, || {
        let slaves = http::get(pair.master, "/slaves")?.json();
        slaves["slaves"].as_array()?.iter().all(|slave| slave["active"] == false).then_some(())
    });
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mark = self.pair.directory().display().to_string();
            let _the_test_failed_already = Command::new("sh")
                .args(["-c", "grep -F \"$0\" /proc/self/mountinfo | cut -d' ' -f5 | xargs -r umount -l", &mark])
                .status();
        }
    }
}

impl World {
    pub(crate) fn start() -> World {
        let mut pair = Pair::start();
        begin_agent_anew(&mut pair, &[]);
        World::registered(pair)
    }

    /// The same, with an agent that begins after this line of shell, in a mount namespace of its own.
    pub(crate) fn start_behind(script: &str) -> World {
        let mut pair = Pair::start();
        end_agent(&mut pair);
        pair.start_agent_behind(script, &[OURS]);
        pair.wait_until_registered();
        World::registered(pair)
    }

    fn registered(pair: Pair) -> World {
        let state = http::get(pair.agent, "/state").expect("an answer").json();
        let ports = state["resources"]["ports"].as_str().expect("ports");
        let first = ports.trim_matches(['[', ']']).split('-').next().expect("a range");
        let ports = first.parse().expect("a port");
        let framework = Framework::subscribe(pair.master, Form::Json);
        let before = Leftovers::of(pair.directory());
        World { pair, framework, before, ports }
    }

    /// The agent ends, and another one begins, with further arguments.
    pub(crate) fn restart_agent(&mut self, more: &[&str]) {
        begin_agent_anew(&mut self.pair, more);
    }

    /// A port that the agent offers.
    pub(crate) fn port(&self, number: u16) -> u16 {
        self.ports + number
    }

    /// The next update of this task that is its last.
    #[track_caller]
    pub(crate) fn last(&self, task: &str) -> Value {
        loop {
            let status = self.framework.update();
            let state = status["state"].as_str().expect("a state");
            let goes_on = ["TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"].contains(&state);
            if status["task_id"]["value"] == task && !goes_on {
                return status;
            }
        }
    }

    /// Kills a task, and waits for its end.
    #[track_caller]
    pub(crate) fn end(&self, task: &str) {
        self.framework.kill(task);
        assert_eq!(self.last(task)["state"], "TASK_KILLED");
    }

    /// Launches a task that fails; its message.
    #[track_caller]
    pub(crate) fn refused(&self, task: Value) -> String {
        let id = task["task_id"]["value"].as_str().expect("an id").to_owned();
        self.framework.launch(task);
        let status = self.last(&id);
        assert_eq!(
            (status["state"].as_str(), status["reason"].as_str()),
            (Some("TASK_FAILED"), Some("REASON_CONTAINER_LAUNCH_FAILED")),
            "{status}"
        );
        status["message"].as_str().expect("a message").to_owned()
    }

    /// Waits until nothing is left of any container: no link but the bridge, no port, no namespace, no file. The process
    /// that hosts the framework's executors stays a while.
    #[track_caller]
    pub(crate) fn nothing_left(&self) {
        let namespaces = self.pair.directory().join("agent/meta/networks");
        let is_left = |one: &String| {
            !one.starts_with("link cyg-")
                && one != "link blue0"
                && !one.contains("executor --pool")
                && !one.contains("cygnet agent")
        };
        wait::until_ok("nothing is left", START, || {
            let left = Leftovers::of(self.pair.directory()).with(&[&namespaces]).since(&self.before);
            let left: Vec<String> = left.into_iter().filter(is_left).collect();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:#?}")) }
        });
    }
}
