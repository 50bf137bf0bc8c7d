//! The meaning of a command and of the container around it, one for all who run commands: executors, containers, checks.
//!
//! In: definitions. Out: programs, variables and terminals, or what of them nobody can run. Pure.

use std::collections::BTreeMap;
use std::path::PathBuf;

use processes::{Terminal, Window};

use crate::v1::environment::Variable;
use crate::v1::environment::variable::Type;
use crate::v1::linux_info::IpcMode;
use crate::v1::tty_info::WindowSize;
use crate::v1::{CommandInfo, ContainerInfo, Environment};

/// The mode of a sandbox: its user's, and readable by the user's group.
pub const SANDBOX_MODE: u32 = 0o750;

/// A command that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is nothing to run.
    #[error("the command has no 'value'")]
    NoValue,
    /// A variable is a secret, which nobody here can look up.
    #[error("the variable '{0}' is a secret")]
    Secret(String),
    /// The command holds the one byte the kernel cannot take.
    #[error("'command' contains a NUL byte")]
    Nul,
}

/// A window that no terminal can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'tty_info.window_size' is {rows} rows of {columns} columns; a terminal has at most 65535 of each")]
pub struct TooLarge {
    rows: u32,
    columns: u32,
}

/// The shell of the system, whatever the command's environment says: for what runs beside a task, perhaps as root.
pub const SYSTEM_SHELL: &str = "/bin/sh";

/// The shell that the `PATH` of the command's environment finds, as Mesos' executors do: for tasks, as their own user.
pub const SHELL_IN_PATH: &str = "sh";

/// The file to execute, and all arguments, the zeroth included. A file without a slash is looked for in the `PATH` of the
/// command's environment. `shell` is the file for a command of the shell.
pub fn program(command: &CommandInfo, shell: &str) -> Result<(PathBuf, Vec<String>), CommandError> {
    let value = command.value.as_deref().filter(|value| !value.is_empty()).ok_or(CommandError::NoValue)?;
    let (name, arguments) = if command.shell() {
        (shell, vec!["sh".to_owned(), "-c".to_owned(), value.to_owned()])
    } else if command.arguments.is_empty() {
        (value, vec![value.to_owned()])
    } else {
        (value, command.arguments.clone())
    };
    match value.contains('\0') || arguments.iter().any(|argument| argument.contains('\0')) {
        true => Err(CommandError::Nul),
        false => Ok((PathBuf::from(name), arguments)),
    }
}

/// The variables of a command; those that no environment can hold are left out.
pub fn variables(environment: Option<&Environment>) -> Result<BTreeMap<String, String>, CommandError> {
    match secret(environment) {
        Some(name) => Err(CommandError::Secret(name.to_owned())),
        None => Ok(plain_variables(environment)),
    }
}

/// The same without those that are secrets.
pub fn plain_variables(environment: Option<&Environment>) -> BTreeMap<String, String> {
    let variables = environment.into_iter().flat_map(|environment| &environment.variables);
    let plain = variables.filter(|variable| variable.r#type() != Type::Secret);
    let holdable = plain.filter(|variable| is_name(&variable.name) && !variable.value().contains('\0'));
    holdable.map(|variable| (variable.name.clone(), variable.value().to_owned())).collect()
}

/// The variables that are secrets; those that no environment can hold are left out.
pub fn secret_variables(environment: Option<&Environment>) -> impl Iterator<Item = &Variable> {
    let variables = environment.into_iter().flat_map(|environment| &environment.variables);
    variables.filter(|variable| variable.r#type() == Type::Secret && is_name(&variable.name))
}

/// True if a variable can have this name. In an environment, what follows the first '=' is the value.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// The first variable that is a secret.
pub fn secret(environment: Option<&Environment>) -> Option<&str> {
    secret_variables(environment).next().map(|variable| variable.name.as_str())
}

/// The terminal that a container is to have, if any.
pub fn terminal(container: Option<&ContainerInfo>) -> Result<Option<Terminal>, TooLarge> {
    let Some(terminal) = container.and_then(|container| container.tty_info.as_ref()) else { return Ok(None) };
    Ok(Some(Terminal { window: terminal.window_size.as_ref().map(window).transpose()? }))
}

/// The window of a terminal.
pub fn window(size: &WindowSize) -> Result<Window, TooLarge> {
    let too_large = |_| TooLarge { rows: size.rows, columns: size.columns };
    let [rows, columns] = [size.rows, size.columns].map(|size| u16::try_from(size).map_err(too_large));
    Ok(Window { rows: rows?, columns: columns? })
}

/// The isolation that a container asks for and would not get, in the plural.
pub fn unsupported_isolation(container: &ContainerInfo) -> Option<&'static str> {
    let linux = container.linux_info.clone().unwrap_or_default();
    let capabilities = [&linux.capability_info, &linux.bounding_capabilities, &linux.effective_capabilities];
    let profile = linux.seccomp.as_ref().is_some_and(|seccomp| seccomp.profile_name.is_some());
    [
        (capabilities.iter().any(|capabilities| capabilities.is_some()), "Capabilities in 'linux_info'"),
        (profile, "Profiles in 'linux_info.seccomp'"),
        (
            linux.ipc_mode() == IpcMode::Private || linux.shm_size.is_some(),
            "'linux_info.ipc_mode' PRIVATE and 'shm_size'",
        ),
    ]
    .into_iter()
    .find_map(|(is_so, what)| is_so.then_some(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::linux_info::SeccompInfo;
    use crate::v1::{CapabilityInfo, LinuxInfo};

    fn linux(linux: LinuxInfo) -> Option<&'static str> {
        unsupported_isolation(&ContainerInfo { linux_info: Some(linux), ..ContainerInfo::default() })
    }

    fn command(value: &str) -> CommandInfo {
        CommandInfo { value: Some(value.to_owned()), ..CommandInfo::default() }
    }

    #[test]
    fn a_shell_command_is_one_argument_of_sh() {
        let arguments = ["sh", "-c", "echo 'a  b'"].map(str::to_owned).to_vec();
        for shell in [SHELL_IN_PATH, SYSTEM_SHELL] {
            assert_eq!(program(&command("echo 'a  b'"), shell), Ok((PathBuf::from(shell), arguments.clone())));
        }
    }

    #[test]
    fn without_a_shell_the_first_argument_is_the_zeroth() {
        let arguments = vec!["renamed".to_owned(), "1".to_owned()];
        let given = CommandInfo { shell: Some(false), arguments: arguments.clone(), ..command("sleep") };
        assert_eq!(program(&given, SYSTEM_SHELL), Ok((PathBuf::from("sleep"), arguments)));
        let alone = CommandInfo { shell: Some(false), ..command("cat") };
        assert_eq!(
            program(&alone, SYSTEM_SHELL),
            Ok((PathBuf::from("cat"), vec!["cat".to_owned()])),
            "it is told its own name"
        );
    }

    #[test]
    fn what_cannot_run_says_why() {
        assert_eq!(program(&CommandInfo::default(), SYSTEM_SHELL), Err(CommandError::NoValue));
        assert_eq!(program(&command("a\0b"), SYSTEM_SHELL), Err(CommandError::Nul));
    }

    #[test]
    fn variables_are_those_an_environment_can_hold_and_no_secrets() {
        let variable = |name: &str, value: Option<&str>| Variable {
            name: name.to_owned(),
            value: value.map(str::to_owned),
            ..Variable::default()
        };
        let usable = [variable("A", Some("a=b")), variable("EMPTY", None)];
        let unusable = [variable("BAD=", Some("x")), variable("", Some("x")), variable("C", Some("a\0"))];
        let mut given = Environment { variables: usable.into_iter().chain(unusable).collect() };
        let expected = [("A", "a=b"), ("EMPTY", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables(Some(&given)), Ok(expected.into()));
        given.variables.push(Variable { r#type: Some(Type::Secret.into()), ..variable("KEY", None) });
        assert_eq!(variables(Some(&given)), Err(CommandError::Secret("KEY".to_owned())));
        assert_eq!(plain_variables(Some(&given)).len(), 2);
        for name in ["A=B", "", "N\0"] {
            // What an environment would make of it is the value of another variable, that is no secret.
            given.variables.push(Variable { r#type: Some(Type::Secret.into()), ..variable(name, None) });
        }
        assert_eq!(secret_variables(Some(&given)).map(|variable| variable.name.as_str()).collect::<Vec<_>>(), ["KEY"]);
    }

    #[test]
    fn isolation_that_would_not_be_there_has_a_name_and_none_has_not() {
        let capabilities = Some(CapabilityInfo::default());
        let effective = LinuxInfo { effective_capabilities: capabilities, ..LinuxInfo::default() };
        assert_eq!(linux(effective), Some("Capabilities in 'linux_info'"));
        let seccomp = |profile: Option<&str>| SeccompInfo {
            profile_name: profile.map(str::to_owned),
            unconfined: Some(profile.is_none()),
        };
        let with = |seccomp| LinuxInfo { seccomp: Some(seccomp), ..LinuxInfo::default() };
        assert!(linux(with(seccomp(Some("strict")))).is_some() && linux(with(seccomp(None))).is_none());
        let ipc = |mode: IpcMode| LinuxInfo { ipc_mode: Some(mode.into()), ..LinuxInfo::default() };
        assert!(linux(ipc(IpcMode::Private)).is_some() && linux(ipc(IpcMode::ShareParent)).is_none());
    }
}
