//! Tables for people, and JSON values as people write them.
//!
//! Each row is one line. On a terminal none is wider than that: long texts are cut, then columns left out that can be missed.
//! Elsewhere texts are whole.

mod layout;

use std::fmt;
use std::io::{IsTerminal, stdout};

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use self::layout::Layout;
use crate::output::line;
use crate::screen::{Size, cut};

/// Between two columns.
const GAP: usize = 2;

/// The widest that a column is padded to where lines have no end: what is longer pushes the rest of its row aside.
const WIDEST: usize = 40;

/// Rows below a header.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns that are cut before all others.
    cut_first: Vec<usize>,
    /// Columns that can be missed, the first ones first.
    spared: Vec<usize>,
}

/// A table with these columns.
pub(crate) fn table(columns: &[&str]) -> Table {
    let header = columns.iter().map(|&name| name.to_owned()).collect();
    Table { header, rows: Vec::new(), cut_first: Vec::new(), spared: Vec::new() }
}

impl Table {
    /// With long texts in these columns, of which a beginning is enough.
    pub(crate) fn cutting(mut self, columns: &[&str]) -> Table {
        self.cut_first = self.places(columns);
        self
    }

    /// With these columns left out where there is no room, the first ones first.
    pub(crate) fn sparing(mut self, columns: &[&str]) -> Table {
        self.spared = self.places(columns);
        self
    }

    pub(crate) fn add_row<Text: Into<String>>(&mut self, row: impl IntoIterator<Item = Text>) {
        self.rows.push(row.into_iter().map(|text| cut(&text.into(), usize::MAX)).collect());
    }

    fn places(&self, columns: &[&str]) -> Vec<usize> {
        columns.iter().filter_map(|name| self.header.iter().position(|column| column == name)).collect()
    }

    fn widths(&self) -> Vec<usize> {
        let all = || [&self.header].into_iter().chain(&self.rows);
        let widest =
            |column| all().filter_map(|row| row.get(column)).map(|text: &String| text.width()).max().unwrap_or(0);
        (0..self.header.len()).map(widest).collect()
    }
}

/// The whole of it.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&lines(self, None).join("\n"))
    }
}

/// Prints a table.
pub(crate) fn print(table: &Table) {
    lines(table, stdout().is_terminal().then(|| Size::of_terminal().columns)).iter().for_each(line);
}

/// The lines of a table, in so many characters where there is an end to lines.
pub(crate) fn lines(table: &Table, room: Option<usize>) -> Vec<String> {
    let mut layout = Layout::of(table.widths());
    match room {
        Some(room) => layout.fit(room, &table.cut_first, &table.spared),
        None => layout.pad_to_no_more_than(WIDEST),
    }
    let rule = "─".repeat(layout.width().min(room.unwrap_or(usize::MAX)));
    let rows = table.rows.iter().map(|row| layout.line(row, room));
    [layout.line(&table.header, room), rule].into_iter().chain(rows).collect()
}

/// A value as people write it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The state of a task, in small letters.
pub(crate) fn state(value: &Value) -> String {
    text(value).trim_start_matches("TASK_").to_lowercase()
}

/// The items of a list; nothing if it is none.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// An action of a deployment: its name, and the app or pod it is about.
pub(crate) fn action(action: &Value) -> String {
    let whose = if action["app"].is_null() { &action["pod"] } else { &action["app"] };
    format!("{} {}", text(&action["action"]), text(whose))
}

/// A list of texts, separated by commas.
pub(crate) fn joined(list: &Value) -> String {
    items(list).iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "web.instance-e64126b4-bd0a-4466-916c-0c56de5bbb17._app.1";

    fn tasks() -> Table {
        let mut table =
            table(&["task", "state", "ports", "last failure"]).cutting(&["last failure"]).sparing(&["ports"]);
        let pulling = "Pulling ".repeat(40);
        table.add_row([TASK, "TASK_STAGING", "31000", &pulling]);
        table.add_row(["db", "TASK_RUNNING", "31001", "two\nlines"]);
        table
    }

    #[test]
    fn each_row_is_one_line_that_fits() {
        for room in 1..450 {
            let lines = lines(&tasks(), Some(room));
            assert_eq!(lines.len(), 4);
            assert!(lines.iter().all(|line| line.width() <= room), "{lines:#?}");
        }
    }

    #[test]
    fn texts_are_cut_first_and_then_columns_are_missed_before_an_id_is_broken() {
        let at = |room| lines(&tasks(), Some(room))[2].clone();
        assert!(
            at(120).contains(TASK) && at(120).contains("31000  Pulling Pulling") && at(120).ends_with('…'),
            "{}",
            at(120)
        );
        assert!(at(92).contains(TASK) && !at(92).contains("31000") && at(92).contains("Pulling"), "{}", at(92));
        assert!(at(60).contains("web.instance-e64126b4") && at(60).contains("TASK_STAGING"), "{}", at(60));
    }

    #[test]
    fn elsewhere_than_on_a_terminal_texts_are_whole_and_rows_are_not_padded() {
        let lines = lines(&tasks(), None);
        assert_eq!(lines[0], format!("{:<40}  state         ports  last failure", "task"));
        assert_eq!(lines[2], format!("{TASK}  TASK_STAGING  31000  {}", "Pulling ".repeat(40).trim_end()));
        assert_eq!(lines[3], format!("{:<40}  TASK_RUNNING  31001  two lines", "db"));
    }
}
