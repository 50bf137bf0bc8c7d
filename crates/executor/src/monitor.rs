//! The checks of one task: gives them to the engine, remembers how they stand, and hands on what they say.
//!
//! In: [`Event`]s of the engine, over the one channel this module owns. Out: inputs for the life cycle, and the file
//! `health`, from which the next executor process goes on without a flip and without losing a count.

mod namespaces;
pub(crate) mod probe;
mod reach;

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use checks::spec::CheckSpec;
use checks::verdict::Recent;
use checks::{Check, CheckHandle, Engine, Event, Outcome, Place, Start, Verdict, VerdictState};
use mesos::v1::TaskInfo;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub(crate) use self::namespaces::Whereabouts;
use self::probe::{Kind, check_status};
pub(crate) use self::reach::reach;
use crate::clock::{Moment, now};
use crate::life::Input;
use crate::life::health::{self, Finding, Health};
use crate::shim::write_whole;

/// How many attempts are remembered per check.
const REMEMBERED: usize = 32;

/// How one check stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Which check.
    pub check: u64,
    /// When it began, in whichever process that was.
    pub began: Moment,
    initializing: bool,
    consecutive_failures: u32,
    consecutive_successes: u32,
    healthy: Option<bool>,
    #[serde(default)]
    recently_failed: u64,
    #[serde(default)]
    recently_seen: u32,
    #[serde(default)]
    finding: Option<Finding>,
    /// The last attempts, oldest first.
    pub attempts: VecDeque<Attempt>,
}

/// One attempt, in few bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// When it began, in milliseconds since 1970.
    pub at_ms: u64,
    /// How long it took, in microseconds.
    pub took_us: u32,
    /// Whether it was a success; nothing if it says nothing about the task.
    pub success: Option<bool>,
    /// Why it failed, for people; empty for a success.
    pub cause: Box<str>,
}

/// The checks of one task.
#[derive(Debug)]
pub(crate) struct Monitor {
    file: PathBuf,
    task: TaskInfo,
    handles: Vec<CheckHandle>,
    standings: Vec<Standing>,
    health: Health,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Monitor {
    /// Begins to check, or goes on where the file says an earlier process stopped.
    pub(crate) fn start(
        engine: &Engine,
        task: &TaskInfo,
        specs: Vec<(Kind, CheckSpec)>,
        place: &Place,
        file: PathBuf,
    ) -> Monitor {
        let (sender, events) = mpsc::unbounded_channel();
        let mut standings = read(&file);
        let mut handles = Vec::with_capacity(specs.len());
        standings.retain(|standing| specs.iter().any(|(kind, _)| kind.id() == standing.check));
        for (kind, spec) in specs {
            let id = kind.id();
            let known = standings.iter().find(|standing| standing.check == id);
            let start = known.map_or(Start::Spread, Standing::start);
            if known.is_none() {
                standings.push(Standing::new(id));
            }
            let seed = format!("{}/{id}", task.task_id.value);
            let check = Check::new(id, spec, sender.clone()).at(place.clone()).starting(start);
            handles.push(engine.add(check.seeded(seed)));
        }
        let known = |index| standings.iter().find(|standing| standing.check == Kind::Health(index).id());
        let health = Health::new(task, |index| known(index).map(Standing::for_health));
        let monitor = Monitor { file, task: task.clone(), handles, standings, health, events };
        monitor.save();
        monitor
    }

    /// The next attempt that ended. Never comes back if there is no check.
    pub(crate) async fn next(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    /// What an attempt means for the life of the task.
    pub(crate) fn input(&mut self, event: &Event) -> Option<Input> {
        match Kind::of(event.check) {
            Kind::Check => check_status(self.task.check.as_ref()?, &event.outcome).map(Input::Check),
            Kind::Health(index) => self.health.take(index, event).map(Input::Health),
        }
    }

    /// Remembers an attempt; on file only if it changed how things stand, so that a healthy task costs no writing.
    pub(crate) fn remember(&mut self, event: &Event) {
        let Some(standing) = self.standings.iter_mut().find(|standing| standing.check == event.check) else { return };
        if standing.take(event) {
            self.save();
        }
    }

    /// No attempts from now on.
    pub(crate) fn pause(&self) {
        self.handles.iter().for_each(CheckHandle::pause);
    }

    fn save(&self) {
        let written = serde_json::to_vec(&self.standings).map_err(io::Error::from);
        if let Err(error) = written.and_then(|bytes| write_whole(&self.file, &bytes)) {
            tracing::error!(path = %self.file.display(), %error, "cannot remember the state of the checks");
        }
    }
}

/// A file that is not there, or not to be understood, means that the checks begin anew.
fn read(file: &PathBuf) -> Vec<Standing> {
    let content = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        content => content.unwrap_or_default(),
    };
    serde_json::from_slice(&content)
        .inspect_err(|error| tracing::error!(path = %file.display(), %error, "the state of the checks is lost"))
        .unwrap_or_default()
}

impl Standing {
    fn new(check: u64) -> Standing {
        Standing {
            check,
            began: now(),
            initializing: true,
            consecutive_failures: 0,
            consecutive_successes: 0,
            healthy: None,
            recently_failed: 0,
            recently_seen: 0,
            finding: None,
            attempts: VecDeque::new(),
        }
    }

    fn start(&self) -> Start {
        Start::Recovered { state: self.state(), age: now().since(self.began) }
    }

    fn for_health(&self) -> health::Standing {
        health::Standing { state: self.state(), finding: self.finding.clone() }
    }

    fn state(&self) -> VerdictState {
        let verdict = match self.healthy {
            None => Verdict::Unknown,
            Some(true) => Verdict::Healthy,
            Some(false) => Verdict::Unhealthy,
        };
        VerdictState {
            initializing: self.initializing,
            consecutive_failures: self.consecutive_failures,
            consecutive_successes: self.consecutive_successes,
            verdict,
            recent: Recent { failed: self.recently_failed, seen: self.recently_seen },
        }
    }

    /// Whether anything changed that the next process must know.
    fn take(&mut self, event: &Event) -> bool {
        let healthy = match event.state.verdict {
            Verdict::Unknown => None,
            Verdict::Healthy => Some(true),
            Verdict::Unhealthy => Some(false),
        };
        let before = (self.initializing, self.consecutive_failures, self.healthy);
        self.finding = health::Standing::after(&self.for_health(), event).finding;
        self.initializing = event.state.initializing;
        self.consecutive_failures = event.state.consecutive_failures;
        self.consecutive_successes = event.state.consecutive_successes;
        self.healthy = healthy;
        (self.recently_failed, self.recently_seen) = (event.state.recent.failed, event.state.recent.seen);
        if self.attempts.len() >= REMEMBERED {
            self.attempts.pop_front();
        }
        self.attempts.push_back(Attempt::of(event));
        before != (self.initializing, self.consecutive_failures, self.healthy)
    }
}

impl Attempt {
    fn of(event: &Event) -> Attempt {
        let (success, cause) = match &event.outcome {
            Outcome::Success(_) => (Some(true), String::new()),
            Outcome::Failure(_) => (Some(false), event.outcome.cause()),
            Outcome::Inconclusive(_) => (None, event.outcome.cause()),
        };
        let began = event.started.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Attempt {
            at_ms: u64::try_from(began.as_millis()).unwrap_or(u64::MAX),
            took_us: u32::try_from(event.duration.as_micros()).unwrap_or(u32::MAX),
            success,
            cause: cause.into_boxed_str(),
        }
    }
}
