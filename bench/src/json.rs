//! Findings for programs. Pure.

use serde_json::{Value, json};

use crate::findings::{Finding, Rounds};
use crate::judged::Judged;
use crate::machine::Machine;
use crate::rows::Kind;

pub(crate) fn document(machine: &Machine, findings: &[Finding]) -> Value {
    let rows: Vec<Value> = findings.iter().map(row).collect();
    json!({ "experiment": "checks", "machine": machine, "rows": rows })
}

fn row(finding: &Finding) -> Value {
    let load = &finding.row.load;
    let skipped = finding.skipped.iter().map(|(side, reason)| json!({ "side": side.as_str(), "reason": reason }));
    json!({
        "name": finding.row.name,
        "title": finding.row.title,
        "ask": load.ask.as_str(),
        "checks": load.checks,
        "interval_ms": load.interval.as_millis() as u64,
        "resident_mib": load.resident,
        "time_wait": finding.time_wait,
        "sides": finding.sides.iter().map(|rounds| side(finding, rounds)).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "bars": bars(finding),
    })
}

fn side(finding: &Finding, rounds: &Rounds) -> Value {
    let worked = finding.row.kind == Kind::Work;
    let (least, most) = rounds.range();
    let us = json!({ "median": rounds.median(|round| round.us_per_check()), "least": least, "most": most });
    json!({
        "side": rounds.side.as_str(),
        "us_per_check": worked.then_some(us),
        "engine_is": finding.ratio(rounds.side).filter(|_| worked),
        "rounds": rounds.rounds,
    })
}

fn bars(finding: &Finding) -> Vec<Value> {
    let bar = |judged: Judged| {
        let holds = judged.measured.map(|value| judged.bar.admits(value));
        json!({ "wanted": judged.bar.wanted(), "measured": judged.measured, "holds": holds })
    };
    finding.judged().map(bar).collect()
}
