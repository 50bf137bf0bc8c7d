//! Agents that leave: unreachable for now, unregistered, replaced, or gone for good. And what becomes of their tasks.

use std::sync::Arc;

use mesos::v1::master::{Event, event};
use mesos::v1::task_status::Reason;
use mesos::v1::{self, TaskState, TaskStatus};

use super::{Action, Core, OperatorRefusal, commands, events, status};
use crate::ids::{AgentId, FrameworkId, TaskId};
use crate::memory::Change;

/// The way in which an agent leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// It may come back.
    Unreachable(&'static str),
    /// It is removed from the books, for this reason.
    Removed(&'static str),
    /// An operator says it never comes back.
    Gone,
}

impl Departure {
    fn verdict(self) -> (TaskState, Reason) {
        match self {
            Departure::Unreachable(_) => (TaskState::TaskUnreachable, Reason::AgentRemoved),
            Departure::Removed(_) => (TaskState::TaskLost, Reason::AgentRemoved),
            Departure::Gone => (TaskState::TaskGoneByOperator, Reason::AgentRemovedByOperator),
        }
    }

    fn message(self, hostname: &str) -> String {
        match self {
            Departure::Unreachable(why) => format!("Agent {hostname} is unreachable: {why}"),
            Departure::Removed(why) => format!("Agent {hostname} removed: {why}"),
            Departure::Gone => format!("Agent {hostname} has been marked gone"),
        }
    }
}

impl Core {
    /// The agent says goodbye.
    pub(super) fn unregister(&mut self, agent: &AgentId) {
        self.counters.agents.unregistered += 1;
        self.remove_agent(agent, Departure::Removed("the agent unregistered"));
    }

    /// An operator gives an agent up for good.
    pub(super) fn mark_agent_gone(&mut self, agent: &AgentId) -> Result<(), OperatorRefusal> {
        if self.agents.contains(agent) {
            self.command(agent, commands::shutdown("Agent has been marked gone"));
            self.remove_agent(agent, Departure::Gone);
            return Ok(());
        }
        if self.agents.absent().may_return(agent) {
            self.mark_gone(agent);
            self.give_up_unreachable_tasks(agent);
        }
        if self.agents.absent().gone.contains_key(agent) {
            Ok(())
        } else {
            Err(OperatorRefusal::NoSuchAgent(agent.clone()))
        }
    }

    /// Tasks that nobody could reach are over with their agent.
    fn give_up_unreachable_tasks(&mut self, agent: &AgentId) {
        for framework in self.frameworks.ids() {
            let Some(known) = self.frameworks.get(&framework) else { continue };
            let lost = known.tasks.unreachable().filter(|task| task.agent() == agent);
            for task in lost.map(|task| task.id().clone()).collect::<Vec<_>>() {
                self.give_up_unreachable_task(agent, &framework, &task);
            }
        }
    }

    fn give_up_unreachable_task(&mut self, agent: &AgentId, framework: &FrameworkId, task: &TaskId) {
        let message = format!("Agent {agent} has been marked gone");
        let status = self.departed(agent, task, Departure::Gone, &message);
        let limit = self.settings.max_completed_tasks;
        let Some(known) = self.frameworks.get_mut(framework) else { return };
        let Some(mut kept) = known.tasks.take_unreachable(task) else { return };
        let state = known.visible(status.state());
        let status = TaskStatus { state: state.into(), ..status };
        Arc::make_mut(&mut kept).absorb(&status, None);
        known.counters.ended.add(state);
        known.tasks.remember_completed(kept, limit);
        self.counters.ended.add(state);
        self.counters.count_status(&status);
        self.out.announce_status(framework, &status, state);
        self.tell(framework, events::update(status));
    }

    pub(super) fn remove_agent(&mut self, id: &AgentId, departure: Departure) {
        let Some(agent) = self.agents.get(id) else { return };
        let message = departure.message(&agent.info().hostname);
        let stream = agent.stream().cloned();
        match departure {
            Departure::Unreachable(_) => tracing::warn!(agent = %id, message, "agent removed"),
            Departure::Removed(_) | Departure::Gone => tracing::info!(agent = %id, message, "agent removed"),
        }
        self.counters.agents.removed += 1;
        for (framework, task) in self.agents.tasks_on(id) {
            self.depart_task(id, &framework, &task, departure, &message);
        }
        self.drop_executors_on(id);
        self.rescind_offers(|offer| offer.agent == *id);
        self.allocator.remove_agent(id);
        self.agents.remove(id);
        if let Some(stream) = stream {
            self.out.push(Action::Close(stream));
        }
        self.announce_agent_lost(id);
        self.remember_departure(id, departure);
    }

    fn remember_departure(&mut self, id: &AgentId, departure: Departure) {
        match departure {
            Departure::Unreachable(_) => self.mark_unreachable(id),
            Departure::Gone => self.mark_gone(id),
            Departure::Removed(_) => {
                self.forget_standing(id);
                self.out.push(Action::Persist(Change::Remove(id.clone())));
                self.out.announce(|| Event::agent_removed(event::AgentRemoved { agent_id: id.clone() }));
            }
        }
    }

    pub(super) fn mark_unreachable(&mut self, id: &AgentId) {
        let since = self.now.unix;
        self.out.push(Action::Persist(Change::Unreachable(id.clone(), since)));
        let forgotten = self.agents.mark_unreachable(id, since);
        self.out.extend(forgotten.map(|id| Action::Persist(Change::Remove(id))));
    }

    fn mark_gone(&mut self, id: &AgentId) {
        self.forget_standing(id);
        let since = self.now.unix;
        self.out.push(Action::Persist(Change::Gone(id.clone(), since)));
        let forgotten = self.agents.mark_gone(id, since);
        self.out.extend(forgotten.map(|id| Action::Persist(Change::Remove(id))));
    }

    /// Forgets, now and then, agents that have been away for weeks.
    pub(super) fn collect_garbage(&mut self) {
        if !self.schedule.collects(self.now.elapsed) {
            return;
        }
        let limit = self.now.unix.saturating_sub(self.settings.registry.max_agent_age);
        for id in self.agents.forget_absent(limit) {
            tracing::info!(agent = %id, "forgotten: it has been away for too long");
            self.forget_standing(&id);
            self.out.push(Action::Persist(Change::Remove(id)));
        }
    }

    /// One task of a departing agent: told, and moved to where it is remembered.
    fn depart_task(
        &mut self,
        agent: &AgentId,
        framework: &FrameworkId,
        task: &TaskId,
        departure: Departure,
        message: &str,
    ) {
        if self.frameworks.task(framework, task).is_some_and(|task| !task.is_terminal()) {
            let status = self.departed(agent, task, departure, message);
            self.declare(framework, status);
            if matches!(departure, Departure::Unreachable(_)) {
                return self.remember_unreachable(framework, task);
            }
        }
        self.complete_task(framework, task);
    }

    fn departed(&self, agent: &AgentId, task: &TaskId, departure: Departure, message: &str) -> TaskStatus {
        let unreachable = matches!(departure, Departure::Unreachable(_));
        TaskStatus {
            unreachable_time: unreachable.then(|| v1::TimeInfo::since_epoch(self.now.unix)),
            ..status::from_master(self.now.unix, task.clone(), Some(agent), departure.verdict(), message)
        }
    }

    fn drop_executors_on(&mut self, id: &AgentId) {
        for (framework, executor) in self.agents.executors_on(id) {
            self.remove_executor(id, &framework, &executor);
        }
    }

    /// Every framework may have offers or plans for the agent.
    fn announce_agent_lost(&mut self, id: &AgentId) {
        for framework in self.frameworks.ids() {
            self.tell(&framework, events::agent_lost(id));
        }
    }

    /// Frameworks that do not checkpoint lose their tasks as soon as the agent's stream breaks.
    pub(super) fn lose_unsaved_tasks(&mut self, id: &AgentId) {
        let Some(hostname) = self.agents.get(id).map(|agent| agent.info().hostname.clone()) else { return };
        let message = format!("Agent {hostname} disconnected");
        for (framework, task) in self.agents.tasks_on(id) {
            if self.frameworks.get(&framework).is_some_and(|framework| framework.info().checkpoint()) {
                continue;
            }
            if self.frameworks.task(&framework, &task).is_some_and(|task| !task.is_terminal()) {
                let what = (TaskState::TaskLost, Reason::AgentDisconnected);
                let lost = status::from_master(self.now.unix, task.clone(), Some(id), what, &*message);
                self.declare(&framework, lost);
            }
            self.complete_task(&framework, &task);
        }
    }
}
