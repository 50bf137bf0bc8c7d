//! The results of a run: lines for people, pictures, tables for programs.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::bars::{self, Bar};
use super::chart::{self, Panel};
use super::control::ControlPlane;
use super::options::Options;
use super::prober::Comparison;
use super::run::Findings;
use super::step::ROLES;
use super::table;
use crate::picture;

/// A run and what came out.
pub(crate) struct Outcome {
    pub(crate) options: Options,
    pub(crate) findings: Findings,
    /// The same with a process of curl for each check.
    pub(crate) curl: Option<Findings>,
    pub(crate) bars: Vec<Bar>,
}

impl Outcome {
    pub(crate) fn new(options: &Options, findings: Findings, curl: Option<Findings>) -> Outcome {
        let bars = bars::judge(&options.by_the_engine(), &findings);
        Outcome { options: options.clone(), findings, curl, bars }
    }

    pub(crate) fn all_hold(&self) -> bool {
        self.bars.iter().all(|bar| bar.holds)
    }

    fn comparison(&self) -> Option<Comparison> {
        Comparison::of(&self.findings, self.curl.as_ref()?)
    }

    /// The rest of the results: how it ended, the trials with simulated agents, and the bars.
    pub(crate) fn lines(&self) -> Vec<String> {
        let broken =
            |who: &str, findings: &Findings| findings.broken.as_ref().map(|why| format!("{who} ended early: {why}"));
        let early = [broken("the run", &self.findings), self.curl.as_ref().and_then(|curl| broken("curl", curl))];
        let control = control_lines(&self.findings.control);
        let compared = self.comparison().map(|comparison| comparison.line());
        let bars = self.bars.iter().map(Bar::line);
        early.into_iter().flatten().chain(control).chain(compared).chain(bars).collect()
    }

    /// Files in this directory: pictures, and the numbers behind them.
    pub(crate) fn keep(&self, machine: &str, directory: &Path) -> anyhow::Result<()> {
        let name = self.options.name();
        let file = |ending: &str| directory.join(format!("{name}{ending}"));
        std::fs::write(file(".csv"), table::steps_csv(&self.findings.steps))?;
        std::fs::write(file("-polls.csv"), table::polls_csv(&self.findings.polls))?;
        std::fs::write(file(".json"), serde_json::to_string_pretty(&self.json(machine))?)?;
        if let Some(curl) = &self.curl {
            std::fs::write(file("-by-curl.csv"), table::steps_csv(&curl.steps))?;
        }
        picture::keep(&self.draw(machine), directory, &name)?;
        println!("in {}: {name}.csv, {name}-polls.csv, {name}.json, {name}.svg, {name}.png", directory.display());
        Ok(())
    }

    fn draw(&self, machine: &str) -> String {
        let compared = self.comparison().map(|comparison| comparison.line());
        let below: Vec<&str> = std::iter::once(machine).chain(compared.as_deref()).collect();
        match &self.curl {
            None => chart::draw(&self.options.title(), &below, &[Panel { name: "", polls: &self.findings.polls }]),
            Some(curl) => {
                let engine = Panel { name: "the engine", polls: &self.findings.polls };
                let curl = Panel { name: "a process of curl for each check", polls: &curl.polls };
                chart::draw(&self.options.title(), &below, &[engine, curl])
            }
        }
    }

    /// For programs.
    pub(crate) fn json(&self, machine: &str) -> Value {
        let bar = |bar: &Bar| json!({"what": bar.what, "wanted": bar.wanted, "found": bar.found, "holds": bar.holds});
        let comparison = self.comparison().map(|found| {
            json!({"tasks": found.tasks, "engine_us": found.engine_us, "curl_us": found.curl_us, "ratio": found.ratio()})
        });
        json!({
            "run": self.options.name(), "title": self.options.title(), "machine": machine,
            "ended_early": self.findings.broken, "tasks": self.findings.carried(),
            "control_plane": control_json(&self.findings.control), "prober": comparison,
            "bars": self.bars.iter().map(bar).collect::<Vec<_>>(),
        })
    }

    /// For the documentation: a heading, the steps, the lines.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n{}", self.options.title(), table::markdown(&self.findings.steps));
        if let Some(curl) = &self.curl {
            text += &format!("\nBy a process of curl for each check:\n\n{}", table::markdown(&curl.steps));
        }
        let lines = self.lines();
        text + "\n" + &lines.iter().map(|line| format!("* {line}\n")).collect::<String>() + "\n"
    }
}

fn control_lines(control: &ControlPlane) -> Vec<String> {
    let percent = |cpu: &[f64; 4]| format!("scheduler {:.1} %, master {:.1} %", cpu[0] * 100.0, cpu[1] * 100.0);
    let memory = control.memory.map(|memory| {
        let (resident, definition) = (memory.resident_per_task, memory.definition);
        format!("memory of the master: {resident:.0} bytes a task, of which its definition is {definition:.0}")
    });
    let steady = control.steady.map(|steady| {
        let (rate, updates) = (steady.flips_per_s, steady.updates_per_s);
        format!("{rate} flips a second ({updates:.0} updates): CPU of {}", percent(&steady.cpu))
    });
    let burst = control.burst.map(|burst| {
        let each = |(role, cpu): (&&str, Duration)| {
            let us = cpu.as_secs_f64() * 1e6 / f64::from(burst.flips.max(1));
            format!("{role} {:.2} s ({us:.0} us each)", cpu.as_secs_f64())
        };
        let each: Vec<String> = ROLES.iter().zip(burst.cpu).take(2).map(each).collect();
        let (flips, seen) = (burst.flips, burst.seen.as_secs_f64());
        format!("{flips} flips at once: all seen after {seen:.2} s; CPU of {}", each.join(", "))
    });
    let over = control.fail_over.map(|over| {
        let (known, missed) = (over.known.as_secs_f64(), over.missed);
        format!(
            "scheduler killed with SIGKILL and started again: all known after {known:.2} s, {missed} missed flips too"
        )
    });
    [memory, steady, burst, over].into_iter().flatten().collect()
}

fn control_json(control: &ControlPlane) -> Value {
    json!({
        "memory": control.memory.map(|found| json!({
            "resident_bytes_per_task": found.resident_per_task, "definition_bytes_per_task": found.definition})),
        "steady": control.steady.map(|found| json!({
            "flips_per_s": found.flips_per_s, "cpu": found.cpu, "updates_per_s": found.updates_per_s})),
        "burst": control.burst.map(|found| json!({
            "flips": found.flips, "seen_s": found.seen.as_secs_f64(), "cpu_s": found.cpu.map(|cpu| cpu.as_secs_f64())})),
        "fail_over": control.fail_over.map(|found| json!({
            "missed_flips": found.missed, "known_s": found.known.as_secs_f64()})),
    })
}
