//! Ends of a pod's instances that were not told to end: the last few, as `terminationHistory` shows them. Pure, and stored
//! with the pod.

use mesos::states;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Instance;
use super::end::End;
use super::member::Member;
use crate::ids::InstanceId;
use crate::time::Timestamp;

/// The number of ends that are remembered.
const KEPT: usize = 10;

/// An instance that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Termination {
    #[serde(rename = "instanceID")]
    instance_id: InstanceId,
    /// The time at which it ran first, or else was launched.
    started_at: Timestamp,
    terminated_at: Timestamp,
    message: String,
    containers: Vec<Ended>,
}

/// One of its containers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ended {
    container_id: String,
    last_known_state: String,
    termination: Value,
}

impl Termination {
    /// An instance all of whose containers have ended, and what that means for it.
    pub(crate) fn of(instance: &Instance, message: &str, now: Timestamp) -> Termination {
        let ended = |member: &Member| Ended {
            container_id: instance.id.member(&member.name, instance.incarnation),
            last_known_state: states::name(member.state()).to_owned(),
            termination: termination(member),
        };
        Termination {
            instance_id: instance.id.clone(),
            started_at: instance.times.started_at.or(instance.times.staged_at).unwrap_or(now),
            terminated_at: now,
            message: message.to_owned(),
            containers: instance.members.iter().map(ended).collect(),
        }
    }
}

impl Termination {
    /// The same with what is known of the end of each container, by the ids of their tasks.
    pub(crate) fn explained<'a>(&self, end: impl Fn(&str) -> Option<&'a End>) -> Value {
        let mut all = self.clone();
        for container in &mut all.containers {
            if let Some(end) = end(&container.container_id) {
                end.explain(&mut container.termination);
            }
        }
        json!(all)
    }
}

/// Remembers one more; the last comes first.
pub(crate) fn remember(history: &mut Vec<Termination>, one: Termination) {
    history.insert(0, one);
    history.truncate(KEPT);
}

/// The end of a container: with its exit code, where there was one.
pub(crate) fn termination(member: &Member) -> Value {
    let mut json = json!({"message": member.message});
    if let Some(code) = member.end().exit_status.or_else(|| exit_code(&member.message)) {
        json["exitCode"] = json!(code);
    }
    json
}

/// Executors of Mesos tell it in words only.
fn exit_code(message: &str) -> Option<i32> {
    let (_, code) = message.split_once(" exited with status ")?;
    code.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_found_in_what_executors_say() {
        assert_eq!(exit_code("Command exited with status 7"), Some(7));
        assert_eq!(exit_code("Container exited with status 0"), Some(0));
        assert_eq!(exit_code("Command terminated with signal Killed"), None);
        assert_eq!(exit_code("it exited with status of grace"), None);
    }
}
