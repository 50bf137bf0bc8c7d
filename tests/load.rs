//! The Marathon API under load: 500 apps with 10,000 health-checked instances, on simulated agents, with real processes
//! of the master and the scheduler.
//!
//! It has a program of its own, so that no other test is beside it while it measures. The promise is of a release build,
//! `cargo test --release --package system-tests --test load`; without optimization a tenth of it is tried, with more time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::heads::Heads;
use harness::{http, process, wait};
use serde_json::{Value, json};
use simulated::{Fleet, Options};

const APPS: usize = if cfg!(debug_assertions) { 50 } else { 500 };
const INSTANCES: usize = 20;
const TASKS: usize = APPS * INSTANCES;

/// How long all of them may take to become healthy.
const DEPLOYED: Duration = Duration::from_secs(300);

/// The answer that dashboards and load balancers ask for again and again.
const EVERYTHING: &str = "/v2/apps?embed=apps.tasks";

/// How long it may take.
const LIMIT: Duration = if cfg!(debug_assertions) { Duration::from_secs(1) } else { Duration::from_millis(300) };

/// How much private memory the scheduler may have in the end: so many instances, and what is kept of how they look.
const MEMORY_KIB: u64 = 400 * 1024;

fn app(number: usize) -> Value {
    json!({
        "id": format!("/load/app-{number}"), "cmd": "exec sleep 100000", "cpus": 0.01, "mem": 1, "instances": INSTANCES,
        "labels": {"HAPROXY_GROUP": "external", "owner": "load"}, "env": {"A": "1", "B": "2"},
        "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0, "maxConsecutiveFailures": 0}]
    })
}

/// Everything runs and is healthy.
fn deployed() -> (Heads, Fleet) {
    let heads = Heads::start();
    let resources = "cpus:100;mem:100000;disk:100000;ports:[10000-19999]".to_owned();
    let fleet = Fleet::start(heads.master, &Options { agents: 20, resources }).expect("simulated agents");
    let apps: Vec<Value> = (0..APPS).map(app).collect();
    for some in apps.chunks(100) {
        let answer = http::send(heads.api, "PUT", "/v2/apps", &json!(some)).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    all_are("healthy", &heads);
    (heads, fleet)
}

#[track_caller]
fn all_are(how: &str, heads: &Heads) {
    let gauge = format!("marathon.instances.{how}.gauge");
    wait::until(&format!("{TASKS} {how} instances"), DEPLOYED, || (heads.gauge(&gauge)? == TASKS as u64).then_some(()));
}

/// How long it takes to be answered, and what.
fn asked(api: SocketAddr, path: &str) -> (http::Answer, Duration) {
    let (answer, took) = wait::timed(|| http::get(api, path).expect("an answer"));
    assert_eq!(answer.status, 200, "{path}");
    (answer, took)
}

#[test]
fn ten_thousand_instances_are_listed_fast_and_nobody_waits_for_it() {
    let (heads, _fleet) = deployed();
    everything_is_listed_fast(&heads);
    others_are_answered_meanwhile(&heads);
    memory_is_bounded(&heads);
}

fn everything_is_listed_fast(heads: &Heads) {
    let mut times: Vec<Duration> = (0..9).map(|_| asked(heads.api, EVERYTHING).1).collect();
    times.sort();
    let (answer, _) = asked(heads.api, EVERYTHING);
    let apps = answer.json()["apps"].as_array().cloned().expect("apps");
    let tasks: usize = apps.iter().filter_map(|app| Some(app["tasks"].as_array()?.len())).sum();
    assert_eq!((apps.len(), tasks), (APPS, TASKS));
    println!("{EVERYTHING}: {:?} of {:?} bytes, {:?} at worst", times[4], answer.body.len(), times[8]);
    assert!(times[4] < LIMIT, "{times:?}");
}

/// While four clients list everything without a break, single apps are shown as fast.
fn others_are_answered_meanwhile(heads: &Heads) {
    let done = AtomicBool::new(false);
    let worst = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    asked(heads.api, EVERYTHING);
                }
            });
        }
        let times = (0..50).map(|number| asked(heads.api, &format!("/v2/apps/load/app-{number}")).1);
        let worst = times.max().unwrap_or_default();
        done.store(true, Ordering::Relaxed);
        worst
    });
    println!("one app, meanwhile: {worst:?} at worst");
    assert!(worst < LIMIT, "{worst:?}");
}

fn memory_is_bounded(heads: &Heads) {
    let kib = process::private_kib(heads.scheduler());
    println!("scheduler: {} MiB", kib / 1024);
    assert!(kib < MEMORY_KIB, "{kib} KiB");
}
