//! `cygnet completion`: what a shell has to know to complete our commands.

use std::process::ExitCode;

use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

/// Prints it.
pub(crate) fn run(completion: &Completion) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(completion.shell, &mut visible(&crate::cli::Cli::command()), "cygnet", &mut script);
    crate::output::raw(&script);
    ExitCode::SUCCESS
}

/// The command line without what nobody is to find.
fn visible(whole: &Command) -> Command {
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new("cygnet").version(env!("CARGO_PKG_VERSION")).args(whole.get_arguments()).subcommands(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_commands_are_not_offered() {
        let command = visible(&crate::cli::Cli::command());
        let names: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
        assert!(names.contains(&"dev") && names.contains(&"completion"), "{names:?}");
        assert!(!names.contains(&"demo") && !names.contains(&"shim"), "{names:?}");
    }
}
