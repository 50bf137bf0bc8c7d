//! The experiment of 2017 again: health-checked tasks are added until something breaks.
//!
//! [`options`] says what was asked for, [`series`] what `--all` is; [`cluster`] is the processes it is asked of, [`app`]
//! what is scaled. [`run`] goes step by step: [`poll`] is one look at all tasks, [`step`] what a number of tasks costs
//! ([`usage`], [`punctuality`]), [`verdicts`] counts what must not happen, [`control`] is what simulated agents are tried
//! with. [`bars`] says what must hold, [`prober`] compares; [`outcome`], [`table`] and [`chart`] are what is left. Build
//! with `--release`.

mod app;
mod bars;
mod chart;
mod cluster;
mod control;
mod http;
mod interrupt;
mod options;
mod outcome;
mod poll;
mod prober;
mod processes;
mod punctuality;
mod run;
mod series;
mod step;
mod table;
mod usage;
mod verdicts;

use std::path::Path;
use std::process::ExitCode;

pub(crate) use options::Command;

use crate::machine::Machine;
use cluster::Cluster;
use options::Options;
use outcome::Outcome;
use run::Findings;

/// Scales up, and keeps what was found in this directory.
pub(crate) fn scale(command: &Command, directory: &Path) -> anyhow::Result<ExitCode> {
    processes::reap()?;
    interrupt::listen()?;
    let hold = match command.all {
        true => all(command.quick, directory)?,
        false => one(&command.options, &machine(), directory)?.all_hold(),
    };
    Ok(if hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn one(options: &Options, machine: &str, directory: &Path) -> anyhow::Result<Outcome> {
    println!("{}\n{machine}\n\n{}", options.title(), table::header());
    let findings = experiment(&options.by_the_engine(), directory)?;
    let curl = if options.curl && !interrupt::asked() {
        println!("a process of curl for each check:");
        Some(experiment(options, directory)?)
    } else {
        None
    };
    let outcome = Outcome::new(options, findings, curl);
    println!("\n{}", outcome.lines().join("\n"));
    outcome.keep(machine, directory)?;
    Ok(outcome)
}

fn experiment(options: &Options, directory: &Path) -> anyhow::Result<Findings> {
    let mut cluster = Cluster::start(options, directory)?;
    let findings = run::run(options, &mut cluster);
    eprintln!("stopping");
    cluster.stop();
    findings
}

/// True if all bars hold, of all that were run before an interrupt.
fn all(quick: bool, directory: &Path) -> anyhow::Result<bool> {
    let (machine, runs) = (machine(), series::all(quick)?);
    let mut outcomes = Vec::new();
    for (number, options) in runs.iter().enumerate() {
        println!("\n== run {} of {}", number + 1, runs.len());
        outcomes.push(one(options, &machine, directory)?);
        summarise(&outcomes, &machine, directory)?;
        if interrupt::asked() {
            break;
        }
    }
    let bars = outcomes.iter().flat_map(|outcome| &outcome.bars);
    println!("\n{}", bars.map(bars::Bar::line).collect::<Vec<_>>().join("\n"));
    println!("\nin {}: scale.json, scale.md", directory.display());
    Ok(outcomes.len() == runs.len() && outcomes.iter().all(Outcome::all_hold))
}

/// All runs in one file, for programs and for the documentation.
fn summarise(outcomes: &[Outcome], machine: &str, directory: &Path) -> anyhow::Result<()> {
    let json: Vec<_> = outcomes.iter().map(|outcome| outcome.json(machine)).collect();
    std::fs::write(directory.join("scale.json"), serde_json::to_string_pretty(&json)?)?;
    let text: String = outcomes.iter().map(Outcome::markdown).collect();
    Ok(std::fs::write(directory.join("scale.md"), format!("{machine}\n\n{text}"))?)
}

fn machine() -> String {
    let Machine { date, cores, processor, kernel, optimised, .. } = Machine::this(0, None);
    let debug = if optimised { "" } else { "; NOT OPTIMISED: build with --release" };
    format!("{date}, everything on {cores} cores ({processor}), Linux {kernel}{debug}")
}
