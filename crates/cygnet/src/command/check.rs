//! `cygnet check`: one check, by hand, with the engine that runs them all. The exit code is the verdict: 0 healthy,
//! 1 unhealthy, 2 wrong usage, 3 not known.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use checks::spec::{Command, CommandProbe, HttpProbe, Judgement, Probe, Schedule, Scheme, TcpMode, TcpProbe};
use checks::{Check as EngineCheck, CheckSpec, Engine, EngineOptions, Event, Outcome, Place, Start, Verdict};
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::sync::mpsc;

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
pub(crate) async fn run(check: Check) -> anyhow::Result<ExitCode> {
    let (probe, place) = match (probe(&check.what).await, place(check.netns.as_deref())) {
        (Ok(probe), Ok(place)) => (probe, place),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("cygnet check: {error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    let schedule = Schedule { delay: Duration::ZERO, interval: check.interval, timeout: Some(check.timeout) };
    let judgement = Judgement { grace: Duration::ZERO, consecutive_failures: 1, consecutive_successes: 1 };
    let spec = CheckSpec { probe, schedule, judgement };
    if let Err(error) = spec.validate() {
        eprintln!("cygnet check: {error}");
        return Ok(ExitCode::from(2));
    }
    let tally = carry_out(spec, place, &check).await?;
    line(if check.json { tally.json() } else { tally.text() });
    Ok(tally.exit_code())
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

/// What the attempts add up to.
#[derive(Debug, Default)]
struct Tally {
    attempts: u32,
    failures: u32,
    verdict: Verdict,
}

impl Tally {
    fn add(&mut self, event: &Event) {
        self.attempts += 1;
        self.failures += u32::from(matches!(event.outcome, Outcome::Failure(_)));
        self.verdict = event.state.verdict;
    }

    fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Healthy => "healthy",
            Verdict::Unhealthy => "unhealthy",
            Verdict::Unknown => "unknown",
        }
    }

    fn text(&self) -> String {
        format!("{}: {} of {} attempts failed", self.word(), self.failures, self.attempts)
    }

    fn json(&self) -> String {
        json!({"verdict": self.word(), "attempts": self.attempts, "failures": self.failures}).to_string()
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.verdict {
            Verdict::Healthy => 0,
            Verdict::Unhealthy => 1,
            Verdict::Unknown => 3,
        })
    }
}

fn outcome(event: &Event) -> &'static str {
    match event.outcome {
        Outcome::Success(_) => "success",
        Outcome::Failure(_) => "failure",
        Outcome::Inconclusive(_) => "inconclusive",
    }
}

fn attempt_text(number: u32, event: &Event) -> String {
    let milliseconds = event.duration.as_secs_f64() * 1000.0;
    let output = output(event).map(|output| format!("\n{}", output.trim_end())).unwrap_or_default();
    format!("{number}. {}: {} ({milliseconds:.1} ms){output}", outcome(event), event.outcome.cause())
}

fn attempt_json(event: &Event) -> String {
    json!({"outcome": outcome(event), "cause": event.outcome.cause(), "durationSeconds": event.duration.as_secs_f64(),
        "httpStatus": event.outcome.http_status(), "exitCode": event.outcome.exit_code(),
        "connected": event.outcome.connected(), "output": output(event)})
    .to_string()
}

/// The end of what a command printed before it failed.
fn output(event: &Event) -> Option<&str> {
    match &event.outcome {
        Outcome::Failure(failure) => failure.output(),
        Outcome::Success(_) | Outcome::Inconclusive(_) => None,
    }
}

async fn probe(what: &What) -> anyhow::Result<Probe> {
    Ok(match what {
        What::Http { url } => Probe::Http(http(url).await?),
        What::Tcp { address, half_open } => {
            let mode = if *half_open { TcpMode::HalfOpen } else { TcpMode::Connect };
            Probe::Tcp(TcpProbe { address: resolve(address).await?, mode })
        }
        What::Command { argv } => Probe::Command(CommandProbe {
            command: match argv.as_slice() {
                [shell] => Command::Shell(shell.clone()),
                argv => Command::Exec { path: argv.first().cloned().unwrap_or_default(), argv: argv.to_vec() },
            },
            environment: std::env::vars().collect(),
            working_directory: None,
            user: None,
        }),
    })
}

async fn http(url: &str) -> anyhow::Result<HttpProbe> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        Some((other, _)) => bail!("{other}:// is not known; there are http:// and https://"),
        None => (Scheme::Http, url),
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let target = if has_port { authority.to_owned() } else { format!("{authority}:{}", scheme.default_port()) };
    let address = resolve(&target).await?;
    Ok(HttpProbe { scheme, address, host: Some(authority.to_owned()), path: path.to_owned(), ..HttpProbe::default() })
}

async fn resolve(address: &str) -> anyhow::Result<SocketAddr> {
    let mut found = tokio::net::lookup_host(address).await.with_context(|| format!("cannot resolve {address}"))?;
    found.next().with_context(|| format!("{address} has no address"))
}

fn place(netns: Option<&str>) -> anyhow::Result<Place> {
    Ok(match netns {
        None => Place::Host,
        Some(text) => match text.parse::<i32>() {
            Ok(pid) => Place::of_pid(pid).with_context(|| format!("--netns {pid}"))?,
            Err(_) => Place::network_namespace(PathBuf::from(text)).with_context(|| format!("--netns {text}"))?,
        },
    })
}
