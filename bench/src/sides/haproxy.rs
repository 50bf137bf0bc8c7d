//! HAProxy with active checks, one thread, and nothing to balance. It does not say how many checks it made: the kernel
//! counts the connections begun in the targets' namespaces.

use std::fmt::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;

use super::program;
use crate::clock::{self, Moment};
use crate::cpu;
use crate::load::{Ask, Load, Time};
use crate::measured::Measured;
use crate::networks;
use crate::targets::Target;

/// A configuration of ten thousand servers takes a moment.
const START: Duration = Duration::from_secs(30);

const EVERY: Duration = Duration::from_millis(50);

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// As it says itself, if it is installed.
pub(super) fn version() -> anyhow::Result<String> {
    let output = Command::new(program::find("haproxy")?).arg("-v").output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().nth(2).context("HAProxy does not say its version")?.to_owned())
}

pub(super) fn round(targets: &[Target], load: &Load, time: Time) -> anyhow::Result<Measured> {
    let file = tempfile::Builder::new().prefix("cygnet-bench-").suffix(".cfg").tempfile()?;
    std::fs::write(file.path(), configuration(targets, load)?)?;
    let mut command = mortal(&program::find("haproxy")?);
    command.args(["-db", "-q", "-f"]).arg(file.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let earlier = networks::count(targets)?.opened;
    let mut running = Running(command.spawn()?);
    warm_up(&mut running.0, targets, earlier + load.checks as u64)?;
    clock::pause(time.warm_up);
    let pid = running.0.id().to_string();
    let sample = || anyhow::Ok((cpu::of_process(&pid)?, networks::count(targets)?.opened));
    let (from, before) = (Moment::now(), sample()?);
    clock::pause(time.counted);
    let (seconds, after) = (from.age().as_secs_f64(), sample()?);
    let cpu_us = after.0.saturating_sub(before.0).as_secs_f64() * 1e6;
    Ok(Measured { checks: after.1 - before.1, seconds, cpu_us, ..Measured::default() })
}

/// A program that dies when we do, however that may be: left alone it would take CPU from every later experiment.
fn mortal(program: &str) -> Command {
    let Ok(setpriv) = program::find("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", program]);
    command
}

/// Until everybody was asked once.
fn warm_up(process: &mut Child, targets: &[Target], opened: u64) -> anyhow::Result<()> {
    let from = Moment::now();
    while networks::count(targets)?.opened < opened {
        anyhow::ensure!(process.try_wait()?.is_none(), "HAProxy does not start");
        anyhow::ensure!(from.age() < START, "HAProxy does not ask everybody");
        clock::pause(EVERY);
    }
    Ok(())
}

/// It insists on a listener: one that is never used.
fn configuration(targets: &[Target], load: &Load) -> anyhow::Result<String> {
    let check = match load.ask {
        Ask::Http => {
            "option httpchk\n    http-check send meth GET uri / ver HTTP/1.1 hdr Host 127.0.0.1 hdr Accept */*"
        }
        Ask::HalfOpen => "option tcp-check",
        other => anyhow::bail!("HAProxy has no {other:?}"),
    };
    let interval = load.interval.as_millis();
    let mut text = format!(
        "global\n    nbthread 1\n    maxconn 100\n\
         defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n    timeout check 5s\n\
         frontend nobody\n    bind abns@cygnet-bench-{}\n\
         backend targets\n    {check}\n    default-server inter {interval}ms fall 3 rise 1\n",
        std::process::id()
    );
    for (number, target) in (0..load.checks).zip(targets.iter().cycle()) {
        let namespace = target.namespace.as_ref().and_then(|path| path.rsplit('/').next());
        let namespace = namespace.map(|name| format!(" namespace {name}")).unwrap_or_default();
        writeln!(text, "    server t{number} 127.0.0.1:{}{namespace} check", target.port)?;
    }
    Ok(text)
}
