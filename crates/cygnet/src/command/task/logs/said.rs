//! A line of a task's output, and the shapes in which it is printed.

use std::io::Write;

use serde_json::{Value, json};

use crate::output::{json_line, raw};
use crate::screen::cut;

/// The shape in which lines are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As they are.
    Plain,
    /// With their task in front, and without what would move the cursor, to where other tasks' lines are.
    Marked,
    Json,
}

/// A line of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    task: String,
    is_error: bool,
    text: String,
    /// False for the last one, if it has no end.
    is_whole: bool,
}

impl Said {
    pub(super) fn of(task: &str, data: &Value) -> Said {
        Said {
            task: task.to_owned(),
            is_error: data["stream"] == "stderr",
            text: data["line"].as_str().unwrap_or_default().to_owned(),
            is_whole: data["isCut"] != true,
        }
    }

    /// Prints it: what was written to standard error to ours.
    pub(super) fn print(&self, shape: Shape) {
        match shape {
            Shape::Json => json_line(self.json()),
            Shape::Plain | Shape::Marked if self.is_error => {
                let _nobody_reads = std::io::stderr().write_all(self.text(shape).as_bytes());
            }
            Shape::Plain | Shape::Marked => raw(self.text(shape).as_bytes()),
        }
    }

    fn text(&self, shape: Shape) -> String {
        match shape {
            Shape::Marked => format!("{} | {}\n", mark(&self.task), cut(&self.text, usize::MAX)),
            _ => format!("{}{}", self.text, if self.is_whole { "\n" } else { "" }),
        }
    }

    fn json(&self) -> Value {
        let stream = if self.is_error { "stderr" } else { "stdout" };
        json!({"task": self.task, "stream": stream, "line": self.text})
    }
}

/// The least that tells a task from its siblings: a piece of its uuid, its container in a pod, and its incarnation.
pub(super) fn mark(task: &str) -> String {
    let Some((_, rest)) = task.split_once(".instance-") else { return task.to_owned() };
    let (uuid, container) = rest.split_once('.').unwrap_or((rest, "1"));
    format!("{}.{}", uuid.get(..8).unwrap_or(uuid), container.trim_start_matches("_app."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_printed_as_they_are_or_with_their_task() {
        let said = |data: Value| Said::of("web.instance-0123456789ab._app.2", &data);
        let whole = said(json!({"stream": "stderr", "line": "oh"}));
        assert_eq!((whole.text(Shape::Plain).as_str(), whole.is_error), ("oh\n", true));
        assert_eq!(whole.text(Shape::Marked), "01234567.2 | oh\n");
        let cut = said(json!({"stream": "stdout", "line": "rest", "isCut": true}));
        assert_eq!(
            (cut.text(Shape::Plain).as_str(), cut.text(Shape::Marked).as_str()),
            ("rest", "01234567.2 | rest\n")
        );
        assert_eq!(cut.json(), json!({"task": "web.instance-0123456789ab._app.2", "stream": "stdout", "line": "rest"}));
    }

    #[test]
    fn what_moves_the_cursor_is_kept_only_where_lines_are_as_they_are() {
        let said = Said::of("a.instance-0123456789ab._app.2", &json!({"line": "a\rb\x1b[2J\x1b]0;c\x07"}));
        assert_eq!(said.text(Shape::Marked), "01234567.2 | a b [2J ]0;c \n");
        assert_eq!(said.text(Shape::Plain), "a\rb\x1b[2J\x1b]0;c\x07\n");
    }

    #[test]
    fn containers_of_a_pod_are_told_apart() {
        assert_eq!(mark("clock.instance-0123456789ab.web.1"), "01234567.web.1");
        assert_eq!(mark("other"), "other");
    }
}
