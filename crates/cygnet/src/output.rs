//! Standard output and error, for people and scripts. A reader that leaves before the end (`| head`) is no fault, nor is a
//! terminal that is closed.

use std::fmt::Display;
use std::io::Write;

use processes::in_words;

/// Prints a line for people, without what would move the cursor: much of it comes from outside.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{}", one_line(&text.to_string()));
}

/// Prints JSON. Of what would move the cursor, serializers leave DEL and the controls above ASCII as they are.
pub(crate) fn json_line(json: impl Display) {
    let _ = writeln!(std::io::stdout(), "{}", escaped(&json.to_string()));
}

/// Prints this as it is, and at once.
pub(crate) fn raw(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Says this on standard error, of which there may be none any more.
pub(crate) fn complaint(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{}", complained(text));
}

/// The words of a complaint, without what would move the cursor, for much of it comes from outside.
pub(crate) fn complained(text: impl Display) -> String {
    in_words(&still(&text.to_string()))
}

/// The lines of a text without what would move the cursor in them.
pub(crate) fn still(text: &str) -> String {
    text.chars().map(|letter| if letter == '\n' { letter } else { plain(letter) }).collect()
}

/// A text as one line, without what would move the cursor.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(plain).collect()
}

/// A letter, or a space in place of one that would move the cursor.
pub(crate) fn plain(letter: char) -> char {
    if letter.is_control() { ' ' } else { letter }
}

/// JSON, all on one line or on several, with its controls escaped: they stand in strings alone.
fn escaped(json: &str) -> String {
    let escaped = |letter: char| format!("\\u{:04x}", u32::from(letter));
    let is_plain = |letter: char| letter == '\n' || !letter.is_control();
    json.chars().fold(String::with_capacity(json.len()), |mut all, letter| {
        if is_plain(letter) {
            all.push(letter)
        } else {
            all.push_str(&escaped(letter))
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_and_nothing_in_them_moves_the_cursor() {
        assert_eq!(still("web: refused\n  | a\x1b[2Jb\r\u{9b}0m"), "web: refused\n  | a [2Jb  0m");
        assert_eq!(one_line("a\n\x1b[2Jb"), "a  [2Jb");
    }

    #[test]
    fn json_stays_what_it_is_and_moves_nothing() {
        let value = serde_json::json!({"a": "\x1b[2J\u{7f}\u{9b}2J\n", "b": [1]});
        for text in [value.to_string(), format!("{value:#}")] {
            let shown = escaped(&text);
            assert!(shown.chars().all(|letter| letter == '\n' || !letter.is_control()), "{shown:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
