//! The live table: drawn again in place, on a terminal.

use std::io::Write;
use std::time::{Duration, SystemTime};

use comfy_table::{Cell, Color};

use super::watch::Row;
use crate::command::table::table;

/// Remembers how much of the screen it covers.
#[derive(Debug, Default)]
pub(super) struct Live {
    lines: usize,
}

impl Live {
    /// Draws over what was drawn before.
    pub(super) fn draw(&mut self, rows: &[Row]) {
        let mut table = table(&["app", "instance", "state", "health", "checks", "ports", "last failure", "uptime"]);
        for row in rows {
            table.add_row([
                Cell::new(&row.app),
                Cell::new(instance(&row.task)),
                Cell::new(&row.state),
                Cell::new(row.health).fg(color(row.health)),
                Cell::new(format!("{}/{}", row.checks.0, row.checks.1)),
                Cell::new(&row.ports),
                Cell::new(&row.last_failure),
                Cell::new(uptime(&row.started_at)),
            ]);
        }
        let text = table.to_string();
        let mut out = std::io::stdout().lock();
        if self.lines > 0 {
            let _ = write!(out, "\x1b[{}A\x1b[J", self.lines);
        }
        let _ = writeln!(out, "{text}");
        let _ = out.flush();
        self.lines = text.lines().count();
    }
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
fn uptime(started_at: &str) -> String {
    let Ok(started) = humantime::parse_rfc3339_weak(started_at) else { return String::new() };
    let up = SystemTime::now().duration_since(started).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(up.as_secs())).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_told_apart_by_little() {
        assert_eq!(instance("web.instance-0123456789ab._app.2"), "01234567.2");
        assert_eq!(instance("other"), "other");
    }

    #[test]
    fn uptime_is_whole_seconds() {
        assert_eq!(uptime(""), "");
        let now = humantime::format_rfc3339_millis(std::time::SystemTime::UNIX_EPOCH).to_string();
        assert!(uptime(&now).ends_with('s'));
    }
}
