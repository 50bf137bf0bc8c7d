//! From a task's definition to the command the shim runs.

mod fetch;
mod group_sandbox;
mod identity;
mod oom;
mod prepare;
mod supported;
mod user;
mod volumes;

use std::io;
use std::path::PathBuf;

use containers::cgroup::CgroupError;
use containers::copy::CopyError;
use containers::identity::IdentityError;
use containers::logs::VariableError;
use containers::places::PlaceError;
use containers::provision::Settings;
use containers::spec::{self, SecretError, SpecError, VolumeError};
use containers::users::ImageUserError;
use fetcher::FetchError;
use health::InvalidCheck;
use mesos::Codec;
use mesos::command::{CommandError, TooLarge};
use mesos::v1::{CommandInfo, Environment, TaskInfo};
use processes::UserError;

pub(crate) use self::fetch::{fetch, give};
pub(crate) use self::group_sandbox::GroupSandbox;
pub(crate) use self::prepare::Prepared;
use crate::config::Variables;
use crate::docker::Unmade;

/// Why a task cannot be started; the texts end up in its TASK_FAILED.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unrunnable {
    /// The task has nothing to run; its author is at fault.
    #[error("the task has no 'command' with a 'value', and no CommandInfo in its 'data'")]
    NoCommand,
    /// The task names a user this machine does not have; its author is at fault.
    #[error("No such user '{0}' on this machine")]
    NoUser(String),
    /// The machine: its resolver, which has not said that there is no such user.
    #[error("Cannot start the task: {0}")]
    User(UserError),
    /// The variable of a check is a secret, which only a task's can be.
    #[error("The variable '{0}' of a check is a secret")]
    Secret(String),
    /// A volume cannot be had.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// The place of a volume cannot be had.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The task would own the directory that its executor, as somebody else, keeps its state in.
    #[error(
        "The task's user is not its executor's, whose state would lie in the task's sandbox: name the user in the \
         executor's command, or a directory elsewhere in CYGNET_STATE_DIRECTORY"
    )]
    ExposedState,
    /// The task wants a terminal that cannot exist.
    #[error("{0}")]
    TooLarge(#[from] TooLarge),
    /// The command holds the one byte the kernel cannot take.
    #[error("'command' contains a NUL byte")]
    Nul,
    /// The task wants something, named in the plural, that no task here can have.
    #[error("{0} are not supported by this executor")]
    Unsupported(&'static str),
    /// A check makes no sense.
    #[error(transparent)]
    Check(#[from] InvalidCheck),
    /// The machine: the sandbox of a task of a group.
    #[error("Cannot make the task's sandbox: {0}")]
    Sandbox(io::Error),
    /// A URI makes no sense, or cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A variable of the task is a secret that cannot be had.
    #[error(transparent)]
    Hidden(#[from] SecretError),
    /// The container cannot be as it is wanted.
    #[error(transparent)]
    Container(#[from] SpecError),
    /// A program with an image that cannot be worked out.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The image has no such user.
    #[error(transparent)]
    ImageUser(#[from] ImageUserError),
    /// The executor may not make containers.
    #[error("A container with files, a network or a name of its own needs an executor that runs as root")]
    Unprivileged,
    /// The machine: images cannot be used where the executor keeps its state.
    #[error("Images cannot be used: layers cannot be laid over each other in '{}': {cause}", directory.display())]
    NoOverlay {
        /// The directory.
        directory: PathBuf,
        /// The kernel's word.
        cause: io::Error,
    },
    /// The machine: the file in which the agent says what is ready.
    #[error("Cannot read what the agent made ready for the task: {0}")]
    Provision(io::Error),
    /// The machine: the directories for what the task changes of its image.
    #[error("Cannot keep what the task changes of its image: {0}")]
    Changes(io::Error),
    /// The machine: a copy of the image.
    #[error("Cannot start the task: {0}")]
    Copy(CopyError),
    /// Its container of Docker's.
    #[error(transparent)]
    Docker(#[from] Unmade),
    /// A bound of its logs makes no sense.
    #[error(transparent)]
    Logs(#[from] VariableError),
    /// The machine: the cgroup of the task.
    #[error("Cannot start the task: {0}")]
    Cgroup(#[from] CgroupError),
    /// The machine: the shim and its files.
    #[error("Cannot start the task: {0}")]
    Start(io::Error),
}

impl From<UserError> for Unrunnable {
    fn from(error: UserError) -> Unrunnable {
        match error {
            UserError::Unknown(name) => Unrunnable::NoUser(name),
            failed @ UserError::Resolver { .. } => Unrunnable::User(failed),
        }
    }
}

impl From<CommandError> for Unrunnable {
    fn from(error: CommandError) -> Unrunnable {
        match error {
            CommandError::NoValue => Unrunnable::NoCommand,
            CommandError::Secret(name) => Unrunnable::Secret(name),
            CommandError::Nul => Unrunnable::Nul,
        }
    }
}

/// A task with the command to run. One of a framework's own executor has none, that is what Mesos asks of it; then its
/// `data` holds the `CommandInfo`, in protobuf or in JSON.
pub(crate) fn with_command(task: TaskInfo) -> TaskInfo {
    if task.command.is_some() {
        return task;
    }
    let codec = match task.data().trim_ascii_start().first() {
        Some(b'{') => Codec::Json,
        _ => Codec::Protobuf,
    };
    let command = codec.decode::<CommandInfo>(task.data()).ok().filter(|command| command.value.is_some());
    TaskInfo { command, ..task }
}

/// The task's own variables as its author gave them.
fn given(task: &TaskInfo) -> Option<&Environment> {
    task.command.as_ref()?.environment.as_ref()
}

/// The variables of a task above those of its executor: the role its resources are allocated to, the kind of its terminal,
/// and above all its own.
fn own_environment(task: &TaskInfo, settings: &Settings) -> Result<Variables, Unrunnable> {
    let mut environment = Variables::new();
    let role = task.resources.iter().find_map(|resource| resource.allocation_info.as_ref()?.role.clone());
    environment.extend(role.map(|role| ("MESOS_ALLOCATION_ROLE".to_owned(), role)));
    if task.container.as_ref().is_some_and(|container| container.tty_info.is_some()) {
        environment.insert("TERM".to_owned(), "xterm".to_owned());
    }
    environment.extend(spec::variables(given(task), settings.secrets_directory.as_deref())?);
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use mesos::v1::environment::Variable;

    use super::*;

    fn command(value: &str) -> CommandInfo {
        CommandInfo { value: Some(value.to_owned()), ..CommandInfo::default() }
    }

    fn variable(name: &str, value: &str) -> Variable {
        Variable { name: name.to_owned(), value: Some(value.to_owned()), ..Variable::default() }
    }

    #[test]
    fn a_task_of_an_executor_of_a_frameworks_own_has_its_command_in_its_data() {
        let with = |data: Vec<u8>| with_command(TaskInfo { data: Some(data), ..TaskInfo::default() }).command;
        let wanted = CommandInfo { shell: Some(false), ..command("sleep") };
        assert_eq!(with(br#" {"shell": false, "value": "sleep"}"#.to_vec()), Some(wanted.clone()));
        assert_eq!(with(Codec::Protobuf.encode(&wanted).to_vec()), Some(wanted));
        assert_eq!(with(b"{}".to_vec()), None);
        assert_eq!(with(b"anything else".to_vec()), None);
        let own = TaskInfo { command: Some(command("true")), data: Some(b"{}".to_vec()), ..TaskInfo::default() };
        assert_eq!(with_command(own).command, Some(command("true")));
    }

    #[test]
    fn only_variables_that_an_environment_can_hold_are_a_tasks_own() {
        let own = Environment { variables: vec![variable("A", "task"), variable("BAD=", "x"), variable("C", "a\0")] };
        let task = TaskInfo {
            command: Some(CommandInfo { environment: Some(own), ..CommandInfo::default() }),
            ..TaskInfo::default()
        };
        assert_eq!(
            own_environment(&task, &Settings::default()).unwrap(),
            Variables::from([("A".to_owned(), "task".to_owned())])
        );
    }
}
