//! A part of the terminal that is drawn again in place, never taller than the terminal.

use crate::output::raw;

/// Of a terminal, in characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub lines: usize,
    pub columns: usize,
}

/// Remembers how much of the screen it covers.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    lines: usize,
}

impl Screen {
    /// Draws over what was drawn before.
    pub(crate) fn draw<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        // What scrolled out of a terminal cannot be drawn over.
        let lines: Vec<&str> = lines.take(Size::of_terminal().lines.saturating_sub(1)).collect();
        let mut screen = if self.lines > 0 { format!("\x1b[{}A", self.lines) } else { String::new() };
        for line in &lines {
            screen += &format!("\r{line}\x1b[K\n");
        }
        screen += "\x1b[J";
        self.lines = lines.len();
        raw(screen.as_bytes());
    }

    /// Takes back what was drawn.
    pub(crate) fn erase(&mut self) {
        if self.lines > 0 {
            raw(format!("\x1b[{}A\x1b[J", self.lines).as_bytes());
        }
        self.lines = 0;
    }

    /// Leaves what was drawn, and draws below it from now on.
    pub(crate) fn move_on(&mut self) {
        self.lines = 0;
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

    /// As much of a line as fits, without what would move the cursor.
    pub(crate) fn cut(self, line: &str) -> String {
        line.chars().filter(|character| !character.is_control()).take(self.columns).collect()
    }
}
