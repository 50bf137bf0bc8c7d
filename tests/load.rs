//! The Marathon API under load: 500 apps with 10,000 health-checked instances, on simulated agents, with real processes
//! of the master and the scheduler.
//!
//! It has a program of its own, so that no other test is beside it while it measures. The promise is of a release build,
//! `cargo test --release --package system-tests --test load`; without optimization a tenth of it is tried, with more time.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::heads::Heads;
use harness::{http, process, wait};
use serde_json::{Value, json};
use simulated::{Fleet, Options};

const APPS: usize = if cfg!(debug_assertions) { 50 } else { 500 };
const INSTANCES: usize = 20;
const TASKS: usize = APPS * INSTANCES;

/// The time that all of them may take to become healthy.
const DEPLOYED: Duration = Duration::from_secs(300);

/// The answer that dashboards and load balancers ask for again and again.
const EVERYTHING: &str = "/v2/apps?embed=apps.tasks";

/// The time that it may take.
const LIMIT: Duration = if cfg!(debug_assertions) { Duration::from_secs(1) } else { Duration::from_millis(300) };

/// Listeners that do not read.
const DEAF: usize = 50;

/// The times that all instances change their health while nobody reads: with all of them, that makes far more events
/// than anybody may be behind.
const FLIPS: usize = if cfg!(debug_assertions) { 1 } else { 5 };

/// The private memory of the scheduler in the end, at most: so many instances, their events, and some for each listener.
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

/// The answer, and the time until it came.
fn asked(api: SocketAddr, path: &str) -> (http::Answer, Duration) {
    let (answer, took) = wait::timed(|| http::get(api, path).expect("an answer"));
    assert_eq!(answer.status, 200, "{path}");
    (answer, took)
}

#[test]
fn ten_thousand_instances_are_listed_fast_and_nobody_waits_for_it() {
    let (heads, fleet) = deployed();
    everything_is_listed_fast(&heads);
    others_are_answered_meanwhile(&heads);
    deaf_listeners_cost_little(&heads, &fleet);
    everything_is_listed_fast(&heads);
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

/// Every change of health is told in several events. Those who do not read them cost little; they miss too much, and are
/// cut off once they read again.
fn deaf_listeners_cost_little(heads: &Heads, fleet: &Fleet) {
    let before = process::private_kib(heads.scheduler());
    let deaf: Vec<TcpStream> = (0..DEAF).map(|_| listener(heads.api)).collect();
    // Agents flip what they have, and some have nothing.
    let enough = fleet.counts().updates + (FLIPS * TASKS) as u64;
    wait::until("enough changes, all acknowledged", DEPLOYED, || {
        let counts = fleet.counts();
        let settled = counts.unacknowledged == 0;
        if settled && counts.updates < enough {
            fleet.flip(TASKS);
        }
        (settled && counts.updates >= enough).then_some(())
    });
    let after = process::private_kib(heads.scheduler());
    println!("scheduler: {} MiB before, {} MiB after, with {DEAF} deaf listeners", before / 1024, after / 1024);
    assert!(after < MEMORY_KIB, "{after} KiB");
    if FLIPS > 1 {
        deaf.into_iter().for_each(is_cut_off);
    }
}

#[track_caller]
fn is_cut_off(mut stream: TcpStream) {
    let told = std::io::copy(&mut stream, &mut std::io::sink()).expect("the stream ends");
    assert!(told > 0, "it was told something before");
}

/// Asks for the event stream, and reads none of it.
fn listener(api: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(api).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    let request =
        format!("GET /v2/events HTTP/1.1\r\nhost: {api}\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n");
    std::io::Write::write_all(&mut &stream, request.as_bytes()).expect("sent");
    stream
}
