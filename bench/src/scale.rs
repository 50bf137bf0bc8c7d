//! The experiment of 2017 again: health-checked tasks are added until something breaks.
//!
//! [`options`] says what was asked for, [`cluster`] is the processes it is asked of, [`app`] what is scaled. [`run`] goes
//! step by step: [`poll`] is one look at all tasks, [`step`] what a number of tasks costs ([`usage`], [`punctuality`]),
//! [`verdicts`] counts what must not happen. [`table`] and [`chart`] are what is left. Build with `--release`.

mod app;
mod chart;
mod cluster;
mod http;
mod interrupt;
mod options;
mod poll;
mod processes;
mod punctuality;
mod run;
mod step;
mod table;
mod usage;
mod verdicts;

use std::path::Path;
use std::process::ExitCode;

pub(crate) use options::Options;

use crate::machine::Machine;
use crate::picture;
use cluster::Cluster;
use run::Findings;

pub(crate) const USAGE: &str = "bench scale [--check http|tcp|mesos-http|mesos-tcp|command] [--up-to N] [--step N] \
                                [--hold SECONDS] [--timeout SECONDS] [--prober curl] [--netns] [--quick]";

/// Scales up, and keeps what was found in this directory.
pub(crate) fn scale(options: &Options, directory: &Path) -> anyhow::Result<ExitCode> {
    processes::reap()?;
    interrupt::listen()?;
    let machine = machine();
    println!("{}\n{machine}\n\n{}", options.title(), table::header());
    let cluster = Cluster::start(directory)?;
    let findings = run::run(options, &cluster);
    eprintln!("stopping");
    cluster.stop();
    let findings = findings?;
    keep(options, &machine, &findings, directory)?;
    let Some(broken) = &findings.broken else { return Ok(ExitCode::SUCCESS) };
    println!("\nended early: {broken}");
    Ok(ExitCode::FAILURE)
}

fn machine() -> String {
    let Machine { date, cores, processor, kernel, optimised, .. } = Machine::this(0, None);
    let debug = if optimised { "" } else { "; NOT OPTIMISED: build with --release" };
    format!("{date}, everything on {cores} cores ({processor}), Linux {kernel}{debug}")
}

/// As files: a picture, and the numbers behind it.
fn keep(options: &Options, machine: &str, findings: &Findings, directory: &Path) -> anyhow::Result<()> {
    let file = |ending: &str| directory.join(format!("{}{ending}", options.name()));
    let chart = chart::draw(&options.title(), machine, &findings.polls);
    std::fs::write(file(".csv"), table::steps_csv(&findings.steps))?;
    std::fs::write(file("-polls.csv"), table::polls_csv(&findings.polls))?;
    std::fs::write(file(".svg"), &chart)?;
    if let Err(error) = picture::write(&chart, &file(".png")) {
        let _there_was_none = std::fs::remove_file(file(".png"));
        eprintln!("no {}: {error:#}", file(".png").display());
    }
    println!(
        "\nin {}: {name}.csv, {name}-polls.csv, {name}.svg, {name}.png",
        directory.display(),
        name = options.name()
    );
    Ok(())
}
