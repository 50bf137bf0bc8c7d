//! From a run whose tasks have what they need to its process: the sandbox first, then the pool is told or a process is
//! started.

use fetcher::Item;
use mesos::command::SANDBOX_MODE;
use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerId, TaskState};
use processes::Process;
use shell::Now;

use super::frameworks::{Hosting, Loss};
use super::{Core, Count, Job, Owner, Preparation, SandboxError, Timer};
use crate::ids::ExecutorKey;
use crate::log::Change;

/// The mode of a sandbox with those of a group's tasks below it: their users need not be its own, and must get there.
const PASSABLE: u32 = 0o751;

impl Core {
    /// Orders the sandbox of a run that is in the books. From now on it has so long to be there, and its executor to subscribe.
    pub(super) fn prepare(&mut self, key: &ExecutorKey) {
        let until = self.now.elapsed + self.settings.timeouts.executor_registration;
        self.frameworks.executor_mut(key).into_iter().for_each(|executor| executor.provisioned(until));
        let Some(framework) = self.frameworks.get(&key.framework) else { return };
        let Some(executor) = framework.executor(&key.executor) else { return };
        let limits = self.limits_of(executor);
        let preparation = Preparation {
            key: key.clone(),
            container: executor.container().clone(),
            directory: executor.directory().to_owned(),
            user: self.settings.user_of(framework.info(), executor),
            image_of: executor.container_with_image().map(|_| executor.info().executor_id.clone()),
            pooled: executor.is_pooled(),
            mode: if executor.hosts_groups() { PASSABLE } else { SANDBOX_MODE },
            // Invalid URIs were refused when the task arrived.
            items: executor.info().command.iter().flat_map(|command| &command.uris).flat_map(Item::of).collect(),
            limits,
        };
        self.out.look_at(until, Timer::Executor(key.clone()));
        self.out.act(Job::Prepare(Box::new(preparation)));
    }

    /// The sandbox is there, or cannot be made.
    pub(crate) fn prepared(&mut self, now: Now, preparation: &Preparation, result: Result<(), SandboxError>) {
        self.at(now);
        let Preparation { key, container, .. } = preparation;
        if self.frameworks.run_of(key, container).is_none_or(|executor| !executor.is_preparing()) {
            return;
        }
        if let Err(reason) = result {
            return self.launch_failed(key, &reason.to_string());
        }
        let hosting = self.frameworks.executor_mut(key).and_then(|executor| executor.prepared());
        // That it may be started is on disk before anybody hears of it.
        self.persist_executor(key);
        match hosting {
            Some(Hosting::Pool) => self.host_in_pool(key),
            Some(Hosting::Process(_)) => self.start_executor(key, preparation.user.clone()),
            None => {}
        }
    }

    pub(super) fn persist_executor(&mut self, key: &ExecutorKey) {
        if let Some(executor) = self.frameworks.executor(key) {
            self.out.persist(Change::Executor(executor.record(&key.framework)));
        }
    }

    fn start_executor(&mut self, key: &ExecutorKey, user: Option<String>) {
        let Some(framework) = self.frameworks.get(&key.framework) else { return };
        let Some(executor) = framework.executor(&key.executor) else { return };
        let owner = Owner::Executor(key.clone(), executor.container().clone());
        let (id, info, run) = (self.link.id(), framework.info(), executor.container().clone());
        let start = match executor.container_with_image() {
            Some(container) => {
                let contained = self.settings.contained_executor(id, info, executor, container);
                contained.map(|contained| Job::Contain(key.clone(), run, Box::new(contained)))
            }
            None => {
                let program = self.settings.executor_program(id, info, executor);
                program.map(|program| Job::Start(owner, Box::new(program), user))
            }
        };
        match start {
            Ok(start) => self.out.act(start),
            Err(error) => self.launch_failed(key, &format!("Failed to launch container: {error}")),
        }
    }

    /// From now on it has so long to subscribe.
    pub(super) fn executor_started(&mut self, key: &ExecutorKey, container: &ContainerId, process: Process) {
        if self.frameworks.run_of(key, container).is_none() {
            return self.out.act(Job::KillTree(process));
        }
        let until = self.now.elapsed + self.settings.timeouts.executor_registration;
        if let Some(executor) = self.frameworks.executor_mut(key) {
            executor.started(process, until);
        }
        self.out.look_at(until, Timer::Executor(key.clone()));
        self.persist_executor(key);
    }

    /// Nothing can be run for these tasks.
    pub(super) fn launch_failed(&mut self, key: &ExecutorKey, message: &str) {
        tracing::warn!(framework = %key.framework, executor = %key.executor, message, "launch failed");
        self.counters.count(Count::LaunchError);
        let Some(executor) = self.frameworks.executor_mut(key).filter(|executor| executor.is_live()) else { return };
        let message = message.to_owned();
        executor.lose(Loss {
            state: TaskState::TaskFailed,
            reason: Reason::ContainerLaunchFailed,
            message,
            limitation: None,
        });
        self.executor_terminated(key, None);
    }
}
