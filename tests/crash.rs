//! Kills every kind of process at random moments while an app is scaled up and down. Afterwards exactly the wanted
//! instances run, no orphan is left, and no status was lost: master, scheduler and the process table agree.

use harness::cluster::{Dev, START};
use harness::{http, process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

const KILLS: u32 = 100;
const MOST: u64 = 8;

#[test]
fn killing_any_process_at_any_time_loses_nothing() {
    let seed = std::env::var("CRASH_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("CRASH_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut dev = Dev::new();
    dev.start(&["--resources", RESOURCES]);
    let app = json!({"id": "/web", "cmd": "exec cygnet demo http --port $PORT0", "cpus": 0.01, "mem": 1,
        "instances": 4, "backoffSeconds": 0.1, "maxLaunchDelaySeconds": 1, "taskKillGracePeriodSeconds": 1,
        "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/health", "delaySeconds": 0, "intervalSeconds": 1,
        "timeoutSeconds": 5, "gracePeriodSeconds": 20}]});
    assert_eq!(http::send(dev.api, "POST", "/v2/apps", &app).expect("an answer").status, 201);

    let mut wanted = 4;
    for round in 0..KILLS {
        if random.u8(..3) == 0 {
            let target = random.u64(0..=MOST);
            let scale = json!({"instances": target});
            if http::send(dev.api, "PUT", "/v2/apps/web?force=true", &scale).is_some_and(|answer| answer.status == 200)
            {
                wanted = target;
            }
        }
        kill_one(&mut dev, &mut random, round);
        pause(&mut random);
        if dev.process().exited().is_some() {
            dev.spawn(&["--resources", RESOURCES]);
            if random.bool() {
                dev.wait_until_up();
            }
        }
    }
    if dev.process().exited().is_some() {
        dev.spawn(&["--resources", RESOURCES]);
    }
    dev.wait_until_up();
    settled(&dev, wanted);

    let removed = http::request(dev.api, "DELETE", "/v2/apps/web?force=true", &[], b"").expect("an answer");
    assert_eq!(removed.status, 200);
    wait::until("no task left", START, || servers(&dev).is_empty().then_some(()));
    settled_shims(&dev, 0);
}

const RESOURCES: &str = "cpus:100;mem:100000;disk:100000;ports:[31000-32000]";

/// One of the processes of this run, any of them, gets SIGKILL.
fn kill_one(dev: &mut Dev, random: &mut fastrand::Rng, round: u32) {
    let mut all = dev.others();
    if dev.process().exited().is_none() {
        all.push(dev.process().pid());
    }
    // Cygnet's own few processes are as likely as the many tasks.
    let own = |pid: &i32| {
        let line = process::command_line(*pid);
        line.contains(" executor") || line.contains(" dev ")
    };
    if random.bool() {
        all.retain(own);
    }
    if let Some(&pid) = random.choice(&all) {
        println!("{round}: kill -9 {pid} {}", process::command_line(pid));
        process::signal(pid, Signal::KILL);
    }
}

/// A random part of a second, so that kills fall into every phase of a start and a recovery.
fn pause(random: &mut fastrand::Rng) {
    let moment = std::time::Duration::from_millis(random.u64(0..600));
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv_timeout(moment);
    drop(sender);
}

/// Waits until everything agrees on `wanted` instances, all healthy.
fn settled(dev: &Dev, wanted: u64) {
    let limit = START * 3;
    wait::until("exactly the wanted instances", limit, || {
        let app = dev.app("web");
        let counted = app["tasksRunning"] == wanted && app["tasksHealthy"] == wanted && app["tasksStaged"] == 0;
        (counted && app["deployments"] == json!([])).then_some(())
    });
    wait::until("master and scheduler to agree", limit, || {
        (running(&http::get(dev.master, "/tasks?limit=100000")?.json()) == wanted).then_some(())
    });
    wait::until("as many processes as instances", limit, || (servers(dev).len() as u64 == wanted).then_some(()));
    settled_shims(dev, wanted);
    let state = http::get(dev.master, "/state").expect("an answer").json();
    assert_eq!(state["slaves"].as_array().map(Vec::len), Some(1), "one agent, with one identity");
    assert_eq!(state["frameworks"].as_array().map(Vec::len), Some(1), "one framework, with one identity");
}

/// One shim per task and no more: nothing is left of the tasks that ended.
fn settled_shims(dev: &Dev, wanted: u64) {
    let shims = || dev.others().into_iter().filter(|&pid| process::command_line(pid).contains(" shim ")).count() as u64;
    wait::until("one shim for each task", START, || (shims() == wanted).then_some(()));
}

fn running(tasks: &Value) -> u64 {
    let tasks = tasks["tasks"].as_array().cloned().unwrap_or_default();
    tasks.iter().filter(|task| !terminal(task["state"].as_str().unwrap_or_default())).count() as u64
}

fn terminal(state: &str) -> bool {
    matches!(
        state,
        "TASK_FINISHED" | "TASK_FAILED" | "TASK_KILLED" | "TASK_LOST" | "TASK_ERROR" | "TASK_DROPPED" | "TASK_GONE"
    )
}

/// Pids of the app's servers.
fn servers(dev: &Dev) -> Vec<i32> {
    dev.others().into_iter().filter(|&pid| process::command_line(pid).contains("demo http --port")).collect()
}
