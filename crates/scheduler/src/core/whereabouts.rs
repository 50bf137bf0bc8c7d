//! The agent that has, or had, a task, and what became of it there. In: the id of a task. Out: what somebody needs who
//! wants to ask that agent. Pure.

use super::View;
use crate::ids::{AppId, InstanceId};
use crate::instance::ended::Ended;
use crate::instance::{Condition, Instance};
use crate::time::Timestamp;

/// A task's place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whereabouts {
    pub task_id: String,
    pub framework_id: String,
    pub agent_id: String,
    /// The agent's host.
    pub host: String,
    pub staged_at: Option<Timestamp>,
    pub life: Life,
}

/// The stage of a task's life.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Life {
    /// Launched, and perhaps without a sandbox yet.
    Starting,
    Running,
    /// Over; if nobody asked for its end, it is known how it was.
    Over(Option<Box<Ended>>),
}

impl View<'_> {
    /// The place of a task that runs, or that is among the last of its app that ended unasked.
    pub(crate) fn whereabouts(&self, task_id: &str) -> Option<Whereabouts> {
        let id = InstanceId::of_task(task_id)?;
        let present = self.instances.get(&id).filter(|found| found.has_task());
        let place = |agent: &Option<String>, host: &Option<String>, staged_at, life| {
            Some(Whereabouts {
                task_id: task_id.to_owned(),
                framework_id: self.link.framework_id()?.to_owned(),
                agent_id: agent.clone()?,
                host: host.clone().unwrap_or_default(),
                staged_at,
                life,
            })
        };
        if let Some((instance, life)) = present.and_then(|found| Some((found, life(found, task_id)?))) {
            return place(&instance.place.agent_id, &instance.place.host, instance.times.staged_at, life);
        }
        let ended = self.ended(&id, task_id)?;
        let (agent_id, host, staged_at) = (ended.agent_id.clone(), ended.host.clone(), ended.staged_at);
        place(&agent_id, &host, staged_at, Life::Over(Some(Box::new(ended))))
    }

    /// The places of an app's tasks that run and have checks made by their executors.
    pub(crate) fn checked_by_executors(&self, app: &AppId) -> Vec<Whereabouts> {
        let has_checks = |instance: &&Instance| self.is_checked_by_executor(instance);
        let running = self.instances.tasks_of(app).filter(|instance| instance.condition == Condition::Running);
        running.filter(has_checks).filter_map(|instance| self.whereabouts(&instance.task_id())).collect()
    }

    /// The end of a task, as of the incarnation that it was, or was a part of.
    fn ended(&self, id: &InstanceId, task_id: &str) -> Option<Ended> {
        let incarnation: u32 = task_id.rsplit_once('.')?.1.parse().ok()?;
        let is_it = |ended: &&Ended| ended.instance == *id && ended.incarnation == incarnation;
        self.endings.of(&id.app()?).find(is_it)?.of_task(task_id)
    }
}

/// The life of one of an instance's present tasks.
fn life(instance: &Instance, task_id: &str) -> Option<Life> {
    if !instance.owns(task_id) {
        return None;
    }
    Some(match instance.condition {
        _ if instance.member_of(task_id).is_some_and(|member| member.is_over()) => Life::Over(None),
        Condition::Scheduled | Condition::Staging | Condition::Starting => Life::Starting,
        Condition::Running | Condition::Killing | Condition::Unreachable => Life::Running,
    })
}
