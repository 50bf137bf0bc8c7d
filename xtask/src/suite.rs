//! The whole test suite. What passing tests print is left out, but for lines `SKIPPED <test>: <reason>`, by which a test
//! says that this machine lacks what it needs; they are counted and named at the end.
//!
//! Thousands of tests start real processes on whatever machine there is, so a few that failed are run once more, alone:
//! the suite passes if they all pass then, and names them, because each is a test to mend. More than a few, or a test
//! program that ended without its results, fail at once.

mod report;

use std::io::{BufRead, BufReader};
use std::process::ExitStatus;

use anyhow::{Context, bail};

use crate::command::{cargo, cargo_command, show};
use report::{FailedTest, Report};

/// The most failures that may be an accident of the machine.
const SECOND_TRIES: usize = 5;

/// Builds, tests, and sums up. `filters` are passed on to the test runner.
pub(crate) fn run(filters: &[&str]) -> anyhow::Result<()> {
    // The tests of the whole system start this binary; cargo does not build it for them.
    cargo(&["build", "--package", "cygnet"])?;
    cargo(&["test", "--workspace", "--no-run"])?;
    let fixed = ["test", "--workspace", "--no-fail-fast", "--", "--show-output"];
    let mut report = Report::default();
    let status = run_tests(&[&fixed, filters].concat(), |line| {
        if let Some(line) = report.read(line) {
            println!("{line}");
        }
    })?;
    println!("{}", report.summary());
    if status.success() {
        return Ok(());
    }
    match report.failed() {
        Some(failed) if failed.len() <= SECOND_TRIES => try_again(failed),
        _ => bail!("tests failed"),
    }
}

/// Each of these tests alone.
fn try_again(failed: &[FailedTest]) -> anyhow::Result<()> {
    let mut again = Vec::new();
    for test in failed {
        let mut report = Report::default();
        let status = run_tests(&test.arguments(), |line| {
            report.read(line);
            println!("{line}");
        })?;
        if !status.success() || !report.has_passed() {
            again.push(test.name());
        }
    }
    println!("failed at first: {}{}", failed.len(), named(failed.iter().map(FailedTest::name)));
    if again.is_empty() {
        println!("each of them passed alone: mend the test, or what it found");
        return Ok(());
    }
    bail!("tests failed, alone, too: {}{}", again.len(), named(again.iter().copied()))
}

fn named<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("\n  {name}")).collect()
}

/// Runs cargo, and hands over what it and the tests print, line by line and in order.
fn run_tests(arguments: &[&str], mut each: impl FnMut(&str)) -> anyhow::Result<ExitStatus> {
    let mut command = cargo_command(arguments);
    show(&command);
    let (output, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().context("cannot run cargo")?;
    // The writing ends would keep the pipe open.
    drop(command);
    for line in BufReader::new(output).split(b'\n') {
        each(&String::from_utf8_lossy(&line?));
    }
    Ok(child.wait()?)
}
