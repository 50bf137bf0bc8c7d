//! The task's processes and checks: how they begin, and how signals reach them.

use checks::{CheckSpec, Event, Outcome};
use health::{InvalidCheck, Kind, specs};
use mesos::v1::TaskInfo;
use tokio::sync::watch;

use super::Runner;
use crate::life::{Blow, Input};
use crate::monitor::{Monitor, Namespaces};
use crate::state::Journal;
use crate::supervisor::{Found, Launch};
use crate::task::supported::unsupported;
use crate::task::{Prepared, Unrunnable, fetch, sandbox};
use crate::user;

/// Why a task was not started.
enum Unstarted {
    /// It cannot be.
    Failed(Unrunnable),
    /// It is to end before it began.
    Leaving,
}

impl<E: Into<Unrunnable>> From<E> for Unstarted {
    fn from(why: E) -> Unstarted {
        Unstarted::Failed(why.into())
    }
}

/// Comes back when the task is to end. Fetching may take long, and orders wait behind it.
async fn left(leaving: Option<watch::Receiver<bool>>) {
    let told = match leaving {
        Some(mut leaving) => leaving.wait_for(|leaving| *leaving).await.is_ok(),
        None => false,
    };
    if !told {
        std::future::pending::<()>().await;
    }
}

impl Runner {
    /// Starts the task; the answer is the next input of its life.
    pub(super) async fn spawn(&mut self) -> Vec<Input> {
        match self.try_spawn().await {
            Ok(Found::Alive(shim)) => {
                self.shim = Some(shim);
                vec![Input::Spawned]
            }
            // It was quicker than we are: the shim has gone, its word stays.
            Ok(Found::Over(ending)) => vec![Input::Spawned, Input::Exited(ending)],
            Ok(Found::NeverStarted(why)) => vec![Input::SpawnFailed(why)],
            Err(Unstarted::Failed(why)) => vec![Input::SpawnFailed(why.to_string())],
            Err(Unstarted::Leaving) => {
                let why = "Killed while its URIs were fetched".to_owned();
                vec![Input::Kill { grace: None }, Input::SpawnFailed(why)]
            }
        }
    }

    async fn try_spawn(&mut self) -> Result<Found, Unstarted> {
        let task = self.task.as_ref().ok_or(Unrunnable::NoCommand)?;
        if let Some(what) = task.container.as_ref().and_then(unsupported) {
            return Err(Unrunnable::Unsupported(what).into());
        }
        let prepared = Prepared::new(&self.config, self.framework.as_deref(), task)?;
        let spec = prepared.spec(&self.config, task)?;
        let specs = self.specs(task, &prepared)?;
        let files = self.state.shim();
        if let Some(room) = &self.room {
            room.lay_out(task, prepared.user.as_ref())?;
        } else if task.container.as_ref().is_some_and(|container| !container.volumes.is_empty()) {
            return Err(Unrunnable::Unsupported("Volumes").into());
        }
        sandbox::prepare(&self.config.sandbox, prepared.user.as_ref()).map_err(Unrunnable::Start)?;
        if self.room.is_some() || task.executor.is_some() {
            tokio::select! {
                fetched = fetch(task, &self.config, prepared.user.as_ref()) => fetched?,
                () = left(self.leaving.clone()) => return Err(Unstarted::Leaving),
            }
        }
        files.write_spec(&spec).map_err(Unrunnable::Start)?;
        let launch = Launch {
            files,
            command: &self.shared.shim_command,
            log: sandbox::stderr(&self.config.sandbox),
            mark: self.config.mark(),
        };
        let found = launch.start().await.map_err(Unrunnable::Start)?;
        self.specs = Some(specs);
        Ok(found)
    }

    /// Begins to check the task, if it has checks that can be.
    pub(super) fn start_checks(&mut self) {
        let (Some(task), Some(shim)) = (&self.task, &self.shim) else { return };
        let pid = shim.task().pid;
        self.namespaces = Namespaces::of(pid).ok();
        let Some(namespaces) = self.namespaces else { return };
        // A task whose checks make no sense was not started.
        let Some(specs) = self.specs.take().or_else(|| self.specs_again(task).ok()) else { return };
        if specs.is_empty() {
            return;
        }
        match namespaces.place(pid) {
            Ok(place) => {
                let file = self.state.health();
                self.monitor = Some(Monitor::start(&self.shared.engine, task, specs, &place, file));
            }
            // If the task has ended meanwhile, the shim will say so.
            Err(error) => tracing::warn!(%error, "the task is not checked"),
        }
    }

    fn specs(&self, task: &TaskInfo, prepared: &Prepared) -> Result<Vec<(Kind, CheckSpec)>, InvalidCheck> {
        let own_users = self.room.is_some() && self.config.switch_user && user::may_switch();
        specs(task, &|command| prepared.check(command, &self.config.sandbox, own_users))
    }

    /// The checks of a task that was started before, perhaps by another process. They run as the task does, even if what
    /// was known of the framework, and of its user, is lost.
    fn specs_again(&self, task: &TaskInfo) -> Result<Vec<(Kind, CheckSpec)>, Unrunnable> {
        let mut prepared = Prepared::new(&self.config, self.framework.as_deref(), task)?;
        if let Ok(spec) = self.state.shim().spec() {
            prepared.user = spec.user;
        }
        Ok(self.specs(task, &prepared)?)
    }

    /// A failure that says nothing about the task: it has ended, or it has moved, and is asked there from now on.
    pub(super) fn is_void(&mut self, event: &Event) -> bool {
        let Some(shim) = self.shim.as_ref().filter(|_| matches!(event.outcome, Outcome::Failure(_))) else {
            return false;
        };
        let task = shim.task();
        let moved = Namespaces::of(task.pid).is_ok_and(|now| self.namespaces.is_some_and(|before| before != now));
        if task.is_alive() && moved {
            self.monitor = None;
            self.start_checks();
        }
        moved || !task.is_alive()
    }

    /// Sends a signal to all of the task's processes.
    pub(super) fn signal(&mut self, blow: Blow) {
        let Some(shim) = &self.shim else { return };
        shim.signal(blow);
        if blow == Blow::Term {
            self.keep(Journal::told);
        }
    }
}
