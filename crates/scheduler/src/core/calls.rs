//! Calls to the master, put together.

use mesos::v1::offer::{Operation, operation};
use mesos::v1::scheduler::{Call, call};
use mesos::v1::{Filters, FrameworkInfo, Offer, TaskInfo, TaskStatus};

pub(super) fn kill(task_id: &str, agent_id: Option<&str>) -> Call {
    Call::kill(call::Kill { task_id: task_id.into(), agent_id: agent_id.map(Into::into), kill_policy: None })
}

/// For the state of these tasks; of all that the master knows, if there are none.
pub(super) fn reconcile(tasks: Vec<call::reconcile::Task>) -> Call {
    Call::reconcile(call::Reconcile { tasks })
}

/// None if the update is not to be acknowledged.
pub(super) fn acknowledge(status: &TaskStatus) -> Option<Call> {
    let (agent_id, task_id) = (status.agent_id.clone()?, status.task_id.clone());
    Some(Call::acknowledge(call::Acknowledge { agent_id, task_id, uuid: status.uuid.clone()? }))
}

pub(super) fn update_roles(roles: Vec<String>) -> Call {
    let framework_info = FrameworkInfo { roles, ..FrameworkInfo::default() };
    Call::update_framework(call::UpdateFramework { framework_info, ..Default::default() })
}

pub(super) fn accept(
    offer: &Offer,
    task_infos: Vec<TaskInfo>,
    groups: Vec<operation::LaunchGroup>,
    filters: Filters,
) -> Call {
    let launch = |task_infos| Operation::launch(operation::Launch { task_infos });
    let launch_group = |group| Operation::launch_group(group);
    let tasks = (!task_infos.is_empty()).then(|| launch(task_infos));
    let operations = tasks.into_iter().chain(groups.into_iter().map(launch_group)).collect();
    Call::accept(call::Accept { offer_ids: vec![offer.id.clone()], operations, filters: Some(filters) })
}

pub(super) fn decline(offer: &Offer, filters: Filters) -> Call {
    Call::decline(call::Decline { offer_ids: vec![offer.id.clone()], filters: Some(filters) })
}
