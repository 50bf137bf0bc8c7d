//! Tasks, the old way. There are many: each is written when it is its turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesos::Wire;
use mesos::resources::Resources;
use mesos::v1::{self, TaskStatus};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::super::pieces::{self, Object};
use crate::core::Snapshot;
use crate::core::task::Task;
use crate::stock;

/// `/tasks`
pub(crate) fn tasks(snapshot: Snapshot, query: &TaskQuery) -> Object {
    let wanted = |id: &str| query.framework_id.as_ref().is_none_or(|wanted| id == wanted);
    let frameworks = snapshot.all_frameworks().filter(|framework| wanted(&framework.id.value));
    let all = frameworks.flat_map(|of| of.tasks.all());
    let chosen = query.choose(all.cloned());
    Object::new().list("tasks", chosen.into_iter().map(|task| entry(&task)))
}

pub(super) fn entry(task: &Task) -> Vec<u8> {
    pieces::json(&TaskEntry(&task.wire()))
}

struct TaskEntry<'a>(&'a v1::Task);

impl Serialize for TaskEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let task = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &task.task_id.value)?;
        map.serialize_entry("name", &task.name)?;
        map.serialize_entry("framework_id", &task.framework_id.value)?;
        map.serialize_entry("executor_id", task.executor_id.as_ref().map_or("", |id| &id.value))?;
        map.serialize_entry("slave_id", &task.agent_id.value)?;
        map.serialize_entry("state", task.state().as_str_name())?;
        map.serialize_entry("resources", &Resources::from_wire(&task.resources).unwrap_or_default().to_legacy_json())?;
        map.serialize_entry("role", role_of(&task.resources))?;
        map.serialize_entry("statuses", &task.statuses.iter().map(Status).collect::<Vec<_>>())?;
        serialize_extras(task, &mut map)?;
        map.end()
    }
}

fn serialize_extras<M: SerializeMap>(task: &v1::Task, map: &mut M) -> Result<(), M::Error> {
    if !task.limits.is_empty() {
        let limits: BTreeMap<&String, f64> = task.limits.iter().map(|(name, limit)| (name, limit.value)).collect();
        map.serialize_entry("limits", &limits)?;
    }
    if let Some(user) = &task.user {
        map.serialize_entry("user", user)?;
    }
    if let Some(labels) = &task.labels {
        map.serialize_entry("labels", &values(&labels.labels))?;
    }
    message(map, "discovery", task.discovery.as_ref())?;
    message(map, "container", task.container.as_ref())?;
    message(map, "health_check", task.health_check.as_ref())
}

/// A member that is a message, if it is there.
fn message<M: SerializeMap>(map: &mut M, name: &str, message: Option<&impl Wire>) -> Result<(), M::Error> {
    message.map_or(Ok(()), |message| map.serialize_entry(name, &mesos::json::to_raw_value(message)))
}

fn values(messages: &[impl Wire]) -> Vec<Box<RawValue>> {
    messages.iter().map(mesos::json::to_raw_value).collect()
}

/// The role a task's resources are allocated to.
pub(super) fn role_of(resources: &[v1::Resource]) -> &str {
    resources.first().map_or(stock::EVERYONE, stock::allocation_role)
}

struct Status<'a>(&'a TaskStatus);

impl Serialize for Status<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let status = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("state", status.state().as_str_name())?;
        map.serialize_entry("timestamp", &status.timestamp())?;
        if let Some(labels) = &status.labels {
            map.serialize_entry("labels", &values(&labels.labels))?;
        }
        if let Some(container_status) = &status.container_status {
            map.serialize_entry("container_status", &Container(container_status))?;
        }
        if let Some(healthy) = status.healthy {
            map.serialize_entry("healthy", &healthy)?;
        }
        // From executors that know more than Mesos' do.
        message(&mut map, "health", status.health.as_ref())?;
        map.end()
    }
}

struct Container<'a>(&'a v1::ContainerStatus);

impl Serialize for Container<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        message(&mut map, "container_id", self.0.container_id.as_ref())?;
        if !self.0.network_infos.is_empty() {
            map.serialize_entry("network_infos", &values(&self.0.network_infos))?;
        }
        message(&mut map, "cgroup_info", self.0.cgroup_info.as_ref())?;
        map.end()
    }
}

/// A number of a query. Mesos reads a negative one as one without end: its own command line asks for `limit=-1`.
fn number(parameters: &BTreeMap<String, String>, name: &str) -> Option<usize> {
    let number: i64 = parameters.get(name)?.parse().ok()?;
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}

/// The tasks that `/tasks` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskQuery {
    limit: usize,
    offset: usize,
    ascending: bool,
    framework_id: Option<String>,
    task_id: Option<String>,
}

impl TaskQuery {
    pub(crate) fn parse(parameters: &BTreeMap<String, String>) -> Self {
        TaskQuery {
            limit: number(parameters, "limit").unwrap_or(100),
            offset: number(parameters, "offset").unwrap_or(0),
            ascending: parameters.get("order").is_some_and(|order| order == "asc"),
            framework_id: parameters.get("framework_id").cloned(),
            task_id: parameters.get("task_id").cloned(),
        }
    }

    /// Sorted by when they were first heard of.
    fn choose(&self, tasks: impl Iterator<Item = Arc<Task>>) -> Vec<Arc<Task>> {
        let wanted = |task: &Arc<Task>| self.task_id.as_ref().is_none_or(|wanted| task.id().value == *wanted);
        let mut chosen: Vec<Arc<Task>> = tasks.filter(wanted).collect();
        chosen.sort_by(|one, other| one.first_heard().total_cmp(&other.first_heard()));
        if !self.ascending {
            chosen.reverse();
        }
        chosen.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_limit_is_none() {
        let query = |limit: &str| TaskQuery::parse(&BTreeMap::from([("limit".to_owned(), limit.to_owned())])).limit;
        assert_eq!((query("-1"), query("5"), query("many")), (usize::MAX, 5, 100));
    }
}
