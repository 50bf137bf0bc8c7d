//! The health checks of a task, made when somebody asks. The task's executor is asked first, and only once it has answered
//! those of the scheduler are ordered: of a task whose agent does not answer none is made.
//!
//! In: the id of a task. Out: whom to ask, or why nothing can be checked; then an order, and by which question it is.

use super::{CheckOrder, Core, Life, Refusal, View, Whereabouts};
use crate::ids::InstanceId;
use crate::instance::{Condition, Instance};
use crate::refusal::Uncheckable;
use crate::time::{Now, Timestamp};

pub(crate) use super::checking::Question;

/// A task whose checks can be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub task: Whereabouts,
    pub instance: InstanceId,
    /// True if some are, or may be, made by its executor.
    pub by_executor: bool,
    /// True if some are made by the scheduler.
    pub by_scheduler: bool,
    /// Of a pod's container, the place of its check among those of the instance.
    pub index: Option<usize>,
}

impl View<'_> {
    /// The task of `POST /v2/tasks/{id}/checks`, if its checks can be made.
    pub(crate) fn checkable(&self, task_id: &str, now: Timestamp) -> Result<Asked, Refusal> {
        let missing = || Refusal::NoTask(task_id.to_owned());
        let task = self.whereabouts(task_id).ok_or_else(missing)?;
        let refused = |why| Refusal::Uncheckable(task_id.to_owned(), why);
        if matches!(task.life, Life::Over(_)) {
            return Err(refused(Uncheckable::Over));
        }
        let instance = InstanceId::of_task(task_id).and_then(|id| self.instances.get(&id)).ok_or_else(missing)?;
        if let Some(why) = reason(instance, now) {
            return Err(refused(why));
        }
        let spec = self.definitions.of(instance).ok_or_else(missing)?;
        let container = instance.member_of(task_id).map(|member| member.name.as_str());
        let index = container.and_then(|name| spec.pod()?.check_index(name));
        if spec.health_checks.is_empty() || (container.is_some() && index.is_none()) {
            return Err(refused(Uncheckable::Unchecked));
        }
        let any = |native: bool| spec.health_checks.iter().any(|check| check.protocol.is_native() == native);
        Ok(Asked { task, instance: instance.id.clone(), by_executor: any(true), by_scheduler: any(false), index })
    }
}

impl Core {
    /// Orders the checks that the scheduler makes of an instance, unless somebody asked for them a moment ago. Says by which
    /// question they are made; nothing if there are none.
    pub(crate) fn check_now(&mut self, id: &InstanceId, now: Now) -> Option<Question> {
        let question = self.checking.ask(id, now)?;
        if question.ago.is_none() {
            self.out.check([CheckOrder::Now(id.clone())]);
        }
        Some(question)
    }
}

/// Why an instance that has a task is not checked now.
fn reason(instance: &Instance, now: Timestamp) -> Option<Uncheckable> {
    match instance.condition {
        Condition::Scheduled | Condition::Staging | Condition::Starting => return Some(Uncheckable::Starting),
        Condition::Killing => return Some(Uncheckable::Ending),
        Condition::Unreachable => return Some(Uncheckable::Unreachable),
        Condition::Running => {}
    }
    match instance.checked.paused?.until() {
        None => Some(Uncheckable::Paused),
        Some(until) => (until > now).then_some(Uncheckable::PausedUntil(until)),
    }
}
