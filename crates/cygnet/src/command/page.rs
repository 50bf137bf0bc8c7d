//! Texts that people read from top to bottom: lines, facts with their labels before them, quotations, tables.
//!
//! On a terminal long ones go on in the next line, between two words and as far in as they began. Elsewhere each is one
//! line. What would move the cursor is taken out: much of it comes from outside. Pure, but for [`Page::print`].

use std::io::{IsTerminal, stdout};

use unicode_width::UnicodeWidthStr;

use super::table::{self, Table};
use crate::output::line;
use crate::screen::{Size, cut};

/// Lines to print.
#[derive(Debug)]
pub(crate) struct Page {
    /// In characters; none if there is no end to lines.
    room: Option<usize>,
    lines: Vec<String>,
}

impl Page {
    pub(crate) fn of_stdout() -> Page {
        Page::of_width(stdout().is_terminal().then(|| Size::of_terminal().columns))
    }

    pub(crate) fn of_width(room: Option<usize>) -> Page {
        Page { room, lines: Vec::new() }
    }

    /// A text of its own.
    pub(crate) fn text(&mut self, text: &str) {
        self.hanging("", text, 2);
    }

    /// A label, and what there is to say; nothing if that is empty.
    pub(crate) fn fact(&mut self, depth: usize, label: &str, text: &str) {
        if !text.is_empty() {
            let label = format!("{}{label:<8}  ", "  ".repeat(depth));
            let indent = label.width();
            self.hanging(&label, text, indent);
        }
    }

    /// The words of somebody else, line by line, cut where they are too long.
    pub(crate) fn quote(&mut self, depth: usize, text: &str) {
        let mark = format!("{}| ", "  ".repeat(depth));
        let room = self.room.map_or(usize::MAX, |room| room.saturating_sub(mark.len()));
        self.lines.extend(text.lines().map(|line| format!("{mark}{}", cut(line, room))));
    }

    pub(crate) fn table(&mut self, table: &Table) {
        self.lines.extend(table::lines(table, self.room));
    }

    /// An empty line, unless there is nothing above it.
    pub(crate) fn gap(&mut self) {
        if !self.lines.is_empty() {
            self.lines.push(String::new());
        }
    }

    pub(crate) fn print(&self) {
        self.lines.iter().for_each(line);
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }

    fn hanging(&mut self, label: &str, text: &str, indent: usize) {
        let text = cut(text, usize::MAX);
        let Some(room) = self.room else { return self.lines.push(format!("{label}{text}").trim_end().to_owned()) };
        let mut line = label.to_owned();
        let mut is_fresh = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            if !is_fresh && line.width() + 1 + word.width() > room {
                self.lines.push(cut(&line, room));
                line = " ".repeat(indent);
                is_fresh = true;
            }
            line += if is_fresh { "" } else { " " };
            line += word;
            is_fresh = false;
        }
        self.lines.push(cut(&line, room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_facts_go_on_below_where_they_began() {
        let mut page = Page::of_width(Some(24));
        page.fact(1, "why", "connection refused by 10.0.0.1:31000");
        page.fact(1, "next", "");
        assert_eq!(page.into_lines(), ["  why       connection", "            refused by", "            10.0.0.1:31…"]);
    }

    #[test]
    fn elsewhere_than_on_a_terminal_each_is_one_line() {
        let mut page = Page::of_width(None);
        page.gap();
        page.fact(0, "why", &"refused ".repeat(50));
        page.gap();
        page.quote(1, "one\n\x1b[2Jtwo");
        let lines = page.into_lines();
        assert_eq!(lines[0].width(), 10 + 8 * 50 - 1);
        assert_eq!(lines[1..], ["", "  | one", "  |  [2Jtwo"]);
    }

    #[test]
    fn no_line_is_wider_than_there_is_room() {
        for room in 12..130 {
            let mut page = Page::of_width(Some(room));
            page.text("Something is not well, and that is told at some length, in words of every length there is.");
            page.fact(1, "why", "a_word_without_any_spaces_in_it_that_does_not_fit_anywhere_at_all and others");
            page.quote(1, "a_word_without_any_spaces_in_it_that_does_not_fit_anywhere_at_all");
            assert!(page.lines.iter().all(|line| line.width() <= room), "{:#?}", page.lines);
        }
    }
}
