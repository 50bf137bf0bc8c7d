//! The whole test suite. What passing tests print is left out, but for lines `SKIPPED <test>: <reason>`, by which a test
//! says that this machine lacks what it needs; they are counted and named at the end.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, ensure};

use crate::command::{cargo, cargo_command, show};

const SKIPPED: &str = "SKIPPED ";

/// Builds, tests, and sums up. `filters` are passed on to the test runner.
pub(crate) fn run(filters: &[&str]) -> anyhow::Result<()> {
    // The tests of the whole system start this binary; cargo does not build it for them.
    cargo(&["build", "--package", "cygnet"])?;
    let fixed = ["test", "--workspace", "--no-fail-fast", "--", "--show-output"];
    let mut command = cargo_command(fixed.iter().chain(filters));
    show(&command);
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let mut report = Report::default();
    for line in BufReader::new(child.stdout.take().context("cargo has no output")?).split(b'\n') {
        if let Some(line) = report.read(&String::from_utf8_lossy(&line?)) {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    println!("{}", report.summary());
    ensure!(status.success(), "tests failed");
    Ok(())
}

/// Reads what the test runner prints.
#[derive(Debug, Default)]
struct Report {
    /// Between `successes:` and what follows them.
    in_successes: bool,
    skipped: Vec<String>,
}

impl Report {
    /// One line; gives it back if it is to be shown.
    fn read<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        self.skipped.extend(line.strip_prefix(SKIPPED).map(str::to_owned));
        match line {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            line if line.starts_with("test result:") => self.in_successes = false,
            _ => {}
        }
        (!self.in_successes).then_some(line)
    }

    fn summary(&self) -> String {
        let lines = self.skipped.iter().map(|skipped| format!("\n  {skipped}"));
        format!("skipped: {}{}", self.skipped.len(), lines.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    const OUTPUT: &str = "running 3 tests
test a ... ok

successes:

---- a stdout ----
a word of a test
SKIPPED a: no network namespaces here


successes:
    a

failures:

---- b stdout ----
why

test result: FAILED. 1 passed; 1 failed";

    #[test]
    fn only_what_matters_is_shown() {
        let mut report = Report::default();
        let shown: Vec<_> = OUTPUT.lines().filter_map(|line| report.read(line)).collect();
        assert!(!shown.contains(&"a word of a test") && !shown.contains(&"    a"));
        for line in ["running 3 tests", "test a ... ok", "why", "test result: FAILED. 1 passed; 1 failed"] {
            assert!(shown.contains(&line), "{line}");
        }
    }

    #[test]
    fn skipped_tests_are_named() {
        let mut report = Report::default();
        for line in OUTPUT.lines() {
            report.read(line);
        }
        assert_eq!(report.summary(), "skipped: 1\n  a: no network namespaces here");
        assert_eq!(Report::default().summary(), "skipped: 0");
    }
}
