//! Marathon's rows of `taskKillGracePeriodSeconds`, in containers of images: who ignores SIGTERM has so long, and who does
//! not ends at once.

use std::time::Duration;

use harness::cluster::{Dev, START};
use harness::wait;
use serde_json::{Value, json};

use crate::images::{IMAGE, with_docker, with_images};
use crate::{change, get, send, settled};

/// The grace of one that ignores the signal, in seconds.
const SHORT: u64 = 4;

/// The grace of one that ends on it, which nobody waits for.
const LONG: u64 = 300;

/// The time of an end beside the grace, on a machine that is busy.
const BUSY: Duration = Duration::from_secs(30);

fn stubborn(kind: &str) -> Value {
    app("/stubborn", kind, "trap '' TERM; while true; do sleep 1; done", SHORT)
}

fn obliging(kind: &str) -> Value {
    app("/obliging", kind, "trap 'exit 0' TERM; while true; do sleep 0.1; done", LONG)
}

fn app(id: &str, kind: &str, cmd: &str, grace: u64) -> Value {
    json!({"id": id, "cmd": cmd, "cpus": 0.1, "mem": 32, "taskKillGracePeriodSeconds": grace,
        "container": {"type": kind, "docker": {"image": IMAGE}}})
}

/// The time from the word to end to the end.
fn end(dev: &Dev, id: &str) -> Duration {
    let gone = || get(dev, "/v2/tasks")["tasks"].as_array()?.iter().all(|task| task["appId"] != id).then_some(());
    wait::timed(|| {
        change(dev, "PUT", &format!("/v2/apps{id}"), &json!({"instances": 0}));
        wait::until("the task is gone", START, gone);
    })
    .1
}

fn grace_is_kept(dev: &Dev, kind: &str) {
    [stubborn(kind), obliging(kind)].iter().for_each(|app| drop(change(dev, "POST", "/v2/apps", app)));
    let (stubborn, obliging) = (end(dev, "/stubborn"), end(dev, "/obliging"));
    let grace = Duration::from_secs(SHORT);
    assert!(stubborn >= grace && stubborn < grace + BUSY, "it had {stubborn:?}");
    assert!(obliging < BUSY, "it was given {LONG}s, needed none, and took {obliging:?}");
}

#[test]
fn test_launch_mesos_grace_period() {
    with_images("test_launch_mesos_grace_period", |dev| grace_is_kept(dev, "MESOS"));
}

#[test]
fn test_launch_docker_grace_period() {
    with_docker("test_launch_docker_grace_period", |dev, daemon| {
        grace_is_kept(dev, "DOCKER");
        wait::until("no container is left", START, || daemon.containers().is_empty().then_some(()));
    });
}

#[test]
fn the_grace_of_a_pods_container_is_kept() {
    with_images("the_grace_of_a_pods_container_is_kept", |dev| {
        let container = |name: &str, shell: &str, grace: u64| {
            json!({"name": name, "image": {"kind": "DOCKER", "id": IMAGE}, "resources": {"cpus": 0.1, "mem": 32},
                "exec": {"command": {"shell": shell}}, "lifecycle": {"killGracePeriodSeconds": grace}})
        };
        let stubborn = "trap '' TERM; while true; do sleep 1; done";
        let pod = json!({"id": "/pod", "containers": [container("stubborn", stubborn, SHORT),
            container("obliging", "exec sleep 100000", LONG)]});
        change(dev, "POST", "/v2/pods", &pod);
        let (_, took) = wait::timed(|| {
            let answer = send(dev, "DELETE", "/v2/pods/pod", &Value::Null);
            assert_eq!(answer.status, 202, "{}", answer.text());
            settled(dev);
        });
        assert!(took >= Duration::from_secs(SHORT) && took < Duration::from_secs(SHORT) + BUSY, "{took:?}");
    });
}
