//! The executor as a real process that can be killed, and a look at the processes of its task.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub(crate) use harness::process::alive as is_alive;
use harness::process::signal;
use rustix::process::Signal;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::wait::{soon, until};

/// An executor process; killed when dropped, its tasks are not.
pub(crate) struct Executor {
    child: Child,
}

impl Executor {
    /// Starts one that appends what it logs to a file.
    pub(crate) fn start(log: &Path, arguments: &[&str], environment: &BTreeMap<String, String>) -> Executor {
        let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cygnet-executor"));
        let child = command.args(arguments).envs(environment).stderr(log).kill_on_drop(true).spawn().unwrap();
        Executor { child }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id().unwrap()).unwrap()
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Its exit code.
    pub(crate) async fn ended(mut self) -> i32 {
        soon("the executor's end", self.child.wait()).await.unwrap().code().unwrap()
    }
}

/// The pids of the shim and of the task, once they are known.
pub(crate) async fn pids(state: &Path) -> (i32, i32) {
    until("the shim's pid file", async || {
        let started: Value = serde_json::from_slice(&fs::read(state.join("pid")).ok()?).ok()?;
        let pid = |name: &str| i32::try_from(started[name]["pid"].as_i64()?).ok();
        Some((pid("shim")?, pid("task")?))
    })
    .await
}

pub(crate) fn kill_hard(pid: i32) {
    assert!(signal(pid, Signal::KILL));
}

pub(crate) async fn is_gone(pid: i32) {
    until("the end of a process", async || (!is_alive(pid)).then_some(())).await;
}

/// The number somebody wrote into a file.
pub(crate) async fn number_in(file: &Path) -> i32 {
    until("a number in a file", async || fs::read_to_string(file).ok()?.trim().parse().ok()).await
}

/// The memory of a process that nobody shares, without the pages of its program: those the next such process shares.
pub(crate) fn private_kib(pid: i32) -> u64 {
    let maps = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let (mut program, mut private) = (false, 0);
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        match (fields.next(), fields.next()) {
            (Some(name), Some(kib)) if name.starts_with("Private_") && !program => {
                private += kib.parse::<u64>().unwrap()
            }
            (Some(_range), Some(mode)) if mode.len() == 4 && !mode.ends_with(':') => program = mode.contains('x'),
            _ => {}
        }
    }
    private
}
