//! The baseline: one process of `curl` per check, with the arguments Mesos gives it, one after the other.
//!
//! It is started by `posix_spawn`, not by the `fork` of Mesos, and from a small process: both flatter the baseline.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;

use crate::arguments::Plan;
use crate::clock::Deadline;
use crate::cpu;

/// What a round cost.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    pub(crate) checks: u64,
    pub(crate) cpu: Duration,
}

/// Whether there is a `curl` to compare with.
pub(crate) fn is_installed() -> bool {
    let version = Command::new("curl").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    !version.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

pub(crate) fn round(targets: &[SocketAddr], plan: &Plan) -> anyhow::Result<Round> {
    let spent = || anyhow::Ok(cpu::of_this_process()? + cpu::of_children()?);
    let before = spent()?;
    let end = Deadline::after(plan.round);
    let mut checks = 0;
    for address in targets.iter().cycle() {
        check(address)?;
        checks += 1;
        if end.has_passed() {
            break;
        }
    }
    Ok(Round { checks, cpu: spent()?.saturating_sub(before) })
}

fn check(address: &SocketAddr) -> anyhow::Result<()> {
    let url = format!("http://{address}/");
    let mut command = Command::new("curl");
    command.args(["-s", "-S", "-L", "-k", "-w", "%{http_code}", "-o", "/dev/null", "-g", &url]);
    command.env_remove("http_proxy").env_remove("ALL_PROXY").env_remove("all_proxy");
    let output = command.stdin(Stdio::null()).output().context("cannot start curl")?;
    anyhow::ensure!(output.stdout == b"200", "curl: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
