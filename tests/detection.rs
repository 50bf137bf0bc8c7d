//! The time until a fault is found and acted upon. One test, and so the only one that runs meanwhile: the margins are
//! small.

use std::time::Duration;

use harness::apps::{FAILURES, INTERVAL, TIMEOUT, address, ids, server, started, unhealthy};
use harness::cluster::Dev;
use harness::{http, process, wait};
use rustix::process::Signal;
use serde_json::Value;

/// The time that the engine, the update's way to the scheduler and this test's polling may take together.
const MARGIN: Duration = Duration::from_millis(200);

#[test]
fn a_fault_is_found_and_its_instance_replaced_in_time() {
    broken_instance_is_replaced("answers 500", |_, task| {
        assert_eq!(http::request(address(task), "POST", "/fail", &[], b"").expect("an answer").status, 200);
    });
    broken_instance_is_replaced("hangs", |dev, task| {
        process::signal(server(dev, task), Signal::STOP);
    });
}

/// Breaks one of three instances and sees it found, killed and replaced, in time.
fn broken_instance_is_replaced(how: &str, fault: impl Fn(&Dev, &Value)) {
    let dev = started(3, &[]);
    let before = dev.app("web");
    let victim = &before["tasks"][0];
    fault(&dev, victim);
    let ((), found) = wait::timed(|| {
        dev.wait_app("web", "an unhealthy instance", unhealthy);
    });
    assert!(found <= INTERVAL + TIMEOUT + MARGIN, "one that {how} was found unhealthy only after {found:?}");
    let victim_id = victim["id"].as_str().expect("an id").to_owned();
    let ((), rest) = wait::timed(|| {
        dev.wait_app("web", "the instance killed", |app| {
            let tasks = app["tasks"].as_array().cloned().unwrap_or_default();
            !tasks.iter().any(|task| task["id"] == victim_id.as_str() && task["state"] == "TASK_RUNNING")
        });
    });
    assert!(
        found + rest <= (INTERVAL + TIMEOUT) * FAILURES + MARGIN,
        "one that {how} was killed only after {:?}",
        found + rest
    );
    let after = dev.wait_healthy("web", 3);
    assert!(!ids(&after).contains(&victim_id), "replaced, not revived");
    assert_eq!(ids(&after).iter().filter(|id| ids(&before).contains(id)).count(), 2, "the others were left alone");
}
