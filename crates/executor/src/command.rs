//! The commands of checks, as the engine of checks runs them. Comes in: Mesos' words. Goes out: the engine's. Pure.

use checks::spec::Command;
use mesos::command::{CommandError, SHELL_IN_PATH, program};
use mesos::v1::CommandInfo;

/// The command of a check: a text for a shell, or a program with its arguments.
pub(crate) fn probe_of(command: &CommandInfo) -> Result<Command, CommandError> {
    if command.shell() {
        return Ok(Command::Shell(command.value().to_owned()));
    }
    let (path, argv) = program(command, SHELL_IN_PATH)?;
    Ok(Command::Exec { path: path.display().to_string(), argv })
}
