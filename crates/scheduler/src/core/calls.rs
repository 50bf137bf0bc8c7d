//! Calls to the master, put together.

use mesos::v1::offer::{Operation, operation};
use mesos::v1::scheduler::{Call, call};
use mesos::v1::{Filters, FrameworkInfo, Offer, TaskInfo, TaskStatus};

/// One that says nothing more.
pub(super) fn of(kind: call::Type) -> Call {
    Call { r#type: Some(kind.into()), ..Call::default() }
}

pub(super) fn kill(task_id: &str, agent_id: Option<&str>) -> Call {
    let kill = call::Kill { task_id: task_id.into(), agent_id: agent_id.map(Into::into), kill_policy: None };
    Call { kill: Some(kill), ..of(call::Type::Kill) }
}

/// For the state of these tasks; of all that the master knows, if there are none.
pub(super) fn reconcile(tasks: Vec<call::reconcile::Task>) -> Call {
    Call { reconcile: Some(call::Reconcile { tasks }), ..of(call::Type::Reconcile) }
}

/// None if the update is not to be acknowledged.
pub(super) fn acknowledge(status: &TaskStatus) -> Option<Call> {
    let (agent_id, task_id) = (status.agent_id.clone()?, status.task_id.clone());
    let acknowledge = call::Acknowledge { agent_id, task_id, uuid: status.uuid.clone()? };
    Some(Call { acknowledge: Some(acknowledge), ..of(call::Type::Acknowledge) })
}

pub(super) fn update_roles(roles: Vec<String>) -> Call {
    let framework_info = FrameworkInfo { roles, ..FrameworkInfo::default() };
    let update_framework = Some(call::UpdateFramework { framework_info, ..Default::default() });
    Call { update_framework, ..of(call::Type::UpdateFramework) }
}

pub(super) fn accept(
    offer: &Offer,
    task_infos: Vec<TaskInfo>,
    groups: Vec<operation::LaunchGroup>,
    filters: Filters,
) -> Call {
    let launch = |task_infos| Operation {
        r#type: Some(operation::Type::Launch.into()),
        launch: Some(operation::Launch { task_infos }),
        ..Operation::default()
    };
    let launch_group = |group| Operation {
        r#type: Some(operation::Type::LaunchGroup.into()),
        launch_group: Some(group),
        ..Operation::default()
    };
    let tasks = (!task_infos.is_empty()).then(|| launch(task_infos));
    let operations = tasks.into_iter().chain(groups.into_iter().map(launch_group)).collect();
    let accept = call::Accept { offer_ids: vec![offer.id.clone()], operations, filters: Some(filters) };
    Call { accept: Some(accept), ..of(call::Type::Accept) }
}

pub(super) fn decline(offer: &Offer, filters: Filters) -> Call {
    let decline = call::Decline { offer_ids: vec![offer.id.clone()], filters: Some(filters) };
    Call { decline: Some(decline), ..of(call::Type::Decline) }
}
