//! The checkers: the engine, and what it is compared with. Every side is a process of its own, is given the same load,
//! and says what a round of it cost. One that is not there on this machine says why.

mod c;
mod confined;
mod exec;
mod haproxy;
mod program;

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::hostile::Hostile;
use crate::load::{Ask, Load, TRUE, Time};
use crate::measured::Measured;
use crate::networks;
use crate::targets::{Size, Target, Targets};
pub(crate) use c::Programs;
use confined::Confined;
use exec::Daemon;
pub(crate) use exec::{Exec, spent};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Engine,
    /// The floor: `bench/c/loop.c`.
    Loop,
    HaProxy,
    /// A process of `curl` for each check, as Mesos has it, from a process of this many MiB.
    Curl,
    /// A process for each command, cloned without a copy of the page table: `bench/c/spawn.c`.
    Vfork,
    DockerExec,
}

/// The memory of the process that forks for `curl`.
const FORKER: usize = 20;

impl Side {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Side::Engine => "engine",
            Side::Loop => "C loop",
            Side::HaProxy => "HAProxy",
            Side::Curl => "fork + setns + curl",
            Side::Vfork => "C vfork + setns + exec",
            Side::DockerExec => "docker exec",
        }
    }
}

/// The resources of this machine: targets, programs, rights.
pub(crate) struct Ground {
    targets: Targets,
    confined: anyhow::Result<Confined>,
    programs: anyhow::Result<Programs>,
    haproxy: anyhow::Result<String>,
    curl: anyhow::Result<String>,
    docker: anyhow::Result<Daemon>,
}

impl Ground {
    /// Files go to `directory`.
    pub(crate) fn prepare(size: Size, directory: &Path) -> anyhow::Result<Ground> {
        Ok(Ground {
            targets: Targets::start(size)?,
            confined: Confined::start(),
            programs: Programs::compile(directory),
            haproxy: haproxy::version(),
            curl: program::find("curl"),
            docker: Daemon::start(),
        })
    }

    /// The number of network namespaces the targets are in; 0 if they are in ours.
    pub(crate) fn namespaces(&self) -> usize {
        networks::namespaces(&self.targets.all).flatten().count()
    }

    /// Its version.
    pub(crate) fn haproxy(&self) -> Option<String> {
        self.haproxy.as_ref().ok().cloned()
    }

    /// Why a side cannot work here.
    pub(crate) fn missing(&self, side: Side, ask: Ask) -> Option<String> {
        let confined = if ask == Ask::Command { there(&self.confined).map(drop) } else { Ok(()) };
        let side = || match side {
            Side::Engine => Ok(()),
            Side::Loop | Side::Vfork => there(&self.programs).map(drop),
            Side::HaProxy => there(&self.haproxy).map(drop),
            Side::Curl => there(&self.programs).and_then(|_| there(&self.curl)).map(drop),
            Side::DockerExec => there(&self.docker).map(drop),
        };
        confined.and_then(|()| side()).err().map(|error| error.to_string())
    }

    pub(crate) fn round(&self, side: Side, load: &Load, time: Time) -> anyhow::Result<Measured> {
        let programs = || there(&self.programs);
        let targets = self.targets(load)?;
        let done = match side {
            Side::Engine => engine_round(load, time, &targets),
            Side::Loop => loop_round(programs()?, load, time, &targets),
            Side::HaProxy => haproxy::round(&targets, load, time),
            Side::Curl => program::run(&mut curl_for_each(programs()?, there(&self.curl)?, time), &targets),
            Side::Vfork => vfork_round(programs()?, load, time, &there(&self.confined)?.others(), &targets),
            Side::DockerExec => there(&self.docker)?.round(time),
        };
        done.with_context(|| format!("{}, {load:?}", side.as_str()))
    }

    /// The number of sockets in TIME_WAIT where the targets are.
    pub(crate) fn time_wait(&self) -> anyhow::Result<u64> {
        Ok(networks::count(&self.targets.all)?.time_wait)
    }

    fn targets(&self, load: &Load) -> anyhow::Result<Vec<Target>> {
        Ok(match load.ask {
            Ask::Command => vec![there(&self.confined)?.target()],
            _ => self.targets.some(load.checks),
        })
    }
}

/// A resource of this machine, or why it is not there.
fn there<T>(resource: &anyhow::Result<T>) -> anyhow::Result<&T> {
    resource.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))
}

/// The floor of commands, at the engine's pace; `others` are the namespaces of mounts and processes.
pub(crate) fn vfork_round(
    programs: &Programs,
    load: &Load,
    time: Time,
    others: &str,
    targets: &[Target],
) -> anyhow::Result<Measured> {
    program::run(programs.spawn("vfork", load.resident, load.rate(), time, others).arg(TRUE), targets)
}

/// The floor of questions to the kernel and of connections, at the engine's pace.
fn loop_round(programs: &Programs, load: &Load, time: Time, targets: &[Target]) -> anyhow::Result<Measured> {
    program::run(&mut programs.checks(load, time), targets)
}

/// Hostile targets live as long as the round.
pub(crate) fn engine_round(load: &Load, time: Time, targets: &[Target]) -> anyhow::Result<Measured> {
    let hostile = load.neighbours.map(|_| Hostile::start()).transpose()?;
    let lines = hostile.as_ref().map_or(&[][..], |hostile| &hostile.lines);
    let targets = targets.iter().map(Target::line);
    // An empty line between them.
    let lines = targets.chain([String::new()]).chain(lines.iter().cloned());
    program::feed(&mut engine(load, time)?, lines)
}

fn engine(load: &Load, time: Time) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["engine", load.ask.as_str(), &load.interval.as_millis().to_string()]);
    command.args([load.checks.to_string(), load.resident.to_string()]);
    command.args([time.warm_up.as_secs_f64().to_string(), time.counted.as_secs_f64().to_string()]);
    if load.confined {
        command.arg("--confined");
    }
    if let Some(all) = load.neighbours {
        let manners = [("drips", all.drips), ("silent", all.silent), ("resets", all.resets)];
        let all = manners.into_iter().chain([("floods-of-a-kind", all.floods_of_a_kind)]);
        command.args(all.map(|(manner, number)| format!("--{manner}={number}")));
    }
    Ok(command)
}

/// With the arguments Mesos gives it.
fn curl_for_each(programs: &Programs, curl: &str, time: Time) -> Command {
    let mut command = programs.spawn("fork", FORKER, 0.0, time, "-,-");
    command.args([curl, "-s", "-S", "-L", "-k", "-w", "%{http_code}", "-o", "/dev/null", "-g"]);
    command.arg("http://127.0.0.1:{port}/");
    command.env_remove("http_proxy").env_remove("ALL_PROXY").env_remove("all_proxy");
    command
}
