//! `cygnet check`: one check, by hand, with the engine that runs them all. The exit code is the verdict: 0 healthy,
//! 1 unhealthy, 2 wrong usage, 3 not known.

mod expect;
mod options;
mod report;
mod target;

use std::process::ExitCode;

use anyhow::Context;
use checks::spec::{FailureRate, Judgement, Reach, Schedule};
use checks::{Check as EngineCheck, CheckReport, CheckSpec, Engine, EngineOptions};
use clap::Args;
use tokio::sync::mpsc;

use self::options::{How, What, When, Where};
use self::report::{NOT_KNOWN, Tally, WRONG_USAGE, attempt_json, attempt_text};
use crate::output::{complaint, json_line, line};

const EXAMPLES: &str = "\
Examples:
  cygnet check http 127.0.0.1:8080/ping
  cygnet check http https://127.0.0.1:8443/health --ca ca.pem --sni shop.example --expires-within 14d
  cygnet check http 127.0.0.1:8080/health --json-path '$.status=\"up\"' --count 5 --interval 200ms
  cygnet check grpc 127.0.0.1:9090 --service shop.Cart
  cygnet check tcp 127.0.0.1:5432                        (the application never notices)
  cygnet check listen 127.0.0.1:5432 --netns 4711        (asks the kernel, in the network of process 4711)
  cygnet check exchange 127.0.0.1:6379 --send 'PING\\r\\n' --matches '^\\+PONG'
  cygnet check exchange 127.0.0.1:53 --udp --send '\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x01'
  cygnet check command -- sh -c 'test -e /tmp/ready'

The exit code is the verdict: 0 healthy, 1 unhealthy, 2 wrong usage, 3 not known.

Below a failure stands what was answered, up to 1 KiB, or the end of what the command printed; with --json it is `output`.

An attempt that runs out of time, or whose peer hangs up, because this program itself was held up is inconclusive: it
counts neither way.
With --json each attempt is one object in a line, with its outcome by layer and cause: success, refused, unreachable,
connect-timeout, connection, tls, certificate-expires, protocol, status, body, redirect, exit-code, signal, timeout,
setup, inconclusive.";

/// The check to make, and its number of attempts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    from: Where,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    how: How,
    /// One JSON object for each attempt
    #[arg(long, global = true)]
    json: bool,
}

/// Checks, prints each attempt, and says the verdict.
pub(crate) async fn run(check: Check) -> ExitCode {
    let order = match understand(&check).await {
        Ok(order) => order,
        Err(error) => return fail(&error, WRONG_USAGE),
    };
    match carry_out(order, &check).await {
        Ok((tally, report)) => {
            if check.json {
                json_line(tally.json(&report))
            } else {
                line(tally.text(&report))
            }
            tally.exit_code()
        }
        Err(error) => fail(&error, NOT_KNOWN),
    }
}

fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    complaint(format!("cygnet check: {error:#}"));
    ExitCode::from(code)
}

/// A check, an engine that may carry it out, and what it will say.
struct Order {
    engine: Engine,
    check: EngineCheck,
    found: mpsc::UnboundedReceiver<checks::Event>,
}

async fn understand(check: &Check) -> anyhow::Result<Order> {
    let probe = target::probe(&check.what, &check.from).await?;
    let spec = CheckSpec { probe, schedule: schedule(&check.when), judgement: judgement(&check.how)? };
    spec.validate()?;
    let place = target::place(check.from.netns.as_deref())?;
    place.try_out(None).with_context(|| format!("--netns {}", check.from.netns.as_deref().unwrap_or_default()))?;
    place.try_out(check.from.source).context("--source")?;
    let reach = if check.from.allow.is_empty() { Reach::Anywhere } else { Reach::Only(check.from.allow.clone()) };
    let engine = Engine::start(EngineOptions { reach, ..EngineOptions::default() })?;
    let (events, found) = mpsc::unbounded_channel();
    let check = EngineCheck::new(0, spec, events).at(place);
    Ok(Order { engine, check, found })
}

fn schedule(when: &When) -> Schedule {
    Schedule {
        delay: when.delay,
        interval: when.interval,
        timeout: Some(when.timeout),
        jitter: when.jitter,
        unhealthy_interval: when.unhealthy_interval,
        edge_interval: when.edge_interval,
    }
}

fn judgement(how: &How) -> anyhow::Result<Judgement> {
    Ok(Judgement {
        grace: how.grace,
        consecutive_failures: how.failures,
        consecutive_successes: how.successes,
        unhealthy_after: how.unhealthy_after,
        first_decides: how.first_decides,
        rate: how.rate.as_deref().map(rate).transpose()?,
        ..Judgement::default()
    })
}

fn rate(text: &str) -> anyhow::Result<FailureRate> {
    let both = text.split_once('/').and_then(|(failures, window)| Some((failures.parse().ok()?, window.parse().ok()?)));
    let (failures, window) = both.with_context(|| format!("--rate '{text}': write FAILURES/ATTEMPTS, such as 3/10"))?;
    Ok(FailureRate { failures, window })
}

async fn carry_out(order: Order, check: &Check) -> anyhow::Result<(Tally, CheckReport)> {
    let Order { engine, check: order, mut found } = order;
    let handle = engine.add(order);
    let mut tally = Tally::default();
    while check.when.count == 0 || tally.attempts < check.when.count {
        let event = tokio::select! {
            event = found.recv() => event.context("the check engine ended")?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
        };
        tally.add(&event);
        match check.json {
            true => json_line(attempt_json(&event)),
            false => attempt_text(tally.attempts, &event).lines().for_each(line),
        }
    }
    let report = handle.report().await.context("the check engine ended")?;
    // A command that was interrupted ends with its check.
    engine.shutdown().await;
    Ok((tally, report))
}
