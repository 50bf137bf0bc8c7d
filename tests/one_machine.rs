//! `cygnet dev` on one machine, as a person sees it: an app kept healthy, through faults of its tasks and through
//! `kill -9` of Cygnet's own processes.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;

use harness::apps::{address, file, ids, server, started, unhealthy, web};
use harness::cluster::{Dev, Running, START, free_address};
use harness::{http, process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

fn executors(dev: &Dev) -> Vec<i32> {
    dev.others().into_iter().filter(|&pid| process::command_line(pid).contains(" executor")).collect()
}

#[test]
fn an_instance_killed_with_sigkill_is_replaced() {
    let dev = started(3, &[]);
    let before = dev.app("web");
    process::signal(server(&dev, &before["tasks"][0]), Signal::KILL);
    dev.wait_app("web", "another set of tasks", |app| ids(app) != ids(&before));
    dev.wait_healthy("web", 3);
    let failure = dev.app("web")["lastTaskFailure"].clone();
    assert_eq!(failure["state"], "TASK_FAILED", "{failure}");
    assert!(failure["message"].as_str().is_some_and(|text| text.contains("Killed")), "{failure}");
}

#[test]
fn a_log_directory_is_written_and_can_be_read_over_the_api() {
    let directory = tempfile::tempdir().expect("a directory");
    let dev = started(1, &["--log", "info", "--log-dir", &directory.path().display().to_string()]);
    for (server, name) in [(dev.master, "/master/log"), (dev.agent, "/slave/log")] {
        let piece = http::get(server, &format!("/files/read?path={name}&offset=0")).expect("an answer").json();
        assert!(piece["data"].as_str().is_some_and(|text| text.contains("master started")), "{piece}");
    }
}

#[test]
fn ctrl_c_stops_every_process() {
    let mut dev = started(3, &[]);
    dev.process().signal(Signal::INT);
    assert!(dev.process().wait(START).success(), "{}", dev.output());
    wait::until("every process gone", START, || dev.others().is_empty().then_some(()));
}

#[test]
fn a_closed_terminal_stops_every_process() {
    let mut dev = started(1, &[]);
    dev.process().signal(Signal::HUP);
    assert!(dev.process().wait(START).success(), "{}", dev.output());
    wait::until("every process gone", START, || dev.others().is_empty().then_some(()));
}

#[test]
fn kept_tasks_are_found_again_without_a_flip() {
    for signal in [Signal::INT, Signal::HUP] {
        let mut dev = started(3, &["--keep"]);
        let before = ids(&dev.app("web"));
        dev.process().signal(signal);
        assert!(dev.process().wait(START).success(), "{}", dev.output());
        restart_finds(&mut dev, &before, 3);
    }
}

#[test]
fn tasks_survive_kill_9_of_everything_but_themselves() {
    let mut dev = started(3, &[]);
    let before = ids(&dev.app("web"));
    dev.process().kill();
    for pid in executors(&dev) {
        process::signal(pid, Signal::KILL);
    }
    restart_finds(&mut dev, &before, 3);
}

/// Starts again and sees the same tasks, healthy in every answer.
fn restart_finds(dev: &mut Dev, before: &[String], count: u64) {
    let web = dev.directory().join("web.json").display().to_string();
    dev.spawn(&[&web]);
    let first = wait::until("the API to show the app", START, || Some(dev.app("web")).filter(Value::is_object));
    assert_eq!((ids(&first).as_slice(), &first["tasksHealthy"]), (before, &json!(count)), "{first}");
    dev.wait_until_up();
    wait::until("the executor back", START, || (executors(dev).len() == 1).then_some(()));
    for _ in 0..300 {
        let app = dev.app("web");
        assert_eq!((ids(&app).as_slice(), &app["tasksHealthy"]), (before, &json!(count)), "{app}");
    }
    // Still checked: a fault is found.
    assert!(http::request(address(&first["tasks"][0]), "POST", "/fail", &[], b"").is_some());
    dev.wait_app("web", "the fault found", unhealthy);
}

#[test]
fn an_executor_killed_with_sigkill_is_back_without_a_flip() {
    let dev = started(3, &[]);
    let before = ids(&dev.app("web"));
    let old = executors(&dev);
    for pid in &old {
        process::signal(*pid, Signal::KILL);
    }
    wait::until("a new executor", START, || {
        let app = dev.app("web");
        assert_eq!((ids(&app), &app["tasksHealthy"]), (before.clone(), &json!(3)), "{app}");
        executors(&dev).into_iter().any(|pid| !old.contains(&pid)).then_some(())
    });
    assert!(http::request(address(&dev.app("web")["tasks"][0]), "POST", "/fail", &[], b"").is_some());
    dev.wait_app("web", "a fault found by the new executor", unhealthy);
}

#[test]
fn the_exit_code_of_a_task_that_ended_while_nobody_looked_is_not_lost() {
    let mut dev = Dev::new();
    let stop = dev.directory().join("stop");
    let cmd = format!("while ! [ -e {0} ]; do sleep 0.05; done; exit 3", stop.display());
    let app = json!({"id": "/once", "cmd": cmd, "cpus": 0.1, "mem": 16, "backoffSeconds": 3600, "maxLaunchDelaySeconds": 3600});
    let path = file(&dev, "once.json", &app);
    dev.start(&[&path]);
    dev.wait_app("once", "a running task", |app| app["tasksRunning"] == 1);
    dev.process().kill();
    for pid in executors(&dev) {
        process::signal(pid, Signal::KILL);
    }
    std::fs::write(&stop, "").expect("a file");
    wait::until("the task ended", START, || dev.others().is_empty().then_some(()));
    dev.start(&[&path]);
    let app = dev.wait_app("once", "the failure", |app| app["lastTaskFailure"].is_object());
    assert_eq!(app["lastTaskFailure"]["state"], "TASK_FAILED");
    assert_eq!(app["lastTaskFailure"]["message"], "Command exited with status 3");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let mut dev = Dev::new();
    dev.api = taken.local_addr().expect("an address");
    dev.spawn(&[]);
    assert!(!dev.process().wait(START).success());
    assert!(dev.output().contains(&dev.api.port().to_string()), "{}", dev.output());
    wait::until("every process gone", START, || dev.others().is_empty().then_some(()));
}

#[test]
fn a_bad_definition_is_refused_by_field() {
    let mut dev = Dev::new();
    let path = file(&dev, "bad.json", &json!({"id": "/bad", "cmd": "sleep 1", "instances": -1}));
    dev.spawn(&[&path]);
    assert!(!dev.process().wait(START).success());
    assert!(dev.output().contains("instances"), "{}", dev.output());
    wait::until("every process gone", START, || dev.others().is_empty().then_some(()));
}

#[test]
fn a_file_that_is_followed_is_changed_at_once_and_a_broken_one_changes_nothing() {
    let mut dev = Dev::new();
    let path = file(&dev, "web.json", &web(1));
    dev.start(&[&path, "--watch"]);
    dev.wait_healthy("web", 1);
    file(&dev, "web.json", &web(2));
    dev.wait_healthy("web", 2);
    std::fs::write(&path, "{").expect("a file");
    wait::until("the mistake to be told", START, || dev.output().contains("is not JSON").then_some(()));
    assert_eq!(dev.app("web")["instances"], 2);
    file(&dev, "web.json", &web(1));
    dev.wait_healthy("web", 1);
    assert!(dev.output().contains("/web changed:\n  ~ /instances: 1 -> 2"), "{}", dev.output());
}

#[test]
fn scheduler_level_checks_find_and_replace_too() {
    for protocol in ["HTTP", "TCP"] {
        let mut dev = Dev::new();
        let mut app = web(2);
        app["healthChecks"][0]["protocol"] = json!(protocol);
        let path = file(&dev, "web.json", &app);
        dev.start(&[&path]);
        let before = dev.wait_healthy("web", 2);
        // A stopped process still has a listening socket, which a TCP check does not see through.
        let victim = server(&dev, &before["tasks"][0]);
        process::signal(victim, if protocol == "HTTP" { Signal::STOP } else { Signal::KILL });
        dev.wait_app("web", "a replacement", |app| ids(app) != ids(&before));
        dev.wait_healthy("web", 2);
    }
}

#[test]
fn master_agent_and_scheduler_run_as_three_processes() {
    let pair = harness::cluster::Pair::start();
    let api = free_address();
    let work_dir = pair.directory().join("scheduler").display().to_string();
    let arguments =
        ["scheduler", "--work-dir", &work_dir, "--port", &api.port().to_string(), "--master", &pair.master.to_string()];
    let log = pair.directory().join("log");
    let mut scheduler = harness::cluster::Running::start(&arguments.map(str::to_owned), &log);
    wait::until("the API", START, || http::get(api, "/ping"));
    assert_eq!(http::send(api, "POST", "/v2/apps", &web(2)).expect("an answer").status, 201);
    wait::until("two healthy instances", START, || {
        (http::get(api, "/v2/apps/web")?.json()["app"]["tasksHealthy"] == 2).then_some(())
    });
    scheduler.kill();
    let _scheduler = harness::cluster::Running::start(&arguments.map(str::to_owned), &log);
    let app = wait::until("the API", START, || http::get(api, "/v2/apps/web")).json();
    assert_eq!(app["app"]["tasksHealthy"], 2, "no flip by a restart of the scheduler");
}

/// Starts one of the servers of a cluster in this directory, with `arguments` separated by blanks.
fn part(dev: &Dev, name: &str, port: SocketAddr, arguments: &str) -> Running {
    let work_dir = dev.directory().join(name).display().to_string();
    let own = [name, "--work-dir", &work_dir, "--port", &port.port().to_string()].map(str::to_owned);
    let arguments = own.into_iter().chain(arguments.split_whitespace().map(str::to_owned));
    Running::start(&arguments.collect::<Vec<_>>(), &dev.directory().join(format!("{name}.log")))
}

#[test]
fn a_cluster_lets_in_those_it_knows_and_nobody_else() {
    let dev = Dev::new();
    let one = |principal: &str, secret: &str| json!({"principal": principal, "secret": secret});
    let known = file(&dev, "known.json", &json!({"credentials": [one("ops", "a"), one("marathon", "b")]}));
    let (ops, marathon) =
        (file(&dev, "ops.json", &one("ops", "a")), file(&dev, "marathon.json", &one("marathon", "b")));
    let wrong = file(&dev, "wrong.json", &one("marathon", "c"));
    let locks = "--authenticate-http-readonly --authenticate-http-readwrite";
    let master = format!("--credentials {known} {locks} --authenticate-http-frameworks --authenticate-agents");
    let _master = part(&dev, "master", dev.master, &master);
    let agent = format!("--master {} --credential {ops} --http-credentials {known} {locks}", dev.master);
    let _agent = part(&dev, "agent", dev.agent, &agent);
    let mut stranger = part(&dev, "scheduler", dev.api, &format!("--master {} --credential {wrong}", dev.master));
    let log = dev.directory().join("scheduler.log");
    let refused = || std::fs::read_to_string(&log).ok()?.contains("401").then_some(());
    wait::until("a refusal", START, refused);
    stranger.kill();
    let _scheduler = part(&dev, "scheduler", dev.api, &format!("--master {} --credential {marathon}", dev.master));
    wait::until("the API", START, || http::get(dev.api, "/ping"));
    assert_eq!(http::send(dev.api, "POST", "/v2/apps", &web(1)).expect("an answer").status, 201);
    dev.wait_healthy("web", 1);
    for server in [dev.master, dev.agent] {
        assert_eq!(http::get(server, "/state").expect("an answer").status, 401);
        // ops:a
        let headers = [("authorization", "Basic b3BzOmE=")];
        let state = http::request(server, "GET", "/state", &headers, b"").expect("an answer");
        assert_eq!(state.json()["frameworks"][0]["name"], "marathon");
    }
}

#[test]
fn tasks_and_their_checks_have_nothing_of_whoever_started_the_agent() {
    // Cargo gives this test the variable, which is passed on to the agent as is the descriptor.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let stray = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).expect("a file");
    let mut dev = Dev::new();
    let seen = |by: &str| dev.directory().join(by);
    let look = |by: &str| {
        let (file, descriptor) = (seen(by).display().to_string(), stray.as_raw_fd());
        let descriptor = format!("test -e /proc/$$/fd/{descriptor} && echo STRAY_DESCRIPTOR");
        format!("{{ env; {descriptor}; echo looked; }} > {file}.part; mv {file}.part {file}")
    };
    let app = json!({"id": "/look", "cmd": format!("{}; exec sleep 1000", look("task")), "cpus": 0.1, "mem": 16,
        "healthChecks": [{"protocol": "COMMAND", "command": {"value": look("check")}, "delaySeconds": 0}]});
    let app = file(&dev, "look.json", &app);
    let files = ["task", "check"].map(seen);
    dev.start(&[app.as_str()]);
    for file in files {
        let text = wait::until("what is seen", START, || std::fs::read_to_string(&file).ok());
        assert!(text.contains("\nMESOS_SANDBOX=") && text.ends_with("looked\n"), "{text}");
        assert!(!text.contains("CARGO_MANIFEST_DIR") && !text.contains("STRAY_DESCRIPTOR"), "{text}");
    }
}
