//! Experiments: what something costs beside its baselines, measured in one run.
//!
//! `bench checks` is about health checks: [`rows`] has what is measured and the bars that must hold, [`sides`] who is
//! measured, [`targets`] what is checked, [`experiment`] takes turns, [`report`] says what came out. Build with
//! `--release`.

mod arguments;
mod bar;
mod clock;
mod cpu;
mod engine;
mod experiment;
mod findings;
mod load;
mod measured;
mod networks;
mod progress;
mod report;
mod rows;
mod sides;
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use arguments::{Command, Options};
use experiment::Plan;

const USAGE: &str = "usage: bench checks [--quick] [--soak] [--json] [--only ROW]...";

fn main() -> anyhow::Result<ExitCode> {
    match arguments::parse(std::env::args().skip(1)) {
        Some(Command::Checks(options)) => checks(&options),
        Some(Command::Targets(size)) => targets::serve(size).map(|()| ExitCode::SUCCESS),
        Some(Command::Engine(load, time)) => print(&engine::carry_out(&load, time)?),
        Some(Command::Idle(load)) => print(&engine::hold(&load)?),
        None => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

fn print(measured: &measured::Measured) -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string(measured)?);
    Ok(ExitCode::SUCCESS)
}

fn checks(options: &Options) -> anyhow::Result<ExitCode> {
    let plan = Plan::of(options)?;
    let directory = directory()?;
    let findings = experiment::run(&plan, &directory, |_, finding| {
        if !options.json {
            println!("{}", report::block(finding));
        }
    })?;
    if !options.json {
        println!("{}", report::summary(&findings));
    }
    Ok(if options.quick || report::all_hold(&findings) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `target/bench`, beside the directory of this program.
fn directory() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("this program is nowhere")?;
    let directory = target.join("bench");
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}
