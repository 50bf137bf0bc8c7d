//! The master: what the agent reports when it registers, and what the master's events mean.

use mesos::v1::agent_info::{Capability, capability};
use mesos::v1::cygnet::{AgentCall, AgentEvent, agent_call, agent_event};
use mesos::v1::task_status::Reason;
use mesos::v1::{AgentId, TaskState};

use super::framework::Framework;
use super::task::Task;
use super::{Action, Core, Job};
use crate::ids::{ExecutorKey, TaskKey};
use crate::log::{AgentRecord, Change};
use crate::version;
use shell::Now;

/// What this agent can do of what agents can do.
pub(super) const CAPABILITIES: [capability::Type; 4] = [
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
            agent_info: self.agent_info(),
            version: Some(version::MESOS_VERSION.to_owned()),
            pid: Some(self.pid()),
            frameworks: self.frameworks.values().map(reported).collect(),
            completed_frameworks: self.completed_frameworks.iter().map(|framework| framework.id.clone()).collect(),
            registered_time: self.registered_time,
            capabilities: CAPABILITIES.map(capability).into(),
        };
        AgentCall { subscribe: Some(subscribe), ..self.call(agent_call::Type::Subscribe) }
    }

    pub(super) fn pid(&self) -> String {
        format!("slave(1)@{}", self.settings.address)
    }

    pub(super) fn call(&self, kind: agent_call::Type) -> AgentCall {
        AgentCall { r#type: Some(kind.into()), agent_id: self.agent_id.clone(), ..AgentCall::default() }
    }

    pub(super) fn tell_master(&mut self, call: AgentCall) {
        if self.connected {
            self.act(Action::ToMaster(Box::new(call)));
        }
    }

    /// The stream to the master has ended. Updates wait.
    pub(crate) fn master_lost(&mut self, now: Now) {
        self.now = now;
        self.connected = false;
        self.updates.pause();
    }

    /// The master speaks.
    pub(crate) fn master_event(&mut self, now: Now, event: AgentEvent) {
        self.now = now;
        use agent_event::Type;
        match event.r#type() {
            Type::Subscribed => event.subscribed.into_iter().for_each(|subscribed| self.subscribed(subscribed)),
            Type::Ping => self.tell_master(self.call(agent_call::Type::Pong)),
            Type::Launch => event.launch.into_iter().for_each(|launch| self.launch(launch)),
            Type::LaunchGroup => event.launch_group.into_iter().for_each(|launch| self.launch_group(launch)),
            Type::Kill => event.kill.into_iter().for_each(|kill| self.kill(kill)),
            Type::Acknowledge => event.acknowledge.iter().for_each(|acknowledge| self.acknowledge(acknowledge)),
            Type::ShutdownExecutor => event.shutdown_executor.into_iter().for_each(|shutdown| {
                self.shutdown_executor(&ExecutorKey {
                    framework: shutdown.framework_id,
                    executor: shutdown.executor_id,
                });
            }),
            Type::ShutdownFramework => {
                event.shutdown_framework.iter().for_each(|shutdown| self.shutdown_framework(&shutdown.framework_id));
            }
            Type::Message => event.message.into_iter().for_each(|message| self.message_to_executor(message)),
            Type::Reconcile => event.reconcile.into_iter().for_each(|reconcile| self.reconcile(reconcile)),
            Type::UpdateFramework => {
                event.update_framework.into_iter().for_each(|update| self.update_framework(update.framework));
            }
            Type::Shutdown => self.turn_away(event.shutdown.and_then(|shutdown| shutdown.message).unwrap_or_default()),
            Type::Unknown => tracing::warn!("the master sent an event this agent does not know"),
        }
    }

    fn subscribed(&mut self, subscribed: agent_event::Subscribed) {
        self.connected = true;
        self.master_hostname = subscribed.master_info.and_then(|master| master.hostname);
        if self.agent_id.as_ref() != Some(&subscribed.agent_id) {
            self.take_id(subscribed.agent_id);
        }
        let actions = self.updates.resume(self.now.elapsed);
        self.carry_out_updates(actions);
    }

    fn take_id(&mut self, id: AgentId) {
        if let Some(former) = &self.agent_id {
            tracing::warn!(%former, %id, "the master gave this agent another id");
        }
        let registered_time = self.now.unix.as_secs_f64();
        self.agent_id = Some(id.clone());
        self.registered_time = Some(registered_time);
        let record = AgentRecord { id: Some(id.clone()), info: Some(self.info.clone()), registered_time };
        self.act(Action::Persist(Change::Agent(Box::new(record))));
        self.act(Job::LinkName(id));
    }

    /// The master knows these tasks. Those that are not here are over, and their frameworks are to hear of it.
    fn reconcile(&mut self, reconcile: agent_event::Reconcile) {
        for task in reconcile.task_ids {
            let key = TaskKey { framework: reconcile.framework_id.clone(), task };
            if self.holder(&key).is_none() && !self.updates.is_waiting(&key) {
                let message = "Task is unknown to the agent";
                self.report(&key, TaskState::TaskDropped, Reason::Reconciliation, message);
            }
        }
    }
}

fn reported(framework: &Framework) -> agent_call::Framework {
    let executors = framework.executors.values();
    let own = executors.clone().filter(|executor| !executor.generated && executor.is_live());
    let tasks = executors.flat_map(|executor| executor.unfinished().chain(executor.terminated.values()));
    agent_call::Framework {
        framework_info: framework.info.clone(),
        executors: own.map(|executor| executor.info.clone()).collect(),
        tasks: tasks.map(|task: &Task| task.wire.clone()).collect(),
    }
}
