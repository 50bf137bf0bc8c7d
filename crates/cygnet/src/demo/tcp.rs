//! Greets, and says back what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const LARGEST_LINE: u64 = 64 * 1024;

/// Serves one connection to its end.
pub(super) fn answer(stream: TcpStream) {
    let Ok(mut writer) = stream.try_clone() else { return };
    if writer.write_all(b"hello\n").is_err() {
        return;
    }
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.by_ref().take(LARGEST_LINE).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        if writer.write_all(&line).is_err() {
            return;
        }
        line.clear();
    }
}
