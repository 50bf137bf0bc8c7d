//! Experiments: what something costs beside its baseline, measured in one run.
//!
//! `bench checks [--quick] [--json]` is about the CPU of a health check. Build with `--release`.

mod arguments;
mod checks_experiment;
mod clock;
mod cpu;
mod curl;
mod engine;
mod report;
mod targets;

use std::process::ExitCode;

use arguments::{Command, Options};

const USAGE: &str = "usage: bench checks [--quick] [--json]";

fn main() -> anyhow::Result<ExitCode> {
    match arguments::parse(std::env::args().skip(1)) {
        Some(Command::Checks(options)) => checks(options),
        Some(Command::Targets(count)) => targets::serve(count).map(|()| ExitCode::SUCCESS),
        None => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

fn checks(options: Options) -> anyhow::Result<ExitCode> {
    let result = checks_experiment::run(options.plan())?;
    let text = if options.json { report::json(&result) } else { report::table(&result) };
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}
