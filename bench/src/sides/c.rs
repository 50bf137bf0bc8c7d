//! The baselines in C: compiled when they are needed, with what this machine's compiler is called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::load::{Load, Time};

const LOOP: &str = include_str!("../../c/loop.c");
const SPAWN: &str = include_str!("../../c/spawn.c");

/// Compiled.
pub(crate) struct Programs {
    checks: PathBuf,
    spawn: PathBuf,
}

impl Programs {
    pub(crate) fn compile(directory: &Path) -> anyhow::Result<Programs> {
        Ok(Programs { checks: compile(directory, "loop", LOOP)?, spawn: compile(directory, "spawn", SPAWN)? })
    }

    pub(super) fn checks(&self, load: &Load, time: Time) -> Command {
        let mut command = Command::new(&self.checks);
        command.args([load.ask.as_str(), &load.interval.as_millis().to_string()]);
        command.args(seconds(time)).arg(load.checks.to_string());
        command
    }

    /// A process of `technique` for each check; `others` are the namespaces to enter beside that of the network.
    pub(super) fn spawn(&self, technique: &str, resident: usize, rate: f64, time: Time, others: &str) -> Command {
        let mut command = Command::new(&self.spawn);
        command.args([technique, &resident.to_string(), &rate.to_string()]).args(seconds(time)).arg(others);
        command
    }
}

fn seconds(time: Time) -> [String; 2] {
    [time.warm_up, time.counted].map(|time| time.as_secs_f64().to_string())
}

fn compile(directory: &Path, name: &str, source: &str) -> anyhow::Result<PathBuf> {
    let (file, program) = (directory.join(format!("{name}.c")), directory.join(name));
    fs::write(&file, source)?;
    let mut command = Command::new("cc");
    command.args(["-O2", "-o"]).args([&program, &file]).stdin(Stdio::null());
    let output = command.output().context("there is no C compiler (cc)")?;
    anyhow::ensure!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
    Ok(program)
}
