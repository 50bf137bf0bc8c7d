//! The place where a text stops being JSON, shown. Pure.

use serde_json::Error;

use crate::output::plain;

/// The part of a long line that is shown before and behind the place.
const BESIDE: usize = 60;

/// The error, and the line with a sign below the place.
pub(super) fn shown(text: &str, error: &Error) -> String {
    let Some(line) = error.line().checked_sub(1).and_then(|number| text.lines().nth(number)) else {
        return error.to_string();
    };
    // Columns are counted in bytes.
    let place = error.column().saturating_sub(1).min(line.len());
    let place = line.char_indices().filter(|(at, _)| *at < place).count();
    let first = place.saturating_sub(BESIDE);
    let part: String = line.chars().skip(first).take(2 * BESIDE).map(plain).collect();
    let number = error.line().to_string();
    let (margin, sign) = (" ".repeat(number.len()), " ".repeat(place - first));
    format!("{error}\n  {number} | {part}\n  {margin} | {sign}^")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn told(text: &str) -> String {
        shown(text, &serde_json::from_str::<Value>(text).unwrap_err())
    }

    #[test]
    fn the_line_is_shown_with_the_place() {
        let text = told("{\n  \"id\": \"/a\",\n\t\"cpus\": 0.1 \"mem\": 4\n}");
        assert_eq!(
            text,
            "expected `,` or `}` at line 3 column 14\n  3 |  \"cpus\": 0.1 \"mem\": 4\n    |              ^"
        );
        assert_eq!(told("{\"ä\": x}"), "expected value at line 1 column 8\n  1 | {\"ä\": x}\n    |       ^");
    }

    #[test]
    fn a_text_that_ends_too_early_or_is_long_is_shown_too() {
        assert!(told("{").ends_with("  1 | {\n    | ^"), "{}", told("{"));
        assert_eq!(told(""), "EOF while parsing a value at line 1 column 0");
        let long = told(&format!("[{}x{}]", "1,".repeat(500), ",1".repeat(500)));
        let lines: Vec<&str> = long.lines().collect();
        assert_eq!((lines[1].len(), lines[2].find('^')), (6 + 2 * BESIDE, Some(6 + BESIDE)), "{long}");
        assert_eq!(lines[1].chars().nth(6 + BESIDE), Some('x'));
    }
}
