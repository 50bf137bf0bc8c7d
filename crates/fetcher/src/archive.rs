//! Unpacking archives, by the machine's own programs, as the user the sandbox belongs to.
//!
//! The program gets the archive as its standard input and opens it by that name, so that it need not be able to walk
//! to where it lies. Which compression a tar has, tar finds out itself.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use processes::{Credentials, DEFAULT_PATH, Session, Spawn};
use rustix::process::{WaitId, WaitIdOptions, waitid};

use crate::error::Reason;
use crate::space::Space;

/// The file that the programs open: their own standard input.
const INPUT: &str = "/proc/self/fd/0";

/// The bytes of a program's complaint that are told.
const COMPLAINT_BYTES: usize = 1024;

/// The kinds of archives that Mesos unpacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Tar,
    Zip,
    /// One file, compressed.
    Gzip,
}

const ENDINGS: [(&str, Format); 9] = [
    (".tar", Format::Tar),
    (".tar.gz", Format::Tar),
    (".tgz", Format::Tar),
    (".tar.bz2", Format::Tar),
    (".tbz2", Format::Tar),
    (".tar.xz", Format::Tar),
    (".txz", Format::Tar),
    (".zip", Format::Zip),
    (".gz", Format::Gzip),
];

impl Format {
    /// The format a file's name tells.
    pub(crate) fn of(name: &Path) -> Option<Format> {
        let name = name.file_name()?.to_str()?;
        ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| *format)
    }

    fn program(self) -> (&'static str, Vec<&'static str>) {
        match self {
            Format::Tar => ("tar", vec!["-x", "--no-same-owner", "--no-same-permissions", "-f", INPUT]),
            Format::Zip => ("unzip", vec!["-o", "-q", INPUT]),
            Format::Gzip => ("gzip", vec!["-d", "-c"]),
        }
    }
}

/// Unpacks an archive into a sandbox; what is one compressed file goes to `output`.
pub(crate) fn extract(
    format: Format,
    input: &File,
    output: Option<&File>,
    (space, sandbox): (&Space, &Path),
    user: Option<&Credentials>,
) -> Result<(), Reason> {
    let (program, arguments) = format.program();
    let complaints = space.unnamed()?;
    let output = output.unwrap_or(&complaints);
    let child = Spawn {
        path: PathBuf::from(program),
        argv: std::iter::once(program).chain(arguments).map(str::to_owned).collect(),
        environment: vec![("PATH".to_owned(), DEFAULT_PATH.to_owned()), ("LC_ALL".to_owned(), "C".to_owned())],
        directories: vec![sandbox.to_owned()],
        streams: [input, output, &complaints].map(|file| Some(file.as_fd())),
        session: Session::Own,
        credentials: user.cloned(),
        ..Spawn::default()
    };
    let child = child.start().map_err(|error| not_started(program, &error))?;
    match ended(child.pidfd) {
        Some(0) => Ok(()),
        status => Err(Reason::Archive(complaint(program, status, complaints))),
    }
}

fn not_started(program: &str, error: &io::Error) -> Reason {
    Reason::Archive(match error.kind() {
        io::ErrorKind::NotFound => format!("'{program}' is not installed on this machine"),
        _ => format!("cannot run '{program}': {error}"),
    })
}

fn ended(pidfd: OwnedFd) -> Option<i32> {
    waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED).ok()??.exit_status()
}

fn complaint(program: &str, status: Option<i32>, said: File) -> String {
    use std::os::unix::fs::FileExt;
    let mut text = vec![0; COMPLAINT_BYTES];
    let length = said.read_at(&mut text, 0).unwrap_or(0);
    text.truncate(length);
    let text = String::from_utf8_lossy(&text);
    let how = status.map_or_else(|| "was killed".to_owned(), |status| format!("exited with status {status}"));
    format!("{program} {how}: {}", text.trim())
}
