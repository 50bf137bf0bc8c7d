//! The life of a command task, as a state machine without clock or I/O.
//!
//! In: what the agent asks, what the task's processes and checks do, and the time. Out: [`Action`]s for the shell to
//! carry out in order, and [`Lifecycle::wake_at`], when to come back with a [`Input::Tick`].
//!
//! ```text
//!            Launch          Spawned           Exited            acknowledged
//!    Idle ----------> Starting -------> Running -------> Ended ----------------> Gone
//!                        |  SpawnFailed                    ^   60 s at the latest
//!                        +---------------------------------+
//! ```
//!
//! A kill is not a stage but a property of `Running`: it has a cause and a deadline that can only come nearer.

mod ending;
pub(crate) mod finding;
pub(crate) mod health;
mod kill;
mod plan;
pub(crate) mod standing;
mod step;
#[cfg(test)]
mod tests;
mod update;

use std::time::Duration;

use mesos::v1::{CheckStatusInfo, TaskState};
use rustix::process::Signal;

pub(crate) use self::ending::Ending;
use self::health::HealthChange;
pub(crate) use self::kill::{Cause, Kill};
pub(crate) use self::plan::Plan;
pub(crate) use self::plan::duration;
pub use self::step::ExitStatus;
pub(crate) use self::step::{Action, Input};
pub(crate) use self::update::{Exit, Update};
use crate::clock::Moment;

/// The time after which an executor gives up waiting for the acknowledgement of the terminal update.
const ACKNOWLEDGEMENT_PATIENCE: Duration = Duration::from_secs(60);

/// The part of the shutdown grace that is for reaping the task and for the executor's own exit.
const SHUTDOWN_RESERVE: Duration = Duration::from_secs(2);

#[derive(Debug)]
enum Stage {
    Idle,
    Starting {
        task: Task,
        held: Option<Kill>,
    },
    Running {
        task: Task,
        kill: Option<Kill>,
    },
    /// The time to give up; not while the agent is away, it would only miss the end.
    Ended {
        exit_at: Option<Moment>,
    },
    Gone,
}

#[derive(Debug)]
struct Task {
    plan: Plan,
    last: Update,
    completion: Option<Moment>,
}

/// The knowledge of a new executor process about the life an earlier one began.
#[derive(Debug)]
pub(crate) struct Past {
    pub plan: Plan,
    /// The last update made for it, acknowledged or not.
    pub last: Option<Update>,
    /// The kill that was under way.
    pub kill: Option<Kill>,
    pub term_sent: bool,
    /// The time at which it was launched.
    pub launched: Moment,
}

#[derive(Debug)]
pub(crate) struct Lifecycle {
    shutdown_grace: Duration,
    killing_state: bool,
    stage: Stage,
    shutdown_by: Option<Moment>,
    away: bool,
    abandoned: bool,
}

impl Lifecycle {
    /// An executor that has not been given its task yet.
    pub(crate) fn new(shutdown_grace: Duration) -> Lifecycle {
        let (killing_state, away, abandoned) = (false, false, false);
        Lifecycle { shutdown_grace, killing_state, stage: Stage::Idle, shutdown_by: None, away, abandoned }
    }

    /// An executor that goes on where an earlier process stopped, and what it has to do at once. If the task's process
    /// is not known to have started, the shell says `Spawned` or `SpawnFailed` as it does after an [`Action::Spawn`].
    pub(crate) fn resume(shutdown_grace: Duration, past: Past) -> (Lifecycle, Vec<Action>) {
        let completion = if past.kill.is_some() { None } else { past.plan.completion(past.launched) };
        let last = past.last.unwrap_or_else(|| Update::fresh(TaskState::TaskStarting, &past.plan));
        let task = Task { plan: past.plan, last, completion };
        let stage = match task.last.state {
            TaskState::TaskStarting => Stage::Starting { task, held: past.kill },
            TaskState::TaskRunning | TaskState::TaskKilling => Stage::Running { task, kill: past.kill },
            _ => Stage::Ended { exit_at: None },
        };
        let actions = match stage {
            Stage::Running { kill: None, .. } => vec![Action::StartChecks],
            // The kill was written down and not carried out. Many programs take a second SIGTERM for "at once".
            Stage::Running { kill: Some(_), .. } if !past.term_sent => vec![Action::Signal(Signal::TERM)],
            _ => Vec::new(),
        };
        (Lifecycle { stage, away: true, ..Lifecycle::new(shutdown_grace) }, actions)
    }

    pub(crate) fn handle(&mut self, now: Moment, input: Input) -> Vec<Action> {
        match input {
            Input::Subscribed { killing_state } => self.subscribed(now, killing_state),
            Input::Disconnected => self.disconnected(),
            Input::Launch(plan) => self.launch(now, plan),
            Input::Kill { grace } => self.asked_to_kill(now, grace),
            Input::Shutdown => self.shutdown(now),
            Input::Abandoned => self.abandoned(now),
            Input::Spawned => self.spawned(now),
            Input::SpawnFailed(message) => self.spawn_failed(now, message),
            Input::Exited(ending) => self.exited(now, &ending),
            Input::OutOfMemory => self.kill_task(now, Cause::Memory, Duration::ZERO),
            Input::Health(change) => self.health(now, change),
            Input::Check(status) => self.check(status),
            Input::TerminalAcknowledged => self.acknowledged(),
            Input::Tick => self.tick(now),
        }
    }

    /// The time at which the next [`Input::Tick`] is due, if nothing happens before.
    pub(crate) fn wake_at(&self) -> Option<Moment> {
        let own = match &self.stage {
            Stage::Running { kill: Some(kill), .. } => Some(kill.deadline()),
            Stage::Running { task, kill: None } => task.completion,
            Stage::Ended { exit_at } => *exit_at,
            Stage::Idle | Stage::Starting { .. } | Stage::Gone => None,
        };
        own.into_iter().chain(self.shutdown_by).min()
    }

    /// The kill under way, for a successor to know of.
    pub(crate) fn kill(&self) -> Option<&Kill> {
        match &self.stage {
            Stage::Starting { held: kill, .. } | Stage::Running { kill, .. } => kill.as_ref(),
            _ => None,
        }
    }

    /// The framework's capability, as an earlier process or another task was told.
    pub(crate) fn know_framework(&mut self, killing_state: bool) {
        self.killing_state = killing_state;
    }

    fn subscribed(&mut self, now: Moment, killing_state: bool) -> Vec<Action> {
        self.know_framework(killing_state);
        if std::mem::take(&mut self.away) && matches!(self.stage, Stage::Ended { .. }) {
            self.stage = self.ended(now);
        }
        Vec::new()
    }

    fn disconnected(&mut self) -> Vec<Action> {
        self.away = true;
        if let Stage::Ended { exit_at } = &mut self.stage {
            *exit_at = None;
        }
        Vec::new()
    }

    fn ended(&self, now: Moment) -> Stage {
        Stage::Ended { exit_at: (!self.away).then(|| now + ACKNOWLEDGEMENT_PATIENCE) }
    }

    fn launch(&mut self, now: Moment, plan: Plan) -> Vec<Action> {
        if !matches!(self.stage, Stage::Idle) {
            return Vec::new();
        }
        let starting = Update::fresh(TaskState::TaskStarting, &plan);
        let task = Task { completion: plan.completion(now), last: starting.clone(), plan };
        self.stage = Stage::Starting { task, held: None };
        vec![Action::Update(starting), Action::Spawn]
    }

    fn asked_to_kill(&mut self, now: Moment, grace: Option<Duration>) -> Vec<Action> {
        match &self.stage {
            // There is nothing to kill: the agent and this executor do not agree on what runs.
            Stage::Idle => self.exit(ExitStatus::Failure),
            Stage::Starting { task, .. } | Stage::Running { task, .. } => {
                let grace = grace.unwrap_or(task.plan.kill_grace);
                self.kill_task(now, Cause::Asked, grace)
            }
            Stage::Ended { .. } | Stage::Gone => Vec::new(),
        }
    }

    fn shutdown(&mut self, now: Moment) -> Vec<Action> {
        if matches!(self.stage, Stage::Idle) {
            return self.exit(ExitStatus::Success);
        }
        if matches!(self.stage, Stage::Gone) {
            return Vec::new();
        }
        self.shutdown_by.get_or_insert(now + self.shutdown_grace);
        self.kill_task(now, Cause::Asked, self.shutdown_grace.saturating_sub(SHUTDOWN_RESERVE))
    }

    fn abandoned(&mut self, now: Moment) -> Vec<Action> {
        self.abandoned = true;
        let mut actions = self.shutdown(now);
        actions.extend(self.leave_unheard());
        actions
    }

    /// The exit at once, where no agent is left to acknowledge the end.
    fn leave_unheard(&mut self) -> Vec<Action> {
        if self.abandoned && matches!(self.stage, Stage::Ended { .. }) {
            return self.exit(ExitStatus::Failure);
        }
        Vec::new()
    }

    fn kill_task(&mut self, now: Moment, cause: Cause, grace: Duration) -> Vec<Action> {
        match &mut self.stage {
            Stage::Starting { held: Some(kill), .. } => kill.shorten(grace),
            Stage::Starting { held, .. } => *held = Some(Kill::begin(now, cause, grace)),
            Stage::Running { kill: Some(kill), .. } => {
                kill.shorten(grace);
                return kill.kill_if_due(now).into_iter().collect();
            }
            Stage::Running { task, kill } => {
                let (begun, actions) = task.begin_kill(now, cause, grace, self.killing_state);
                *kill = Some(begun);
                return actions;
            }
            Stage::Idle | Stage::Ended { .. } | Stage::Gone => {}
        }
        Vec::new()
    }

    fn spawned(&mut self, now: Moment) -> Vec<Action> {
        let (mut task, held) = match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Starting { task, held } => (task, held),
            other => {
                self.stage = other;
                return Vec::new();
            }
        };
        let running = task.become_state(TaskState::TaskRunning);
        self.stage = Stage::Running { task, kill: None };
        let mut actions = vec![Action::Update(running), Action::StartChecks];
        if let Some(kill) = held {
            actions.extend(self.kill_task(now, kill.cause(), kill.grace()));
        }
        actions
    }

    fn spawn_failed(&mut self, now: Moment, message: String) -> Vec<Action> {
        let Stage::Starting { task, held } = &mut self.stage else { return Vec::new() };
        let state = if held.is_some() { TaskState::TaskKilled } else { TaskState::TaskFailed };
        let terminal = Update { message: Some(message), ..task.become_state(state) };
        self.stage = self.ended(now);
        std::iter::once(Action::Update(terminal)).chain(self.leave_unheard()).collect()
    }

    fn exited(&mut self, now: Moment, ending: &Ending) -> Vec<Action> {
        let Stage::Running { task, kill } = &mut self.stage else { return Vec::new() };
        let health = task.last.health.clone();
        let terminal = Update { health, ..ending.update(kill.as_ref().map(Kill::cause), &task.plan) };
        self.stage = self.ended(now);
        [Action::StopChecks, Action::Update(terminal)].into_iter().chain(self.leave_unheard()).collect()
    }

    fn health(&mut self, now: Moment, change: HealthChange) -> Vec<Action> {
        let Stage::Running { task, kill: None } = &mut self.stage else { return Vec::new() };
        let kill = change.kill;
        let update = task.last.with_health(change);
        task.last = update.clone();
        let grace = task.plan.kill_grace;
        let mut actions = vec![Action::Update(update)];
        if kill {
            actions.extend(self.kill_task(now, Cause::Health, grace));
        }
        actions
    }

    fn check(&mut self, status: CheckStatusInfo) -> Vec<Action> {
        let Stage::Running { task, kill: None } = &mut self.stage else { return Vec::new() };
        if task.last.check_status.as_ref() == Some(&status) {
            return Vec::new();
        }
        let update = task.last.with_check(status);
        task.last = update.clone();
        vec![Action::Update(update)]
    }

    fn acknowledged(&mut self) -> Vec<Action> {
        match self.stage {
            Stage::Ended { .. } => self.exit(ExitStatus::Success),
            _ => Vec::new(),
        }
    }

    fn tick(&mut self, now: Moment) -> Vec<Action> {
        let due = |at: Moment| at <= now;
        if self.shutdown_by.is_some_and(due) {
            let running = matches!(self.stage, Stage::Starting { .. } | Stage::Running { .. });
            let signal = running.then_some(Action::Signal(Signal::KILL));
            return signal.into_iter().chain(self.exit(ExitStatus::Failure)).collect();
        }
        match &mut self.stage {
            Stage::Running { kill: Some(kill), .. } => kill.kill_if_due(now).into_iter().collect(),
            Stage::Running { task, kill: None } if task.completion.is_some_and(due) => {
                self.kill_task(now, Cause::Completion, Duration::ZERO)
            }
            Stage::Ended { exit_at } if exit_at.is_some_and(due) => self.exit(ExitStatus::Failure),
            _ => Vec::new(),
        }
    }

    fn exit(&mut self, status: ExitStatus) -> Vec<Action> {
        self.stage = Stage::Gone;
        self.shutdown_by = None;
        vec![Action::Exit(status)]
    }
}

impl Task {
    /// A new status of this state. Of what an earlier one said of health it keeps only what Mesos does not have.
    fn become_state(&mut self, state: TaskState) -> Update {
        self.last = Update { health: self.last.health.take(), ..Update::fresh(state, &self.plan) };
        self.last.clone()
    }

    fn begin_kill(&mut self, now: Moment, cause: Cause, grace: Duration, killing_state: bool) -> (Kill, Vec<Action>) {
        self.completion = None;
        let mut kill = Kill::begin(now, cause, grace);
        let announced = killing_state && !matches!(cause, Cause::Completion | Cause::Memory);
        let killing = announced.then(|| Action::Update(self.become_state(TaskState::TaskKilling)));
        let mut actions: Vec<Action> = killing.into_iter().collect();
        actions.extend([Action::PauseChecks, Action::Signal(Signal::TERM)]);
        actions.extend(kill.kill_if_due(now));
        (kill, actions)
    }
}
