//! Members of a pod's instance, each a container, and their sum. Pure, and stored with the instance.

use checks::Verdict;
use health::verdict::of_healthy;
use mesos::states;
use mesos::v1::{TaskState, TaskStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Condition;
use super::end::End;
use crate::time::Timestamp;

/// One container of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub name: String,
    /// The state of its task, by number.
    state: i32,
    /// The verdict of its health check.
    #[serde(rename = "healthy", with = "health::verdict", default)]
    pub verdict: Verdict,
    /// The result of its check, as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_result: Option<Value>,
    /// The message of its last state.
    pub message: String,
    /// The end of its task, once it is over and its executor told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<Box<End>>,
    /// Since when it is in its state.
    pub since: Timestamp,
    /// The time at which it was last heard of.
    pub updated: Timestamp,
}

impl Member {
    /// Launched, and nothing heard of it yet.
    pub(crate) fn staging(name: &str, now: Timestamp) -> Member {
        let state = TaskState::TaskStaging.into();
        let (name, message) = (name.into(), String::new());
        Member {
            name,
            state,
            verdict: Verdict::Unknown,
            check_result: None,
            message,
            end: None,
            since: now,
            updated: now,
        }
    }

    /// The state of its task.
    pub(crate) fn state(&self) -> TaskState {
        TaskState::try_from(self.state).unwrap_or(TaskState::TaskUnknown)
    }

    /// True if its task is over, however it ended.
    pub(crate) fn is_over(&self) -> bool {
        states::is_terminal(self.state()) || self.state() == TaskState::TaskUnknown
    }

    /// The end of its task, as far as it is known.
    pub(crate) fn end(&self) -> End {
        self.end.as_deref().cloned().unwrap_or_default()
    }

    /// Takes a status up. Says whether it is news: states do not go back, but from unreachable.
    pub(crate) fn note(&mut self, status: &TaskStatus, now: Timestamp) -> bool {
        let next = status.state();
        let goes_back = match (Condition::of_state(self.state()), Condition::of_state(next)) {
            (Some(before), Some(after)) => !before.leads_to(after),
            _ => false,
        };
        if self.is_over() || goes_back {
            return false;
        }
        if self.state() != next {
            self.state = next.into();
            self.since = now;
        }
        self.updated = now;
        self.verdict = status.healthy.map_or(self.verdict, |healthy| of_healthy(Some(healthy)));
        self.check_result = check_result(status).or_else(|| self.check_result.take());
        self.message = status.message.clone().unwrap_or_default();
        self.end = status.end.clone().map(|end| Box::new(end.into()));
        true
    }
}

/// True of a status that tells nothing but how far the launch of a task is that is being launched.
pub(crate) fn is_still_staging(known: &Member, status: &TaskStatus) -> bool {
    [known.state(), status.state()] == [TaskState::TaskStaging; 2] && status.healthy.is_none()
}

/// The condition of an instance with these members: the least far of those that are not over.
pub(crate) fn condition(members: &[Member]) -> Option<Condition> {
    let open = || members.iter().filter(|member| !member.is_over()).filter_map(|one| Condition::of_state(one.state()));
    let last = [Condition::Unreachable, Condition::Killing];
    last.into_iter().find(|wanted| open().any(|one| one == *wanted)).or_else(|| open().min())
}

/// Once all are over: the one that tells how the instance ended. A failure tells more than a kill, a kill for its health
/// more than another, and anything more than success.
pub(crate) fn decisive(members: &[Member]) -> Option<&Member> {
    let rank = |member: &&Member| match member.state() {
        TaskState::TaskFinished => 0,
        TaskState::TaskKilled if member.verdict != Verdict::Unhealthy => 1,
        TaskState::TaskKilled => 2,
        _ => 3,
    };
    members.iter().all(Member::is_over).then(|| members.iter().max_by_key(rank)).flatten()
}

/// The result of a check, as it is shown; nothing if a status has none.
pub(crate) fn check_result(status: &TaskStatus) -> Option<Value> {
    let result = status.check_status.as_ref()?;
    if let Some(code) = result.command.as_ref().and_then(|command| command.exit_code) {
        return Some(json!({"command": {"exitCode": code}}));
    }
    if let Some(code) = result.http.as_ref().and_then(|http| http.status_code) {
        return Some(json!({"http": {"statusCode": code}}));
    }
    let succeeded = result.tcp.as_ref().and_then(|tcp| tcp.succeeded)?;
    Some(json!({"tcp": {"succeeded": succeeded}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(states: &[(TaskState, Option<bool>)]) -> Vec<Member> {
        let at = Timestamp::from_millis(0);
        let member = |(state, healthy): &(TaskState, Option<bool>)| {
            let mut member = Member::staging("c", at);
            member.note(&TaskStatus { state: (*state).into(), healthy: *healthy, ..TaskStatus::default() }, at);
            member
        };
        states.iter().map(member).collect()
    }

    #[test]
    fn an_instance_is_as_far_as_the_last_of_its_containers() {
        use TaskState::{TaskFinished, TaskKilling, TaskRunning, TaskStarting};
        let of = |states: &[TaskState]| condition(&members(&states.iter().map(|one| (*one, None)).collect::<Vec<_>>()));
        assert_eq!(of(&[TaskRunning, TaskStarting]), Some(Condition::Starting));
        assert_eq!(of(&[TaskRunning, TaskFinished]), Some(Condition::Running));
        assert_eq!(of(&[TaskRunning, TaskKilling]), Some(Condition::Killing));
        assert_eq!(of(&[TaskFinished, TaskFinished]), None);
    }

    #[test]
    fn the_failure_tells_how_an_instance_ended() {
        use TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskRunning};
        let of = |states: &[(TaskState, Option<bool>)]| decisive(&members(states)).map(Member::state);
        assert_eq!(of(&[(TaskKilled, None), (TaskFailed, None), (TaskKilled, None)]), Some(TaskFailed));
        assert_eq!(of(&[(TaskFinished, None), (TaskKilled, Some(false))]), Some(TaskKilled));
        assert_eq!(of(&[(TaskFinished, None), (TaskFinished, None)]), Some(TaskFinished));
        assert_eq!(of(&[(TaskFailed, None), (TaskRunning, None)]), None);
    }

    #[test]
    fn what_is_over_stays_over() {
        let mut one = members(&[(TaskState::TaskFailed, None)]).remove(0);
        let late = TaskStatus { state: TaskState::TaskRunning.into(), ..TaskStatus::default() };
        assert!(!one.note(&late, Timestamp::from_millis(1)) && one.is_over());
    }
}
