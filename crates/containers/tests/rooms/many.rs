//! A thousand containers, each with a network of its own: how long they take to start, and what stands beside a program.

use std::fs;
use std::time::Duration;

use harness::wait::timed;
use processes::Process;
use rustix::process::Signal;

use crate::world::{Running, World};

pub(crate) const TESTS: &[(&str, fn())] = &[("a_thousand_containers", a_thousand_containers)];

/// The number of containers started at a time.
const AT_ONCE: usize = 16;

fn a_thousand_containers() {
    let number: u32 = std::env::var("CONTAINERS").map_or(1000, |number| number.parse().unwrap());
    let world = World::new();
    let rooms: Vec<_> = (0..number).map(|_| world.room()).collect();
    let before = cpu("self");
    let (running, time) = timed(|| {
        let mut running: Vec<Running<'_>> = Vec::new();
        for rooms in rooms.chunks(AT_ONCE) {
            let starting = rooms.iter().map(|room| world.starting(room, &["/bin/sleep", "100000"]));
            let started = world.block_on(futures_util::future::join_all(starting));
            running.extend(started.into_iter().map(|started| started.ok().unwrap()));
        }
        running
    });
    let own = cpu("self") - before;
    let theirs = running.iter().flat_map(|one| [one.shim(), one.pause(), one.app()]);
    let cpu = own + theirs.map(|process| cpu(&process.pid.to_string())).sum::<Duration>();
    let beside: Vec<[u64; 2]> = running.iter().map(|one| [one.shim(), one.pause()].map(memory)).collect();
    let mean = |kind: usize| beside.iter().map(|one| one[kind]).sum::<u64>() / u64::from(number);
    println!("{number} in {time:?}; {:?} CPU each; shim {} kB, pause {} kB", cpu / number, mean(0), mean(1));
    // Of two cores that have nothing else to do.
    assert!(cpu < Duration::from_secs(30) * number / 1000, "{cpu:?}");
    assert!(mean(0) + mean(1) < 1024);
    running.iter().for_each(|one| one.signal_all(Signal::KILL));
    running.iter().for_each(|one| drop(one.end()));
    world.until_nothing_is_left();
}

/// The proportional share of a process, in kB.
fn memory(process: Process) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid)).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The time that a process has run, all its threads together.
fn cpu(process: &str) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
    let texts = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    let times = texts.filter_map(|text| text.split(' ').next()?.parse().ok());
    times.map(Duration::from_nanos).sum()
}
