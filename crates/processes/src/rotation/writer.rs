//! A log that this process writes itself, for a program whose output comes through it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::Log;
use crate::log_bounds::Rotation;
use crate::program::append;

/// The writer of a log, which keeps it short.
#[derive(Debug)]
pub struct LogWriter {
    file: File,
    log: Option<Log>,
    /// The bytes that can be written before the next look.
    room: u64,
}

impl LogWriter {
    /// Appends to the log at this path, as [`append`] does, within this bound.
    pub fn open(path: &Path, bound: Option<Rotation>) -> io::Result<LogWriter> {
        let file = append(path)?;
        let log = bound.map(|bound| Log::new(&file, path, bound)).transpose()?;
        Ok(LogWriter { file, log, room: 0 })
    }

    fn make_room(&mut self) -> io::Result<()> {
        let Some(log) = self.log.as_mut().filter(|_| self.room == 0) else { return Ok(()) };
        log.rotate()?;
        self.room = log.growth()?.1.max(1);
        Ok(())
    }
}

impl Write for LogWriter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        // A log that cannot be cut now is written on.
        let _not_now = self.make_room();
        let written = self.file.write(piece)?;
        self.room = self.room.saturating_sub(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_written_is_there_in_files_of_its_bound() {
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = directory.path().join("stdout");
        let mut writer = LogWriter::open(&path, Some(Rotation { bytes: 8192, files: 9 })).unwrap();
        let lines: Vec<_> = (0..5000).map(|number| format!("line {number}\n")).collect();
        lines.iter().for_each(|line| writer.write_all(line.as_bytes()).unwrap());
        let older = (1..=9).map_while(|number| fs::read_to_string(path.with_extension(number.to_string())).ok());
        let mut text = older.collect::<Vec<_>>();
        text.reverse();
        text.push(fs::read_to_string(&path).unwrap());
        assert!(text.iter().all(|file| file.len() <= 8192 + 16));
        assert!(text.len() >= 4);
        assert!(text.concat() == lines.concat());
    }
}
