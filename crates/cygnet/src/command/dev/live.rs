//! The live table: one look at all apps as the lines of a terminal, never more of them, nor wider, than fit. Pure.

use super::columns::{Columns, HEADER};
use super::snapshot::{Failure, Row, Snapshot};
use crate::command::age::since;
use crate::command::task::shown;
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
    match (row.health, row.task.is_empty()) {
        ("unhealthy", _) => 0,
        (_, true) => 1,
        ("healthy", _) => 3,
        _ => 2,
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
        row.last_failure.clone(),
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
            held: vec![Held { app: "/web".into(), tasks: 3 }],
            ..rows(30, 17)
        };
        let lines = lines(&snapshot, Size { lines: 24, columns: 80 });
        assert!(lines.len() < 24 && lines.iter().filter(|line| line.contains("unhealthy")).count() >= 12, "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("3 unhealthy and not killed for now")), "{lines:#?}");
        assert_eq!(lines.last().map(String::as_str), Some("and 44 more such lines"));
    }
}
