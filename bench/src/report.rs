//! Findings as a table for people, or as JSON.

use crate::checks_experiment::{Findings, Side};

pub(crate) fn table(findings: &Findings) -> String {
    let plan = &findings.plan;
    let mut lines = vec![
        format!(
            "CPU of an HTTP check: {} targets at {:?}, {} rounds of {:?} on each side, in turns",
            plan.targets, plan.interval, plan.rounds, plan.round
        ),
        String::new(),
        format!("{:<36}{:>10}{:>14}{:>20}", "", "checks", "us, median", "us, least to most"),
        row("engine, with reading its events", &findings.engine),
        row("  of that its thread", &findings.thread),
    ];
    lines.extend(findings.curl.iter().map(|curl| row("a process of curl per check", curl)));
    lines.extend([String::new(), conclusion(findings)]);
    if cfg!(debug_assertions) {
        lines.push("Compiled without optimisation: build with --release for figures to compare.".to_owned());
    }
    lines.join("\n")
}

fn row(name: &str, side: &Side) -> String {
    let (least, most) = side.range();
    format!("{name:<36}{:>10}{:>14.1}{:>20}", side.checks, side.median(), format!("{least:.1} to {most:.1}"))
}

fn conclusion(findings: &Findings) -> String {
    match ratio(findings) {
        Some(ratio) => format!("One check by curl costs as much as {ratio:.0} by the engine."),
        None => "curl is not installed: nothing to compare with.".to_owned(),
    }
}

fn ratio(findings: &Findings) -> Option<f64> {
    Some(findings.curl.as_ref()?.median() / findings.engine.median())
}

pub(crate) fn json(findings: &Findings) -> String {
    let plan = &findings.plan;
    let or_null = |text: Option<String>| text.unwrap_or_else(|| "null".to_owned());
    format!(
        concat!(
            r#"{{"experiment":"checks","optimised":{},"targets":{},"interval_ms":{},"rounds":{},"round_ms":{},"#,
            r#""engine":{},"engine_thread":{},"curl":{},"ratio":{}}}"#
        ),
        !cfg!(debug_assertions),
        plan.targets,
        plan.interval.as_millis(),
        plan.rounds,
        plan.round.as_millis(),
        side(&findings.engine),
        side(&findings.thread),
        or_null(findings.curl.as_ref().map(side)),
        or_null(ratio(findings).map(|ratio| format!("{ratio:.1}"))),
    )
}

fn side(side: &Side) -> String {
    let (least, most) = side.range();
    let median = side.median();
    format!(r#"{{"checks":{},"us":{{"median":{median:.2},"least":{least:.2},"most":{most:.2}}}}}"#, side.checks)
}
