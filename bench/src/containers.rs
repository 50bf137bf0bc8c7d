//! `bench containers`: what containers cost, each row beside its baseline in the same run, in turns: [`finding`] has what
//! comes of a row, [`ground`] what this machine has, [`report`] the words; every other module is a row or two.
//!
//! Everything happens in a network namespace of its own, so that neither Docker nor a bridge changes the machine's.

mod checks;
mod commands;
mod finding;
mod ground;
mod many;
mod networks;
mod pull;
mod report;
mod start;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use harness::machine::on_a_machine;

use crate::machine::Machine;
use crate::selection::Selection;
use finding::Finding;
use ground::Ground;

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Fewer rounds of less, in two minutes
    #[arg(long)]
    pub(crate) quick: bool,
    /// JSON on standard output instead of the table
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) rows: Selection,
}

/// The measuring of a row.
type Measure = fn(&Ground, bool) -> anyhow::Result<Finding>;

const ROWS: [(&str, Measure); 8] = [
    ("start", start::measure),
    ("thousand", many::measure),
    ("http", checks::http),
    ("tcp", checks::tcp),
    ("listen", checks::listen),
    ("command", commands::measure),
    ("pull", pull::measure),
    ("network", networks::measure),
];

/// Files go to `directory`.
pub(crate) fn run(options: &Options, directory: &Path) -> anyhow::Result<ExitCode> {
    options.rows.check(ROWS.iter().map(|(name, _)| *name))?;
    let machine = Machine::this(0, None);
    let findings = on_a_machine(|| measure(options, directory)).context("containers need root, ip and unshare")??;
    let document = serde_json::to_string_pretty(&report::document(&machine, &findings))?;
    std::fs::write(directory.join("containers.json"), &document)?;
    match options.json {
        true => println!("{document}"),
        false => println!("{}\n\nin {}: containers.json", report::summary(&findings), directory.display()),
    }
    let hold = findings.iter().all(|finding| finding.holds(options.quick));
    Ok(if hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(options: &Options, directory: &Path) -> anyhow::Result<Vec<Finding>> {
    let ground = Ground::prepare(directory)?;
    let wanted = |name: &str| options.rows.is_open() || options.rows.names(name);
    let mut findings = Vec::new();
    for (name, measure) in ROWS.iter().filter(|(name, _)| wanted(name)) {
        eprintln!("{name} ...");
        let finding = measure(&ground, options.quick).with_context(|| format!("row '{name}'"))?;
        if !options.json {
            println!("{}", report::block(&finding));
        }
        findings.push(finding);
    }
    Ok(findings)
}
