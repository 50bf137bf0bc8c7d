//! Standard output and error, for people and scripts. A reader that leaves before the end (`| head`) is no fault, nor is a
//! terminal that is closed.

use std::fmt::Display;
use std::io::Write;

use processes::in_words;

/// Prints a line.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints this as it is, and at once.
pub(crate) fn raw(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Says this on standard error, of which there may be none any more; without what would move the cursor, for much of it comes
/// from outside.
pub(crate) fn complaint(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{}", in_words(&still(&text.to_string())));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_and_nothing_in_them_moves_the_cursor() {
        assert_eq!(still("web: refused\n  | a\x1b[2Jb\r\u{9b}0m"), "web: refused\n  | a [2Jb  0m");
        assert_eq!(one_line("a\n\x1b[2Jb"), "a  [2Jb");
    }
}
