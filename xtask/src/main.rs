//! `cargo xtask`: what a developer types. Each verb is a few commands, run one after the other from the root of the
//! workspace; the first that fails ends it.
//!
//! [`command`] runs commands, [`suite`] the test suite, of which it also says what was skipped, [`fuzz`] the fuzzers,
//! [`clients`] fetches what others wrote for Mesos and Marathon, [`arrows`] holds what may depend on what.

mod arrows;
mod clients;
mod command;
mod fuzz;
mod suite;

use std::process::ExitCode;

use anyhow::bail;
use command::{cargo, installed, script};

const USAGE: &str = "usage: cargo xtask VERB

  test [FILTER ...]      build what the tests need, run them all, say which were skipped or passed at a second try only
  lint                   format, arrows, clippy, and cargo-deny if it is installed
  arrows                 only what may depend on what
  bench checks [--quick] what a health check costs, beside others who make them, and whether the bars hold
  bench containers [--quick] what containers cost, beside Docker, CNI's plugins and tar, and whether the bars hold
  bench scale [--quick]  how many health-checked tasks a cluster carries; --help tells of --check, --up-to and the like
  bench scale --all      everything docs/scale.md shows, with its bars
  clients                install the clients of others that tests drive, into the target directory
  fuzz [SECONDS]         feed everything that comes from outside to what reads it; 60 seconds each if not told
  ci                     all that must hold before a change is taken: .ci/run";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> anyhow::Result<()> {
    match arguments {
        ["test", rest @ ..] => suite::run(rest),
        ["lint"] => lint(),
        ["arrows"] => arrows::run(),
        ["bench", what @ ("containers" | "scale"), rest @ ..] => bench_of_cygnet(what, rest),
        ["bench", rest @ ..] => cargo(["run", "--release", "--package", "bench", "--"].iter().chain(rest)),
        ["clients"] => clients::install(),
        ["fuzz"] => fuzz::run("60"),
        ["fuzz", seconds] => fuzz::run(seconds),
        ["ci"] => script(".ci/run"),
        _ => bail!("{USAGE}"),
    }
}

/// These start the real thing, which cargo does not build for them.
fn bench_of_cygnet(what: &str, arguments: &[&str]) -> anyhow::Result<()> {
    cargo(&["build", "--release", "--package", "cygnet"])?;
    cargo(["run", "--release", "--package", "bench", "--", what].iter().chain(arguments))
}

fn lint() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    arrows::run()?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    if !installed("cargo-deny") {
        println!("cargo-deny is not installed: dependencies were not looked at");
        return Ok(());
    }
    cargo(&["deny", "check", "bans", "licenses", "sources"])
}
