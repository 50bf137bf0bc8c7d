//! One check as the engine keeps it: its definition, its verdict so far, and the attempt that runs.

use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::UnboundedSender;

use super::budget::Kind;
use super::patience::Patience;
use super::{Check, CheckId, Event, Start};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::probe::Attempt;
use crate::spec::{CheckSpec, Probe};
use crate::timetable::{Cadence, Run, fresh_phase, recovered_phase};
use crate::verdict::{VerdictState, step};

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: CheckId,
    pub(super) spec: CheckSpec,
    pub(super) place: Place,
    pub(super) cadence: Cadence,
    pub(super) running: Option<Box<Running>>,
    state: VerdictState,
    /// When the engine got it, and how old it was then.
    added: Duration,
    age: Duration,
    events: UnboundedSender<Event>,
}

/// When an attempt started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begin {
    pub(super) run: Run,
    pub(super) at: Duration,
    pub(super) time_of_day: SystemTime,
    pub(super) lateness: Duration,
}

/// An attempt in flight.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) begin: Begin,
    pub(super) attempt: Attempt,
    /// Nothing if there is no limit, or its time is up and it is being ended.
    pub(super) patience: Option<Patience>,
}

/// Nobody listens to this check any more.
#[derive(Debug)]
pub(super) struct Unheard;

impl Entry {
    /// The entry, and when its first attempt is due.
    pub(super) fn new(check: Check, tick: Duration, now: Duration) -> (Entry, Duration) {
        let schedule = &check.spec.schedule;
        let (state, age, phase) = match check.start {
            Start::Fresh => (VerdictState::default(), Duration::ZERO, fresh_phase(schedule, &check.seed)),
            Start::Recovered { state, age } => (state, age, recovered_phase(schedule, &check.seed)),
        };
        let cadence = Cadence::of(schedule, tick);
        let Check { id, spec, place, events, .. } = check;
        let entry = Entry { id, spec, place, cadence, running: None, state, added: now, age, events };
        (entry, now.saturating_add(phase))
    }

    pub(super) fn kind(&self) -> Kind {
        match self.spec.probe {
            Probe::Command(_) => Kind::Command,
            Probe::Http(_) | Probe::Tcp(_) => Kind::Socket,
        }
    }

    /// The moment at which the running attempt's time is up.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let patience = self.running.as_ref()?.patience?;
        Some(self.cadence.round_up(patience.deadline))
    }

    /// Judges an attempt that ended, and tells.
    pub(super) fn conclude(
        &mut self,
        begin: &Begin,
        outcome: Outcome,
        now: Duration,
        time_of_day: SystemTime,
    ) -> Result<(), Unheard> {
        let elapsed = self.age.saturating_add(now.saturating_sub(self.added));
        let (state, verdict) = step(self.state, &self.spec.judgement, elapsed, &outcome);
        self.state = state;
        let event = Event {
            check: self.id,
            at: time_of_day,
            outcome,
            verdict,
            state,
            started: begin.time_of_day,
            duration: now.saturating_sub(begin.at),
            lateness: begin.lateness,
        };
        self.events.send(event).map_err(|_| Unheard)
    }
}
