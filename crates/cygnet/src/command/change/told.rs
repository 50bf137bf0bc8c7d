//! The lines of a change that are new to who reads them one below the other. Pure: all lines there are, those to print out.
//!
//! A line is printed when it comes, also when it comes back; one that is long only once. A countdown is not read along.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::waiting::INDENT;

/// The length from which a line is not told again.
const LONG: usize = 80;

/// The lines that were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    last: Vec<String>,
    long: BTreeSet<String>,
}

impl Told {
    /// The lines to print, of all that there are now.
    pub(crate) fn news(&mut self, lines: Vec<String>) -> Vec<String> {
        let is_there = |line: &String| self.last.iter().any(|told| told_apart_by(told) == told_apart_by(line));
        let mut news: Vec<String> = lines.iter().filter(|line| !is_there(line)).cloned().collect();
        news.retain(|line| line.len() < LONG || self.long.insert(told_apart_by(line).into_owned()));
        self.last = lines;
        news
    }
}

/// The line without the seconds that are left; of a reason, without any number.
fn told_apart_by(line: &str) -> Cow<'_, str> {
    if line.starts_with(INDENT) {
        return line.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    }
    match line.rsplit_once(" in ") {
        Some((what, left)) if left.strip_suffix(" s").is_some_and(|left| left.parse::<u32>().is_ok()) => what.into(),
        _ => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_is_a_short_line_and_its_reason_is_told_when_it_changes() {
        let (starts, step) = ("    1 instance starts".to_owned(), "step 1 of 2".to_owned());
        let again = |seconds: u32| format!("    1 instance waits to be launched again in {seconds} s");
        let failed = |why: &str| {
            format!(
                "    the last one failed: Failed to launch container: cannot pull 'team/hello:9' from registry.example: {why}"
            )
        };
        let mut told = Told::default();
        for (lines, news) in [
            (vec![step.clone(), starts.clone()], vec![step.clone(), starts.clone()]),
            (vec![step.clone(), again(2), failed("away")], vec![again(2), failed("away")]),
            (vec![step.clone(), again(1), failed("away")], vec![]),
            (vec![step.clone(), starts.clone(), failed("away")], vec![starts.clone()]),
            (vec![step.clone(), again(3), failed("away")], vec![again(3)]),
            (vec![step.clone(), again(3), failed("empty")], vec![failed("empty")]),
            (vec!["step 2 of 2".to_owned()], vec!["step 2 of 2".to_owned()]),
        ] {
            assert_eq!(told.news(lines), news);
        }
    }

    #[test]
    fn a_reason_is_told_again_when_its_words_change() {
        let reason = |failures: u32, last: &str| vec![format!("{INDENT}{failures} failures so far, last: {last}")];
        let mut told = Told::default();
        for (lines, is_new) in [(reason(1, "503"), true), (reason(2, "503"), false), (reason(3, "refused"), true)] {
            assert_eq!(!told.news(lines).is_empty(), is_new);
        }
    }
}
