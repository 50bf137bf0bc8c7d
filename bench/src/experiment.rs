//! The experiment: row by row, the sides in turns.

use std::time::Duration;

use crate::arguments::Options;
use crate::findings::{Finding, Rounds};
use crate::load::Time;
use crate::progress::Progress;
use crate::rows::{Kind, Part, ROWS, Row};
use crate::sides::{Ground, Side};
use crate::targets::Size;

/// The amount of work.
pub(crate) struct Plan {
    pub(crate) rows: Vec<&'static Row>,
    pub(crate) size: Size,
    quick: bool,
}

/// The time a side's process takes to start and to end, roughly.
const OVERHEAD: Duration = Duration::from_millis(700);

const QUICK: Time = Time { warm_up: Duration::from_millis(1200), counted: Duration::from_secs(1) };

/// The most times that a row of a quick run is measured until its bars hold.
const TRIES: usize = 3;

impl Plan {
    pub(crate) fn of(options: &Options) -> anyhow::Result<Plan> {
        options.rows.check(ROWS.iter().map(|row| row.name))?;
        let rows = ROWS.iter().filter(|row| is_wanted(row, options)).collect();
        let (namespaces, listeners_in_each) = if options.quick { (50, 20) } else { (200, 50) };
        Ok(Plan { rows, size: Size { namespaces, listeners_in_each }, quick: options.quick })
    }

    fn time(&self, row: &Row) -> Time {
        // Targets that hang are not found in a second.
        let can_be_short = row.kind == Kind::Work && row.load.neighbours.is_none();
        if self.quick && can_be_short { QUICK } else { row.time }
    }

    fn rounds(&self, row: &Row) -> usize {
        if self.quick { row.rounds.min(2) } else { row.rounds }
    }

    fn length(&self, row: &Row) -> Duration {
        let time = self.time(row);
        let sides = row.against.len() as u32 + 1;
        (time.warm_up + time.counted + OVERHEAD) * sides * self.rounds(row) as u32
    }
}

fn is_wanted(row: &Row, options: &Options) -> bool {
    if !options.rows.is_open() {
        return options.rows.names(row.name);
    }
    match row.part {
        Part::Quick => true,
        Part::Full => !options.quick,
        Part::Soak => options.soak,
    }
}

/// Measures all rows; `show` is given each as soon as it is there.
pub(crate) fn run(plan: &Plan, ground: &Ground, show: impl Fn(&Finding)) -> anyhow::Result<Vec<Finding>> {
    let total = plan.rows.iter().map(|row| plan.length(row)).sum();
    let mut progress = Progress::new(plan.rows.len(), total);
    let mut findings = Vec::new();
    for row in &plan.rows {
        progress.begin(row.name, plan.length(row));
        let finding = settle(plan, ground, row, &mut progress)?;
        progress.clear();
        show(&finding);
        findings.push(finding);
    }
    Ok(findings)
}

/// In a quick run, what else the machine does may break a bar. It is broken if it is every time.
fn settle(plan: &Plan, ground: &Ground, row: &'static Row, progress: &mut Progress) -> anyhow::Result<Finding> {
    let mut tries = if plan.quick { TRIES } else { 1 };
    loop {
        let finding = measure(plan, ground, row, progress)?;
        tries -= 1;
        if tries == 0 || finding.holds(plan.quick) {
            return Ok(finding);
        }
        progress.say("once more, because a bar does not hold");
    }
}

fn measure(plan: &Plan, ground: &Ground, row: &'static Row, progress: &mut Progress) -> anyhow::Result<Finding> {
    let (mut sides, mut skipped) = (Vec::new(), Vec::new());
    for side in [Side::Engine].iter().chain(row.against) {
        match ground.missing(*side, row.load.ask) {
            Some(reason) => skipped.push((*side, reason)),
            None => sides.push(Rounds { side: *side, rounds: Vec::new() }),
        }
    }
    let before = ground.time_wait()?;
    for round in 1..=plan.rounds(row) {
        for side in &mut sides {
            progress.say(&format!("round {round} of {}, {}", plan.rounds(row), side.side.as_str()));
            side.rounds.push(ground.round(side.side, &row.load, plan.time(row))?);
        }
    }
    // Sockets that others leave are not the engine's.
    let time_wait = row.against.is_empty().then(|| ground.time_wait()).transpose()?;
    Ok(Finding { row, sides, skipped, time_wait: time_wait.map(|after| after.saturating_sub(before)) })
}
