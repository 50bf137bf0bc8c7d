//! Tasks and resources, made from what is known of them, the images of containers, and the capabilities of frameworks.

use super::shown::Confidential;
use super::{
    ContainerInfo, ExecutorInfo, FrameworkId, FrameworkInfo, Image, Resource, Task, TaskInfo, TaskState,
    framework_info::capability, value,
};

impl Task {
    /// A task that was just launched, as the APIs show it. Without an executor of its framework's it has one of its own,
    /// which is not named. Of secrets it has no values.
    pub fn launched(framework: &FrameworkId, info: &TaskInfo, executor: Option<&ExecutorInfo>) -> Self {
        let command = info.command.as_ref().or_else(|| executor.and_then(|executor| executor.command.as_ref()));
        Self {
            name: info.name.clone(),
            task_id: info.task_id.clone(),
            framework_id: framework.clone(),
            executor_id: executor.map(|executor| executor.executor_id.clone()),
            agent_id: info.agent_id.clone(),
            state: TaskState::TaskStaging.into(),
            resources: info.resources.clone(),
            labels: info.labels.clone(),
            discovery: info.discovery.clone(),
            container: info.container.shown(),
            health_check: info.health_check.shown(),
            health_checks: info.health_checks.shown(),
            health_rule: info.health_rule,
            kill_policy: info.kill_policy,
            limits: info.limits.clone(),
            user: command.and_then(|command| command.user.clone()),
            ..Self::default()
        }
    }
}

impl Resource {
    /// So much of what is counted by a number: `cpus`, `mem` in MiB.
    pub fn scalar(name: &str, value: f64) -> Self {
        let scalar = Some(value::Scalar { value });
        Self { name: name.to_owned(), r#type: value::Type::Scalar.into(), scalar, ..Self::default() }
    }

    /// The ports from one to another, both of them included.
    pub fn ports(range: std::ops::RangeInclusive<u64>) -> Self {
        let (begin, end) = range.into_inner();
        let ranges = Some(value::Ranges { range: vec![value::Range { begin, end }] });
        Self { name: "ports".to_owned(), r#type: value::Type::Ranges.into(), ranges, ..Self::default() }
    }
}

impl ContainerInfo {
    /// The image that Mesos' containerizer is to make it of.
    pub fn image(&self) -> Option<&Image> {
        self.mesos.as_ref()?.image.as_ref()
    }
}

impl FrameworkInfo {
    /// True if the framework has said that it understands this.
    pub fn is_capable_of(&self, capability: capability::Type) -> bool {
        self.capabilities.iter().any(|known| known.r#type() == capability)
    }
}
