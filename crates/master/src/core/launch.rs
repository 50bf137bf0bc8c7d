//! LAUNCH: every task is validated by itself; those that are fine are launched, the others answered with TASK_ERROR.

use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::cygnet::{AgentEvent, agent_event};
use mesos::v1::offer::operation::{Launch, Type};
use mesos::v1::task_status::Reason;
use mesos::validate::{self, Invalid};
use v1::TaskState;

use super::Core;
use super::accept::Lot;
use super::agents::Agent;
use super::task::Task;
use crate::ids::FrameworkId;
use crate::stock;

/// The share of the lot that a task takes.
#[derive(Debug)]
struct Claim {
    task: Resources,
    /// Set if the task brings an executor that does not run yet.
    executor: Option<(v1::ExecutorInfo, Resources)>,
}

impl Core {
    pub(super) fn launch(
        &mut self,
        framework: &FrameworkId,
        lot: &mut Lot,
        launch: Launch,
        feedback: Option<&v1::OperationId>,
    ) {
        let refusal = feedback.map(|_| feedback_refusal(Type::Launch));
        for mut task in launch.task_infos {
            validate::back_fill_type(&mut task);
            if let Some(executor) = &mut task.executor {
                executor.framework_id.get_or_insert_with(|| framework.clone());
            }
            let claim = refusal.clone().map_or_else(|| self.claim(framework, lot, &task), Err);
            match claim {
                Ok(claim) => self.launch_task(framework, lot, task, claim),
                Err(problem) => {
                    let what = (TaskState::TaskError, Reason::TaskInvalid);
                    self.answer_task(framework, &task, what, problem.message());
                }
            }
        }
    }

    /// Validates a task and says what it takes.
    fn claim(&self, framework: &FrameworkId, lot: &Lot, task: &v1::TaskInfo) -> Result<Claim, Invalid> {
        validate::task(task, &lot.agent, self.frameworks.get(framework).and_then(|of| of.tasks.taken(&task.task_id)))?;
        validate::alone(task)?;
        self.check_limits(lot, task)?;
        let executor = match &task.executor {
            Some(executor) => {
                validate::task_executor(executor, framework)?;
                self.claim_executor(framework, lot, executor)?
            }
            None => None,
        };
        let claim = Claim { task: held(&task.resources, &lot.role)?, executor };
        let starting = claim.executor.iter().map(|(_, resources)| resources);
        validate::fits(&starting.chain([&claim.task]).sum(), &lot.left)?;
        Ok(claim)
    }

    /// Limits are for agents that know them.
    pub(super) fn check_limits(&self, lot: &Lot, task: &v1::TaskInfo) -> Result<(), Invalid> {
        match task.limits.is_empty() || self.agents.get(&lot.agent).is_some_and(Agent::can_limit) {
            true => Ok(()),
            false => Err(Invalid::new("Agent is not capable of handling task resource limits")),
        }
    }

    /// An executor as it will be kept, with what it takes; `None` if it runs on the agent already.
    pub(super) fn claim_executor(
        &self,
        framework: &FrameworkId,
        lot: &Lot,
        executor: &v1::ExecutorInfo,
    ) -> Result<Option<(v1::ExecutorInfo, Resources)>, Invalid> {
        let resources = held(&executor.resources, &lot.role)?;
        let kept = v1::ExecutorInfo { resources: resources.to_wire(), ..executor.clone() };
        let id = &executor.executor_id;
        match self.agents.get(&lot.agent).and_then(|agent| agent.work().executor(framework, id)) {
            Some(running) if *running == kept => Ok(None),
            Some(_) => Err(Invalid::new(format!(
                "ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID '{id}'"
            ))),
            None => Ok(Some((kept, resources))),
        }
    }

    fn launch_task(&mut self, framework: &FrameworkId, lot: &mut Lot, mut task: v1::TaskInfo, claim: Claim) {
        lot.left -= &claim.task;
        task.resources = claim.task.to_wire();
        if let Some((kept, resources)) = claim.executor {
            task.executor = Some(kept.clone());
            self.add_executor(framework, lot, kept, &resources);
        }
        let executor = task.executor.as_ref();
        self.add_task(framework, Task::staging(framework, &task, executor, &claim.task));
        if let Some(info) = self.frameworks.info(framework) {
            self.command(&lot.agent, AgentEvent::launch(agent_event::Launch { framework: info, task, executor: None }));
        }
    }

    pub(super) fn add_executor(
        &mut self,
        framework: &FrameworkId,
        lot: &mut Lot,
        executor: v1::ExecutorInfo,
        resources: &Resources,
    ) {
        lot.left -= resources;
        if let Some(agent) = self.agents.get_mut(&lot.agent) {
            agent.work_mut().add_executor(framework, executor, resources);
        }
    }
}

/// Resources named in a launch, in the role of the offers.
pub(super) fn held(resources: &[v1::Resource], role: &str) -> Result<Resources, Invalid> {
    stock::held(resources, role).map_err(|error| Invalid::new(error.to_string()))
}

/// Launches give no operation feedback, so none may be asked for.
pub(super) fn feedback_refusal(kind: Type) -> Invalid {
    Invalid::new(format!("The `id` field cannot be set in {} operations", kind.as_str_name()))
}
