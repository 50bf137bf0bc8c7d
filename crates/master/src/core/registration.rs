//! Agents arrive: for the first time, after a break, after the master's restart, or after everyone gave up on them.

use std::collections::BTreeSet;

use mesos::resources::Resources;
use mesos::v1::cygnet::agent_call;
use mesos::v1::master::{Event, event};
use mesos::v1::task_status::Reason;
use mesos::v1::{self, cygnet};

use super::agent_removal::Departure;
use super::agents::Agent;
use super::frameworks::{self, Framework};
use super::task::Task;
use super::{Action, Core, commands, events, status};
use crate::ids::{AgentId, ExecutorId, FrameworkId, StreamId, TaskId};
use crate::memory::Change;
use crate::stock;
use shell::Now;

impl Core {
    /// A SUBSCRIBE of an agent has arrived on a new stream.
    pub(crate) fn subscribe_agent(&mut self, now: Now, stream: StreamId, call: agent_call::Subscribe) {
        self.now = now;
        let total = match Resources::from_wire(&call.agent_info.resources) {
            Ok(total) => total,
            Err(error) => return self.turn_away(stream, error.to_string()),
        };
        let given = call.agent_info.id.as_ref().filter(|id| !id.value.is_empty()).cloned();
        match given {
            Some(id) if self.agents.absent().gone.contains_key(&id) => {
                self.turn_away(stream, "Agent has been marked gone".to_owned());
            }
            Some(id) => self.reregister(id, stream, total, call),
            None => self.register(stream, total, call),
        }
    }

    /// A fault that cannot be mended by trying again.
    fn turn_away(&mut self, stream: StreamId, why: String) {
        tracing::warn!(why, "agent refused");
        self.out.push(Action::ToAgent(stream.clone(), Box::new(commands::shutdown(why))));
        self.out.push(Action::Close(stream));
    }

    fn register(&mut self, stream: StreamId, total: Resources, call: agent_call::Subscribe) {
        if let Some(old) = call.pid.as_deref().and_then(|pid| self.agents.at(pid)) {
            self.counters.agents.replaced += 1;
            self.remove_agent(&old, Departure::Removed("a new agent registered at the same address"));
        }
        let id = self.agents.next_id();
        self.counters.agents.registrations.first += 1;
        tracing::info!(agent = %id, hostname = call.agent_info.hostname, "agent registered");
        self.enter(&id, stream, total, &call);
        self.take_report(&id, call.frameworks);
        self.open(&id, Vec::new());
    }

    fn reregister(&mut self, id: AgentId, stream: StreamId, total: Resources, call: agent_call::Subscribe) {
        self.counters.agents.registrations.again += 1;
        tracing::info!(agent = %id, hostname = call.agent_info.hostname, "agent registered again");
        let is_stranger = !self.agents.is_known(&id);
        // One that has left, and comes back without tasks, is nothing to warn of.
        if is_stranger && call.frameworks.iter().any(|framework| !framework.tasks.is_empty()) {
            tracing::warn!(
                agent = %id,
                "the registry does not know this agent: either it was away for very long, or the registry was lost; it \
                 and its tasks are taken in"
            );
        }
        if let Some(older) = self.agents.get(&id).and_then(Agent::stream).cloned() {
            self.out.push(Action::Close(older));
        }
        self.rescind_offers(|offer| offer.agent == id);
        let returns = self.agents.absent().unreachable.contains_key(&id);
        self.enter(&id, stream, total, &call);
        let before = self.agents.get(&id).map(|agent| agent.work().tasks().clone()).unwrap_or_default();
        let commands = self.take_report(&id, call.frameworks.clone());
        let missing = self.missing_tasks(before, &call.frameworks);
        self.open(&id, [commands, missing].concat());
        if returns || is_stranger {
            self.report_returned(&id);
        }
    }

    /// Puts the agent into the books, or brings what is there up to date, and into the registry.
    fn enter(&mut self, id: &AgentId, stream: StreamId, total: Resources, call: &agent_call::Subscribe) {
        let before = self.agents.get(id).map(|agent| agent.info().clone());
        let next_ping = self.now.elapsed + self.settings.agents.ping_timeout;
        let agent = Agent::new(id.clone(), call, (stream, total), (self.now, next_ping));
        if before.as_ref() != Some(agent.info()) {
            self.out.push(Action::Persist(Change::Admit(agent.info().clone())));
        }
        self.agents.arrive(agent);
        if before.is_none()
            && let Some(agent) = self.agents.get(id)
        {
            let view = self.agent_view(agent, None);
            self.out.announce(|| Event::agent_added(event::AgentAdded { agent: view.wire() }));
        }
    }

    /// The books now agree with the agent, so it can be offered. Then come the commands it missed.
    fn open(&mut self, id: &AgentId, commands: Vec<cygnet::AgentEvent>) {
        let Some(agent) = self.agents.get(id) else { return };
        self.allocator.add_agent(id.clone(), agent.info().clone(), agent.total().clone(), agent.work().used());
        let kills: Vec<_> =
            agent.work().kills().iter().map(|((of, task), policy)| commands::kill(of, task, *policy)).collect();
        let patience = &self.settings.agents;
        let ping_timeout = patience.ping_timeout * patience.max_ping_timeouts;
        self.command(id, commands::subscribed(id, ping_timeout, self.identity.master_info()));
        for command in commands.into_iter().chain(kills) {
            self.command(id, command);
        }
        self.resume_standing(id);
        self.allocate_soon();
    }

    /// Enters what an agent says it runs; returns what it must be told about it.
    fn take_report(&mut self, id: &AgentId, report: Vec<agent_call::Framework>) -> Vec<cygnet::AgentEvent> {
        let mut commands = Vec::new();
        stock::tell_of_senseless(id, report.iter().flat_map(held_of));
        let reported_executors: BTreeSet<_> = report.iter().flat_map(executors_of).collect();
        self.drop_unreported_executors(id, &reported_executors);
        for reported in report {
            let Some(framework) = reported.framework_info.id.clone() else { continue };
            if self.frameworks.has_completed(&framework) {
                commands.push(commands::shutdown_framework(&framework));
                continue;
            }
            self.know_framework(&framework, &reported.framework_info);
            if let Some(known) = self.frameworks.get(&framework) {
                commands.push(commands::update_framework((**known.info()).clone()));
            }
            for executor in reported.executors {
                self.take_executor(id, &framework, executor);
            }
            for task in reported.tasks {
                commands.extend(self.take_reported_task(id, &framework, task));
            }
        }
        commands
    }

    /// After the master's restart an agent may know frameworks whose scheduler has not subscribed again yet.
    fn know_framework(&mut self, id: &FrameworkId, info: &v1::FrameworkInfo) {
        if self.frameworks.contains(id) {
            return;
        }
        let framework = Framework::new(id.clone(), info.clone(), frameworks::Link::Recovered, self.now.unix);
        self.frameworks.add(framework);
        self.announce_framework_added(id);
    }

    fn drop_unreported_executors(&mut self, id: &AgentId, reported: &BTreeSet<(FrameworkId, ExecutorId)>) {
        let known = self.agents.executors_on(id).into_iter();
        for (framework, executor) in known.filter(|executor| !reported.contains(executor)) {
            self.remove_executor(id, &framework, &executor);
        }
    }

    fn take_executor(&mut self, id: &AgentId, framework: &FrameworkId, executor: v1::ExecutorInfo) {
        let executor_id = executor.executor_id.clone();
        let role = self.frameworks.get(framework).map_or(stock::EVERYONE, Framework::sole_role);
        let resources = stock::reported(&executor.resources, role);
        let Some(agent) = self.agents.get_mut(id) else { return };
        if agent.work().executor(framework, &executor_id).is_none() {
            let kept = v1::ExecutorInfo { resources: resources.to_wire(), ..executor };
            agent.work_mut().add_executor(framework, kept, &resources);
        }
    }

    /// A task the master has in its books is left to the updates that follow; one it has declared over is killed.
    fn take_reported_task(
        &mut self,
        agent: &AgentId,
        framework: &FrameworkId,
        reported: v1::Task,
    ) -> Option<cygnet::AgentEvent> {
        let id = reported.task_id.clone();
        let known = self.frameworks.get_mut(framework)?;
        if let Some(task) = known.tasks.get(&id) {
            return (task.agent() != agent).then(|| commands::kill(framework, &id, None));
        }
        let role = known.sole_role().to_owned();
        let was_unreachable = known.tasks.take_unreachable(&id).is_some();
        let task = Task::reported(v1::Task { agent_id: agent.clone(), ..reported }, &role);
        if !was_unreachable && known.tasks.has_completed(&id) {
            return (!task.is_terminal()).then(|| commands::kill(framework, &id, None));
        }
        self.add_task(framework, task);
        None
    }

    /// Tasks in the books the agent does not know: it is asked, and answers with updates.
    fn missing_tasks(
        &mut self,
        before: std::collections::BTreeMap<FrameworkId, BTreeSet<TaskId>>,
        report: &[agent_call::Framework],
    ) -> Vec<cygnet::AgentEvent> {
        let reported: BTreeSet<(String, &str)> = report.iter().flat_map(tasks_of).collect();
        let mut commands = Vec::new();
        for (framework, tasks) in before {
            let is_missing = |task: &TaskId| !reported.contains(&(framework.to_string(), task.value.as_str()));
            let (over, alive): (Vec<_>, Vec<_>) = tasks
                .into_iter()
                .filter(is_missing)
                .partition(|task| self.frameworks.task(&framework, task).is_none_or(Task::is_terminal));
            over.iter().for_each(|task| self.complete_task(&framework, task));
            if !alive.is_empty() {
                let reconcile = cygnet::agent_event::Reconcile { framework_id: framework, task_ids: alive };
                commands.push(cygnet::AgentEvent::reconcile(reconcile));
            }
        }
        commands
    }

    /// Frameworks were told that these tasks are unreachable or unknown; now they hear how they really are.
    fn report_returned(&mut self, id: &AgentId) {
        let Some(agent) = self.agents.get(id) else { return };
        let tasks = agent.work().tasks().iter().flat_map(|(of, tasks)| tasks.iter().map(move |task| (of, task)));
        let mut told = Vec::new();
        for (framework, task) in tasks {
            let Some(known) = self.frameworks.get(framework) else { continue };
            let Some(task) = known.tasks.get(task).filter(|task| !task.is_terminal()) else { continue };
            let what = (known.visible(task.state()), Reason::AgentReregistered);
            let status = status::repeated(self.now.unix, task, what, "Unreachable agent re-registered");
            told.push((framework.clone(), status));
        }
        for (framework, status) in told {
            self.tell(&framework, events::update(status));
        }
    }
}

fn executors_of(reported: &agent_call::Framework) -> Vec<(FrameworkId, ExecutorId)> {
    let Some(framework) = reported.framework_info.id.clone() else { return Vec::new() };
    reported.executors.iter().map(|of| (framework.clone(), of.executor_id.clone())).collect()
}

/// The resources of each executor and task, by its id.
fn held_of(reported: &agent_call::Framework) -> impl Iterator<Item = (&str, &[v1::Resource])> {
    let executors = reported.executors.iter().map(|of| (of.executor_id.value.as_str(), of.resources.as_slice()));
    executors.chain(reported.tasks.iter().map(|task| (task.task_id.value.as_str(), task.resources.as_slice())))
}

fn tasks_of(reported: &agent_call::Framework) -> Vec<(String, &str)> {
    let framework = reported.framework_info.id.as_ref().map_or("", |id| &id.value);
    reported.tasks.iter().map(|task| (framework.to_owned(), task.task_id.value.as_str())).collect()
}
