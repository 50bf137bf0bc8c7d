//! Findings for people and for programs. Pure.

use serde_json::{Value, json};

use super::finding::{Finding, Judged, Rounds, Standing};
use crate::machine::Machine;

/// A row: who did what, then its bars.
pub(crate) fn block(finding: &Finding) -> String {
    let mut lines = vec![format!("{}  ({})", finding.title, finding.name)];
    lines.extend(finding.sides.iter().map(side));
    lines.extend(finding.lacking.iter().map(|side| format!("  {:<28} skipped: {}", side.side, side.reason)));
    lines.extend(finding.bars.iter().map(|bar| {
        format!("    {:<44} {:>10}   {}", bar.wanted, bar.found.as_deref().unwrap_or("not measured"), word(bar))
    }));
    lines.join("\n") + "\n"
}

fn side(rounds: &Rounds) -> String {
    let cpu = rounds.median(|cost| Some(cost.cpu_us)).unwrap_or(f64::NAN);
    let mut line = format!("  {:<28} {:>10.3} ms of CPU", rounds.side, cpu / 1000.0);
    if let Some(seconds) = rounds.median(|cost| cost.seconds) {
        line += &format!(", {:>9.2} ms", seconds * 1000.0);
    }
    line
}

fn word(bar: &Judged) -> &'static str {
    match bar.standing {
        Standing::NotMeasured => "skipped",
        Standing::Holds => "holds",
        Standing::Broken => "DOES NOT HOLD",
    }
}

/// The number of bars that hold, and the others by name.
pub(crate) fn summary(findings: &[Finding]) -> String {
    let those = |standing: Standing| {
        let all = findings.iter().flat_map(|finding| finding.bars.iter().map(move |bar| (finding.name, bar)));
        let those = all.filter(move |(_, bar)| bar.standing == standing);
        those.map(|(row, bar)| format!("\n  {row}: {}", bar.wanted)).collect::<Vec<_>>()
    };
    let (hold, broken, skipped) = (those(Standing::Holds), those(Standing::Broken), those(Standing::NotMeasured));
    let list = |words: &str, bars: &[String]| format!("bars that {words}: {}{}", bars.len(), bars.concat());
    let hold = format!("bars that hold: {}", hold.len());
    [hold, list("do not hold", &broken), list("were skipped", &skipped)].join("\n")
}

pub(crate) fn document(machine: &Machine, findings: &[Finding]) -> Value {
    json!({ "experiment": "containers", "machine": machine, "rows": findings })
}
