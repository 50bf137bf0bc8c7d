//! `cygnet completion`: what a shell has to know to complete our commands.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
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
    clap_complete::generate(completion.shell, &mut crate::cli::Cli::command(), "cygnet", &mut script);
    crate::output::raw(&script);
    ExitCode::SUCCESS
}
