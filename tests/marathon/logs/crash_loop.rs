//! An app whose tasks end at once is followed from one to the next: each is heard, in order, and its end is told.

use harness::cluster::START;
use harness::{http, wait};
use serde_json::json;

use super::apart::Apart;
use super::app;

/// The numbers of the tasks whose lines these are, in the order of the lines.
fn numbers(out: &str) -> Vec<u32> {
    let number = |line: &str| line.strip_suffix(" | hello")?.split_once('.')?.1.parse().ok();
    out.lines().filter_map(number).collect()
}

#[test]
fn each_task_of_a_crash_loop_is_heard_in_order_with_its_end() {
    let mut apart = Apart::start();
    let mut crashes = app("/crashes", "echo hello; echo wrong >&2; exit 3");
    (crashes["backoffSeconds"], crashes["backoffFactor"]) = (json!(0.3), json!(1));
    (crashes["maxLaunchDelaySeconds"], crashes["instances"]) = (json!(1), json!(1));
    apart.run(&crashes);
    let mut following = apart.cygnet("task logs crashes -f");
    let heard = |count: usize, out: &str| (numbers(out).len() >= count).then_some(());
    wait::until("several tasks", START, || heard(4, &following.out()));
    apart.kill();
    following.wait_for("the scheduler is lost", 1);
    apart.start_again();
    following.wait_for("the scheduler is back", 1);
    let before = numbers(&following.out()).len();
    wait::until("more of them", START, || heard(before + 3, &following.out()));
    assert_eq!(http::request(apart.api, "DELETE", "/v2/apps/crashes", &[], b"").expect("an answer").status, 200);
    assert!(following.end(), "the app is gone: {}", following.err());
    let (found, said) = (numbers(&following.out()), following.err());
    let first = found[0];
    let expected: Vec<u32> = (first..).take(found.len()).collect();
    assert_eq!(found, expected, "each once, in order: {said}");
    assert_eq!(said.matches(" | wrong").count(), found.len(), "{said}");
    let ends = said.lines().filter(|line| line.contains(" ended: ")).collect::<Vec<_>>();
    assert!(ends.len() + 1 >= found.len() && ends.iter().all(|line| line.contains("status 3")), "{said}");
    assert!(ends.iter().any(|line| line.contains("is launched again after ") && line.ends_with(" UTC")), "{said}");
}
