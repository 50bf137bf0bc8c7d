//! The health checks of a task, made when somebody asks: those of the scheduler are ordered here, and it is said which are
//! left to the task's executor. In: the id of a task. Out: an order, or why nothing can be checked.

use super::{CheckOrder, Core, Life, Refusal, Whereabouts};
use crate::ids::InstanceId;
use crate::instance::{Condition, Instance};
use crate::refusal::Uncheckable;
use crate::time::{Now, Timestamp};

/// A task whose checks are made now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub task: Whereabouts,
    pub instance: InstanceId,
    pub at: Timestamp,
    /// True if some are, or may be, made by its executor.
    pub by_executor: bool,
}

impl Core {
    /// `POST /v2/tasks/{id}/checks`: orders the checks that the scheduler makes of a task.
    pub(crate) fn check_now(&mut self, task_id: &str, now: Now) -> Result<Asked, Refusal> {
        let missing = || Refusal::NoTask(task_id.to_owned());
        let task = self.view().whereabouts(task_id).ok_or_else(missing)?;
        let refused = |why| Refusal::Uncheckable(task_id.to_owned(), why);
        if matches!(task.life, Life::Over(_)) {
            return Err(refused(Uncheckable::Over));
        }
        let instance = InstanceId::of_task(task_id).and_then(|id| self.instances.get(&id)).ok_or_else(missing)?;
        if let Some(why) = reason(instance, now.wall) {
            return Err(refused(why));
        }
        let by_executor = self.checks_by_executor(instance);
        let (id, own) = (instance.id.clone(), self.checking.is_running(&instance.id));
        if !by_executor && !own {
            return Err(refused(Uncheckable::Unchecked));
        }
        if own {
            self.out.check([CheckOrder::Now(id.clone())]);
        }
        Ok(Asked { task, instance: id, at: now.wall, by_executor })
    }

    /// True if an executor makes checks of this instance; of a pod it is asked.
    fn checks_by_executor(&self, instance: &Instance) -> bool {
        let spec = self.definitions.of(instance);
        spec.is_some_and(|spec| {
            spec.pod().is_some() || spec.health_checks.iter().any(|check| check.protocol.is_native())
        })
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
