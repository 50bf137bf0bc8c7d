//! From a new run in the books to its process: the sandbox first, then the pool is told or a process is started.

use executor::sandbox;
use fetcher::Item;
use mesos::v1::cygnet::{PoolEvent, pool_event};
use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerId, TaskState};

use super::executor::{Executor, Hosting, Loss, State};
use super::{Action, Core, Job, Owner, Preparation, SandboxError, StartError, Timer};
use crate::ids::ExecutorKey;
use crate::log::Change;
use crate::processes::{Process, Program};
use crate::program::program;
use shell::Now;

/// The mode of a sandbox with those of a group's tasks below it: their users need not be its own, and must get there.
const PASSABLE: u32 = 0o751;

impl Core {
    /// Orders the sandbox of a run that is in the books.
    pub(super) fn prepare(&mut self, key: &ExecutorKey) {
        let Some(executor) = self.executor(key) else { return };
        let preparation = Preparation {
            key: key.clone(),
            container: executor.container.clone(),
            directory: executor.directory.clone(),
            user: self.user_of(key, executor),
            pooled: executor.is_pooled(),
            mode: if executor.hosts_groups() { PASSABLE } else { sandbox::MODE },
            // What makes no sense was refused when the task arrived.
            items: executor.info.command.iter().flat_map(|command| &command.uris).flat_map(Item::of).collect(),
        };
        if let State::Preparing { until } = executor.state {
            self.look_at(until, Timer::Executor(key.clone()));
        }
        self.act(Job::Prepare(Box::new(preparation)));
    }

    /// Who an executor's process, and its sandbox, belong to.
    pub(super) fn user_of(&self, key: &ExecutorKey, executor: &Executor) -> Option<String> {
        if !self.settings.switch_user {
            return None;
        }
        let framework = self.frameworks.get(&key.framework)?;
        let own = executor.info.command.as_ref().and_then(|command| command.user.clone());
        Some(own.unwrap_or_else(|| framework.info.user.clone())).filter(|user| !user.is_empty())
    }

    /// The sandbox is there, or cannot be made.
    pub(crate) fn prepared(&mut self, now: Now, preparation: &Preparation, result: Result<(), SandboxError>) {
        self.now = now;
        let Some(hosting) = self.end_preparing(&preparation.key, &preparation.container, result.is_ok()) else {
            return;
        };
        match (result, hosting) {
            (Err(reason), _) => self.launch_failed(&preparation.key, &reason.to_string()),
            (Ok(()), Hosting::Pool) => self.host_in_pool(&preparation.key),
            (Ok(()), Hosting::Process(_)) => self.start_executor(&preparation.key, preparation.user.clone()),
        }
    }

    /// Where the executor is to be started, unless it is over. That it may be is on disk before anybody hears of it.
    fn end_preparing(&mut self, key: &ExecutorKey, container: &ContainerId, ready: bool) -> Option<Hosting> {
        self.run_of(key, container)?;
        let executor = self.executor_mut(key)?;
        let State::Preparing { until } = executor.state else { return None };
        if ready {
            executor.state = State::Registering { until };
            let record = executor.record(&key.framework);
            self.act(Action::Persist(Change::Executor(Box::new(record))));
        }
        Some(self.executor(key)?.hosting)
    }

    /// The executor, if it is alive and in this run.
    pub(super) fn run_of(&self, key: &ExecutorKey, container: &ContainerId) -> Option<&Executor> {
        self.executor(key).filter(|executor| executor.is_live() && executor.container == *container)
    }

    fn host_in_pool(&mut self, key: &ExecutorKey) {
        self.need_pool(&key.framework);
        let stream = self.pools.get(&key.framework).and_then(|pool| pool.stream);
        if let (Some(stream), Some(add)) = (stream, self.add_event(key)) {
            self.act(Action::ToPool(stream, Box::new(add)));
        }
    }

    /// The event that tells a pool to run this executor.
    pub(super) fn add_event(&self, key: &ExecutorKey) -> Option<PoolEvent> {
        let framework = self.frameworks.get(&key.framework)?;
        let executor = framework.executors.get(&key.executor)?;
        let environment = self.executor_environment(&framework.info, executor);
        let variable = |(name, value)| pool_event::Variable { name, value };
        let add = pool_event::Add {
            executor_id: key.executor.clone(),
            container_id: executor.container.clone(),
            environment: environment.into_iter().map(variable).collect(),
            directory: Some(executor.directory.display().to_string()),
        };
        Some(PoolEvent { r#type: Some(pool_event::Type::Add.into()), add: Some(add) })
    }

    fn start_executor(&mut self, key: &ExecutorKey, user: Option<String>) {
        let Some(program) = self.program_of(key) else { return };
        let Some(executor) = self.executor(key) else { return };
        let owner = Owner::Executor(key.clone(), executor.container.clone());
        self.act(Job::Start(owner, Box::new(program), user));
    }

    fn program_of(&self, key: &ExecutorKey) -> Option<Program> {
        let framework = self.frameworks.get(&key.framework)?;
        let executor = framework.executors.get(&key.executor)?;
        let command = executor.info.command.clone().unwrap_or_default();
        let (path, arguments) = program(&command);
        Some(Program {
            path,
            arguments,
            environment: self.process_environment(&framework.info, executor),
            directory: executor.directory.clone(),
            stdout: executor.directory.join("stdout"),
            stderr: executor.directory.join("stderr"),
            user: None,
        })
    }

    /// A process runs, or could not be started.
    pub(crate) fn started(&mut self, now: Now, owner: &Owner, result: Result<Process, StartError>) {
        self.now = now;
        match (owner, result) {
            (Owner::Pool(framework), result) => self.pool_started(framework, result),
            (Owner::Executor(key, _), Err(reason)) => {
                self.launch_failed(key, &format!("Failed to launch container: {reason}"));
            }
            (Owner::Executor(key, container), Ok(process)) => self.executor_started(key, container, process),
        }
    }

    fn executor_started(&mut self, key: &ExecutorKey, container: &ContainerId, process: Process) {
        if self.run_of(key, container).is_none() {
            self.act(Job::KillTree(process));
            return;
        }
        let Some(executor) = self.executor_mut(key) else { return };
        executor.hosting = Hosting::Process(Some(process));
        let record = executor.record(&key.framework);
        self.act(Action::Persist(Change::Executor(Box::new(record))));
    }

    /// Nothing can be run for these tasks.
    pub(super) fn launch_failed(&mut self, key: &ExecutorKey, message: &str) {
        tracing::warn!(framework = %key.framework, executor = %key.executor, message, "launch failed");
        self.counters.launch_errors += 1;
        let Some(executor) = self.executor_mut(key).filter(|executor| executor.is_live()) else { return };
        let message = message.to_owned();
        executor.loss = Some(Loss { state: TaskState::TaskFailed, reason: Reason::ContainerLaunchFailed, message });
        self.executor_terminated(key, None);
    }
}
