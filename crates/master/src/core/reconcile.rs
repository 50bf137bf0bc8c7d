//! RECONCILE: what the master can say about tasks a framework is not sure of.

use mesos::v1::scheduler::call::reconcile;
use mesos::v1::task_status::Reason;
use mesos::v1::{self, TaskState, TaskStatus};

use super::frameworks::Framework;
use super::task::Task;
use super::{Core, events, status};
use crate::ids::{AgentId, FrameworkId, TaskId};

impl Core {
    /// Explicit for the named tasks; implicit, for everything known, if none is named.
    pub(super) fn reconcile(&mut self, framework: &FrameworkId, tasks: &[reconcile::Task]) {
        if tasks.is_empty() {
            return self.reconcile_all(framework);
        }
        for task in tasks {
            self.reconcile_one(framework, &task.task_id, task.agent_id.as_ref());
        }
    }

    fn reconcile_all(&mut self, id: &FrameworkId) {
        let Some(framework) = self.frameworks.get(id) else { return };
        let known = framework.tasks.live().map(|task| self.latest(framework, task));
        let answers: Vec<TaskStatus> = known.collect();
        for answer in answers {
            self.tell(id, events::update(answer));
        }
    }

    pub(super) fn reconcile_one(&mut self, id: &FrameworkId, task: &TaskId, agent: Option<&AgentId>) {
        let Some(framework) = self.frameworks.get(id) else { return };
        let answer = match framework.tasks.get(task) {
            Some(known) => Some(self.latest(framework, known)),
            None => self.about_unknown(framework, task, agent),
        };
        if let Some(answer) = answer {
            self.tell(id, events::update(answer));
        }
    }

    /// The state the framework was last told, with what its last status said.
    fn latest(&self, framework: &Framework, task: &Task) -> TaskStatus {
        let state = framework.visible(task.forwarded_state());
        let what = (state, Reason::Reconciliation);
        status::repeated(self.now.unix, task, what, "Reconciliation: Latest task state")
    }

    /// Nothing runs under this id as far as the master knows; where it would have run decides what that means.
    /// `None` while an agent that may have it can still come back, be it one that the registry does not know.
    fn about_unknown(&self, framework: &Framework, task: &TaskId, agent: Option<&AgentId>) -> Option<TaskStatus> {
        let remembered = framework.tasks.unreachable_one(task).map(|task| task.agent().clone());
        let place = agent.or(remembered.as_ref());
        if self.agents.is_recovered(place) || self.may_be_from_before(framework.id(), place) {
            return None;
        }
        let unreachable_since = place.and_then(|place| self.agents.absent().unreachable.get(place).copied());
        let (state, what) = match place {
            Some(place) if self.agents.contains(place) => (TaskState::TaskGone, "gone"),
            Some(_) if unreachable_since.is_some() => (TaskState::TaskUnreachable, "unreachable"),
            Some(place) if self.agents.absent().gone.contains_key(place) => (TaskState::TaskGoneByOperator, "gone"),
            _ => (TaskState::TaskUnknown, "unknown"),
        };
        let shown = (framework.visible(state), Reason::Reconciliation);
        let message = format!("Reconciliation: Task is {what}");
        Some(TaskStatus {
            unreachable_time: unreachable_since.map(v1::TimeInfo::since_epoch),
            ..status::from_master(self.now.unix, task.clone(), place, shown, message)
        })
    }

    /// True if a task may run on an agent that is missing in the registry only because that was lost: the framework is
    /// older than this master, nobody knows the agent, and agents still have time to come back.
    fn may_be_from_before(&self, framework: &FrameworkId, place: Option<&AgentId>) -> bool {
        self.now.elapsed < self.settings.agents.reregister_timeout
            && !self.frameworks.began_here(framework)
            && !place.is_some_and(|place| self.agents.is_known(place))
    }
}
