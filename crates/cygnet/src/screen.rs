//! The end of the terminal that is drawn again in place, and what is written beside it.
//!
//! In: lines that fit the terminal ([`draw`]), and bytes or words for standard error ([`beside`], [`complaint`]), which may
//! share the terminal: they go above what is drawn. Out: escape sequences on standard output. Owns what is drawn, of which a process has one.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
#[expect(clippy::disallowed_types, reason = "log lines come from every thread, and the terminal is one")]
use std::sync::Mutex;
use std::sync::{MutexGuard, PoisonError};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::{complained, one_line, raw};

/// The sign that something was cut off.
const CUT: char = '…';

#[expect(clippy::disallowed_types, reason = "log lines come from every thread, and the terminal is one")]
static DRAWN: Mutex<Drawn> = Mutex::new(Drawn { lines: Vec::new(), size: Size { lines: 24, columns: 80 } });

/// Of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub lines: usize,
    pub columns: usize,
}

/// The lines above the cursor that may be drawn over, and the terminal's size when they were drawn.
#[derive(Debug)]
struct Drawn {
    lines: Vec<String>,
    size: Size,
}

/// Draws over what was drawn before. What scrolled out of a terminal cannot be drawn over, so no more than fits.
pub(crate) fn draw(mut lines: Vec<String>) {
    let size = Size::of_terminal();
    lines.truncate(size.lines.saturating_sub(1));
    let mut drawn = drawn();
    raw(drawn.replaced(lines, size).as_bytes());
}

/// Takes back what was drawn.
pub(crate) fn erase() {
    draw(Vec::new());
}

/// Leaves what was drawn, and draws below it from now on.
pub(crate) fn move_on() {
    drawn().lines.clear();
}

/// Writes to standard error: above what is drawn, where both are terminals.
pub(crate) fn beside(bytes: &[u8]) -> std::io::Result<()> {
    let mut drawn = drawn();
    if drawn.lines.is_empty() || !std::io::stderr().is_terminal() {
        return std::io::stderr().write_all(bytes);
    }
    let size = Size::of_terminal();
    let lines = std::mem::take(&mut drawn.lines);
    raw(format!("{}\r\x1b[J", drawn.back(lines.len(), size)).as_bytes());
    let written = std::io::stderr().write_all(bytes);
    raw(drawn.replaced(lines, size).as_bytes());
    written
}

/// Says this on standard error, of which there may be none any more, above what is drawn.
pub(crate) fn complaint(text: impl Display) {
    let _ = beside(format!("{}\n", complained(text)).as_bytes());
}

fn drawn() -> MutexGuard<'static, Drawn> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drawn {
    /// The way back to where so many lines began. A terminal of another size may have wrapped them anew, it is not known
    /// how: it is emptied.
    fn back(&self, lines: usize, size: Size) -> String {
        match lines {
            0 => String::new(),
            _ if self.size != size => "\x1b[H\x1b[2J".to_owned(),
            lines => format!("\x1b[{lines}A"),
        }
    }

    /// The bytes that draw these lines in place of the ones before.
    fn replaced(&mut self, lines: Vec<String>, size: Size) -> String {
        let mut screen = self.back(self.lines.len(), size);
        for line in &lines {
            // Erased first: behind a line as wide as the terminal, its last character would be erased.
            screen += &format!("\r\x1b[K{line}\n");
        }
        screen += "\x1b[J";
        (self.lines, self.size) = (lines, size);
        screen
    }
}

impl Size {
    /// 80 by 24 when the terminal does not tell.
    pub(crate) fn of_terminal() -> Size {
        let told = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        let told = told.map(|size| (usize::from(size.ws_row), usize::from(size.ws_col)));
        let (lines, columns) = told.filter(|&(lines, columns)| lines > 0 && columns > 0).unwrap_or((24, 80));
        Size { lines, columns }
    }
}

/// The part of a text that fits into so many columns, without what would move the cursor, and with a sign if that is not all.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    let plain = one_line(text);
    if plain.width() <= columns {
        return plain;
    }
    let mut room = columns.saturating_sub(1);
    let fits = |letter: &char| {
        let width = letter.width().unwrap_or(0);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    plain.chars().take_while(fits).chain((columns > 0).then_some(CUT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { lines: 24, columns: 80 };

    #[test]
    fn lines_replace_those_drawn_before() {
        let mut drawn = Drawn { lines: Vec::new(), size: SIZE };
        assert_eq!(drawn.replaced(vec!["a".into(), "b".into()], SIZE), "\r\x1b[Ka\n\r\x1b[Kb\n\x1b[J");
        assert_eq!(drawn.replaced(vec!["c".into()], SIZE), "\x1b[2A\r\x1b[Kc\n\x1b[J");
    }

    #[test]
    fn a_terminal_of_another_size_is_emptied_first() {
        let mut drawn = Drawn { lines: vec!["a".into()], size: SIZE };
        let narrow = Size { columns: 60, ..SIZE };
        assert!(drawn.replaced(vec!["a".into()], narrow).starts_with("\x1b[H\x1b[2J"));
        assert!(drawn.replaced(vec!["a".into()], narrow).starts_with("\x1b[1A"), "once");
    }

    #[test]
    fn texts_are_cut_by_the_columns_they_take() {
        for (text, columns, left) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("a\x1b[2Jb", 9, "a [2Jb"),
            ("日本語", 5, "日本…"),
            ("日本", 2, "…"),
            ("a", 0, ""),
        ] {
            assert_eq!(cut(text, columns), left);
        }
    }
}
