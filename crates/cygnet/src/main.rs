//! `cygnet`: one binary for everything.
//!
//! `shim`, which has to be small because one runs for every task, and `unpack`, which is locked into a layer of an image,
//! are dispatched before the command line is parsed or a runtime set up. All else is a subcommand in [`cli`], carried out
//! by a file of [`command`]; those that talk to a server do so through [`api`]. [`demo`] is what the examples run.

mod api;
mod cli;
mod command;
mod demo;
mod log;
mod nearest;
mod output;
mod paths;
mod screen;
mod server;
mod signals;

use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::Cli;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next().unwrap_or_default();
    if first == "shim"
        && let Some(directory) = arguments.next()
    {
        return processes::shim::main(Path::new(&directory));
    }
    if first == "unpack" {
        let numbers: Vec<String> = arguments.map(|number| number.to_string_lossy().into_owned()).collect();
        return containers::unpack::main(&numbers);
    }
    command::completion::answer(Cli::command);
    match cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            output::complaint(format!("cygnet: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
