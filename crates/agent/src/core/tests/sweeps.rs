//! Remains of runs, looked for again and again.

use std::collections::BTreeSet;

use super::bench::{Bench, preparation};
use crate::core::Job;

/// The runs that each sweep spares.
fn sweeps(jobs: Vec<Job>) -> Vec<BTreeSet<String>> {
    jobs.into_iter().filter_map(|job| if let Job::Sweep(live) = job { Some(live) } else { None }).collect()
}

#[test]
fn an_agent_looks_for_remains_every_few_minutes_and_spares_what_lives() {
    let mut bench = Bench::new();
    let container = preparation(bench.launch("a", None)).container.value.clone();
    let seconds = (1..=1000).filter(|_| !sweeps(bench.pass(1)).is_empty()).collect::<Vec<_>>();
    assert_eq!(seconds, [310, 610, 910], "strangers have their ten seconds first");
    assert!(sweeps(bench.pass(200)).is_empty());
    let container_too = preparation(bench.launch("b", None)).container.value.clone();
    let live = sweeps(bench.pass(10)).remove(0);
    assert!(live.contains(&container_too) && !live.contains(&container), "the first never registered");
}
