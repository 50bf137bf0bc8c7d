//! The master: what the agent reports when it registers, and what the master's events mean.

use mesos::build::MESOS_VERSION;
use mesos::v1::agent_info::{Capability, capability};
use mesos::v1::cygnet::agent_event::{self, Content};
use mesos::v1::cygnet::{AgentCall, agent_call};
use mesos::v1::task_status::Reason;
use mesos::v1::{FrameworkId, FrameworkInfo, TaskState};

use super::executors::kill_event;
use super::frameworks::Framework;
use super::{Action, Core, Job};
use crate::ids::{ExecutorKey, TaskKey};
use crate::log::Change;
use shell::Now;

pub(crate) const CAPABILITIES: [capability::Type; 4] = [
    capability::Type::MultiRole,
    capability::Type::HierarchicalRole,
    capability::Type::ReservationRefinement,
    capability::Type::TaskResourceLimits,
];

impl Core {
    /// The call that subscribes the agent: everything the master needs to know.
    pub(crate) fn registration(&self) -> AgentCall {
        let capability = |kind: capability::Type| Capability { r#type: Some(kind.into()) };
        let subscribe = agent_call::Subscribe {
            agent_info: self.link.agent_info(),
            version: Some(MESOS_VERSION.to_owned()),
            pid: Some(self.settings.pid()),
            frameworks: self.frameworks.live().map(|framework| reported(framework)).collect(),
            completed_frameworks: self.frameworks.completed().map(|framework| framework.id().clone()).collect(),
            registered_time: self.link.registered_time(),
            capabilities: CAPABILITIES.map(capability).into(),
        };
        self.link.call(AgentCall::subscribe(subscribe))
    }

    /// The call that ends the agent's registration.
    pub(crate) fn farewell(&self) -> AgentCall {
        self.link.call(AgentCall::unregister())
    }

    pub(super) fn tell_master(&mut self, call: AgentCall) {
        if self.link.is_connected() {
            self.out.act(Action::ToMaster(Box::new(call)));
        }
    }

    /// The stream to the master has ended. Updates wait.
    pub(crate) fn master_lost(&mut self, now: Now) {
        self.at(now);
        self.link.lost();
        self.updates.pause();
    }

    pub(crate) fn master_event(&mut self, now: Now, event: Content) {
        self.at(now);
        match event {
            Content::Subscribed(subscribed) => self.subscribed(subscribed),
            Content::Ping => self.tell_master(self.link.call(AgentCall::pong())),
            Content::Launch(launch) => self.launch(launch),
            Content::LaunchGroup(launch) => self.launch_group(launch),
            Content::Kill(kill) => self.kill(kill),
            Content::Acknowledge(acknowledge) => self.acknowledge(&acknowledge),
            Content::ShutdownExecutor(of) => {
                self.shutdown_executor(&ExecutorKey { framework: of.framework_id, executor: of.executor_id });
            }
            Content::ShutdownFramework(shutdown) => self.shutdown_framework(&shutdown.framework_id),
            Content::Message(message) => self.message_to_executor(message),
            Content::Reconcile(reconcile) => self.reconcile(reconcile),
            Content::UpdateFramework(update) => self.update_framework(update.framework),
            Content::Shutdown(shutdown) => {
                self.begin_stopping(Some(shutdown.and_then(|of| of.message).unwrap_or_default()));
            }
            Content::Unknown => tracing::warn!("the master sent an event this agent does not know"),
        }
    }

    fn subscribed(&mut self, subscribed: agent_event::Subscribed) {
        if let Some(record) = self.link.subscribed(subscribed, self.now.unix.as_secs_f64()) {
            self.out.persist(Change::Agent(Box::new(record)));
            self.link_name();
        }
        let actions = self.updates.resume(self.now.elapsed);
        self.carry_out_updates(actions);
    }

    /// People and tools find the agent's name as a link.
    pub(super) fn link_name(&mut self) {
        self.link.id().into_iter().for_each(|id| self.out.act(Job::LinkName(id.clone())));
    }

    /// The books have this framework from now on, and its name for itself, which may change.
    pub(super) fn know_framework(&mut self, id: &FrameworkId, info: &FrameworkInfo) {
        if self.frameworks.know(id, info) {
            self.out.persist(Change::Framework(id.clone(), Box::new(info.clone())));
        }
    }

    fn update_framework(&mut self, info: FrameworkInfo) {
        let Some(id) = info.id.clone().filter(|id| self.frameworks.get(id).is_some()) else { return };
        self.know_framework(&id, &info);
    }

    /// KILL: what becomes of it depends on how far the task is.
    fn kill(&mut self, kill: agent_event::Kill) {
        let key = TaskKey { framework: kill.framework_id, task: kill.task_id };
        if self.frameworks.is_ending(&key.framework) {
            return;
        }
        let Some(holder) = self.frameworks.holder(&key) else { return self.kill_unknown(&key) };
        let Some(executor) = self.frameworks.executor_mut(&holder) else { return };
        if executor.tasks().is_queued(&key.task) {
            let message = "The task was killed before it was delivered to its executor";
            let together = executor.tasks().queued_group(&key.task);
            self.abandon(&holder, &together);
            for task in together {
                let key = TaskKey { framework: key.framework.clone(), task };
                self.report(&key, TaskState::TaskKilled, Reason::TaskKilledDuringLaunch, message);
            }
            self.shutdown_if_unused(&holder);
        } else if executor.tasks().is_launched(&key.task) {
            executor.tasks_mut().kill(&key.task, kill.kill_policy);
            self.tell_executor(&holder, kill_event(&key.task, kill.kill_policy));
        }
    }

    /// Unless the task's end is on its way already, its framework is told that there is no such task.
    fn kill_unknown(&mut self, key: &TaskKey) {
        if !self.updates.is_waiting(key) {
            let message = "Cannot find the executor of the task";
            self.report(key, TaskState::TaskDropped, Reason::ExecutorTerminated, message);
        }
    }

    /// The master knows these tasks. Those that are not here are over, and their frameworks are to hear of it.
    fn reconcile(&mut self, reconcile: agent_event::Reconcile) {
        for task in reconcile.task_ids {
            let key = TaskKey { framework: reconcile.framework_id.clone(), task };
            if self.frameworks.holder(&key).is_none() && !self.updates.is_waiting(&key) {
                let message = "Task is unknown to the agent";
                self.report(&key, TaskState::TaskDropped, Reason::Reconciliation, message);
            }
        }
    }
}

fn reported(framework: &Framework) -> agent_call::Framework {
    let own = framework.live_executors().filter(|executor| !executor.is_generated());
    let tasks = framework.executors().flat_map(|executor| executor.tasks().waiting());
    agent_call::Framework {
        framework_info: framework.info().clone(),
        executors: own.map(|executor| executor.info().clone()).collect(),
        tasks: tasks.map(|task| task.wire().clone()).collect(),
    }
}
