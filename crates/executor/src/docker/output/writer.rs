//! The files of a container's output in the sandbox, and how far it was read. All of it may block.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use containers::docker::{Output, Position, Stream};
use processes::{LogWriter, Logs, Rotation, Rotations};

/// The writer of both logs, which are open from the first line on.
#[derive(Debug)]
pub(super) struct Writer {
    stdout: OneLog,
    stderr: OneLog,
    position: PathBuf,
}

#[derive(Debug)]
struct OneLog {
    path: PathBuf,
    bound: Option<Rotation>,
    open: Option<LogWriter>,
}

impl Writer {
    pub(super) fn new(logs: &Logs, rotations: Rotations, position: PathBuf) -> Writer {
        let log = |path: &Path, bound| OneLog { path: path.to_owned(), bound, open: None };
        let (stdout, stderr) = (log(&logs.stdout, rotations.stdout), log(&logs.stderr, rotations.stderr));
        Writer { stdout, stderr, position }
    }

    /// The place after the last piece that was written.
    pub(super) fn position(&self) -> Position {
        fs::read(&self.position).ok().and_then(|it| serde_json::from_slice(&it).ok()).unwrap_or_default()
    }

    /// Writes lines, after which the container's output was read so far.
    pub(super) fn write(&mut self, lines: &[Output], position: &Position) -> io::Result<()> {
        let of = |stream| {
            let lines = lines.iter().filter(move |line| line.stream == stream);
            lines.flat_map(|line| line.bytes.iter().copied()).collect::<Vec<u8>>()
        };
        let written = self.stdout.write(&of(Stream::Stdout));
        self.stderr.write(&of(Stream::Stderr)).and(written)?;
        self.remember(position)
    }

    /// It need not be on disk: where that matters, the container is gone, too.
    fn remember(&self, position: &Position) -> io::Result<()> {
        let new = self.position.with_extension("new");
        File::create(&new)?.write_all(&serde_json::to_vec(position)?)?;
        fs::rename(&new, &self.position)
    }
}

impl OneLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => LogWriter::open(&self.path, self.bound)?,
        };
        self.open.insert(open).write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(stream: Stream, count: usize) -> Vec<Output> {
        (0..count).map(|number| Output { stream, bytes: format!("line {number}\n").into() }).collect()
    }

    #[test]
    fn logs_stay_within_their_bounds_and_a_sandbox_that_is_away_may_come_back() {
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let (sandbox, bound) = (directory.path().join("sandbox"), Some(Rotation { bytes: 8192, files: 9 }));
        let rotations = Rotations { stdout: bound, stderr: None };
        let mut writer = Writer::new(&Logs::of(&sandbox), rotations, directory.path().join("position"));
        let position: Position = serde_json::from_str(r#"{"time": "1970-01-01T00:00:00Z", "count": 1}"#).unwrap();
        writer.write(&lines(Stream::Stdout, 1), &position).unwrap_err();
        assert_eq!(writer.position(), Position::default(), "nothing was written");
        fs::create_dir(&sandbox).unwrap();
        (0..50).for_each(|_| writer.write(&lines(Stream::Stdout, 100), &position).unwrap());
        writer.write(&lines(Stream::Stderr, 2), &position).unwrap();
        assert_eq!(writer.position(), position);
        assert_eq!(fs::read_to_string(sandbox.join("stderr")).unwrap(), "line 0\nline 1\n");
        assert!(fs::metadata(sandbox.join("stdout")).unwrap().len() < 8192 + 4096);
        assert!(sandbox.join("stdout.3").exists(), "{:?}", fs::read_dir(&sandbox).unwrap().collect::<Vec<_>>());
    }
}
