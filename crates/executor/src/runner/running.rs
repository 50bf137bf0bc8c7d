//! The task's processes and checks: how they begin, and how signals reach them.

use std::io;

use checks::{Event, Outcome};
use tokio::sync::watch;

use super::Runner;
use crate::life::{Blow, Input};
use crate::monitor::Monitor;
use crate::monitor::Whereabouts;
use crate::monitor::probe::{Surroundings, specs};
use crate::state::Journal;
use crate::supervisor::{Found, Launch};
use crate::task::Prepared;
use crate::task::fetch;
use crate::task::sandbox;
use crate::task::supported::unsupported;
use crate::user::{self, User};

/// Why a task was not started.
enum Unstarted {
    /// It cannot be; the text says why.
    Failed(String),
    /// It is to end before it began.
    Leaving,
}

impl From<String> for Unstarted {
    fn from(why: String) -> Unstarted {
        Unstarted::Failed(why)
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
            Ok(Found::NeverStarted(why)) | Err(Unstarted::Failed(why)) => vec![Input::SpawnFailed(why)],
            Err(Unstarted::Leaving) => {
                let why = "Killed while its URIs were fetched".to_owned();
                vec![Input::Kill { grace: None }, Input::SpawnFailed(why)]
            }
        }
    }

    async fn try_spawn(&self) -> Result<Found, Unstarted> {
        let Some(task) = &self.task else { return Err("there is no task".to_owned().into()) };
        if let Some(what) = task.container.as_ref().and_then(unsupported) {
            return Err(format!("{what} are not supported by this executor").into());
        }
        let prepared =
            Prepared::new(&self.config, self.framework.as_deref(), task).map_err(|error| error.to_string())?;
        let spec = prepared.spec(&self.config, task).map_err(|error| error.to_string())?;
        specs(task, self.surroundings(&prepared))?;
        let files = self.state.shim();
        let cannot = |error: io::Error| format!("Cannot start the task: {error}");
        if let Some(room) = &self.room {
            room.lay_out(task, prepared.user.as_ref())?;
        } else if task.container.as_ref().is_some_and(|container| !container.volumes.is_empty()) {
            return Err("Volumes are not supported by this executor".to_owned().into());
        }
        sandbox::prepare(&self.config.sandbox, prepared.user.as_ref()).map_err(cannot)?;
        if self.room.is_some() || task.executor.is_some() {
            tokio::select! {
                fetched = fetch(task, &self.config, prepared.user.as_ref()) => fetched?,
                () = left(self.leaving.clone()) => return Err(Unstarted::Leaving),
            }
        }
        files.write_spec(&spec).map_err(cannot)?;
        let launch = Launch {
            files,
            command: &self.shared.shim_command,
            log: sandbox::stderr(&self.config.sandbox),
            mark: self.config.mark(),
        };
        Ok(launch.start().await.map_err(cannot)?)
    }

    /// Begins to check the task, if it has checks that can be.
    pub(super) fn start_checks(&mut self) {
        let (Some(task), Some(shim)) = (&self.task, &self.shim) else { return };
        let pid = shim.task().pid;
        self.whereabouts = Whereabouts::of(pid).ok();
        let Some(whereabouts) = self.whereabouts else { return };
        let Ok(mut prepared) = Prepared::new(&self.config, self.framework.as_deref(), task) else { return };
        // Checks run as the task does, even if what was known of the framework, and of its user, is lost.
        if let Ok(spec) = self.state.shim().spec() {
            prepared.user = spec.user;
        }
        // A task whose checks make no sense was not started.
        let Ok(specs) = specs(task, self.surroundings(&prepared)) else { return };
        if specs.is_empty() {
            return;
        }
        match whereabouts.place(pid) {
            Ok(place) => {
                let file = self.state.health();
                self.monitor = Some(Monitor::start(&self.shared.engine, task, specs, &place, file));
            }
            // If the task has ended meanwhile, the shim will say so.
            Err(error) => tracing::warn!(%error, "the task is not checked"),
        }
    }

    fn surroundings<'a>(&'a self, prepared: &'a Prepared) -> Surroundings<'a> {
        let user = prepared.user.as_ref();
        let may_choose = self.room.is_some() && self.config.switch_user && user::may_switch();
        let users = may_choose.then_some(user::known as fn(&str) -> Option<User>);
        Surroundings { environment: &prepared.environment, directory: &self.config.sandbox, user, users }
    }

    /// A failure that says nothing about the task: it has ended, or it has moved, and is asked there from now on.
    pub(super) fn is_void(&mut self, event: &Event) -> bool {
        let Some(shim) = self.shim.as_ref().filter(|_| matches!(event.outcome, Outcome::Failure(_))) else {
            return false;
        };
        let task = shim.task();
        let moved = Whereabouts::of(task.pid).is_ok_and(|now| self.whereabouts.is_some_and(|before| before != now));
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
