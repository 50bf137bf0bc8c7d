//! `cygnet check`: one check, by hand, with the engine that runs them all. The exit code is the verdict: 0 healthy,
//! 1 unhealthy, 2 wrong usage, 3 not known.

mod report;
mod target;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use checks::spec::{Judgement, Schedule};
use checks::{Check as EngineCheck, CheckSpec, Engine, EngineOptions, Place, Start};
use clap::{Args, Subcommand};
use tokio::sync::mpsc;

use self::report::{NOT_KNOWN, Tally, WRONG_USAGE, attempt_json, attempt_text};
use crate::output::line;

const EXAMPLES: &str = "Examples:
  cygnet check http 127.0.0.1:8080/ping
  cygnet check http https://127.0.0.1:8443/health --timeout 500ms
  cygnet check tcp 127.0.0.1:5432 --count 5 --interval 1s
  cygnet check http 127.0.0.1:80/health --netns 4711     (in the network namespace of process 4711)
  cygnet check command -- sh -c 'test -e /tmp/ready'";

/// What to check, and how often.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    #[command(subcommand)]
    what: What,
    /// Where: the namespaces of a process, by its pid, or a network namespace, by its path
    #[arg(long, global = true, value_name = "PID|PATH")]
    netns: Option<String>,
    /// From the end of an attempt to the next one
    #[arg(long, global = true, default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// How long an attempt may take
    #[arg(long, global = true, default_value = "5s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// How many attempts
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// One JSON object for each attempt
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// GET: healthy is 200 to 399, redirects are followed, certificates are not verified
    Http {
        /// [http[s]://]HOST[:PORT][/PATH]
        url: String,
    },
    /// Whether somebody listens
    Tcp {
        /// HOST:PORT
        address: String,
        /// Do not finish the handshake: the application never notices
        #[arg(long)]
        half_open: bool,
    },
    /// Whether a command exits with 0
    Command {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true)]
        argv: Vec<String>,
    },
}

/// Checks, prints each attempt, and says the verdict.
pub(crate) async fn run(check: Check) -> ExitCode {
    let (spec, place) = match understand(&check).await {
        Ok(understood) => understood,
        Err(error) => return fail(&error, WRONG_USAGE),
    };
    match carry_out(spec, place, &check).await {
        Ok(tally) => {
            line(if check.json { tally.json() } else { tally.text() });
            tally.exit_code()
        }
        Err(error) => fail(&error, NOT_KNOWN),
    }
}

fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("cygnet check: {error:#}");
    ExitCode::from(code)
}

async fn understand(check: &Check) -> anyhow::Result<(CheckSpec, Place)> {
    let probe = target::probe(&check.what).await?;
    let schedule = Schedule { interval: check.interval, timeout: Some(check.timeout), ..Schedule::default() };
    let judgement = Judgement { grace: Duration::ZERO, consecutive_failures: 1, ..Judgement::default() };
    let spec = CheckSpec { probe, schedule, judgement };
    spec.validate()?;
    Ok((spec, target::place(check.netns.as_deref())?))
}

async fn carry_out(spec: CheckSpec, place: Place, check: &Check) -> anyhow::Result<Tally> {
    let engine = Engine::start(EngineOptions::default())?;
    let (events, mut found) = mpsc::unbounded_channel();
    let handle = engine.add(EngineCheck { id: 0, seed: String::new(), spec, place, start: Start::Fresh, events });
    // Many checks begin spread over their interval; this one is alone, and somebody waits for it.
    handle.pause();
    handle.resume();
    let mut tally = Tally::default();
    while tally.attempts < check.count {
        let event = found.recv().await.context("the check engine ended")?;
        tally.add(&event);
        line(if check.json { attempt_json(&event) } else { attempt_text(tally.attempts, &event) });
    }
    Ok(tally)
}
