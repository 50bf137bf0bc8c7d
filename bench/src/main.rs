//! Experiments: what something costs beside its baselines, measured in one run.
//!
//! `bench checks` is about health checks: [`rows`] has what is measured and the bars that must hold, [`sides`] who is
//! measured, [`targets`] what is checked, [`experiment`] takes turns, [`report`] says what came out. Build with
//! `--release`.
//!
//! `bench scale` is about how many tasks a cluster carries: [`scale`]; `bench containers` about containers:
//! [`containers`].

mod arguments;
mod bar;
mod canvas;
mod chart;
mod clock;
mod containers;
mod cpu;
mod engine;
mod experiment;
mod findings;
mod hostile;
mod json;
mod judged;
mod load;
mod machine;
mod measured;
mod networks;
mod picture;
mod progress;
mod report;
mod rows;
mod scale;
mod selection;
mod sides;
mod targets;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use arguments::{Command, Options};
use experiment::Plan;
use findings::Finding;
use machine::Machine;
use sides::Ground;

fn main() -> anyhow::Result<ExitCode> {
    match arguments::parse(std::env::args()).unwrap_or_else(|error| error.exit()) {
        Command::Checks(options) => checks(&options),
        Command::Containers(options) => containers::run(&options, &directory()?),
        Command::Scale(command) => scale::scale(&command, &directory()?),
        Command::Targets(size) => targets::serve(size).map(|()| ExitCode::SUCCESS),
        Command::TargetsIn { listeners_in_each, namespaces } => {
            targets::serve_in(&namespaces, listeners_in_each).map(|()| ExitCode::SUCCESS)
        }
        Command::TargetGrid(grid) => targets::serve_grid(grid).map(|()| ExitCode::SUCCESS),
        Command::Hostile => hostile::serve().map(|()| ExitCode::SUCCESS),
        Command::Engine { load, time } if time.counted.is_zero() => print(&engine::hold(&load)?),
        Command::Engine { load, time } => print(&engine::carry_out(&load, time)?),
    }
}

fn print(measured: &measured::Measured) -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string(measured)?);
    Ok(ExitCode::SUCCESS)
}

fn checks(options: &Options) -> anyhow::Result<ExitCode> {
    let (plan, directory) = (Plan::of(options)?, directory()?);
    let show = |text: &dyn Fn() -> String| {
        if !options.json {
            println!("{}", text());
        }
    };
    let ground = Ground::prepare(plan.size, &directory)?;
    let machine = Machine::this(ground.namespaces(), ground.haproxy());
    show(&|| machine.line() + "\n");
    let findings = experiment::run(&plan, &ground, |finding| show(&|| report::block(finding)))?;
    show(&|| report::summary(&findings));
    keep(&directory, &machine, &findings, options)?;
    Ok(if findings.iter().all(|finding| finding.holds(options.quick)) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// As files, for programs and for people.
fn keep(directory: &Path, machine: &Machine, findings: &[Finding], options: &Options) -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&json::document(machine, findings))?;
    std::fs::write(directory.join("checks.json"), &document)?;
    picture::keep(&chart::draw(machine, findings), directory, "checks")?;
    if options.json {
        println!("{document}");
    } else {
        println!("\nin {}: checks.json, checks.svg, checks.png", directory.display());
    }
    Ok(())
}

/// `target/bench`, beside the directory of this program.
fn directory() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("this program is nowhere")?;
    let directory = target.join("bench");
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}
