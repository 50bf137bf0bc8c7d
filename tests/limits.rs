//! The limits of containers: memory, processor time, processes and disk, by real agents with real control groups. Where
//! there are none, each test says so and is skipped.

use std::fs;
use std::path::PathBuf;

use harness::cluster::{Pair, START};
use harness::framework::{Framework, scalar, task};
use harness::wire::Form;
use harness::{cgroups, http, process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

const MEMORY: &str = "REASON_CONTAINER_LIMITATION_MEMORY";

/// Takes more memory than any container here may have.
const GLUTTON: &str = "head -c 300m /dev/zero | tail -c 300m > /dev/null";

/// A cluster whose agent has control groups, and a framework; or nothing, which is said.
fn started(test: &str) -> Option<(Pair, Framework)> {
    let pair = Pair::start();
    let flags = http::get(pair.agent, "/flags").expect("an answer").json();
    if !flags["flags"]["isolation"].as_str().expect("a flag").contains("cgroups/mem") {
        println!("SKIPPED {test}: no control groups can be made here");
        return None;
    }
    let framework = Framework::subscribe(pair.master, Form::Json);
    Some((pair, framework))
}

/// The task with these amounts.
fn sized(mut task: Value, cpus: f64, mem: f64) -> Value {
    task["resources"] = json!([scalar("cpus", cpus), scalar("mem", mem)]);
    task
}

/// A task of a group that has a cgroup of its own.
fn alone(mut task: Value) -> Value {
    task["container"] = json!({"type": "MESOS", "linux_info": {"share_cgroups": false}});
    task
}

/// The next update of this task that is its last.
#[track_caller]
fn last(framework: &Framework, task: &str) -> Value {
    loop {
        let status = framework.update();
        let state = status["state"].as_str().expect("a state");
        if status["task_id"]["value"] == task && !["TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"].contains(&state) {
            return status;
        }
    }
}

#[track_caller]
fn ran_out(status: &Value, limit: &str) {
    assert_eq!((status["state"].as_str(), status["reason"].as_str()), (Some("TASK_FAILED"), Some(MEMORY)), "{status}");
    let message = status["message"].as_str().expect("a message");
    assert!(message.starts_with(&format!("Memory limit exceeded: Requested: {limit} Maximum Used: ")), "{message}");
    assert!(message.contains("\n\nMEMORY STATISTICS: \n") && message.contains("total_rss "), "{message}");
    assert_eq!(status["limitation"]["resources"][0]["name"], "mem", "{status}");
}

#[track_caller]
fn nothing_left(pair: &Pair) {
    wait::until("no cgroup is left", START, || cgroups::left(pair.directory()).is_empty().then_some(()));
}

/// The directory of the only cgroup of a container in this hierarchy.
fn cgroup(pair: &Pair, hierarchy: &str) -> PathBuf {
    let below = |cgroup: &PathBuf| {
        let is_run = cgroup.parent().and_then(|parent| parent.file_name()).is_some_and(|parent| parent == "executors");
        is_run && cgroup.starts_with(PathBuf::from("/sys/fs/cgroup").join(hierarchy))
    };
    wait::until("a cgroup", START, || cgroups::left(pair.directory()).into_iter().find(below))
}

#[test]
fn a_task_that_takes_more_memory_than_it_asked_for_fails_and_says_so() {
    let Some((pair, framework)) = started("a_task_that_takes_more_memory_than_it_asked_for_fails_and_says_so") else {
        return;
    };
    framework.launch(sized(task("main", &format!("{GLUTTON}; exit 0")), 0.1, 64.0));
    ran_out(&last(&framework, "main"), "64MB");
    // A child only, and its parent goes on: the container is over all the same.
    framework.launch(sized(task("child", &format!("({GLUTTON}) & wait; sleep 1000")), 0.1, 8.0));
    ran_out(&last(&framework, "child"), "32MB");
    nothing_left(&pair);
}

#[test]
fn a_limit_may_be_above_what_is_asked_for() {
    let Some((_pair, framework)) = started("a_limit_may_be_above_what_is_asked_for") else { return };
    let mut roomy = sized(task("roomy", &format!("{GLUTTON}; exit 0")), 0.1, 32.0);
    roomy["limits"] = json!({"mem": {"value": "Infinity"}, "cpus": {"value": 2.0}});
    framework.launch(roomy);
    assert_eq!(last(&framework, "roomy")["state"], "TASK_FINISHED");
    let mut ready = sized(task("ready", "test $(cat /proc/self/oom_score_adj) -gt 500"), 0.1, 32.0);
    ready["limits"] = json!({"mem": {"value": 64.0}});
    framework.launch(ready.clone());
    assert_eq!(
        last(&framework, "ready")["state"],
        "TASK_FINISHED",
        "it is readier to die than those within their means"
    );
    (ready["task_id"]["value"], ready["limits"]) = (json!("modest"), json!({}));
    framework.launch(ready);
    assert_eq!(last(&framework, "modest")["state"], "TASK_FAILED", "it is as ready as its executor");
}

#[test]
fn a_limit_of_processor_time_holds() {
    let Some((pair, framework)) = started("a_limit_of_processor_time_holds") else { return };
    let mut busy = sized(task("busy", "while :; do :; done"), 0.1, 32.0);
    busy["limits"] = json!({"cpus": {"value": 0.3}});
    framework.run(busy);
    let accounts = cgroup(&pair, "cpuacct");
    let used = || fs::read_to_string(accounts.join("cpuacct.usage")).unwrap().trim().parse::<f64>().unwrap() / 1e9;
    let throttled = || fs::read_to_string(cgroup(&pair, "cpu").join("cpu.stat")).unwrap();
    let before = used();
    let (_, time) = wait::timed(|| wait::until("a while of work", START, || (used() - before > 0.9).then_some(())));
    let share = (used() - before) / time.as_secs_f64();
    // A machine that is busy with other tests may give it less.
    assert!(share < 0.3 * 1.2, "{share} CPUs; {}", throttled());
    let statistics = http::get(pair.agent, "/monitor/statistics").expect("an answer").json()[0]["statistics"].clone();
    assert!(statistics["cpus_nr_throttled"].as_u64() > Some(0), "{statistics}");
    assert!(statistics["mem_rss_bytes"].as_u64() > Some(0), "{statistics}");
    assert_eq!(statistics["mem_limit_bytes"], 32 << 20);
    framework.kill("busy");
    assert_eq!(last(&framework, "busy")["state"], "TASK_KILLED");
    nothing_left(&pair);
}

#[test]
fn tasks_of_a_group_share_a_cgroup_or_have_their_own() {
    let Some((pair, framework)) = started("tasks_of_a_group_share_a_cgroup_or_have_their_own") else { return };
    let sleeper = |id: &str| sized(task(id, "sleep 1000"), 0.1, 32.0);
    framework.launch_group("own", [alone(sized(task("hungry", GLUTTON), 0.1, 48.0)), alone(sleeper("other"))]);
    ran_out(&last(&framework, "hungry"), "48MB");
    assert_eq!(last(&framework, "other")["state"], "TASK_KILLED", "a group ends together");
    nothing_left(&pair);
    // Together they may have what all of them and their executor ask for: 32 + 32 + 64 MB.
    framework.launch_group("shared", [sized(task("one", &format!("sleep 2; {GLUTTON}")), 0.1, 64.0), sleeper("two")]);
    ran_out(&last(&framework, "one"), "128MB");
    nothing_left(&pair);
}

#[test]
fn limits_follow_the_groups_that_come_and_go() {
    let Some((pair, framework)) = started("limits_follow_the_groups_that_come_and_go") else { return };
    let limit = |pair: &Pair| {
        let text = fs::read_to_string(cgroup(pair, "memory").join("memory.limit_in_bytes")).unwrap();
        text.trim().parse::<u64>().unwrap() >> 20
    };
    let group = |id: &str| {
        framework.launch_group("e", [sized(task(id, "sleep 1000"), 0.1, 64.0)]);
        framework.expect("TASK_STARTING");
        framework.expect("TASK_RUNNING");
    };
    group("first");
    assert_eq!(limit(&pair), 96);
    group("second");
    assert_eq!(limit(&pair), 160, "in force before the task has begun");
    framework.kill("first");
    assert_eq!(last(&framework, "first")["state"], "TASK_KILLED");
    wait::until("the limit falls", START, || (limit(&pair) == 96).then_some(()));
}

#[test]
fn memory_that_runs_out_while_nobody_looks_is_found() {
    let Some((mut pair, framework)) = started("memory_that_runs_out_while_nobody_looks_is_found") else { return };
    let flag = pair.directory().join("flag");
    let waits = format!("while ! test -e {}; do sleep 0.05; done; ({GLUTTON}); exit 0", flag.display());
    framework.run(sized(task("t", &waits), 0.1, 32.0));
    pair.agent_process().kill();
    let line = |wanted: &'static str| move |pid: &i32| process::command_line(*pid).contains(wanted);
    let all = || process::marked(pair.directory());
    for pool in all().into_iter().filter(line(" executor --pool")) {
        process::signal(pool, Signal::KILL);
    }
    fs::write(&flag, "").unwrap();
    wait::until("the task's end", START, || (!all().iter().any(line(" shim "))).then_some(()));
    pair.start_agent();
    ran_out(&last(&framework, "t"), "32MB");
    nothing_left(&pair);
}

#[test]
fn nothing_is_left_whoever_is_killed() {
    let Some((mut pair, framework)) = started("nothing_is_left_whoever_is_killed") else { return };
    for victim in [" executor --pool", " shim ", "sleep 1000"] {
        let id = victim.trim().replace(' ', "-");
        framework.run(sized(task(&id, "sleep 1000 & sleep 1000"), 0.1, 32.0));
        let all = process::marked(pair.directory());
        let mut victims: Vec<_> = all.into_iter().filter(|pid| process::command_line(*pid).contains(victim)).collect();
        pair.agent_process().kill();
        victims.retain(|pid| process::signal(*pid, Signal::KILL));
        assert!(!victims.is_empty(), "{victim}");
        pair.start_agent();
        pair.wait_until_registered();
        if victim == " executor --pool" {
            framework.kill(&id);
        }
        last(&framework, &id);
        nothing_left(&pair);
    }
}

#[test]
fn agents_beside_each_other_leave_each_others_cgroups_alone() {
    let Some((mut one, first)) = started("agents_beside_each_other_leave_each_others_cgroups_alone") else { return };
    let other = Pair::start();
    let second = Framework::subscribe(other.master, Form::Json);
    first.run(sized(task("one", "sleep 1000"), 0.1, 32.0));
    second.run(sized(task("other", "sleep 1000"), 0.1, 32.0));
    one.agent_process().kill();
    one.start_agent();
    one.wait_until_registered();
    first.kill("one");
    assert_eq!(last(&first, "one")["state"], "TASK_KILLED");
    nothing_left(&one);
    assert!(!cgroups::left(other.directory()).is_empty());
    second.kill("other");
    assert_eq!(last(&second, "other")["state"], "TASK_KILLED");
    nothing_left(&other);
}

#[test]
fn commands_of_checks_are_in_the_cgroup_of_their_task_and_its_shim_is_not() {
    let Some((pair, framework)) = started("commands_of_checks_are_in_the_cgroup_of_their_task") else { return };
    let mut checked =
        sized(task("t", "cat /proc/self/cgroup > own; echo \"$CYGNET_CGROUP\" > variable; sleep 1000"), 0.1, 32.0);
    let command = json!({"value": "cat /proc/self/cgroup > check"});
    checked["check"] =
        json!({"type": "COMMAND", "command": {"command": command}, "delay_seconds": 0.0, "interval_seconds": 0.1});
    framework.run(checked);
    framework.expect_reason("REASON_TASK_CHECK_STATUS_UPDATED");
    let container = cgroup(&pair, "memory").file_name().unwrap().to_str().unwrap().to_owned();
    let sandbox =
        http::get(pair.agent, "/state").expect("an answer").json()["frameworks"][0]["executors"][0]["directory"]
            .clone();
    let read = |name: &str| fs::read_to_string(PathBuf::from(sandbox.as_str().unwrap()).join(name)).unwrap();
    for file in ["own", "check"] {
        let memory = |line: &&str| line.contains(":memory:") && line.ends_with(&container);
        assert!(read(file).lines().any(|line| memory(&line)), "{file}: {}", read(file));
    }
    assert_eq!(read("variable").trim(), "", "tasks do not inherit it");
    let shims =
        process::marked(pair.directory()).into_iter().filter(|pid| process::command_line(*pid).contains(" shim "));
    for shim in shims {
        assert!(!fs::read_to_string(format!("/proc/{shim}/cgroup")).unwrap().contains(&container));
    }
}

#[test]
fn disk_is_measured_and_held_to_what_was_asked_for_if_an_operator_wants_that() {
    let mut pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Json);
    let fills = |id: &str| {
        let mut fills = task(id, "head -c 3m /dev/zero > file; sync file; sleep 1000");
        fills["resources"] = json!([scalar("cpus", 0.1), scalar("mem", 32.0), scalar("disk", 1.0)]);
        fills
    };
    let again = ["--container-disk-watch-interval", "50ms"];
    pair.agent_process().kill();
    pair.start_agent_with(&again);
    pair.wait_until_registered();
    framework.run(fills("spared"));
    wait::until("its disk is measured", START, || {
        let statistics = http::get(pair.agent, "/containers")?.json()[0]["statistics"].clone();
        (statistics["disk_used_bytes"].as_u64()? >= 3 << 20 && statistics["disk_limit_bytes"] == 1 << 20).then_some(())
    });
    framework.kill("spared");
    assert_eq!(last(&framework, "spared")["state"], "TASK_KILLED");
    pair.agent_process().kill();
    pair.start_agent_with(&[&again[..], &["--enforce-container-disk-quota"]].concat());
    pair.wait_until_registered();
    framework.launch(fills("held"));
    let status = last(&framework, "held");
    assert_eq!(status["reason"], "REASON_CONTAINER_LIMITATION_DISK", "{status}");
    let message = status["message"].as_str().expect("a message");
    assert!(message.starts_with("Disk usage (") && message.ends_with(") exceeds quota (1MB)"), "{message}");
    assert_eq!(status["limitation"]["resources"][0]["name"], "disk", "{status}");
    wait::until("its processes end", START, || {
        process::running("sleep 1000", pair.directory()).is_empty().then_some(())
    });
    nothing_left(&pair);
}

#[test]
fn the_number_of_processes_is_limited() {
    let Some((mut pair, framework)) = started("the_number_of_processes_is_limited") else { return };
    pair.agent_process().kill();
    pair.start_agent_with(&["--cgroups-pids-max", "20"]);
    pair.wait_until_registered();
    let forks = "i=0; while test $i -lt 40; do sleep 1000 & i=$((i+1)); done; wait";
    framework.launch(sized(task("forks", forks), 0.1, 32.0));
    framework.expect("TASK_STARTING");
    framework.expect("TASK_RUNNING");
    // The shell gives up when it cannot fork.
    assert_eq!(last(&framework, "forks")["state"], "TASK_FAILED");
    nothing_left(&pair);
}

#[test]
fn an_agent_without_control_groups_says_so_once_and_goes_on() {
    let mut pair = Pair::start();
    pair.agent_process().kill();
    pair.start_agent_with(&["--cgroups-hierarchy", "/nowhere"]);
    pair.wait_until_registered();
    let flags = http::get(pair.agent, "/flags").expect("an answer").json();
    let words = flags["flags"]["isolation"].as_str().expect("a flag");
    assert!(words.starts_with("posix/cpu,posix/mem,disk/du,filesystem/linux,docker/runtime"), "{words}");
    let framework = Framework::subscribe(pair.master, Form::Json);
    framework.launch(sized(task("t", "exit 0"), 0.1, 32.0));
    assert_eq!(last(&framework, "t")["state"], "TASK_FINISHED");
    let log = fs::read_to_string(pair.directory().join("log")).expect("a log");
    assert_eq!(log.matches("no control groups can be made").count(), 1, "{log}");
}

#[test]
fn an_executor_of_a_frameworks_own_is_in_its_cgroup_itself() {
    let Some((pair, framework)) = started("an_executor_of_a_frameworks_own_is_in_its_cgroup_itself") else { return };
    let executor = json!({"executor_id": {"value": "own"}, "framework_id": {"value": framework.id},
        "command": {"value": format!("({GLUTTON}) & wait; sleep 1000")},
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)]});
    let resources = json!([scalar("cpus", 0.1), scalar("mem", 16.0)]);
    let id = json!({"value": "t"});
    framework.launch(json!({"name": "t", "task_id": id, "executor": executor, "resources": resources}));
    ran_out(&last(&framework, "t"), "48MB");
    nothing_left(&pair);
}

#[test]
fn containers_of_the_operator_api_have_limits_of_their_own() {
    let Some((pair, _framework)) = started("containers_of_the_operator_api_have_limits_of_their_own") else { return };
    let call = |call: Value| http::send(pair.agent, "POST", "/api/v1", &call).expect("an answer");
    let id = json!({"value": "alone"});
    let launch = json!({"container_id": id, "command": {"value": format!("({GLUTTON}) & wait; sleep 1000")},
        "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)], "limits": {"mem": {"value": 40.0}}});
    assert_eq!(call(json!({"type": "LAUNCH_CONTAINER", "launch_container": launch})).status, 200);
    let waited = call(json!({"type": "WAIT_CONTAINER", "wait_container": {"container_id": id}})).json();
    let waited = &waited["wait_container"];
    assert_eq!(waited["reason"], MEMORY, "{waited}");
    assert!(waited["message"].as_str().expect("a message").contains("Requested: 40MB"), "{waited}");
    assert_eq!(waited["limitation"]["resources"][0]["name"], "mem");
    nothing_left(&pair);
}

#[test]
fn containers_of_the_operator_api_have_shared_memory_and_volumes() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED containers_of_the_operator_api_have_shared_memory_and_volumes: needs root");
        return;
    }
    let pair = Pair::start();
    let call = |call: Value| http::send(pair.agent, "POST", "/api/v1", &call).expect("an answer");
    let id = json!({"value": "alone"});
    let host = tempfile::tempdir().expect("a directory");
    fs::write(host.path().join("file"), "of the host\n").expect("a file");
    let volume = |path: &str| json!({"mode": "RO", "host_path": path, "container_path": "data"});
    let container = |path: &str| {
        json!({"type": "MESOS", "volumes": [volume(path)],
        "linux_info": {"ipc_mode": "PRIVATE", "shm_size": 1}})
    };
    let absent =
        json!({"container_id": {"value": "absent"}, "command": {"value": "true"}, "container": container("/absent")});
    let refused = call(json!({"type": "LAUNCH_CONTAINER", "launch_container": absent}));
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text().contains("Path '/absent' in HOST_PATH volume does not exist"), "{}", refused.text());
    let container = container(&host.path().display().to_string());
    let script = "test $(stat -f -c '%b' /dev/shm) = 256 && grep -q host data/file && ! touch data/other";
    let command = json!({"value": script});
    let launch = json!({"container_id": id, "command": command, "container": container});
    let launched = call(json!({"type": "LAUNCH_CONTAINER", "launch_container": launch}));
    assert_eq!(launched.status, 200, "{launched:?}");
    let waited = call(json!({"type": "WAIT_CONTAINER", "wait_container": {"container_id": id}})).json();
    assert_eq!(waited["wait_container"]["exit_status"], 0, "{waited}");
    assert!(!host.path().join("other").exists());
}

#[test]
fn limits_of_setrlimit_hold_for_a_task_and_for_the_commands_of_its_checks() {
    let pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Json);
    let mut limited = sized(task("t", "test $(ulimit -n) = 64 && sleep 1000"), 0.1, 32.0);
    let rlimits = json!([{"type": "RLMT_NOFILE", "soft": 64, "hard": 64}]);
    limited["container"] = json!({"type": "MESOS", "rlimit_info": {"rlimits": rlimits}});
    let command = json!({"command": {"value": "test $(ulimit -n) = 64"}});
    limited["check"] = json!({"type": "COMMAND", "command": command, "delay_seconds": 0.0, "interval_seconds": 0.1});
    framework.run(limited.clone());
    let checked = framework.expect_reason("REASON_TASK_CHECK_STATUS_UPDATED");
    assert_eq!(checked["check_status"]["command"]["exit_code"], 0, "{checked}");
    framework.kill("t");
    assert_eq!(last(&framework, "t")["state"], "TASK_KILLED");
    limited["task_id"]["value"] = json!("crossed");
    limited["container"]["rlimit_info"]["rlimits"][0]["hard"] = json!(1);
    framework.launch(limited);
    let status = last(&framework, "crossed");
    assert_eq!(status["state"], "TASK_FAILED");
    let message = status["message"].as_str().expect("a message");
    assert_eq!(message, "The limit RLMT_NOFILE in 'rlimit_info' has a 'soft' that is greater than its 'hard'");
}
