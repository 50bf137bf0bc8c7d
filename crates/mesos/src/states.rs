//! The meaning of task states. In: states. Out: facts about them.

use crate::v1::TaskState;

/// True if nothing more will become of a task in this state.
pub fn is_terminal(state: TaskState) -> bool {
    match state {
        TaskState::TaskFinished
        | TaskState::TaskFailed
        | TaskState::TaskKilled
        | TaskState::TaskLost
        | TaskState::TaskError
        | TaskState::TaskDropped
        | TaskState::TaskGone
        | TaskState::TaskGoneByOperator => true,
        TaskState::TaskStaging
        | TaskState::TaskStarting
        | TaskState::TaskRunning
        | TaskState::TaskKilling
        | TaskState::TaskUnreachable
        | TaskState::TaskUnknown => false,
    }
}

/// The state as Mesos spells it: `TASK_RUNNING`.
pub fn name(state: TaskState) -> &'static str {
    state.as_str_name()
}

/// The state as a framework hears of it that does not know about partitions.
pub fn without_partitions(state: TaskState) -> TaskState {
    match state {
        TaskState::TaskDropped
        | TaskState::TaskUnreachable
        | TaskState::TaskGone
        | TaskState::TaskGoneByOperator
        | TaskState::TaskUnknown => TaskState::TaskLost,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_partition_states_are_translated() {
        for number in 0..=13 {
            let state = TaskState::try_from(number).unwrap();
            assert_eq!(TaskState::from_str_name(name(state)), Some(state));
            let seen = without_partitions(state);
            assert!(seen == state || seen == TaskState::TaskLost);
        }
        assert_eq!(without_partitions(TaskState::TaskUnreachable), TaskState::TaskLost);
        assert!(!is_terminal(TaskState::TaskUnreachable) && is_terminal(TaskState::TaskLost));
    }
}
