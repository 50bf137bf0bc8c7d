//! `cygnet completion`: what a shell has to know to complete our commands. The script it sources asks this program, which
//! knows its commands, and of a scheduler the ids ([`ids`]).

mod ids;

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_complete::env::{CompleteEnv, Shells};

/// Set by the script, to the name of the shell, when it asks.
const VARIABLE: &str = "_CYGNET_COMPLETE";

const NAME: &str = "cygnet";

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(completion: &Completion) -> anyhow::Result<ExitCode> {
    let (mut script, shells) = (Vec::new(), Shells::builtins());
    if let Some(shell) = shells.completer(&completion.shell.to_string()) {
        shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script)?;
    }
    crate::output::raw(&script);
    Ok(ExitCode::SUCCESS)
}

/// Answers a shell that asks what may come next, and ends; without one nothing happens.
pub(crate) fn answer(whole: fn() -> Command) {
    CompleteEnv::with_factory(|| ids::known(visible(&whole()))).var(VARIABLE).complete();
}

/// The command line without its hidden parts.
fn visible(whole: &Command) -> Command {
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new(NAME).version(env!("CARGO_PKG_VERSION")).args(whole.get_arguments()).subcommands(shown)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn hidden_commands_are_not_offered() {
        let command = visible(&crate::cli::Cli::command());
        let names: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
        assert!(names.contains(&"dev") && names.contains(&"completion"), "{names:?}");
        assert!(!names.contains(&"demo") && !names.contains(&"shim"), "{names:?}");
    }
}
