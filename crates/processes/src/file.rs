//! Files that somebody else may have put where they are.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

/// The content of a regular file. Nothing else is waited for, be it a pipe or a device, and one that is larger is refused.
pub fn read_file(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut content = Vec::new();
    file.take(most_bytes.saturating_add(1)).read_to_end(&mut content)?;
    match content.len() as u64 > most_bytes {
        true => Err(io::Error::other(format!("it is larger than {most_bytes} bytes"))),
        false => Ok(content),
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn only_a_file_that_is_not_too_large_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let (file, pipe) = (directory.path().join("file"), directory.path().join("pipe"));
        std::fs::write(&file, "1234").unwrap();
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(read_file(&file, 4).unwrap(), b"1234");
        let why = |path: &Path| read_file(path, 3).unwrap_err().to_string();
        assert_eq!(why(&file), "it is larger than 3 bytes");
        assert_eq!(why(&pipe), "it is no file", "and nobody waits for a writer");
        assert_eq!(why(directory.path()), "it is no file");
    }
}
