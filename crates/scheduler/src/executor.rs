//! The executor that runs an instance on its agent: the agent's own, Cygnet's started by a command that the operator names,
//! or one that the app names, as Marathon has it. Pure.

use mesos::Codec;
use mesos::v1::{CommandInfo, ExecutorInfo, FrameworkId, Resource, TaskInfo, executor_info};

use crate::definition::container::Container;
use crate::definition::{App, RunSpec};

/// Cygnet's executor on agents that have another one: how it is started there, and what it needs for itself, beside what
/// the app has. Its default is what agents of Apache Mesos add for their command executor.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutorCommand {
    /// The shell command.
    pub command: String,
    /// Its share of processors.
    pub cpus: f64,
    /// Its memory, in megabytes.
    pub mem: f64,
}

impl ExecutorCommand {
    /// Started by this command, with the resources of Mesos' command executor.
    pub fn new(command: impl Into<String>) -> ExecutorCommand {
        ExecutorCommand { command: command.into(), cpus: 0.1, mem: 32.0 }
    }
}

/// The resources that the executor of an app needs beside those of the app. A pod includes those of its executor.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Overhead {
    pub cpus: f64,
    pub mem: f64,
}

impl Overhead {
    /// The resources that the executor of this app, or pod, needs.
    pub(crate) fn of(spec: &RunSpec, cygnets: Option<&ExecutorCommand>) -> Overhead {
        match spec.app().map(|app| Executor::of(app, cygnets)) {
            Some(Executor::Cygnets(own)) => Overhead { cpus: own.cpus, mem: own.mem },
            _ => Overhead::default(),
        }
    }
}

/// The name Marathon has for the executor that every agent has.
const COMMAND_EXECUTOR: &str = "//cmd";

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Executor<'a> {
    /// The agent's own: Mesos' command executor, or Cygnet's where the agent is.
    Agents,
    /// Cygnet's, started by the operator's command.
    Cygnets(&'a ExecutorCommand),
    /// The program of this path on the agent. It gets the app's command as arguments and the app itself as its task's
    /// data, in Marathon's words.
    Custom(&'a str),
}

impl<'a> Executor<'a> {
    /// The app's, or else the operator's choice. What the operator names is on the agents, not in images, so that a container
    /// that is more than a task as any other is for the agents' own.
    pub(crate) fn of(app: &'a App, cygnets: Option<&'a ExecutorCommand>) -> Executor<'a> {
        match (app.executor.as_str(), cygnets) {
            (COMMAND_EXECUTOR, _) | ("", None) => Executor::Agents,
            ("", Some(_)) if !app.container.as_ref().is_none_or(Container::is_plain) => Executor::Agents,
            ("", Some(command)) => Executor::Cygnets(command),
            (path, _) => Executor::Custom(path),
        }
    }

    /// The task of an app as this executor, which has these resources, wants it: Mesos takes a command or an executor,
    /// never both.
    pub(crate) fn with_task(
        self,
        mut task: TaskInfo,
        resources: Vec<Resource>,
        spec: &RunSpec,
        app: &App,
        framework_id: &str,
    ) -> TaskInfo {
        let Some(mut command) = task.command.take() else { return task };
        let program = match self {
            Executor::Agents => return TaskInfo { command: Some(command), ..task },
            Executor::Cygnets(own) => {
                let info = CommandInfo { uris: std::mem::take(&mut command.uris), ..shell(&own.command) };
                task.data = Some(Codec::Protobuf.encode(&command).into());
                CommandInfo { user: command.user, ..info }
            }
            Executor::Custom(path) => {
                task.data = serde_json::to_vec(spec).ok();
                CommandInfo { value: Some(invocation(path, app)), shell: Some(true), arguments: Vec::new(), ..command }
            }
        };
        let executor_id = match self {
            Executor::Custom(_) => format!("marathon-{}", task.task_id),
            _ => task.task_id.value.clone(),
        };
        let executor = ExecutorInfo {
            r#type: Some(executor_info::Type::Custom.into()),
            executor_id: executor_id.into(),
            framework_id: Some(FrameworkId::from(framework_id)),
            command: Some(program),
            container: task.container.take(),
            resources,
            ..ExecutorInfo::default()
        };
        TaskInfo { executor: Some(executor), ..task }
    }

    /// The executor of a pod's tasks, given as the agents' own.
    pub(crate) fn of_group(cygnets: Option<&ExecutorCommand>, agents: ExecutorInfo) -> ExecutorInfo {
        let Some(own) = cygnets else { return agents };
        let kind = Some(executor_info::Type::Custom.into());
        ExecutorInfo { r#type: kind, command: Some(shell(&own.command)), ..agents }
    }
}

/// The command by which Marathon starts a custom executor.
fn invocation(path: &str, app: &App) -> String {
    let arguments = app.cmd.clone().unwrap_or_else(|| app.args.join(" "));
    let path = path.replace('\'', r"'\''");
    format!("chmod ug+rx '{path}' && exec '{path}' {arguments}")
}

/// In place of the shell that starts it: signals are for the executor.
fn shell(program: &str) -> CommandInfo {
    CommandInfo { shell: Some(true), value: Some(format!("exec {program}")), ..CommandInfo::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Kind;
    use crate::definition::app::Fetch;
    use crate::ids::AppId;
    use crate::task;
    use crate::time::Timestamp;

    fn app(executor: &str) -> App {
        App { cmd: Some("sleep 1".into()), executor: executor.into(), ..App::new() }
    }

    fn spec(kind: Kind) -> RunSpec {
        RunSpec { kind, ..RunSpec::new(AppId::new("/a"), Timestamp::from_millis(0)) }
    }

    fn task() -> TaskInfo {
        let fetch: Fetch = serde_json::from_value(serde_json::json!({"uri": "http://files/x"})).unwrap();
        let command = CommandInfo {
            shell: Some(true),
            value: Some("sleep 1".into()),
            user: Some("nobody".into()),
            uris: task::uris(&[fetch]),
            ..CommandInfo::default()
        };
        TaskInfo { task_id: "t".into(), command: Some(command), ..TaskInfo::default() }
    }

    fn cygnets() -> ExecutorCommand {
        ExecutorCommand::new("cygnet executor")
    }

    fn memory(value: f64) -> Resource {
        Resource::scalar("mem", value)
    }

    fn launched(app: &App, cygnets: Option<&ExecutorCommand>) -> TaskInfo {
        let spec = spec(Kind::App(Box::new(app.clone())));
        Executor::of(app, cygnets).with_task(task(), vec![memory(32.0)], &spec, app, "f")
    }

    #[test]
    fn an_app_that_says_nothing_gets_what_the_operator_says() {
        assert_eq!(Executor::of(&app(""), None), Executor::Agents);
        assert_eq!(Executor::of(&app(""), Some(&cygnets())), Executor::Cygnets(&cygnets()));
        assert_eq!(Executor::of(&app("//cmd"), Some(&cygnets())), Executor::Agents);
        assert_eq!(Executor::of(&app("/opt/mine"), Some(&cygnets())), Executor::Custom("/opt/mine"));
        assert_eq!(launched(&app("//cmd"), Some(&cygnets())), task());
    }

    #[test]
    fn cygnets_executor_gets_the_command_as_data_and_the_agent_fetches_for_it() {
        let launched = launched(&app(""), Some(&cygnets()));
        let executor = launched.executor.unwrap();
        assert_eq!(executor.resources, [memory(32.0)]);
        assert_eq!(mesos::validate::executor(&executor, &"f".into()), Ok(()));
        assert_eq!((launched.command, executor.executor_id.value.as_str()), (None, "t"));
        let program = executor.command.unwrap();
        assert_eq!((program.value.as_deref(), program.uris.len()), (Some("exec cygnet executor"), 1));
        assert_eq!(program.user.as_deref(), Some("nobody"), "so that the sandbox is theirs");
        let command: CommandInfo = Codec::Protobuf.decode(&launched.data.unwrap()).unwrap();
        assert_eq!(command, CommandInfo { uris: Vec::new(), ..task().command.unwrap() });
    }

    #[test]
    fn an_apps_own_executor_is_started_as_marathon_does() {
        let launched = launched(&app("/opt/mine"), None);
        let executor = launched.executor.unwrap();
        assert_eq!(executor.executor_id.value, "marathon-t");
        let program = executor.command.unwrap();
        assert_eq!(program.value.as_deref(), Some("chmod ug+rx '/opt/mine' && exec '/opt/mine' sleep 1"));
        assert_eq!(program.uris.len(), 1);
        let data: serde_json::Value = serde_json::from_slice(&launched.data.unwrap()).unwrap();
        assert_eq!(data["id"], "/a");
    }

    #[test]
    fn a_pods_executor_is_cygnets_where_the_operator_says_so() {
        let agents = ExecutorInfo {
            r#type: Some(executor_info::Type::Default.into()),
            executor_id: "e".into(),
            framework_id: Some("f".into()),
            ..ExecutorInfo::default()
        };
        assert_eq!(Executor::of_group(None, agents.clone()), agents);
        let executor = Executor::of_group(Some(&cygnets()), agents);
        assert_eq!(mesos::validate::executor(&executor, &"f".into()), Ok(()));
        assert_eq!(executor.r#type(), executor_info::Type::Custom);
    }

    #[test]
    fn only_cygnets_executor_of_an_app_needs_something_beside_what_the_app_has() {
        let own = ExecutorCommand { cpus: 0.2, mem: 48.0, ..cygnets() };
        let overhead = |executor, cygnets| Overhead::of(&spec(Kind::App(Box::new(app(executor)))), cygnets);
        assert_eq!(overhead("", Some(&own)), Overhead { cpus: 0.2, mem: 48.0 });
        assert_eq!(overhead("", None), Overhead::default());
        assert_eq!(overhead("//cmd", Some(&own)), Overhead::default());
        assert_eq!(overhead("/opt/mine", Some(&own)), Overhead::default(), "it has the app's, as in Marathon");
        let pod = serde_json::from_value(serde_json::json!({"id": "/p", "containers": []})).unwrap();
        let pod = spec(Kind::Pod { pod });
        assert_eq!(Overhead::of(&pod, Some(&own)), Overhead::default(), "a pod says what its executor has");
    }
}
