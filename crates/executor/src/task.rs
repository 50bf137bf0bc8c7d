//! From a task's definition to the command the shim runs. Pure but for the look through PATH.

use std::path::{Path, PathBuf};

use mesos::v1::environment::variable::Type;
use mesos::v1::{CommandInfo, Environment, TaskInfo};
use rustix::fs::{Access, access};

use crate::environment::Variables;

/// Why a task cannot be started; the texts end up in its TASK_FAILED.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrunnable {
    /// Whoever made the task gave it nothing to run.
    #[error("the task has no 'command' with a 'value'")]
    NoCommand,
    /// Whoever made the task names a program this machine does not have.
    #[error("there is no program '{0}' on this machine")]
    NoProgram(String),
    /// Whoever made the task names a user this machine does not have.
    #[error("there is no user '{0}' on this machine")]
    NoUser(String),
    /// A text holds the one byte the kernel cannot take.
    #[error("'{0}' contains a NUL byte")]
    Nul(&'static str),
}

/// A program with what it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file to execute.
    pub path: PathBuf,
    /// All arguments, the zeroth included.
    pub arguments: Vec<String>,
}

/// The program of a command, searched for as a shell with this environment would.
pub fn program(command: &CommandInfo, environment: &Variables, directory: &Path) -> Result<Program, Unrunnable> {
    let value = command.value.as_deref().filter(|value| !value.is_empty()).ok_or(Unrunnable::NoCommand)?;
    let (name, arguments) = if command.shell() {
        ("sh", vec!["sh".to_owned(), "-c".to_owned(), value.to_owned()])
    } else if command.arguments.is_empty() {
        (value, vec![value.to_owned()])
    } else {
        (value, command.arguments.clone())
    };
    if value.contains('\0') || arguments.iter().any(|argument| argument.contains('\0')) {
        return Err(Unrunnable::Nul("command"));
    }
    let path = find(name, environment, directory).ok_or_else(|| Unrunnable::NoProgram(name.to_owned()))?;
    Ok(Program { path, arguments })
}

/// What a task sees: what its executor sees, the role its resources are allocated to, and above all its own variables.
pub fn environment(inherited: &Variables, task: &TaskInfo) -> Variables {
    let mut environment = inherited.clone();
    let role = task.resources.iter().find_map(|resource| resource.allocation_info.as_ref()?.role.clone());
    environment.extend(role.map(|role| ("MESOS_ALLOCATION_ROLE".to_owned(), role)));
    let own = task.command.as_ref().and_then(|command| command.environment.as_ref());
    overlay(&mut environment, own);
    environment
}

/// Lays the variables of a command over others. Secrets are resolved by nobody here and count as empty.
pub fn overlay(environment: &mut Variables, own: Option<&Environment>) {
    for variable in own.into_iter().flat_map(|own| &own.variables) {
        let value = match variable.r#type() {
            Type::Value => variable.value.clone().unwrap_or_default(),
            Type::Secret | Type::Unknown => String::new(),
        };
        let usable = !variable.name.is_empty() && !variable.name.contains(['=', '\0']) && !value.contains('\0');
        if usable {
            environment.insert(variable.name.clone(), value);
        }
    }
}

fn find(name: &str, environment: &Variables, directory: &Path) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(directory.join(name)).filter(|path| path.exists());
    }
    let path = environment.get("PATH").map_or("/usr/bin:/bin", String::as_str);
    path.split(':').map(|entry| directory.join(entry).join(name)).find(|path| runs(path))
}

fn runs(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
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

    fn variables(list: &[(&str, &str)]) -> Variables {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_shell_command_is_one_argument_of_sh() {
        let program = program(&command("echo 'a  b'"), &Variables::new(), Path::new("/")).unwrap();
        assert_eq!(program.arguments, ["sh", "-c", "echo 'a  b'"]);
        assert!(program.path.ends_with("sh"));
    }

    #[test]
    fn without_a_shell_the_first_argument_is_the_zeroth() {
        let arguments = vec!["renamed".to_owned(), "1".to_owned()];
        let command = CommandInfo { shell: Some(false), arguments: arguments.clone(), ..command("sleep") };
        let program = program(&command, &variables(&[("PATH", "/nowhere:/bin:/usr/bin")]), Path::new("/")).unwrap();
        assert_eq!(program.arguments, arguments);
        assert!(program.path.ends_with("sleep"));
    }

    #[test]
    fn what_cannot_run_says_why() {
        let run = |command: CommandInfo| program(&command, &Variables::new(), Path::new("/")).unwrap_err();
        assert_eq!(run(CommandInfo::default()), Unrunnable::NoCommand);
        assert_eq!(run(command("a\0b")), Unrunnable::Nul("command"));
        let missing = CommandInfo { shell: Some(false), ..command("no-such-program") };
        assert_eq!(run(missing), Unrunnable::NoProgram("no-such-program".to_owned()));
    }

    #[test]
    fn the_tasks_own_variables_win() {
        let own = Environment { variables: vec![variable("A", "task"), variable("BAD=", "x"), variable("C", "a\0")] };
        let task = TaskInfo {
            command: Some(CommandInfo { environment: Some(own), ..CommandInfo::default() }),
            ..TaskInfo::default()
        };
        let environment = environment(&variables(&[("A", "executor"), ("B", "executor")]), &task);
        assert_eq!(environment, variables(&[("A", "task"), ("B", "executor")]));
    }
}
