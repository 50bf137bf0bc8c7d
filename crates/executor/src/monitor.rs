//! The checks of one task: gives them to the engine, remembers how they stand, and hands on what they say.
//!
//! In: [`Event`]s of the engine, over the one channel this module owns. Out: inputs for the life cycle, and the file
//! `health`, from which the next executor process goes on without a flip and without losing a count.

mod asking;
mod history;
mod namespaces;
mod reach;
mod series;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use checks::spec::CheckSpec;
use checks::{Check, CheckHandle, Engine, Event, Place, Start};
use health::{Kind, check_status, health_checks};
use mesos::v1::cygnet::CheckHistory;
use mesos::v1::{CheckInfo, TaskInfo};
use tokio::sync::mpsc;

use self::asking::Asking;
pub(crate) use self::asking::Question;
use self::history::history;
pub(crate) use self::history::milliseconds;
pub(crate) use self::namespaces::Namespaces;
pub(crate) use self::reach::reach;
pub(crate) use self::series::measured;
use self::series::series_name;
use crate::clock::{Moment, now};
use crate::life::Input;
use crate::life::health::Health;
use crate::life::standing::Standing;

#[derive(Debug)]
pub(crate) struct Monitor {
    file: PathBuf,
    /// `TaskInfo.check`, whose results are not judged.
    check: Option<(CheckInfo, Standing)>,
    health: Health,
    handles: Vec<(Kind, CheckHandle)>,
    asking: Asking,
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
        let (known, now) = (read(&file), now());
        let known = |kind| known.iter().find(|standing| standing.kind() == kind);
        let add = |(kind, spec): (Kind, CheckSpec)| {
            let start = known(kind).map_or(Start::Spread, |standing| standing.start(now));
            let seed = format!("{}/{}", task.task_id.value, kind.id());
            let check = Check::new(kind.id(), spec, sender.clone()).at(place.clone()).starting(start);
            (kind, engine.add(check.seeded(seed).counted_as(series_name(task, kind))))
        };
        let handles = specs.into_iter().map(add).collect();
        let standing = |kind| known(kind).cloned().unwrap_or_else(|| Standing::fresh(kind, now));
        let check = task.check.clone().map(|check| (check, standing(Kind::Check)));
        let mut monitor =
            Monitor { file, check, health: Health::new(task, standing), handles, asking: Asking::default(), events };
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

    /// Takes in an attempt, and says what it means for the life of the task.
    pub(crate) fn take(&mut self, event: &Event) -> Option<Input> {
        match Kind::of(event.check) {
            Kind::Check => {
                let (check, standing) = self.check.as_mut()?;
                let _is_told_always = standing.take(event, false);
                check_status(check, &event.outcome).map(Input::Check)
            }
            Kind::Health(index) => self.health.take(index, event).map(Input::Health),
        }
    }

    /// Puts on file how things stand; only if that changed, so that a healthy task costs no writing.
    pub(crate) fn save_changes(&mut self) {
        if self.standings().fold(false, |any, standing| standing.saved() | any) {
            self.save();
        }
    }

    /// No attempts from now on.
    pub(crate) fn pause(&self) {
        self.handles.iter().for_each(|(_, handle)| handle.pause());
    }

    /// An attempt of every check at once, unless it was asked for a moment ago. Says by which question.
    pub(crate) fn check_now(&mut self, now: Moment, time_of_day: SystemTime) -> Question {
        let question = self.asking.ask(now, time_of_day);
        if question.ago.is_none() {
            self.handles.iter().for_each(|(_, handle)| handle.check_now());
        }
        question
    }

    /// The past attempts of the task's health checks, in their order; of none that the engine has lost.
    pub(crate) async fn histories(&self, task: &TaskInfo) -> Vec<CheckHistory> {
        let mut histories = Vec::new();
        for (index, check) in health_checks(task).enumerate() {
            let handle = self.handles.iter().find(|(kind, _)| *kind == Kind::Health(index));
            let Some((_, handle)) = handle else { continue };
            histories.extend(handle.report().await.map(|report| history(check, &report)));
        }
        histories
    }

    fn standings(&mut self) -> impl Iterator<Item = &mut Standing> {
        self.check.iter_mut().map(|(_, standing)| standing).chain(self.health.standings())
    }

    fn save(&mut self) {
        let standings: Vec<_> = self.standings().collect();
        let written = serde_json::to_vec(&standings).map_err(io::Error::from);
        if let Err(error) = written.and_then(|bytes| store::replace_file(&self.file, &bytes, 0o600)) {
            tracing::error!(path = %self.file.display(), %error, "cannot remember the state of the checks");
        }
    }
}

/// A file that is not there, or not to be understood, means that the checks begin anew.
fn read(file: &Path) -> Vec<Standing> {
    let read = fs::read(file).and_then(|content| serde_json::from_slice(&content).map_err(io::Error::from));
    read.unwrap_or_else(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            tracing::error!(path = %file.display(), %error, "the state of the checks is lost");
        }
        Vec::new()
    })
}
