use std::os::fd::AsFd;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::gettid;

use super::*;
use crate::{Ended, Spawn, Step, reap};

/// A program that takes long to become it: its directory is looked for in many places.
fn slow(watch: &BirthWatch) -> Spawn<'_> {
    let argv = ["sh", "-c", "exit 7"].map(str::to_owned).to_vec();
    let environment = vec![("PATH".to_owned(), "/bin:/usr/bin".to_owned())];
    let directories = vec!["/no/such/place".into(); 200_000];
    Spawn { path: "sh".into(), argv, environment, directories, watch: Some(watch), ..Spawn::default() }
}

fn child_of(thread: Pid) -> Pid {
    loop {
        let children = fs::read_to_string(format!("/proc/self/task/{}/children", thread.as_raw_nonzero())).unwrap();
        if let Some(child) = children.split_ascii_whitespace().next() {
            return Pid::from_raw(child.parse().unwrap()).unwrap();
        }
        thread::yield_now();
    }
}

#[test]
fn a_child_that_is_slow_becomes_its_program() {
    let watch = BirthWatch::start().unwrap();
    let child = Spawn { directories: [slow(&watch).directories, vec!["/".into()]].concat(), ..slow(&watch) };
    let child = child.launch().unwrap();
    let ended = loop {
        if let Some(reaped) = reap(child.pidfd.as_fd()).unwrap() {
            break reaped.ended;
        }
        thread::yield_now();
    };
    assert_eq!(ended, Ended::Exited(7));
}

#[test]
fn a_child_that_is_stopped_holds_up_nobody() {
    let watch = BirthWatch::start().unwrap();
    for _ in 0..3 {
        let parent = gettid();
        thread::scope(|scope| {
            scope.spawn(|| kill_process(child_of(parent), Signal::STOP).unwrap());
            assert_eq!(slow(&watch).launch().unwrap_err().step, Step::Stopped);
        });
    }
}
