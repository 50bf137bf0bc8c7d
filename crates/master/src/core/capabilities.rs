//! States as a framework is shown them, by what it has said it understands.

use mesos::states::without_partitions;
use mesos::v1::framework_info::capability::Type;
use mesos::v1::{FrameworkInfo, TaskState};

/// The state a framework is shown for a task that is in `state`.
pub(crate) fn visible(framework: &FrameworkInfo, state: TaskState) -> TaskState {
    match state {
        TaskState::TaskKilling if !framework.is_capable_of(Type::TaskKillingState) => TaskState::TaskRunning,
        state if !framework.is_capable_of(Type::PartitionAware) => without_partitions(state),
        state => state,
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::framework_info::Capability;

    use super::*;

    fn knowing(kind: Type) -> FrameworkInfo {
        FrameworkInfo { capabilities: vec![Capability { r#type: Some(kind.into()) }], ..FrameworkInfo::default() }
    }

    #[test]
    fn a_framework_that_is_not_partition_aware_only_ever_hears_of_lost_tasks() {
        for state in [
            TaskState::TaskUnreachable,
            TaskState::TaskDropped,
            TaskState::TaskGone,
            TaskState::TaskGoneByOperator,
            TaskState::TaskUnknown,
        ] {
            assert_eq!(visible(&FrameworkInfo::default(), state), TaskState::TaskLost);
            assert_eq!(visible(&knowing(Type::PartitionAware), state), state);
        }
    }

    #[test]
    fn killing_is_shown_to_those_who_know_it() {
        let killing = TaskState::TaskKilling;
        assert_eq!(visible(&FrameworkInfo::default(), killing), TaskState::TaskRunning);
        assert_eq!(visible(&knowing(Type::TaskKillingState), killing), killing);
    }
}
