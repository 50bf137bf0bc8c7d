//! Containers of type DOCKER, made by a real daemon that is each test's own, on a machine of its own. Without Docker, each
//! test says so and is skipped.

use std::fs;
use std::path::PathBuf;

use harness::archive::Archive;
use harness::cluster::{Pair, START};
use harness::docker::Docker;
use harness::framework::{Framework, merge, scalar, with_check, with_health_check};
use harness::images::{Image, tar};
use harness::machine::on_a_machine;
use harness::registry::{PASSWORD, Registry, USER};
use harness::wire::Form;
use harness::{busybox, http, process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A cluster whose agent has a daemon of Docker's with the image `app:1`.
struct World {
    // In the order in which they go: the agent removes what it can.
    framework: Framework,
    pair: Pair,
    daemon: Docker,
}

/// Runs a test where it can be run.
fn with_docker(test: &str, body: impl FnOnce(&mut World) + Send) {
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
    fn container(&self) -> Value {
        let all = self.daemon.containers();
        assert_eq!(all.len(), 1, "{all:?}");
        self.daemon.call("GET", &format!("/containers{}/json", all[0]), &Value::Null).expect("an answer").json()
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.container()["State"]["Pid"].as_i64().expect("a pid")).expect("a pid")
    }

    /// The sandbox of the run whose container this is.
    fn sandbox(&self, container: &Value) -> PathBuf {
        let mounts = container["Mounts"].as_array().expect("mounts");
        let sandbox = mounts.iter().find(|mount| mount["Destination"] == "/mnt/mesos/sandbox").expect("a sandbox");
        sandbox["Source"].as_str().expect("a path").into()
    }

    #[track_caller]
    fn nothing_left(&self) {
        wait::until("no container is left", START, || self.daemon.containers().is_empty().then_some(()));
    }

    /// The agent again, as it was.
    fn start_agent(&mut self) {
        self.pair.start_agent_with(&["--docker-socket", &self.daemon.socket().display().to_string()]);
    }

    /// The processes of the agent's executors.
    fn executors(&self) -> Vec<i32> {
        let is_pool = |pid: &i32| process::command_line(*pid).contains("executor --pool");
        process::marked(self.pair.directory()).into_iter().filter(is_pool).collect()
    }
}

/// Gives the daemon an image of busybox with this configuration.
fn load(daemon: &Docker, name: &str, config: &Value) {
    daemon.load(&tar(&Image::busybox(Archive::new(), config).docker(&[name])).tar());
}

/// A task of a shell in the image.
fn task(id: &str, command: &str) -> Value {
    json!({"name": id, "task_id": {"value": id}, "command": {"value": command},
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
        "container": {"type": "DOCKER", "docker": {"image": "app:1", "network": "HOST"}}})
}

/// The same with more in its `docker`.
fn with_docker_info(mut task: Value, info: Value) -> Value {
    merge(&mut task["container"]["docker"], info);
    task
}

fn parameters(all: &[(&str, &str)]) -> Value {
    all.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// Waits until the task is told to be healthy, or not. A server that is not up yet may be found unhealthy before.
#[track_caller]
fn becomes(world: &World, healthy: bool) {
    loop {
        let status = world.framework.expect_reason("REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
        if status["healthy"] == healthy {
            return;
        }
    }
}

/// A file of a container, from outside.
fn inside(pid: i32, path: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/root")).join(path)
}

/// A server in a shell that says `well`.
fn server(port: u16) -> String {
    format!("mkdir -p /www && echo well > /www/index.html && exec httpd -f -p {port} -h /www")
}

#[track_caller]
fn ended(framework: &Framework, state: &str, message: &str) -> Value {
    loop {
        let status = framework.update();
        if !["TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"].contains(&status["state"].as_str().expect("a state")) {
            assert_eq!((&status["state"], &status["message"]), (&json!(state), &json!(message)), "{status}");
            return status;
        }
    }
}

#[test]
fn a_task_runs_in_a_container_with_its_name_its_labels_and_its_output() {
    with_docker("a_task_runs_in_a_container_with_its_name_its_labels_and_its_output", |world| {
        let script = "echo out; echo err >&2; echo $MESOS_CONTAINER_NAME > $MESOS_SANDBOX/name; sleep 1000";
        let running = world.framework.run(task("t", script));
        let container = world.container();
        let name = container["Name"].as_str().expect("a name").trim_start_matches('/').to_owned();
        assert!(name.starts_with("mesos-"), "{name}");
        let labels = &container["Config"]["Labels"];
        assert_eq!((&labels["MESOS_TASK_ID"], &labels["cygnet.task"]), (&json!("t"), &json!("t")));
        assert_eq!(labels["cygnet.framework"], world.framework.id);
        let data = running["data"].as_str().expect("the container, as Docker tells it");
        assert!(!data.is_empty());
        assert_eq!(container["HostConfig"]["Memory"], 32 << 20);
        let sandbox = world.sandbox(&container);
        let has = |file: &str, text: &str| {
            let path = sandbox.join(file);
            wait::until(text, START, || fs::read_to_string(&path).is_ok_and(|read| read == text).then_some(()));
        };
        has("name", &format!("{name}\n"));
        has("stdout", "out\n");
        has("stderr", "err\n");
        world.framework.kill("t");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
    });
}

#[test]
fn the_exit_status_is_the_containers() {
    with_docker("the_exit_status_is_the_containers", |world| {
        for (id, script, state, status) in [
            ("good", "echo last words; exit 0", "TASK_FINISHED", 0),
            ("bad", "exit 37", "TASK_FAILED", 37),
            ("later", "sleep 1; exit 3", "TASK_FAILED", 3),
        ] {
            world.framework.launch(task(id, script));
            ended(&world.framework, state, &format!("Container exited with status {status}"));
        }
        world.nothing_left();
    });
}

#[test]
fn a_task_is_checked_inside_and_a_daemon_that_dies_changes_nothing() {
    with_docker("a_task_is_checked_inside_and_a_daemon_that_dies_changes_nothing", |world| {
        let network = json!({"network": "BRIDGE"});
        let checked = with_health_check(
            with_docker_info(task("web", &server(80)), network),
            json!({"type": "HTTP", "http": {"port": 80, "path": "/"}, "consecutive_failures": 1000}),
        );
        let running = world.framework.run(checked);
        let addresses = &running["container_status"]["network_infos"][0]["ip_addresses"];
        assert!(addresses[0]["ip_address"].as_str().is_some_and(|address| address.starts_with("172.")), "{running}");
        becomes(world, true);
        let pid = world.pid();
        let root = inside(pid, "www/index.html");
        world.daemon.kill();
        fs::rename(&root, root.with_extension("away")).expect("its file");
        becomes(world, false);
        fs::rename(root.with_extension("away"), &root).expect("its file");
        becomes(world, true);
        // It can be killed, too; how it ended, only the daemon knows.
        world.framework.kill("web");
        world.framework.expect("TASK_KILLING");
        wait::until("the end of the container", START, || (!process::alive(pid)).then_some(()));
        assert!(world.daemon.run(), "it starts again");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
    });
}

#[test]
fn a_command_of_a_check_is_confined_as_the_container() {
    with_docker("a_command_of_a_check_is_confined_as_the_container", |world| {
        let info = json!({"parameters": parameters(&[("cap-drop", "NET_RAW"), ("user", "app"), ("workdir", "/tmp"),
            ("env", "A=b"), ("security-opt", "no-new-privileges")])});
        let mut checked = with_docker_info(task("t", "sleep 1000"), info);
        let script = "test -e /dev/shm/seen && exit 0; exec > /dev/shm/new; id -u; id -g; pwd; echo $A; \
            grep -E 'CapBnd|Seccomp:|NoNewPrivs' /proc/self/status; grep :memory: /proc/self/cgroup; \
            mv /dev/shm/new /dev/shm/seen";
        checked = with_check(checked, json!({"type": "COMMAND", "command": {"command": {"value": script}}}));
        world.framework.run(checked);
        world.framework.expect_reason("REASON_TASK_CHECK_STATUS_UPDATED");
        let pid = world.pid();
        let id = world.container()["Id"].as_str().expect("an id").to_owned();
        let seen = fs::read_to_string(inside(pid, "dev/shm/seen")).expect("what the check saw");
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
        for line in
            status.lines().filter(|line| ["CapBnd", "Seccomp:", "NoNewPrivs"].iter().any(|it| line.contains(it)))
        {
            assert!(seen.contains(line), "the container has {line}, the check: {seen}");
        }
        assert!(seen.starts_with("1000\n1000\n/tmp\nb\n"), "{seen}");
        assert!(seen.contains(&id), "in the cgroup of the container: {seen}");
        let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:\t")).expect("a set");
        assert_eq!(bounding, "00000000a80405fb", "Docker's default without NET_RAW");
    });
}

#[test]
fn an_executor_that_is_killed_has_a_successor_that_goes_on() {
    with_docker("an_executor_that_is_killed_has_a_successor_that_goes_on", |world| {
        let script = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done";
        let check =
            json!({"type": "COMMAND", "command": {"value": "test ! -e /tmp/sick"}, "consecutive_failures": 1000});
        world.framework.run(with_health_check(task("t", script), check));
        becomes(world, true);
        let (before, container) = (world.executors(), world.container());
        assert_eq!(before.len(), 1);
        process::signal(before[0], Signal::KILL);
        let after =
            wait::until("another executor", START, || world.executors().into_iter().find(|it| !before.contains(it)));
        let pid = world.pid();
        fs::write(inside(pid, "tmp/sick"), "").expect("a file");
        becomes(world, false);
        assert_eq!(world.container()["Id"], container["Id"], "the same container");
        assert!(process::alive(after));
        // Nothing of its output is missing, and nothing but what was under way is there twice.
        let stdout = world.sandbox(&container).join("stdout");
        let lines = wait::until("more output", START, || {
            let text = fs::read_to_string(&stdout).ok()?;
            let lines: Vec<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
            (lines.len() > 30).then_some(lines)
        });
        let gaps = lines.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
        assert!(gaps <= 1 && lines.last().is_some_and(|last| *last + 2 >= lines.len() as u64), "{lines:?}");
        world.framework.kill("t");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
    });
}

#[test]
fn a_container_is_nobodys_once_its_executor_is() {
    with_docker("a_container_is_nobodys_once_its_executor_is", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let stranger = json!({"Image": "app:1", "Labels": {"cygnet.state": "/elsewhere/c"}});
        let made = world.daemon.call("POST", "/containers/create?name=stranger", &stranger).expect("an answer");
        assert_eq!(made.status, 201, "{}", made.text());
        // The agent forgets everything.
        let executors = world.executors();
        world.pair.agent_process().kill();
        assert!(executors.into_iter().all(|pid| process::signal(pid, Signal::KILL)));
        fs::remove_dir_all(world.pair.directory().join("agent/meta")).expect("its records");
        world.start_agent();
        wait::until("only the stranger is left", START, || (world.daemon.containers() == ["/stranger"]).then_some(()));
    });
}

#[test]
fn an_agent_comes_back_to_its_containers() {
    with_docker("an_agent_comes_back_to_its_containers", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let pid = world.pid();
        world.pair.agent_process().kill();
        world.start_agent();
        world.framework.kill("t");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        assert!(!process::alive(pid));
        world.nothing_left();
    });
}

#[test]
fn an_agent_that_comes_back_before_its_daemon_keeps_its_containers() {
    with_docker("an_agent_that_comes_back_before_its_daemon_keeps_its_containers", |world| {
        world.framework.run(task("t", "sleep 1000"));
        let (pid, executors) = (world.pid(), world.executors());
        world.daemon.kill();
        world.pair.agent_process().kill();
        assert!(executors.iter().all(|pid| process::signal(*pid, Signal::KILL)));
        world.start_agent();
        wait::until("another executor", START, || world.executors().into_iter().find(|it| !executors.contains(it)));
        world.framework.kill("t");
        world.framework.expect("TASK_KILLING");
        wait::until("the end of the container", START, || (!process::alive(pid)).then_some(()));
        assert!(world.daemon.run(), "it starts again");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
        world.nothing_left();
        world.framework.run(task("later", "sleep 1000"));
        world.framework.kill("later");
        ended(&world.framework, "TASK_KILLED", "Container exited with status 137");
    });
}

#[test]
fn its_use_of_the_machine_is_the_containers() {
    with_docker("its_use_of_the_machine_is_the_containers", |world| {
        world.framework.run(task("t", "sleep 1000 & sleep 1000 & wait"));
        let measured = wait::until("statistics of three processes", START, || {
            let measured = http::get(world.pair.agent, "/monitor/statistics")?.json()[0]["statistics"].clone();
            (measured["processes"] == 3).then_some(measured)
        });
        assert!(measured["mem_rss_bytes"].as_u64() > Some(0), "{measured}");
        assert!(measured["cpus_user_time_secs"].is_number(), "{measured}");
        assert_eq!(measured["mem_limit_bytes"], 32 << 20);
    });
}

#[test]
fn the_check_of_an_image_is_the_tasks_if_it_has_none() {
    with_docker("the_check_of_an_image_is_the_tasks_if_it_has_none", |world| {
        let health = json!({"Test": ["CMD-SHELL", "test ! -e /tmp/sick"], "Interval": 200_000_000, "Retries": 1});
        let config = json!({"Cmd": ["sleep", "1000"], "Healthcheck": health});
        load(&world.daemon, "checked:1", &config);
        let mut own = with_docker_info(task("t", ""), json!({"image": "checked:1"}));
        own["command"] = json!({"shell": false});
        world.framework.run(own);
        becomes(world, true);
        assert_eq!(world.container()["Config"]["Healthcheck"]["Test"], json!(["NONE"]), "Docker makes none");
        fs::write(inside(world.pid(), "tmp/sick"), "").expect("a file");
        becomes(world, false);
        fs::remove_file(inside(world.pid(), "tmp/sick")).expect("its file");
        becomes(world, true);
    });
}

#[test]
fn a_port_of_the_host_leads_into_a_bridge() {
    with_docker("a_port_of_the_host_leads_into_a_bridge", |world| {
        let offer = world.framework.operate(|offer| {
            let port = first_port(offer);
            let mapping = json!([{"host_port": port, "container_port": 80, "protocol": "tcp"}]);
            let mut web =
                with_docker_info(task("web", &server(80)), json!({"network": "BRIDGE", "port_mappings": mapping}));
            let ports = json!({"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": port, "end": port}]}});
            web["resources"].as_array_mut().expect("resources").push(ports);
            vec![harness::framework::launch([harness::framework::filled(web, offer)])]
        });
        let port = u16::try_from(first_port(&offer)).expect("a port");
        world.framework.expect("TASK_STARTING");
        let running = world.framework.expect("TASK_RUNNING");
        let address = running["container_status"]["network_infos"][0]["ip_addresses"][0]["ip_address"].clone();
        let inside: std::net::IpAddr = address.as_str().expect("an address").parse().expect("an address");
        wait::until("an answer inside", START, || {
            http::get((inside, 80).into(), "/").filter(|it| it.text() == "well\n")
        });
        // Docker's rules are for what comes from elsewhere, or for any address but loopback.
        let bridge: std::net::IpAddr = "172.17.0.1".parse().expect("an address");
        wait::until("an answer", START, || http::get((bridge, port).into(), "/").filter(|it| it.text() == "well\n"));
        let unmapped = with_docker_info(
            task("unmapped", "sleep 1000"),
            json!({"network": "BRIDGE", "port_mappings": [{"host_port": 1, "container_port": 80}]}),
        );
        world.framework.launch(unmapped);
        ended(
            &world.framework,
            "TASK_FAILED",
            "Failed to create docker run options: Port mappings require port resources",
        );
    });
}

fn first_port(offer: &Value) -> u64 {
    let resources = offer["resources"].as_array().expect("resources");
    let ports = resources.iter().find(|resource| resource["name"] == "ports").expect("ports");
    ports["ranges"]["range"][0]["begin"].as_u64().expect("a port")
}

#[test]
fn what_cannot_be_started_says_why_and_leaves_nothing() {
    with_docker("what_cannot_be_started_says_why_and_leaves_nothing", |world| {
        let failed = |task: Value| {
            world.framework.launch(task);
            world.framework.expect("TASK_STARTING");
            let status = world.framework.expect("TASK_FAILED");
            status["message"].as_str().expect("a message").to_owned()
        };
        let image = failed(with_docker_info(task("image", "true"), json!({"image": "127.0.0.1:1/no/such:9"})));
        assert!(image.contains("Failed to pull the image '127.0.0.1:1/no/such:9'"), "{image}");
        let mut entry = task("entry", "");
        entry["command"] = json!({"shell": false, "value": "/no/such/program"});
        let entry = failed(entry);
        assert!(
            entry.starts_with("Container exited with status 127: ") && entry.contains("/no/such/program"),
            "{entry}"
        );
        let restart =
            failed(with_docker_info(task("p", "true"), json!({"parameters": parameters(&[("restart", "always")])})));
        assert!(restart.contains("The parameter 'restart' is not supported"), "{restart}");
        let user =
            failed(with_docker_info(task("u", "true"), json!({"parameters": parameters(&[("user", "nobody-here")])})));
        assert!(user.contains("nobody-here"), "{user}");
        world.nothing_left();
        world.daemon.kill();
        let nobody = failed(task("nobody", "true"));
        assert!(nobody.contains("cannot be reached"), "{nobody}");
    });
}

#[test]
fn an_image_of_a_private_registry_is_pulled_with_the_agents_login() {
    const TEST: &str = "an_image_of_a_private_registry_is_pulled_with_the_agents_login";
    with_docker(TEST, |world| {
        let Some(registry) = Registry::with_password(TEST) else { return };
        registry.push("team/app", "1", &Image::busybox(Archive::new(), &json!({"Cmd": ["sleep", "1000"]})));
        let private = |id: &str| with_docker_info(task(id, "exit 5"), json!({"image": registry.image("team/app:1")}));
        world.framework.launch(private("stranger"));
        world.framework.expect("TASK_STARTING");
        let refused = world.framework.expect("TASK_FAILED");
        let message = refused["message"].as_str().expect("a message");
        assert!(message.contains(&format!("Failed to pull the image '{}'", registry.image("team/app:1"))), "{message}");
        let mut auths = json!({});
        auths[registry.address.to_string()] = json!({"username": USER, "password": PASSWORD});
        let logins = world.pair.directory().join("logins.json");
        fs::write(&logins, json!({"auths": auths}).to_string()).expect("a file");
        world.pair.agent_process().kill();
        let (socket, logins) = (world.daemon.socket().display().to_string(), logins.display().to_string());
        world.pair.start_agent_with(&["--docker-socket", &socket, "--docker-config", &logins]);
        world.framework.launch(private("known"));
        // The first one's end may be told again.
        let mut updates = std::iter::repeat_with(|| world.framework.update());
        let last = updates.find(|status| status["task_id"]["value"] == "known" && status["state"] == "TASK_FAILED");
        assert_eq!(last.expect("it ends")["message"], "Container exited with status 5");
        world.nothing_left();
    });
}

#[test]
fn memory_that_runs_out_is_the_reason() {
    with_docker("memory_that_runs_out_is_the_reason", |world| {
        world.framework.launch(task("t", "head -c 300m /dev/zero | tail -c 300m > /dev/null; exit 0"));
        loop {
            let status = world.framework.update();
            if status["state"] == "TASK_FAILED" {
                assert_eq!(status["reason"], "REASON_CONTAINER_LIMITATION_MEMORY", "{status}");
                let message = status["message"].as_str().expect("a message");
                assert!(message.ends_with("Memory limit exceeded: Requested: 32MB"), "{message}");
                break;
            }
            assert!(
                ["TASK_STARTING", "TASK_RUNNING"].contains(&status["state"].as_str().expect("a state")),
                "{status}"
            );
        }
        world.nothing_left();
    });
}

#[test]
fn a_group_has_no_containers_of_dockers() {
    with_docker("a_group_has_no_containers_of_dockers", |world| {
        world.framework.launch_group("group", [task("member", "sleep 1000")]);
        let status = world.framework.update();
        assert_eq!(status["state"], "TASK_ERROR", "{status}");
        assert!(
            status["message"]
                .as_str()
                .is_some_and(|it| it.contains("Docker ContainerInfo is not supported on the task"))
        );
    });
}
