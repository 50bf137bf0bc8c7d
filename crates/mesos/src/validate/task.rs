//! Tasks, in the order in which Mesos looks at them. In: a task, and what the master knows around it.
//! Out: what is wrong with it.

use super::{Invalid, Verdict, check, command, container, ensure, health, health_check};
use crate::{
    resources::Resources,
    v1::{AgentId, Resource, TaskId, TaskInfo},
};

/// The longest id, which becomes the name of a directory.
const MAX_ID_BYTES: usize = 255;

/// The other owner of a task's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A live task of the framework.
    Live,
    /// A task on an agent that cannot be reached.
    Unreachable,
}

/// Checks that a task may be launched on this agent. `taken` says who else has its id. What it asks for is compared with
/// what is offered by [`fits`].
pub fn task(task: &TaskInfo, agent_id: &AgentId, taken: Option<Taken>) -> Verdict {
    task_id(&task.task_id)?;
    unique(&task.task_id, taken)?;
    ensure(&task.agent_id == agent_id, || {
        format!("Task uses invalid agent {} while agent {agent_id} is expected", task.agent_id)
    })?;
    times(task)?;
    if let Some(info) = &task.check {
        check(info).map_err(|invalid| invalid.within("Task uses invalid check"))?;
    }
    if let Some(info) = &task.health_check {
        health_check(info).map_err(|invalid| invalid.within("Task uses invalid health check"))?;
    }
    health::further(task).map_err(|invalid| invalid.within("Task uses invalid health check"))?;
    resources(&task.resources)?;
    if let Some(info) = &task.command {
        command(info).map_err(|invalid| invalid.within("Task's `CommandInfo` is invalid"))?;
    }
    container::of_task(task)?;
    limits(task)?;
    ensure(task.executor.is_some() != task.command.is_some(), || {
        "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present".to_owned()
    })
}

/// Checks that this can be the id of a task.
pub fn task_id(id: &TaskId) -> Verdict {
    self::id(&id.value)
}

/// Checks that this can be an id of anything: it becomes the name of a directory.
pub(super) fn id(id: &str) -> Verdict {
    ensure(!id.is_empty(), || "ID must not be empty".to_owned())?;
    ensure(id.len() <= MAX_ID_BYTES, || format!("ID must not be greater than {MAX_ID_BYTES} characters"))?;
    ensure(id != "." && id != "..", || format!("'{id}' is disallowed"))?;
    let valid = |c: char| !c.is_ascii_control() && c != '/' && c != '\\';
    ensure(id.chars().all(valid), || format!("'{id}' contains invalid characters"))
}

/// Checks that what a task (and its executor) needs is there.
pub fn fits(total: &Resources, available: &Resources) -> Verdict {
    ensure(available.contains(total), || {
        format!("Total resources {total} required by task and its executor is more than available {available}")
    })
}

fn unique(id: &TaskId, taken: Option<Taken>) -> Verdict {
    match taken {
        None => Ok(()),
        Some(Taken::Live) => Err(Invalid(format!("Task has duplicate ID: {id}"))),
        Some(Taken::Unreachable) => Err(Invalid(format!("Task reuses the ID of an unreachable task: {id}"))),
    }
}

fn times(task: &TaskInfo) -> Verdict {
    let grace = task.kill_policy.as_ref().and_then(|policy| policy.grace_period.as_ref());
    ensure(grace.is_none_or(|grace| grace.nanoseconds >= 0), || {
        "Task's 'kill_policy.grace_period' must be non-negative".to_owned()
    })?;
    ensure(task.max_completion_time.as_ref().is_none_or(|time| time.nanoseconds >= 0), || {
        "Task's `max_completion_time` must be non-negative".to_owned()
    })
}

fn resources(list: &[Resource]) -> Verdict {
    ensure(!list.is_empty(), || "Task uses no resources".to_owned())?;
    let resources =
        Resources::from_wire(list).map_err(|error| Invalid(format!("Task uses invalid resources: {error}")))?;
    match resources.allocation_roles().as_slice() {
        [first, second, ..] => Err(Invalid(format!(
            "Task uses invalid resources: The resources have multiple allocation roles ('{first}' and '{second}') but \
             only one allocation role is allowed"
        ))),
        _ => Ok(()),
    }
}

fn limits(task: &TaskInfo) -> Verdict {
    let asked = Resources::from_wire(&task.resources).unwrap_or_default();
    ensure(task.limits.keys().all(|name| ["cpus", "mem"].contains(&name.as_str())), || {
        "Only cpus and mem may be included in a task's resource limits".to_owned()
    })?;
    for (name, what, short) in [("cpus", "CPU", "cpu"), ("mem", "memory", "memory")] {
        let (Some(limit), asked) = (task.limits.get(name), asked.scalar(name)) else { continue };
        ensure(asked > 0.0, || format!("When a {what} limit is specified, a {what} request must also be specified"))?;
        ensure(limit.value >= asked, || {
            format!("The {short} limit must be greater than or equal to the {short} request")
        })?;
    }
    Ok(())
}

/// Checks that a task which is launched alone does not want a cgroup within its executor's.
pub fn alone(task: &TaskInfo) -> Verdict {
    ensure(!has_own_cgroup(task), || "Only tasks in a task group may have 'share_cgroups' set to 'false'".to_owned())
}

/// True if the task wants limits of its own within those of its executor.
pub(super) fn has_own_cgroup(task: &TaskInfo) -> bool {
    let linux = task.container.as_ref().and_then(|container| container.linux_info.as_ref());
    linux.is_some_and(|linux| linux.share_cgroups == Some(false))
}
