//! LAUNCH_GROUP: all tasks of a group are launched under one executor, or none is.

use std::collections::BTreeSet;

use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::cygnet::{AgentEvent, agent_event};
use mesos::v1::offer::operation::{LaunchGroup, Type};
use mesos::v1::task_status::Reason;
use mesos::validate::{self, Invalid};
use v1::TaskState;

use super::Core;
use super::accept::Lot;
use super::launch::{feedback_refusal, held};
use super::task::Task;
use crate::ids::FrameworkId;

/// The share of the lot that a group takes.
#[derive(Debug)]
struct Claim {
    executor: v1::ExecutorInfo,
    /// Set if the executor does not run yet.
    starts: Option<Resources>,
    tasks: Vec<Resources>,
}

impl Core {
    pub(super) fn launch_group(
        &mut self,
        framework: &FrameworkId,
        lot: &mut Lot,
        group: LaunchGroup,
        feedback: Option<&v1::OperationId>,
    ) {
        let refusal = feedback.map(|_| feedback_refusal(Type::LaunchGroup));
        match refusal.map_or_else(|| self.claim_group(framework, lot, &group), Err) {
            Ok(claim) => self.launch_tasks(framework, lot, group.task_group, claim),
            Err(problem) => {
                for task in &group.task_group.tasks {
                    let what = (TaskState::TaskError, Reason::TaskGroupInvalid);
                    self.answer_task(framework, task, what, problem.message());
                }
            }
        }
    }

    fn claim_group(&self, framework: &FrameworkId, lot: &Lot, group: &LaunchGroup) -> Result<Claim, Invalid> {
        let known = self.frameworks.get(framework);
        validate::task_group(&group.task_group, &lot.agent, |task| known.and_then(|of| of.tasks.taken(task)))?;
        check_members(&group.task_group)?;
        group.task_group.tasks.iter().try_for_each(|task| self.check_limits(lot, task))?;
        validate::group_executor(&group.executor, framework)?;
        let (executor, starts) = match self.claim_executor(framework, lot, &group.executor)? {
            Some((kept, resources)) => (kept, Some(resources)),
            None => (group.executor.clone(), None),
        };
        let tasks = group.task_group.tasks.iter().map(|task| held(&task.resources, &lot.role));
        let claim = Claim { executor, starts, tasks: tasks.collect::<Result<_, _>>()? };
        check_fits(&claim, lot)?;
        Ok(claim)
    }

    fn launch_tasks(&mut self, framework: &FrameworkId, lot: &mut Lot, mut group: v1::TaskGroupInfo, claim: Claim) {
        if let Some(resources) = &claim.starts {
            self.add_executor(framework, lot, claim.executor.clone(), resources);
        }
        for (task, resources) in group.tasks.iter_mut().zip(claim.tasks) {
            lot.left -= &resources;
            task.resources = resources.to_wire();
            self.add_task(framework, Task::staging(framework, task, Some(&claim.executor), &resources));
        }
        if let Some(framework) = self.frameworks.info(framework) {
            let group = agent_event::LaunchGroup { framework, executor: claim.executor, task_group: group };
            self.command(&lot.agent, AgentEvent::launch_group(group));
        }
    }
}

/// Members of a group have ids of their own, and no executor but the group's.
fn check_members(group: &v1::TaskGroupInfo) -> Result<(), Invalid> {
    let mut seen = BTreeSet::new();
    for task in &group.tasks {
        let id = &task.task_id;
        if !seen.insert(id) {
            return Err(Invalid::new(format!("Task '{id}' is invalid: Task has duplicate ID: {id}")));
        }
        if task.executor.is_some() {
            return Err(Invalid::new(format!("Task '{id}' is invalid: 'TaskInfo.executor' must not be set")));
        }
    }
    Ok(())
}

fn check_fits(claim: &Claim, lot: &Lot) -> Result<(), Invalid> {
    let needed: Resources = claim.starts.iter().chain(&claim.tasks).sum();
    if lot.left.contains(&needed) {
        return Ok(());
    }
    Err(Invalid::new(format!(
        "Total resources {needed} required by task group and its executor are more than available {}",
        lot.left
    )))
}
