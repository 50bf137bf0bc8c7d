//! How executors end: told to, killed, given up, or by themselves; and what that means for their tasks.

use std::time::Duration;

use mesos::v1::cygnet::{AgentCall, agent_call, agent_event};
use mesos::v1::executor::{Event, event};
use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerId, TaskId, TaskState};

use super::executor::{Executor, Hosting, Loss, State};
use super::subscribe::shutdown_event;
use super::{Action, Core, Job, Owner, Timer};
use crate::ids::{ExecutorKey, TaskKey};
use crate::log::Change;
use shell::Now;

/// How long the end of a killed process may take to be noticed.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

impl Core {
    /// SHUTDOWN of one executor: asked first, then killed.
    pub(super) fn shutdown_executor(&mut self, key: &ExecutorKey) {
        let default = self.settings.executor_shutdown_grace_period;
        let now = self.now.elapsed;
        let Some(executor) = self.executor_mut(key).filter(|executor| executor.takes_tasks()) else { return };
        let until = now + executor.grace(default);
        let started = executor.is_started();
        executor.state = State::Terminating { until, killed: false };
        let record = executor.record(&key.framework);
        let queued: Vec<TaskId> = executor.queued.iter().map(|task| task.info.task_id.clone()).collect();
        self.act(Action::Persist(Change::Executor(Box::new(record))));
        self.look_at(until, Timer::Executor(key.clone()));
        if !self.is_silenced(key) {
            for task in queued {
                let task = TaskKey { framework: key.framework.clone(), task };
                let message = "The executor was shut down before the task was delivered to it";
                self.report(&task, TaskState::TaskKilled, Reason::TaskKilledDuringLaunch, message);
            }
        }
        match started {
            true => self.tell_executor(key, shutdown_event()),
            false => self.executor_terminated(key, None),
        }
    }

    /// Nobody wants to hear how its tasks end.
    fn is_silenced(&self, key: &ExecutorKey) -> bool {
        self.frameworks.get(&key.framework).is_none_or(|framework| framework.terminating)
    }

    /// It did not subscribe in time.
    pub(super) fn give_up_executor(&mut self, key: &ExecutorKey) {
        let timeout = self.settings.executor_registration_timeout;
        let Some(executor) = self.executor_mut(key) else { return };
        executor.loss.get_or_insert_with(|| Loss {
            state: TaskState::TaskFailed,
            reason: Reason::ExecutorRegistrationTimeout,
            message: format!("Executor did not register within {}", mesos::duration::format(timeout)),
        });
        self.kill_executor(key);
    }

    /// Kills whatever runs. How it ended is told by its host, unless the agent knows better already.
    pub(super) fn kill_executor(&mut self, key: &ExecutorKey) {
        let until = self.now.elapsed + KILL_PATIENCE;
        let Some(executor) = self.executor_mut(key).filter(|executor| executor.is_live()) else { return };
        executor.state = State::Terminating { until, killed: true };
        let kill = match executor.hosting {
            Hosting::Pool => Some(Job::KillRun(executor.container.clone())),
            Hosting::Process(process) => process.map(Job::KillTree),
        };
        let decided = executor.loss.is_some() || kill.is_none();
        self.actions.extend(kill.map(Action::Job));
        match decided {
            true => self.executor_terminated(key, None),
            false => self.look_at(until, Timer::Executor(key.clone())),
        }
    }

    /// A process has ended; with its wait status, if it was a child.
    pub(crate) fn process_ended(&mut self, now: Now, owner: &Owner, status: Option<i32>) {
        self.now = now;
        match owner {
            Owner::Pool(framework) => self.pool_ended(framework),
            Owner::Executor(key, container) => self.run_ended(key, container, status),
        }
    }

    /// One run of an executor has ended.
    pub(super) fn run_ended(&mut self, key: &ExecutorKey, container: &ContainerId, status: Option<i32>) {
        if self.run_of(key, container).is_some() {
            self.executor_terminated(key, status);
        }
    }

    /// The executor is over, and so are its tasks.
    pub(super) fn executor_terminated(&mut self, key: &ExecutorKey, status: Option<i32>) {
        let Some(executor) = self.executor_mut(key).filter(|executor| executor.is_live()) else { return };
        executor.state = State::Terminated;
        let (stream, loss) = (executor.stream.take(), executor.loss.take());
        let (container, generated, hosting) = (executor.container.clone(), executor.generated, executor.hosting);
        let directory = executor.directory.clone();
        let record = executor.record(&key.framework);
        self.counters.executors_terminated += 1;
        self.act(Action::Persist(Change::Executor(Box::new(record))));
        self.close_executor_stream(stream);
        self.lose_tasks(key, &loss.unwrap_or_else(|| terminated(status)));
        if let Hosting::Process(Some(process)) = hosting {
            // What it left behind goes with it.
            self.act(Job::KillTree(process));
        }
        self.act(Job::Retire(directory));
        self.act(Job::DestroyContainers(container.clone()));
        self.act(Job::RemoveState(container));
        if !generated {
            self.tell_exited(key, status);
        }
        self.complete_executor_if_done(key);
        self.pool_may_be_idle(&key.framework);
    }

    fn lose_tasks(&mut self, key: &ExecutorKey, loss: &Loss) {
        let silenced = self.is_silenced(key);
        let Some(executor) = self.executor(key) else { return };
        let unfinished: Vec<TaskId> = executor.unfinished().map(|task| task.info.task_id.clone()).collect();
        for task in unfinished {
            let task = TaskKey { framework: key.framework.clone(), task };
            if silenced {
                self.drop_task(key, &task);
            } else {
                self.report(&task, loss.state, loss.reason, &loss.message);
            }
        }
        if silenced {
            self.drop_terminated(key);
        }
    }

    /// The task's framework is gone: it goes without a word.
    fn drop_task(&mut self, holder: &ExecutorKey, key: &TaskKey) {
        let Some(executor) = self.executor_mut(holder) else { return };
        if let Some(task) = executor.take_unfinished(&key.task) {
            executor.terminated.insert(key.task.clone(), task);
        }
    }

    fn drop_terminated(&mut self, key: &ExecutorKey) {
        let Some(executor) = self.executor_mut(key) else { return };
        let tasks: Vec<TaskId> = executor.terminated.keys().cloned().collect();
        tasks.iter().for_each(|task| executor.complete(task));
        let container = executor.container.clone();
        for task in tasks {
            if let Some(framework) = self.frameworks.get_mut(&key.framework) {
                framework.tasks.remove(&task);
            }
            let task = TaskKey { framework: key.framework.clone(), task };
            self.act(Action::Persist(Change::ForgetTask(container.clone(), task)));
        }
    }

    fn tell_exited(&mut self, key: &ExecutorKey, status: Option<i32>) {
        let exited = agent_call::ExitedExecutor {
            framework_id: key.framework.clone(),
            executor_id: key.executor.clone(),
            status,
        };
        let call = self.call(agent_call::Type::ExitedExecutor);
        self.tell_master(AgentCall { exited_executor: Some(exited), ..call });
    }

    /// A framework has something to say to its executor.
    pub(super) fn message_to_executor(&mut self, message: agent_event::Message) {
        let key = ExecutorKey { framework: message.framework_id, executor: message.executor_id };
        match self.executor(&key).and_then(|executor| executor.stream) {
            Some(_) => self.counters.valid_messages += 1,
            None => self.counters.invalid_messages += 1,
        }
        let message = Some(event::Message { data: message.data });
        self.tell_executor(&key, Event { r#type: Some(event::Type::Message.into()), message, ..Event::default() });
    }
}

impl Executor {
    /// What becomes of its unfinished tasks when it does not come back after the agent's restart.
    pub(super) fn not_back() -> Loss {
        Loss {
            state: TaskState::TaskGone,
            reason: Reason::ExecutorReregistrationTimeout,
            message: "Executor did not reregister with the agent after its restart".to_owned(),
        }
    }
}

fn terminated(status: Option<i32>) -> Loss {
    let how = match status {
        None => String::new(),
        Some(status) if status & 0x7f == 0 => format!(": exited with status {}", status >> 8 & 0xff),
        Some(status) => format!(": terminated with signal {}", status & 0x7f),
    };
    Loss {
        state: TaskState::TaskFailed,
        reason: Reason::ExecutorTerminated,
        message: format!("Executor terminated{how}"),
    }
}
