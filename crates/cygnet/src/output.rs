//! Standard output, for people and scripts. A reader that leaves before the end (`| head`) is no fault.

use std::fmt::Display;
use std::io::Write;

/// Prints a line.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints this as it is, and at once.
pub(crate) fn raw(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}
