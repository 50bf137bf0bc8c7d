//! The executor the agent makes for a command task, as Mesos describes it. Pure.

use std::path::Path;
use std::time::Duration;

use mesos::v1::resource::AllocationInfo;
use mesos::v1::{CommandInfo, ExecutorId, ExecutorInfo, FrameworkId, Resource, TaskInfo};

/// The resources it holds on top of its task.
const CPUS: f64 = 0.1;
const MEM_MB: f64 = 32.0;

/// The time its shutdown may take beyond its task's kill.
const MARGIN: Duration = Duration::from_secs(2);

/// The letters of a command that its name shows.
const LONGEST: usize = 15;

/// The executor of this task, which has a command.
pub(super) fn executor(framework: &FrameworkId, task: &TaskInfo, binary: &Path) -> ExecutorInfo {
    let command = task.command.clone().unwrap_or_default();
    let kill_grace = task.kill_policy.as_ref().and_then(|policy| policy.grace_period.as_ref()?.to_duration());
    ExecutorInfo {
        executor_id: ExecutorId { value: task.task_id.value.clone() },
        framework_id: Some(framework.clone()),
        name: Some(format!("Command Executor (Task: {}) (Command: {})", task.task_id, described(&command))),
        source: Some(task.task_id.value.clone()),
        command: Some(CommandInfo {
            shell: Some(false),
            value: Some(binary.display().to_string()),
            arguments: vec!["cygnet".to_owned(), "executor".to_owned()],
            uris: command.uris,
            environment: command.environment,
            user: command.user,
        }),
        container: task.container.clone(),
        resources: vec![scalar(task, "cpus", CPUS), scalar(task, "mem", MEM_MB)],
        discovery: task.discovery.clone(),
        labels: task.labels.clone(),
        shutdown_grace_period: kill_grace.map(|grace| (grace + MARGIN).into()),
        ..ExecutorInfo::default()
    }
}

fn described(command: &CommandInfo) -> String {
    if command.shell() {
        return format!("sh -c '{}'", shortened(command.value()));
    }
    let words: Vec<&str> =
        std::iter::once(command.value()).chain(command.arguments.iter().map(String::as_str)).collect();
    format!("[{}]", shortened(&words.join(", ")))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST - 3).collect();
    format!("{start}...")
}

/// Allocated to the same role as the task.
fn scalar(task: &TaskInfo, name: &str, value: f64) -> Resource {
    let role = task.resources.first().and_then(|resource| resource.allocation_info.clone());
    Resource {
        allocation_info: Some(role.unwrap_or_else(|| AllocationInfo { role: Some("*".to_owned()) })),
        ..Resource::scalar(name, value)
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::{DurationInfo, KillPolicy};

    use super::*;

    fn task(shell: bool, value: &str, arguments: &[&str]) -> TaskInfo {
        let command = CommandInfo {
            shell: Some(shell),
            value: Some(value.to_owned()),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            ..CommandInfo::default()
        };
        let kill_policy = KillPolicy { grace_period: Some(DurationInfo { nanoseconds: 7_000_000_000 }) };
        TaskInfo { task_id: "tx".into(), command: Some(command), kill_policy: Some(kill_policy), ..TaskInfo::default() }
    }

    #[test]
    fn is_named_as_mesos_names_it() {
        let name = |task| executor(&"F".into(), &task, Path::new("/bin/cygnet")).name.unwrap();
        let long = task(true, "echo hello; sleep 1000", &[]);
        assert_eq!(name(long), "Command Executor (Task: tx) (Command: sh -c 'echo hello; ...')");
        let short = task(true, "sleep 100000", &[]);
        assert_eq!(name(short), "Command Executor (Task: tx) (Command: sh -c 'sleep 100000')");
        assert_eq!(name(task(false, "true", &["true"])), "Command Executor (Task: tx) (Command: [true, true])");
    }

    #[test]
    fn has_two_seconds_more_than_its_task_to_shut_down() {
        let executor = executor(&"F".into(), &task(true, "true", &[]), Path::new("/bin/cygnet"));
        assert_eq!(executor.shutdown_grace_period.unwrap().nanoseconds, 9_000_000_000);
        let amounts: Vec<_> = executor.resources.iter().map(|r| (r.name.as_str(), r.scalar.unwrap().value)).collect();
        assert_eq!(amounts, [("cpus", 0.1), ("mem", 32.0)]);
    }
}
