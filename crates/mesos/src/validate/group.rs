//! Task groups and the executors that run them. In: a group, its executor, and what the master knows around them.
//! Out: what is wrong with them; a group is launched as a whole or not at all.

use super::task::{has_own_cgroup, id};
use super::{Invalid, Taken, Verdict, command, container, ensure, known, task};
use crate::{
    resources::Resources,
    v1::{
        AgentId, ExecutorInfo, FrameworkId, TaskGroupInfo, TaskId, TaskInfo, container_info, executor_info,
        health_check,
    },
};

const MIN_CPUS: f64 = 0.01;
const MIN_MEM_MIB: f64 = 32.0;

/// Checks that every task of a group may be launched on this agent. `taken` says who else has a task's id.
pub fn task_group(group: &TaskGroupInfo, agent_id: &AgentId, taken: impl Fn(&TaskId) -> Option<Taken>) -> Verdict {
    let own = group.tasks.iter().filter(|info| has_own_cgroup(info)).count();
    ensure(own == 0 || own == group.tasks.len(), || {
        "If set, the value of 'share_cgroups' must be the same for all tasks in each task group and under a single \
         executor"
            .to_owned()
    })?;
    group.tasks.iter().try_for_each(|info| {
        task(info, agent_id, taken(&info.task_id))
            .and_then(|()| member(info))
            .map_err(|invalid| invalid.within(&format!("Task '{}' is invalid", info.task_id)))
    })
}

/// Checks that an executor is well described and belongs to the framework that uses it.
pub fn executor(executor: &ExecutorInfo, framework_id: &FrameworkId) -> Verdict {
    kind(executor)?;
    id(&executor.executor_id.value)?;
    let Some(id) = &executor.framework_id else {
        return Err(Invalid::new("'ExecutorInfo.framework_id' must be set"));
    };
    ensure(id == framework_id, || {
        format!("ExecutorInfo has an invalid FrameworkID (Actual: {id} vs Expected: {framework_id})")
    })?;
    ensure(executor.shutdown_grace_period.as_ref().is_none_or(|grace| grace.nanoseconds >= 0), || {
        "ExecutorInfo's 'shutdown_grace_period' must be non-negative".to_owned()
    })?;
    if let Some(info) = &executor.command {
        command(info).map_err(|invalid| invalid.within("Executor's `CommandInfo` is invalid"))?;
    }
    container::of_executor(executor)?;
    resources(executor).map(drop)
}

/// Checks that an executor can be the one that a task brings along: one of the framework's own.
pub fn task_executor(info: &ExecutorInfo, framework_id: &FrameworkId) -> Verdict {
    executor(info, framework_id)?;
    ensure(info.r#type.is_none() || info.r#type() == executor_info::Type::Custom, || {
        "'ExecutorInfo.type' must be 'CUSTOM'".to_owned()
    })?;
    ensure(info.command.is_some(), || "'ExecutorInfo.command' must be set".to_owned())
}

/// Checks that an executor can run task groups.
pub fn group_executor(info: &ExecutorInfo, framework_id: &FrameworkId) -> Verdict {
    executor(info, framework_id)?;
    match known::<executor_info::Type>(info.r#type) {
        None => return Err(Invalid::new("'ExecutorInfo.type' must be set")),
        Some(executor_info::Type::Unknown) => return Err(Invalid::new("Unknown executor type")),
        Some(executor_info::Type::Default | executor_info::Type::Custom) => {}
    }
    let docker = info.container.as_ref().is_some_and(|container| container.r#type() == container_info::Type::Docker);
    ensure(!docker, || "Docker ContainerInfo is not supported on the executor".to_owned())?;
    enough(info, &resources(info)?)
}

fn kind(executor: &ExecutorInfo) -> Verdict {
    match known::<executor_info::Type>(executor.r#type) {
        Some(executor_info::Type::Default) => ensure(executor.command.is_none(), || {
            "'ExecutorInfo.command' must not be set for 'DEFAULT' executor".to_owned()
        }),
        Some(executor_info::Type::Custom) => {
            ensure(executor.command.is_some(), || "'ExecutorInfo.command' must be set for 'CUSTOM' executor".to_owned())
        }
        Some(executor_info::Type::Unknown) | None => Ok(()),
    }
}

fn resources(executor: &ExecutorInfo) -> Result<Resources, Invalid> {
    Resources::from_wire(&executor.resources)
        .map_err(|error| Invalid(format!("Executor uses invalid resources: {error}")))
}

fn enough(executor: &ExecutorInfo, resources: &Resources) -> Verdict {
    let less = |what: &str, has: f64, least: f64| {
        let has = if has > 0.0 { has.to_string() } else { "None".to_owned() };
        format!("Executor '{}' uses less {what} ({has}) than the minimum required ({least})", executor.executor_id)
    };
    ensure(resources.cpus() >= MIN_CPUS, || less("CPUs", resources.cpus(), MIN_CPUS))?;
    ensure(resources.mem() >= MIN_MEM_MIB, || less("memory", resources.mem(), MIN_MEM_MIB))?;
    ensure(resources.disk() > 0.0, || format!("Executor '{}' uses no disk", executor.executor_id))
}

/// The rules that hold for the tasks of a group only.
fn member(task: &TaskInfo) -> Verdict {
    ensure(task.limits.is_empty() || has_own_cgroup(task), || {
        "Resource limits may only be set for tasks within a task group when the 'share_cgroups' field is set to 'false'."
            .to_owned()
    })?;
    let Some(container) = &task.container else {
        return Ok(());
    };
    let mut kinds = task.health_check.iter().chain(&task.health_checks);
    let over_network = kinds.any(|check| {
        matches!(known::<health_check::Type>(check.r#type), Some(health_check::Type::Http | health_check::Type::Tcp))
    });
    ensure(container.network_infos.is_empty() || !over_network, || {
        "HTTP and TCP health checks are not supported for nested containers not joining parent's network".to_owned()
    })?;
    ensure(container.r#type() != container_info::Type::Docker, || {
        "Docker ContainerInfo is not supported on the task".to_owned()
    })
}
