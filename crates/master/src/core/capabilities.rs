//! What a framework has said it understands, and what it is therefore shown.

use mesos::states::without_partitions;
use mesos::v1::framework_info::capability::Type;
use mesos::v1::{FrameworkInfo, TaskState};

/// The capabilities that change what the master does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) multi_role: bool,
    pub(crate) partition_aware: bool,
    pub(crate) task_killing_state: bool,
    pub(crate) gpu_resources: bool,
    pub(crate) reservation_refinement: bool,
}

impl Capabilities {
    pub(crate) fn of(info: &FrameworkInfo) -> Self {
        Capabilities {
            multi_role: info.is_capable_of(Type::MultiRole),
            partition_aware: info.is_capable_of(Type::PartitionAware),
            task_killing_state: info.is_capable_of(Type::TaskKillingState),
            gpu_resources: info.is_capable_of(Type::GpuResources),
            reservation_refinement: info.is_capable_of(Type::ReservationRefinement),
        }
    }

    /// The state a framework is shown for a task that is in `state`.
    pub(crate) fn visible(self, state: TaskState) -> TaskState {
        match state {
            TaskState::TaskKilling if !self.task_killing_state => TaskState::TaskRunning,
            state if !self.partition_aware => without_partitions(state),
            state => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_that_is_not_partition_aware_only_ever_hears_of_lost_tasks() {
        let plain = Capabilities::default();
        let aware = Capabilities { partition_aware: true, ..plain };
        for state in [
            TaskState::TaskUnreachable,
            TaskState::TaskDropped,
            TaskState::TaskGone,
            TaskState::TaskGoneByOperator,
            TaskState::TaskUnknown,
        ] {
            assert_eq!(plain.visible(state), TaskState::TaskLost);
            assert_eq!(aware.visible(state), state);
        }
    }

    #[test]
    fn killing_is_shown_to_those_who_know_it() {
        let plain = Capabilities::default();
        assert_eq!(plain.visible(TaskState::TaskKilling), TaskState::TaskRunning);
        let knowing = Capabilities { task_killing_state: true, ..plain };
        assert_eq!(knowing.visible(TaskState::TaskKilling), TaskState::TaskKilling);
    }
}
