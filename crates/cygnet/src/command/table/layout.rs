//! The widths of a table's columns. Pure.

use unicode_width::UnicodeWidthStr;

use super::GAP;
use crate::screen::cut;

/// The least that is left of a text that is cut before others.
const SHORTEST_TEXT: usize = 16;

/// The least that is left of any other.
const SHORTEST: usize = 4;

/// Of each column; 0 is one that is left out.
#[derive(Debug)]
pub(super) struct Layout(Vec<usize>);

impl Layout {
    pub(super) fn of(widths: Vec<usize>) -> Layout {
        Layout(widths)
    }

    pub(super) fn pad_to_no_more_than(&mut self, widest: usize) {
        self.0.iter_mut().for_each(|width| *width = (*width).min(widest));
    }

    /// Makes it fit: texts are cut, then columns left out, then the widest are cut. What is free after that the
    /// texts have back.
    pub(super) fn fit(&mut self, room: usize, texts: &[usize], spared: &[usize]) {
        let whole = self.0.clone();
        texts.iter().for_each(|&column| self.cut_to(column, SHORTEST_TEXT, room));
        for &column in spared {
            if self.width() <= room {
                break;
            }
            self.0[column] = 0;
        }
        self.cut_widest(room);
        for &column in texts {
            self.0[column] = (self.0[column] + room.saturating_sub(self.width())).min(whole[column]);
        }
    }

    /// Of all columns together.
    pub(super) fn width(&self) -> usize {
        let shown = self.0.iter().filter(|&&width| width > 0);
        shown.map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
    }

    /// One row. Where lines have no end texts are whole, and their columns as wide as this at least.
    pub(super) fn line(&self, row: &[String], room: Option<usize>) -> String {
        let mut line = String::new();
        for (text, &width) in row.iter().zip(&self.0).filter(|(_, width)| **width > 0) {
            let text = if room.is_some() { cut(text, width) } else { text.clone() };
            let rest = (width + GAP).saturating_sub(text.width()).max(GAP);
            line += &text;
            line.extend(std::iter::repeat_n(' ', rest));
        }
        cut(line.trim_end(), room.unwrap_or(usize::MAX))
    }

    fn cut_to(&mut self, column: usize, least: usize, room: usize) {
        let over = self.width().saturating_sub(room);
        let width = self.0[column];
        self.0[column] = width.saturating_sub(over).max(least.min(width));
    }

    fn cut_widest(&mut self, room: usize) {
        while self.width() > room {
            let Some(widest) = self.0.iter_mut().max().filter(|width| **width > SHORTEST) else { break };
            *widest -= 1;
        }
    }
}
