//! The ends of executors: told to, killed, given up, or by themselves; and what that means for their tasks.

use std::time::Duration;

use mesos::v1::cygnet::{AgentCall, agent_call};
use mesos::v1::executor::Event;
use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerId, FrameworkId, TaskId, TaskState};

use super::frameworks::{Executor, Hosting, Loss, State};
use super::{Action, Core, Count, Job, Timer};
use crate::ids::{ExecutorKey, TaskKey};
use crate::log::Change;

/// The longest that the end of a killed process may take to be noticed.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

impl Core {
    /// SHUTDOWN of one executor: asked first, then killed.
    pub(super) fn shutdown_executor(&mut self, key: &ExecutorKey) {
        let default = self.settings.timeouts.executor_shutdown_grace;
        let Some(executor) = self.frameworks.executor_mut(key).filter(|executor| executor.takes_tasks()) else {
            return;
        };
        let until = self.now.elapsed + executor.grace(default);
        let started = executor.is_started() && !executor.is_being_contained();
        executor.shut_down(until);
        let queued: Vec<TaskId> = executor.tasks().queued().map(|task| task.info().task_id.clone()).collect();
        self.persist_executor(key);
        self.out.look_at(until, Timer::Executor(key.clone()));
        if !self.frameworks.is_silenced(&key.framework) {
            for task in queued {
                let task = TaskKey { framework: key.framework.clone(), task };
                let message = "The executor was shut down before the task was delivered to it";
                self.report(&task, TaskState::TaskKilled, Reason::TaskKilledDuringLaunch, message);
            }
        }
        match started {
            true => self.tell_executor(key, Event::shutdown()),
            false => self.executor_terminated(key, None),
        }
    }

    /// Shuts down every executor of the framework; the ends of its tasks are not reported.
    pub(super) fn shutdown_framework(&mut self, id: &FrameworkId) {
        let actions = self.updates.remove_framework(id);
        self.carry_out_updates(actions);
        self.frameworks.silence(id);
        for key in self.frameworks.keys_of(id) {
            self.shutdown_executor(&key);
        }
    }

    /// An executor that was started for tasks that are all killed by now has nothing to do.
    pub(super) fn shutdown_if_unused(&mut self, key: &ExecutorKey) {
        if self.frameworks.executor(key).is_some_and(|executor| executor.is_unused()) {
            self.shutdown_executor(key);
        }
    }

    pub(super) fn look_at_executor(&mut self, key: &ExecutorKey) {
        let Some(executor) = self.frameworks.executor(key) else { return };
        let now = self.now.elapsed;
        match executor.state() {
            State::Preparing { until } | State::Registering { until } if until <= now => self.give_up_executor(key),
            State::Terminating { until, killed: false } if until <= now => self.kill_executor(key),
            State::Terminating { until, killed: true } if until <= now => self.executor_terminated(key, None),
            _ => {}
        }
    }

    /// It did not subscribe in time.
    fn give_up_executor(&mut self, key: &ExecutorKey) {
        let timeout = self.settings.timeouts.executor_registration;
        let Some(executor) = self.frameworks.executor_mut(key) else { return };
        executor.lose(Loss {
            state: TaskState::TaskFailed,
            reason: Reason::ExecutorRegistrationTimeout,
            message: format!("Executor did not register within {}", mesos::duration::format(timeout)),
            limitation: None,
        });
        self.kill_executor(key);
    }

    /// Kills whatever runs. How it ended is told by its host, unless the agent knows better already.
    pub(super) fn kill_executor(&mut self, key: &ExecutorKey) {
        let until = self.now.elapsed + KILL_PATIENCE;
        let Some(executor) = self.frameworks.executor_mut(key).filter(|executor| executor.is_live()) else { return };
        executor.kill(until);
        let kill = match executor.hosting() {
            Hosting::Pool => Some(Job::KillRun(executor.container().clone())),
            Hosting::Process(_) => kill_of_own(executor),
        };
        // Of a process that nobody knows, nobody tells how it ended.
        let decided = executor.is_lost() || executor.hosting() == Hosting::Process(None);
        kill.into_iter().for_each(|kill| self.out.act(kill));
        match decided {
            true => self.executor_terminated(key, None),
            false => self.out.look_at(until, Timer::Executor(key.clone())),
        }
    }

    pub(super) fn run_ended(&mut self, key: &ExecutorKey, container: &ContainerId, status: Option<i32>) {
        if self.frameworks.run_of(key, container).is_some() {
            self.executor_terminated(key, status);
        }
    }

    /// The executor is over, and so are its tasks.
    pub(super) fn executor_terminated(&mut self, key: &ExecutorKey, status: Option<i32>) {
        let Some(terminated) = self.frameworks.terminate(key) else { return };
        let Some(executor) = self.frameworks.executor(key) else { return };
        let (container, directory) = (executor.container().clone(), executor.directory().to_owned());
        let (kill, is_known) = (kill_of_own(executor), !executor.is_generated());
        self.counters.count(Count::ExecutorTerminated);
        self.persist_executor(key);
        terminated.stream.into_iter().for_each(|stream| self.out.act(Action::CloseStream(stream)));
        self.lose_tasks(key, &container, &terminated.loss.unwrap_or_else(|| ended(status)));
        // Processes it left behind go with it.
        kill.into_iter().for_each(|kill| self.out.act(kill));
        self.out.act(Job::Retire(directory));
        self.out.act(Job::DestroyContainers(container.clone()));
        self.out.act(Job::RemoveState(container.clone()));
        self.out.act(Job::RemoveCgroup(container));
        if is_known {
            self.tell_exited(key, status);
        }
        self.complete_executor_if_done(key);
        self.pool_may_be_idle(&key.framework);
    }

    fn lose_tasks(&mut self, key: &ExecutorKey, container: &ContainerId, loss: &Loss) {
        if self.frameworks.is_silenced(&key.framework) {
            for task in self.frameworks.drop_tasks(key) {
                let task = TaskKey { framework: key.framework.clone(), task };
                self.out.persist(Change::ForgetTask(container.clone(), task));
            }
            return;
        }
        let Some(executor) = self.frameworks.executor(key) else { return };
        let unfinished: Vec<TaskId> = executor.tasks().unfinished().map(|task| task.info().task_id.clone()).collect();
        for task in unfinished {
            let task = TaskKey { framework: key.framework.clone(), task };
            self.report_loss(&task, loss);
        }
    }

    fn tell_exited(&mut self, key: &ExecutorKey, status: Option<i32>) {
        let ExecutorKey { framework: framework_id, executor: executor_id } = key.clone();
        let exited_executor = agent_call::ExitedExecutor { framework_id, executor_id, status };
        self.tell_master(self.link.call(AgentCall::exited_executor(exited_executor)));
    }

    /// Moves an executor of which nothing waits any more to the completed ones, and its framework after the last.
    pub(super) fn complete_executor_if_done(&mut self, key: &ExecutorKey) {
        if let Some(container) = self.frameworks.complete_executor(key) {
            self.out.persist(Change::ForgetExecutor(key.framework.clone(), container));
            self.complete_framework_if_done(&key.framework);
        }
    }

    pub(super) fn complete_framework_if_done(&mut self, id: &FrameworkId) {
        if self.frameworks.complete(id) {
            self.out.persist(Change::ForgetFramework(id.clone()));
        }
    }
}

/// The end of all that an executor with a process of its own has started. A container is found by its shim, whether or not
/// its process is known.
fn kill_of_own(executor: &Executor) -> Option<Job> {
    match executor.container_with_image() {
        Some(_) => Some(Job::KillRun(executor.container().clone())),
        None => executor.hosting().process().map(Job::KillTree),
    }
}

fn ended(status: Option<i32>) -> Loss {
    let how = match status {
        None => String::new(),
        Some(status) if status & 0x7f == 0 => format!(": exited with status {}", status >> 8 & 0xff),
        Some(status) => format!(": terminated with signal {}", status & 0x7f),
    };
    Loss {
        state: TaskState::TaskFailed,
        reason: Reason::ExecutorTerminated,
        message: format!("Executor terminated{how}"),
        limitation: None,
    }
}
