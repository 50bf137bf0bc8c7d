//! The end of an instance's task that nobody asked for: how it was, and how it ended; of a pod's instance, how each
//! container did. Pure, and stored beside its app.

use checks::Verdict;
use mesos::states;
use mesos::v1::TaskStatus;
use serde::{Deserialize, Serialize};

use super::Instance;
use super::end::End;
use super::member::Member;
use crate::definition::RunSpec;
use crate::health::Health;
use crate::ids::{AppId, InstanceId};
use crate::time::Timestamp;

/// A dead incarnation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ended {
    pub app: AppId,
    /// Counted from 1, of all that ended of the app.
    pub number: u64,
    pub instance: InstanceId,
    pub incarnation: u32,
    /// Of a pod's instance, the one that tells how it ended.
    task_id: String,
    pub host: Option<String>,
    pub agent_id: Option<String>,
    /// The configuration that it was launched with.
    version: Timestamp,
    pub staged_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    pub ended_at: Timestamp,
    state: String,
    message: String,
    /// True if it was killed because it was unhealthy.
    killed_for_health: bool,
    /// The last finding of its check, if it was killed for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unhealthy_cause: Option<String>,
    #[serde(flatten)]
    end: End,
    /// Each container of a pod's instance; of none in records of before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    containers: Vec<Container>,
}

/// A container of a dead incarnation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: String,
    task_id: String,
    ended_at: Timestamp,
    state: String,
    message: String,
    /// True if its instance was killed because this container was unhealthy.
    killed_for_health: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unhealthy_cause: Option<String>,
    #[serde(flatten)]
    end: End,
}

impl Ended {
    /// An instance with this definition whose task is over with this status; of a pod's, all tasks.
    pub(crate) fn of(
        instance: &Instance,
        spec: Option<&RunSpec>,
        status: &TaskStatus,
        number: u64,
        now: Timestamp,
    ) -> Ended {
        let end = match instance.member_of(&status.task_id.value) {
            Some(member) => member.end(),
            None => status.end.clone().unwrap_or_default().into(),
        };
        Ended {
            app: instance.app.clone(),
            number,
            instance: instance.id.clone(),
            incarnation: instance.incarnation,
            task_id: status.task_id.value.clone(),
            host: instance.place.host.clone(),
            agent_id: instance.place.agent_id.clone(),
            version: instance.config,
            staged_at: instance.times.staged_at,
            started_at: instance.times.started_at,
            ended_at: now,
            state: states::name(status.state()).to_owned(),
            message: status.message.clone().unwrap_or_default(),
            killed_for_health: instance.killed.is_for_health(),
            unhealthy_cause: sick(instance, instance.checked.health.iter()).and_then(cause),
            end,
            containers: instance.members.iter().map(|member| Container::of(instance, spec, member)).collect(),
        }
    }

    /// The same as one of its tasks knew it: of a pod's instance, a container.
    pub(crate) fn of_task(&self, task_id: &str) -> Option<Ended> {
        let container = self.containers.iter().find(|container| container.task_id == task_id);
        match container {
            Some(container) => Some(container.as_instance(self)),
            None if !self.containers.is_empty() => None,
            None if self.task_id == task_id => Some(self.clone()),
            // A container in a record of before: the end of another one is known.
            None => Some(Ended { end: End::default(), ..self.clone() }),
        }
    }

    /// The end as its executor told it.
    pub(crate) fn end(&self) -> &End {
        &self.end
    }

    /// The end of a container.
    pub(crate) fn of_container(&self, task_id: &str) -> Option<&End> {
        self.containers.iter().find(|container| container.task_id == task_id).map(|container| &container.end)
    }

    /// The health that it was killed for, or the first line of what was said of it, or else how it ended.
    pub(crate) fn words(&self) -> String {
        if self.killed_for_health {
            let cause = self.unhealthy_cause.as_ref().map(|cause| format!(": {cause}"));
            return format!("was killed because it was unhealthy{}", cause.unwrap_or_default());
        }
        self.message.lines().find(|line| !line.is_empty()).unwrap_or(&self.state).to_owned()
    }
}

impl Container {
    fn of(instance: &Instance, spec: Option<&RunSpec>, member: &Member) -> Container {
        let check = spec.and_then(|spec| spec.pod()?.check_index(&member.name));
        let sick = sick(instance, check.and_then(|index| instance.checked.health.get(index)).into_iter());
        Container {
            name: member.name.clone(),
            task_id: instance.id.member(&member.name, instance.incarnation),
            ended_at: member.since,
            state: states::name(member.state()).to_owned(),
            message: member.message.clone(),
            killed_for_health: sick.is_some(),
            unhealthy_cause: sick.and_then(cause),
            end: member.end(),
        }
    }

    /// The incarnation of which it was a part, with what is its own.
    fn as_instance(&self, whole: &Ended) -> Ended {
        let Container { task_id, ended_at, state, message, killed_for_health, unhealthy_cause, end, .. } = self.clone();
        let own = Ended { containers: Vec::new(), ..whole.clone() };
        Ended { task_id, ended_at, state, message, killed_for_health, unhealthy_cause, end, ..own }
    }
}

/// The first of these checks that an instance was killed for, if it was.
fn sick<'a>(instance: &Instance, mut checks: impl Iterator<Item = &'a Health>) -> Option<&'a Health> {
    checks.find(|health| health.verdict == Verdict::Unhealthy).filter(|_| instance.killed.is_for_health())
}

fn cause(health: &Health) -> Option<String> {
    health.last_failure_cause.clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_it_was_killed_for_comes_before_the_signal_that_did_it() {
        let mut ended = json!({"app": "/web", "number": 1, "instance": "web.instance-8b2649cc-0dcf-4e26-b1b9-2da22b139e79",
            "incarnation": 1, "taskId": "t", "version": "2026-01-02T00:00:00.000Z", "endedAt": "2026-01-02T00:00:00.000Z",
            "state": "TASK_KILLED", "message": "Command terminated with signal Terminated", "killedForHealth": true,
            "unhealthyCause": "404 Not Found"});
        let words = |ended: &serde_json::Value| serde_json::from_value::<Ended>(ended.clone()).unwrap().words();
        assert_eq!(words(&ended), "was killed because it was unhealthy: 404 Not Found");
        ended["killedForHealth"] = json!(false);
        assert_eq!(words(&ended), "Command terminated with signal Terminated");
    }

    #[test]
    fn a_record_of_before_containers_were_kept_is_that_of_one_task() {
        let stored = json!({"app": "/pod", "number": 1, "instance": "pod.instance-8b2649cc-0dcf-4e26-b1b9-2da22b139e79",
            "incarnation": 1, "taskId": "t.web.1", "version": "2026-01-02T00:00:00.000Z", "endedAt": "2026-01-02T00:00:00.000Z",
            "state": "TASK_FAILED", "message": "exited", "killedForHealth": false, "exitStatus": 3, "lastErrors": "oh",
            "checks": [{"attempts": [{"startedMs": 1, "durationUs": 2, "kind": "refused"}]}]});
        let ended: Ended = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!((ended.end.exit_status, ended.end.checks.len()), (Some(3), 1));
        assert_eq!(ended.of_task("t.web.1").as_ref(), Some(&ended));
        let other = ended.of_task("t.log.1").unwrap();
        assert_eq!(other.end, End::default(), "nothing was kept of another container");
        let again = json!(ended);
        assert!(stored.as_object().unwrap().iter().all(|(name, value)| again[name] == *value), "{again}");
    }
}
