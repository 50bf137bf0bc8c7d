//! Rows of cells as lines of a terminal: one line a row, never wider than there is room. Pure.
//!
//! In too little room the reasons are cut first, then whole columns are left out, the reasons are cut more, and last of
//! all the apps' names are cut: what is left can be read.

use unicode_width::UnicodeWidthStr;

use crate::screen::cut;

/// The header of the columns.
pub(super) const HEADER: [&str; 8] = ["app", "instance", "state", "health", "checks", "ports", "why", "uptime"];

/// The column with the health.
const HEALTH: usize = 3;

/// The column with the reason.
const FAILURE: usize = 6;

/// The columns that are left out where there is no room, the first ones first.
const SPARED: [usize; 3] = [7, 5, 4];

/// The columns that are left out only when not even a short reason has room.
const SPARED_LAST: [usize; 2] = [1, 2];

/// The least that is left of a reason while other columns can be left out.
const SHORT_FAILURE: usize = 32;

/// The least that is left of it at all.
const SHORTEST_FAILURE: usize = 16;

/// Between two columns.
const GAP: usize = 2;

/// The text of a row, and how wide its columns are.
#[derive(Debug)]
pub(super) struct Columns([usize; 8]);

impl Columns {
    /// Columns for these rows, in so many characters.
    pub(super) fn fitting<'a>(rows: impl Iterator<Item = &'a [String; 8]>, room: usize) -> Columns {
        let mut widths = HEADER.map(str::width);
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let mut columns = Columns(widths);
        for (shortest, spared) in [(SHORT_FAILURE, &SPARED[..]), (SHORTEST_FAILURE, &SPARED_LAST[..])] {
            columns.cut_to(FAILURE, shortest, room);
            for &column in spared {
                if columns.width() > room {
                    columns.0[column] = 0;
                }
            }
        }
        columns.cut_to(0, 4, room);
        columns.grow(FAILURE, widths[FAILURE], room);
        columns
    }

    /// One row, with its health painted as wanted.
    pub(super) fn line(&self, row: &[String; 8], paint: impl Fn(&str) -> String) -> String {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&self.0).enumerate().filter(|(_, (_, width))| **width > 0) {
            let cell = cut(cell, width);
            let rest = width + GAP - cell.width();
            line += &if column == HEALTH { paint(&cell) } else { cell };
            line.extend(std::iter::repeat_n(' ', rest));
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// The width of all together.
    pub(super) fn width(&self) -> usize {
        let shown = self.0.iter().filter(|&&width| width > 0);
        shown.map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
    }

    fn cut_to(&mut self, column: usize, least: usize, room: usize) {
        let over = self.width().saturating_sub(room);
        self.0[column] = self.0[column].saturating_sub(over).max(least.min(self.0[column]));
    }

    fn grow(&mut self, column: usize, most: usize, room: usize) {
        let free = room.saturating_sub(self.width());
        self.0[column] = (self.0[column] + free).min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> [String; 8] {
        let failure = "connection refused by 127.0.0.1:31000 within 2 ms of asking";
        ["/shop/front/web", "01234567.1", "running", "unhealthy", "0/1", "31000", failure, "2m 3s"].map(str::to_owned)
    }

    fn line(room: usize) -> String {
        Columns::fitting([row()].iter(), room).line(&row(), str::to_owned)
    }

    #[test]
    fn a_row_is_never_wider_than_the_terminal() {
        for room in 40..200 {
            assert!(line(room).width() <= room, "{room}: {}", line(room));
        }
    }

    #[test]
    fn at_sixty_columns_words_are_whole() {
        let line = line(60);
        for word in ["/shop/front/web", "running", "unhealthy", "connection"] {
            assert!(line.contains(word), "{line}");
        }
    }

    #[test]
    fn with_room_enough_nothing_is_left_out() {
        assert!(row().iter().all(|cell| line(200).contains(cell.as_str())));
    }
}
