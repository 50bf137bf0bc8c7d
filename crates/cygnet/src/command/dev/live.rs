//! The live table: one look at all apps as the lines of a terminal, never more of them, nor wider, than fit. Pure.

use super::columns::{Columns, HEADER};
use super::snapshot::{Failure, Row, Snapshot};
use crate::command::age::since;
use crate::command::ids::shown;
use crate::screen::{Size, cut};

/// Lines that are not rows: the header and the line below it, how many rows are left out, and the cursor's.
const AROUND: usize = 4;

/// The lines to draw.
pub(super) fn lines(snapshot: &Snapshot, size: Size) -> Vec<String> {
    let below = below(snapshot, size);
    let room = size.lines.saturating_sub(AROUND + below.len()).max(1);
    let mut rows: Vec<&Row> = snapshot.rows.iter().collect();
    let left_out = rows.len().saturating_sub(room);
    if left_out > 0 {
        rows.sort_by_key(|row| urgency(row));
    }
    rows.truncate(room);
    let mut lines = table(&rows, size.columns);
    if left_out > 0 {
        lines.push(cut(&format!("and {left_out} more"), size.columns));
    }
    lines.extend(below);
    lines
}

fn table(rows: &[&Row], columns: usize) -> Vec<String> {
    let cells: Vec<[String; 8]> = rows.iter().map(|row| cells(row)).collect();
    let layout = Columns::fitting(cells.iter(), columns);
    let header = layout.line(&HEADER.map(str::to_owned), str::to_owned);
    let rule = "─".repeat(layout.width().min(columns));
    let rows = rows.iter().zip(&cells).map(|(row, cells)| layout.line(cells, |text| painted(text, row.health)));
    [header, rule].into_iter().chain(rows).collect()
}

/// Long lists begin with what is not well.
fn urgency(row: &Row) -> u8 {
    match (row.health, row.task.is_empty(), row.last_failure.is_empty()) {
        ("unhealthy", ..) => 0,
        (_, true, _) => 1,
        (_, _, false) => 2,
        ("healthy", ..) => 4,
        _ => 3,
    }
}

/// The brakes that hold and the latest failures, in no more than a third of the lines.
fn below(snapshot: &Snapshot, size: Size) -> Vec<String> {
    let mut failures: Vec<&Failure> = snapshot.failures.iter().collect();
    failures.sort_by(|one, other| other.at.cmp(&one.at));
    let mut lines: Vec<String> = snapshot.held.iter().map(|held| held.text()).collect();
    lines.extend(failures.into_iter().map(failure_line));
    let most = (size.lines / 3).max(1);
    if lines.len() > most {
        let left_out = lines.len() - most + 1;
        lines.truncate(most - 1);
        lines.push(format!("and {left_out} more such lines"));
    }
    lines.iter().map(|line| cut(line, size.columns)).collect()
}

fn failure_line(failure: &Failure) -> String {
    let of = shown(&failure.task);
    format!("{} {of} {} {} ago: {}", failure.app, failure.state, since(&failure.at), failure.message)
}

fn cells(row: &Row) -> [String; 8] {
    let waits = row.task.is_empty();
    [
        row.app.clone(),
        if waits { format!("{} more", row.instances) } else { shown(&row.task) },
        row.state.clone(),
        row.health.to_owned(),
        if waits { String::new() } else { format!("{}/{}", row.checks.0, row.checks.1) },
        row.ports.clone(),
        row.why.clone(),
        since(&row.started_at),
    ]
}

fn painted(text: &str, health: &str) -> String {
    match health {
        "healthy" => format!("\x1b[32m{text}\x1b[39m"),
        "unhealthy" => format!("\x1b[31m{text}\x1b[39m"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::super::snapshot::Held;
    use super::*;

    fn row(task: usize, health: &'static str) -> Row {
        let last_failure = if health == "unhealthy" { "connection refused ".repeat(9) } else { String::new() };
        Row {
            app: "/web".into(),
            task: format!("web.instance-{task:08}._app.1"),
            health,
            why: last_failure.clone(),
            last_failure,
            ..Row::default()
        }
    }

    fn rows(count: usize, failing: usize) -> Snapshot {
        let health = |task| if task >= count - failing { "unhealthy" } else { "healthy" };
        Snapshot { rows: (0..count).map(|task| row(task, health(task))).collect(), ..Snapshot::default() }
    }

    #[test]
    fn a_table_never_outgrows_the_terminal_and_begins_with_trouble() {
        let lines = lines(&rows(30, 17), Size { lines: 24, columns: 80 });
        assert_eq!(lines.len(), 23, "{lines:#?}");
        assert_eq!(lines.iter().filter(|line| line.contains("unhealthy")).count(), 17, "{lines:#?}");
        assert_eq!(lines.last().map(String::as_str), Some("and 10 more"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for columns in [40, 60, 80, 120] {
            for line in lines(&rows(30, 17), Size { lines: 24, columns }) {
                let plain = line.replace("\x1b[31m", "").replace("\x1b[32m", "").replace("\x1b[39m", "");
                assert!(plain.width() <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn a_brake_that_holds_and_failures_are_seen_below_but_leave_room_for_the_tasks() {
        let failure = |number: usize| Failure {
            app: format!("/{number}"),
            task: String::new(),
            state: "failed".into(),
            message: "exit 3".into(),
            at: String::new(),
        };
        let snapshot = Snapshot {
            failures: (0..50).map(failure).collect(),
            held: vec![Held { app: "/web".into(), tasks: 3, used: Some((2, 3)) }],
            ..rows(30, 17)
        };
        let lines = lines(&snapshot, Size { lines: 24, columns: 80 });
        assert!(lines.len() < 24 && lines.iter().filter(|line| line.contains("unhealthy")).count() >= 12, "{lines:#?}");
        assert!(lines.iter().any(|line| line.starts_with("/web: held by the brake: 2 of 3 used; 3 un")), "{lines:#?}");
        assert_eq!(lines.last().map(String::as_str), Some("and 44 more such lines"));
    }

    #[test]
    fn at_each_width_the_reason_is_seen_and_no_word_of_the_others_is_broken() {
        let why = "front: 503 Service Unavailable; within grace until 10:20:30 UTC, 12 failures so far";
        let grace = Row { state: "running".into(), why: why.into(), last_failure: "front".into(), ..row(1, "unknown") };
        let waiting = Row {
            app: "/shop".into(),
            state: "waiting".into(),
            health: "-",
            why: "waits for an offer that fits".into(),
            instances: 2,
            ..Row::default()
        };
        let snapshot = Snapshot { rows: vec![grace, waiting], ..Snapshot::default() };
        for (columns, seen) in [(60, 18), (80, 26), (120, 55)] {
            let lines = lines(&snapshot, Size { lines: 24, columns });
            assert!(lines[2].starts_with("/web ") && lines[2].contains("running"), "{lines:#?}");
            assert!(lines[2].contains(&why[..seen]), "{columns}: {lines:#?}");
            assert!(lines[3].contains("waiting") && lines[3].contains("waits for an offer"), "{columns}: {lines:#?}");
        }
    }

    #[test]
    fn what_fails_within_its_grace_is_before_what_is_well_and_a_small_terminal_says_how_many_more_there_are() {
        let mut snapshot = rows(30, 0);
        snapshot.rows[29] = Row { last_failure: "front".into(), ..row(29, "unknown") };
        for height in [6, 10, 24] {
            let lines = lines(&snapshot, Size { lines: height, columns: 80 });
            assert!(lines[2].contains("unknown"), "{lines:#?}");
            assert_eq!(lines.last().unwrap(), &format!("and {} more", 30 - (height - 4)));
        }
    }
}
