//! The task's processes and checks: how they begin, and how signals reach them.

use std::os::fd::AsFd;

use checks::{CheckSpec, Event, Outcome};
use containers::logs;
use containers::provision::Provision;
use health::{Kind, specs};
use mesos::command::SANDBOX_MODE;
use mesos::v1::{FrameworkInfo, TaskInfo};
use processes::{Contained, End, Logged, Logs, contained, furnish};
use rustix::process::Signal;
use tokio::task::spawn_blocking;

use super::Runner;
use super::container::Container;
use super::memory::Memory;
use crate::config::ExecutorConfig;
use crate::docker::is_dockers;
use crate::life::Input;
use crate::monitor::{Monitor, Namespaces};
use crate::state::Journal;
use crate::task::{Prepared, Unrunnable, fetch, give};

/// Why a task was not started.
pub(super) enum Unstarted {
    /// It cannot be.
    Failed(Unrunnable),
    /// It is to end before it began; with the step of its start that was given up.
    Leaving(&'static str),
}

impl<E: Into<Unrunnable>> From<E> for Unstarted {
    fn from(why: E) -> Unstarted {
        Unstarted::Failed(why.into())
    }
}

impl Runner {
    /// Starts the task; the answer is the next input of its life.
    pub(super) async fn spawn(&mut self) -> Vec<Input> {
        match self.start().await {
            Ok(inputs) => inputs,
            Err(Unstarted::Failed(why)) => vec![Input::SpawnFailed(why.to_string())],
            Err(Unstarted::Leaving(step)) => {
                vec![Input::Kill { grace: None }, Input::SpawnFailed(format!("Killed while its {step}"))]
            }
        }
    }

    async fn start(&mut self) -> Result<Vec<Input>, Unstarted> {
        if let Some(task) = self.task.clone().filter(is_dockers) {
            return self.start_docker(&task).await;
        }
        Ok(match self.try_spawn().await? {
            Ok(shim) => {
                self.container = Some(Container::Shim(shim));
                self.memory.iter_mut().for_each(Memory::watch);
                vec![Input::Spawned]
            }
            Err(End::NotStarted(why)) => vec![Input::SpawnFailed(why)],
            // It was quicker than we are: the shim has gone, its word stays.
            Err(end) => vec![Input::Spawned, self.exited(end.into())],
        })
    }

    async fn try_spawn(&mut self) -> Result<Result<Contained, End>, Unstarted> {
        let task = self.task.as_ref().ok_or(Unrunnable::NoCommand)?;
        let (prepared, specs) = self.unless_left("user was looked up", self.prepare(task, Prepared::new)).await?;
        let user = prepared.program.user.as_ref();
        if let Some(sandbox) = &self.group {
            sandbox.lay_out(task, user)?;
        }
        let fetches = self.group.is_some() || task.executor.is_some();
        if let Some(user) = user.filter(|_| !fetches) {
            self.unless_left("files were given to its user", give(&self.config, user)).await?;
        }
        furnish(&self.config.sandbox, SANDBOX_MODE, user).map_err(Unrunnable::Start)?;
        if fetches {
            self.unless_left("URIs were fetched", fetch(task, &self.config, user)).await?;
        }
        prepared.make_places(&self.config)?;
        self.memory = Memory::make(&self.config, task).map_err(Unrunnable::Cgroup)?;
        let program = prepared.program;
        if program.namespaces.is_some() {
            self.state.make_changes().map_err(Unrunnable::Changes)?;
        }
        self.copy_images(&prepared.copies).await?;
        let rotations = logs::of_task(self.config.log_rotations, &program.environment).map_err(Unrunnable::from)?;
        let program = Logged { program, logs: Logs::of(&self.config.sandbox), rotations };
        let started = contained::start(program, &self.shared.shim_command, self.state.path()).await;
        let started = started.map_err(Unrunnable::Start)?;
        self.checking.specs = Some(specs);
        Ok(started)
    }

    /// One step of the start, which is given up once the task is to end.
    pub(super) async fn unless_left<T>(
        &self,
        step: &'static str,
        work: impl Future<Output = Result<T, Unrunnable>>,
    ) -> Result<T, Unstarted> {
        let mut leaving = self.leave.subscribe();
        tokio::select! {
            done = work => Ok(done?),
            Ok(_) = leaving.wait_for(|leaves| *leaves) => Err(Unstarted::Leaving(step)),
        }
    }

    /// Works out by `work` what a task runs with, and its checks. To look users up may take long, so that is done beside
    /// the runtime.
    async fn prepare(
        &self,
        task: &TaskInfo,
        work: impl FnOnce(&ExecutorConfig, Option<&FrameworkInfo>, &TaskInfo) -> Result<Prepared, Unrunnable>
        + Send
        + 'static,
    ) -> Result<(Prepared, Vec<(Kind, CheckSpec)>), Unrunnable> {
        let (config, framework, task) = (self.config.clone(), self.framework.clone(), task.clone());
        let own_users = self.group.is_some() && config.switch_user && rustix::process::geteuid().is_root();
        let work = move || {
            let prepared = work(&config, framework.as_deref(), &task)?;
            let specs = specs(&task, &|command| prepared.check(command, own_users))?;
            Ok((prepared, specs))
        };
        spawn_blocking(work).await.map_err(|error| Unrunnable::Start(error.into()))?
    }

    /// Begins to check the task, if it has checks that can be.
    pub(super) async fn start_checks(&mut self) {
        let (Some(task), Some(container)) = (&self.task, &self.container) else { return };
        let Some(process) = container.process() else { return };
        let specs = match self.checking.specs.take() {
            Some(specs) => Ok(specs),
            None => match container {
                Container::Shim(_) => self.specs_again(task).await,
                Container::Docker(docker) => match docker.specs(task).await {
                    Ok(specs) => specs.map_err(Unrunnable::Check),
                    Err(error) => Err(Unrunnable::Start(error)),
                },
            },
        };
        // A task whose checks make no sense was not started; but their users may be looked up again, and not be found.
        let specs = specs.inspect_err(|error| tracing::warn!(%error, "the task is not checked"));
        let Some(specs) = specs.ok().filter(|specs| !specs.is_empty()) else { return };
        // Whatever was read by its number was read of it, and not of the next to have that number, if it is alive now.
        let (now, pidfd) = (Namespaces::of(process.pid).ok(), process.open());
        self.checking.namespaces = now;
        let (Some(namespaces), Some(pidfd)) = (now, pidfd) else { return };
        match namespaces.place(pidfd.as_fd()) {
            Ok(place) => {
                let file = self.state.health();
                self.checking.monitor = Some(Monitor::start(&self.shared.engine, task, specs, &place, file));
            }
            // If the task has ended meanwhile, the shim will say so.
            Err(error) => tracing::warn!(%error, "the task is not checked"),
        }
    }

    /// The checks of a task that was started before, perhaps by another process. They run as the task does, even if what
    /// was known of the framework, and of its user, is lost.
    async fn specs_again(&self, task: &TaskInfo) -> Result<Vec<(Kind, CheckSpec)>, Unrunnable> {
        let files = self.state.shim();
        let as_before =
            move |config: &ExecutorConfig, framework: Option<&FrameworkInfo>, task: &TaskInfo| match files.program() {
                Ok(started) => Prepared::again(config, task, started.program),
                Err(_) => Prepared::new(config, framework, task),
            };
        Ok(self.prepare(task, as_before).await?.1)
    }

    /// A failure that says nothing about the task: it has ended, or it has moved, and is asked there from now on.
    pub(super) async fn is_void(&mut self, event: &Event) -> bool {
        let Some(container) = self.container.as_ref().filter(|_| matches!(event.outcome, Outcome::Failure(_))) else {
            return false;
        };
        let Some(task) = container.process() else { return true };
        let moved =
            Namespaces::of(task.pid).is_ok_and(|now| self.checking.namespaces.is_some_and(|before| before != now));
        if task.is_alive() && moved {
            self.checking.monitor = None;
            self.start_checks().await;
        }
        moved || !task.is_alive()
    }

    /// The signal that asks the task to end: its image's, if that names one that is not of real time.
    fn stop_signal(&self) -> Signal {
        let read = |task: &TaskInfo| Provision::read(&self.config.provisions, &task.task_id).ok()?;
        let image = self.task.as_ref().and_then(read).and_then(|provision| provision.image);
        image.and_then(|image| Signal::from_named_raw(image.config.stop_signal()?)).unwrap_or(Signal::TERM)
    }

    /// Sends a signal to all of the task's processes.
    pub(super) fn signal(&mut self, signal: Signal) {
        let Some(container) = &self.container else { return };
        match container {
            Container::Shim(_) if signal == Signal::TERM => container.signal(self.stop_signal()),
            _ => container.signal(signal),
        }
        if signal == Signal::TERM {
            self.keep(Journal::term_sent);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::task::{Context, Poll};

    use checks::{Engine, EngineOptions};
    use mesos::v1::{CommandInfo, TaskState};
    use tokio::runtime::Builder;
    use tokio::sync::watch;
    use tokio::task::yield_now;

    use super::*;
    use crate::runner::{Command, Shared};
    use crate::state::{Exclusion, StateDirectory};
    use crate::task::GroupSandbox;
    use crate::wire::Connections;

    async fn runner(sandbox: &str) -> Runner {
        let variables = [
            ("MESOS_FRAMEWORK_ID", "F"),
            ("MESOS_EXECUTOR_ID", "E"),
            ("MESOS_SLAVE_PID", "slave(1)@127.0.0.1:5051"),
            ("MESOS_DIRECTORY", sandbox),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Arc::new(ExecutorConfig::from_variables(&variables.into()).unwrap());
        let shared = Shared {
            engine: Engine::start(EngineOptions::default()).unwrap(),
            shim_command: Arc::new([]),
            exclusion: Exclusion::Host,
            connections: Connections::default(),
            dismissal: watch::Sender::new(false),
        };
        let state = StateDirectory::open(&config, Exclusion::Host).await.unwrap();
        Runner::new(config, shared, state, tokio::sync::mpsc::unbounded_channel().0).unwrap()
    }

    /// A task is killed, alone or in a group, with the only thread that may wait taken, as by a resolver that hangs.
    #[test]
    fn a_kill_does_not_wait_for_the_resolver() {
        let runtime = Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let (_free, taken) = mpsc::channel::<()>();
            let _waiting = spawn_blocking(move || taken.recv());
            for in_group in [false, true] {
                let directory = tempfile::tempdir().unwrap();
                let mut runner = runner(directory.path().to_str().unwrap()).await;
                runner.group = in_group.then(|| GroupSandbox::new(directory.path(), None, "c"));
                let command = CommandInfo { value: Some("true".to_owned()), ..CommandInfo::default() };
                let task = TaskInfo { command: Some(command), ..TaskInfo::default() };
                let mut said = [Command::Disconnected, Command::Kill { grace: None }].into_iter();
                let hear = |_: &mut Context<'_>| said.next().map_or(Poll::Pending, |word| Poll::Ready(Some(word)));
                let waited = async {
                    for _ in 0..100 {
                        yield_now().await;
                    }
                };
                let heard = tokio::select! {
                    biased;
                    heard = runner.launch(task, hear, Command::ends) => heard.unwrap(),
                    () = waited => panic!("the kill waits"),
                };
                assert_eq!(heard.len(), 2, "both are still to be obeyed");
                let last = runner.journal.history().last.clone().unwrap();
                assert_eq!(last.state(), TaskState::TaskKilled);
                assert_eq!(last.message(), "Killed while its user was looked up");
            }
        });
    }
}
