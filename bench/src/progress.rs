//! The progress of a run, and how long it will take: one line on standard error that changes if that is a
//! terminal, and a line for each row if it is not.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::clock::Moment;

pub(crate) struct Progress {
    rows: usize,
    row: usize,
    name: &'static str,
    /// Of the rows after this one.
    later: Duration,
    /// Of this row.
    length: Duration,
    from: Moment,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new(rows: usize, total: Duration) -> Progress {
        let is_terminal = std::io::stderr().is_terminal();
        let (later, length, from) = (total, Duration::ZERO, Moment::now());
        Progress { rows, row: 0, name: "preparing", later, length, from, is_terminal }
    }

    /// The next row begins.
    pub(crate) fn begin(&mut self, name: &'static str, length: Duration) {
        self.row += 1;
        self.name = name;
        self.length = length;
        self.later = self.later.saturating_sub(length);
        self.from = Moment::now();
        if !self.is_terminal {
            eprintln!("{}", self.line("begins"));
        }
    }

    pub(crate) fn say(&mut self, what: &str) {
        if self.is_terminal {
            eprint!("\r\x1b[K{}", self.line(what));
            let _nobody_looks = std::io::stderr().flush();
        }
    }

    /// Makes room for something that stays.
    pub(crate) fn clear(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }

    fn line(&self, what: &str) -> String {
        let left = self.later + self.length.saturating_sub(self.from.age());
        let (minutes, seconds) = (left.as_secs() / 60, left.as_secs() % 60);
        format!("[{}/{}] {}: {what}; {minutes}:{seconds:02} left", self.row, self.rows, self.name)
    }
}
