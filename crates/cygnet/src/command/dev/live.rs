//! The live table: drawn again in place, on a terminal, and never taller than it.

use comfy_table::{Cell, Color};

use super::snapshot::{Row, Snapshot};
use crate::command::age::since;
use crate::command::screen::{Screen, Size};
use crate::command::table::table;

/// Lines that are not rows: the header and the line below it, what is left out, the last failures, and the cursor's.
const AROUND: usize = 4;

/// Draws snapshots.
#[derive(Debug, Default)]
pub(super) struct Live(Screen);

impl Live {
    /// Draws over what was drawn before.
    pub(super) fn draw(&mut self, snapshot: &Snapshot) {
        self.0.draw(text(snapshot, Size::of_terminal()).lines());
    }

    /// Takes back what was drawn.
    pub(super) fn erase(&mut self) {
        self.0.erase();
    }

    /// Leaves what was drawn, and draws below it from now on.
    pub(super) fn move_on(&mut self) {
        self.0.move_on();
    }
}

fn text(snapshot: &Snapshot, size: Size) -> String {
    let room = size.lines.saturating_sub(AROUND + snapshot.failures.len()).max(1);
    // Long lists begin with what is not well.
    let mut rows: Vec<&Row> = snapshot.rows.iter().collect();
    if rows.len() > room {
        rows.sort_by_key(|row| row.health == "healthy");
    }
    let mut table = table(&["app", "instance", "state", "health", "checks", "ports", "last failure", "uptime"]);
    for row in rows.iter().take(room) {
        table.add_row(cells(row));
    }
    let mut text = table.to_string();
    if rows.len() > room {
        text += &format!("\nand {} more", rows.len() - room);
    }
    for failure in &snapshot.failures {
        let of = instance(&failure.task);
        let line = format!("{} {of} {} {} ago: {}", failure.app, failure.state, since(&failure.at), failure.message);
        text.push('\n');
        text.push_str(&size.cut(&line));
    }
    text
}

fn cells(row: &Row) -> [Cell; 8] {
    let waits = row.task.is_empty();
    let checks = if waits { String::new() } else { format!("{}/{}", row.checks.0, row.checks.1) };
    [
        Cell::new(&row.app),
        Cell::new(if waits { format!("{} more", row.instances) } else { instance(&row.task) }),
        Cell::new(&row.state),
        Cell::new(row.health).fg(color(row.health)),
        Cell::new(checks),
        Cell::new(&row.ports),
        Cell::new(&row.last_failure),
        Cell::new(since(&row.started_at)),
    ]
}

/// What tells instances of an app apart: a piece of the uuid, and the incarnation.
fn instance(task: &str) -> String {
    let Some((_, rest)) = task.split_once(".instance-") else { return task.to_owned() };
    let (uuid, incarnation) = rest.split_once("._app.").unwrap_or((rest, "1"));
    format!("{}.{incarnation}", uuid.get(..8).unwrap_or(uuid))
}

fn color(health: &str) -> Color {
    match health {
        "healthy" => Color::Green,
        "unhealthy" => Color::Red,
        _ => Color::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(task: usize, health: &'static str) -> Row {
        Row { app: "/web".into(), task: format!("web.instance-{task:08}._app.1"), health, ..Row::default() }
    }

    #[test]
    fn instances_are_told_apart_by_little() {
        assert_eq!(instance("web.instance-0123456789ab._app.2"), "01234567.2");
        assert_eq!(instance("other"), "other");
    }

    #[test]
    fn a_table_never_outgrows_the_terminal_and_begins_with_trouble() {
        let rows = (0..100).map(|task| row(task, if task == 99 { "unhealthy" } else { "healthy" })).collect();
        let text = text(&Snapshot { rows, failures: Vec::new() }, Size { lines: 10, columns: 80 });
        assert!(text.lines().count() < 10, "{text}");
        assert!(text.contains("00000099.1") && text.contains("and 94 more"), "{text}");
    }
}
