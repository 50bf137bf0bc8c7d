//! The live table: drawn again in place, on a terminal, and never taller than it.

use std::time::{Duration, SystemTime};

use comfy_table::{Cell, Color};

use super::snapshot::{Row, Snapshot};
use crate::command::table::table;
use crate::output::raw;

/// Lines that are not rows: the header and the line below it, what is left out, the last failures, and the cursor's.
const AROUND: usize = 4;

/// Of a terminal, in characters.
#[derive(Debug, Clone, Copy)]
struct Size {
    lines: usize,
    columns: usize,
}

/// Remembers how much of the screen it covers.
#[derive(Debug, Default)]
pub(super) struct Live {
    lines: usize,
}

impl Live {
    /// Draws over what was drawn before.
    pub(super) fn draw(&mut self, snapshot: &Snapshot) {
        let size = Size::of_terminal();
        let text = text(snapshot, size);
        let mut screen = if self.lines > 0 { format!("\x1b[{}A", self.lines) } else { String::new() };
        // What scrolled out of a terminal cannot be drawn over.
        let lines = || text.lines().take(size.lines.saturating_sub(1));
        for line in lines() {
            screen += &format!("\r{line}\x1b[K\n");
        }
        screen += "\x1b[J";
        self.lines = lines().count();
        raw(screen.as_bytes());
    }

    /// Takes back what was drawn.
    pub(super) fn erase(&mut self) {
        if self.lines > 0 {
            raw(format!("\x1b[{}A\x1b[J", self.lines).as_bytes());
        }
        self.lines = 0;
    }

    /// Leaves what was drawn, and draws below it from now on.
    pub(super) fn move_on(&mut self) {
        self.lines = 0;
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
        text.extend(line.chars().filter(|character| !character.is_control()).take(size.columns));
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

/// How long ago that was, to the second.
#[expect(clippy::disallowed_methods, reason = "shows the time, decides nothing")]
fn since(moment: &str) -> String {
    let Ok(moment) = humantime::parse_rfc3339_weak(moment) else { return String::new() };
    let passed = SystemTime::now().duration_since(moment).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(passed.as_secs())).to_string()
}

impl Size {
    /// 80 by 24 when the terminal does not tell.
    fn of_terminal() -> Size {
        let told = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        let told = told.map(|size| (usize::from(size.ws_row), usize::from(size.ws_col)));
        let (lines, columns) = told.filter(|&(lines, columns)| lines > 0 && columns > 0).unwrap_or((24, 80));
        Size { lines, columns }
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
    fn time_passed_is_whole_seconds() {
        assert_eq!(since(""), "");
        let long_ago = humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH).to_string();
        assert!(since(&long_ago).ends_with('s'));
    }

    #[test]
    fn a_table_never_outgrows_the_terminal_and_begins_with_trouble() {
        let rows = (0..100).map(|task| row(task, if task == 99 { "unhealthy" } else { "healthy" })).collect();
        let text = text(&Snapshot { rows, failures: Vec::new() }, Size { lines: 10, columns: 80 });
        assert!(text.lines().count() < 10, "{text}");
        assert!(text.contains("00000099.1") && text.contains("and 94 more"), "{text}");
    }
}
