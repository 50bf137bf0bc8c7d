//! Findings for people: a block for each row, and what remains to be said at the end. Pure.

use crate::findings::{Finding, Rounds};
use crate::judged::{Judged, Standing};
use crate::measured::{Late, Measured};
use crate::rows::Kind;
use crate::sides::Side;

/// A row: who did what, then its bars.
pub(crate) fn block(finding: &Finding) -> String {
    let mut lines = vec![format!("{}  ({})", finding.row.title, finding.row.name)];
    if finding.row.kind == Kind::Work {
        lines.extend(finding.sides.iter().map(|rounds| side(finding, rounds)));
    }
    lines.extend(finding.skipped.iter().map(|(side, reason)| format!("  {:<22} skipped: {reason}", side.as_str())));
    lines.extend(
        finding
            .judged()
            .map(|judged| format!("    {:<34} {:>16}   {}", judged.bar.wanted(), judged.found(), judged.word())),
    );
    lines.join("\n") + "\n"
}

fn side(finding: &Finding, rounds: &Rounds) -> String {
    let mut line = format!("  {:<22} {}", rounds.side.as_str(), price(finding, rounds));
    line += &format!("  {:.0}/s", rounds.median(|round| round.rate()));
    let failures: u64 = rounds.rounds.iter().map(|round| round.failures).sum();
    if failures > 0 {
        line += &format!("  {failures} FAILED");
    }
    if let Some(thread) = thread(rounds).filter(|_| finding.row.load.neighbours.is_none()) {
        line += &format!("  its thread {thread:.1}");
    }
    if let Some(ratio) = finding.ratio(rounds.side).filter(|_| rounds.side != Side::Engine) {
        let ratio = if ratio < 0.1 { format!("{:.0} times less", 1.0 / ratio) } else { format!("{ratio:.2} x") };
        line += &format!("  engine: {ratio}");
    }
    line + &late(rounds).unwrap_or_default()
}

/// Beside hostile targets, what is paid is for them, too.
fn price(finding: &Finding, rounds: &Rounds) -> String {
    if finding.row.load.neighbours.is_some() {
        let fates = rounds.rounds.first().and_then(|round| round.hostile).unwrap_or_default();
        let cores = rounds.median(Measured::cores);
        return format!("{cores:>8.2} cores  {} attempts at {} hostile ones", fates.attempts, fates.targets);
    }
    let (least, most) = rounds.range();
    format!("{:>8.1} us a check  ({least:.1} to {most:.1})", rounds.median(Measured::us_per_check))
}

fn thread(rounds: &Rounds) -> Option<f64> {
    rounds.rounds.first()?.thread_us?;
    Some(rounds.median(|round| round.thread_us.unwrap_or(f64::NAN) / round.checks as f64))
}

/// The worst of all rounds.
fn late(rounds: &Rounds) -> Option<String> {
    let worst = |number: fn(&Late) -> f64| rounds.worst(|round| round.late_ms.as_ref().map(number));
    let (p50, p99, max) = (worst(|late| late.p50)?, worst(|late| late.p99)?, worst(|late| late.max)?);
    Some(format!("  late p50 {p50:.1}, p99 {p99:.1}, max {max:.1} ms"))
}

/// The number of bars that hold, and those that were not measured.
pub(crate) fn summary(findings: &[Finding]) -> String {
    let judged: Vec<_> = findings.iter().flat_map(|f| f.judged().map(move |judged| (f.row.name, judged))).collect();
    let those = |standing| judged.iter().filter(move |(_, judged)| judged.standing() == standing);
    let named = |(row, judged): &(&str, Judged)| format!("\n  {row}: {} ({})", judged.bar.wanted(), judged.found());
    let list = |standing| those(standing).map(named).collect::<String>();
    format!(
        "bars that hold: {}\nbars that do not hold: {}{}\nbars that were skipped: {}{}",
        those(Standing::Holds).count(),
        those(Standing::Broken).count(),
        list(Standing::Broken),
        those(Standing::Skipped).count(),
        list(Standing::Skipped)
    )
}
