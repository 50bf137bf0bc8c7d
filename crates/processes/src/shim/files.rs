//! The directory that a shim shares with those who watch it. Every file appears whole, by a rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::process::{Boot, Process};
use crate::program::Logged;
use crate::status::WaitStatus;

/// The processes of a program that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    /// The shim.
    pub shim: Process,
    /// The main process, leader of its own session.
    pub task: Process,
    /// The boot of the machine at that time: after another one, others have the same numbers.
    #[serde(default)]
    boot: Option<Boot>,
}

impl Started {
    /// These processes of this machine as it runs now.
    pub(crate) fn now(shim: Process, task: Process) -> Started {
        Started { shim, task, boot: Boot::this() }
    }

    /// True if the processes may still be there.
    pub(crate) fn is_of_this_boot(&self) -> bool {
        self.boot.is_none() || self.boot == Boot::this()
    }
}

/// The end of a program under a shim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The main process ended.
    Status(WaitStatus),
    /// There never was a main process, and never will be; the text says why.
    NotStarted(String),
    /// The shim died and cannot tell; the text says why.
    Unknown(String),
}

/// The directory of a shim.
#[derive(Clone, Debug)]
pub struct ShimFiles {
    directory: PathBuf,
}

/// The lock of the directory; free again when dropped.
#[derive(Debug)]
pub(crate) struct ShimLock {
    _file: File,
}

impl ShimFiles {
    /// The files in this directory.
    pub fn new(directory: impl Into<PathBuf>) -> ShimFiles {
        ShimFiles { directory: directory.into() }
    }

    /// Their directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The program to run.
    pub fn program(&self) -> io::Result<Logged> {
        self.read("spec.json")?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no spec.json"))
    }

    /// Says what to run.
    pub(crate) fn write_program(&self, program: &Logged) -> io::Result<()> {
        self.write("spec.json", program)
    }

    /// The program's processes, if it got that far.
    pub(crate) fn started(&self) -> io::Result<Option<Started>> {
        self.read("pid")
    }

    /// Says which processes they are.
    pub(crate) fn write_started(&self, started: &Started) -> io::Result<()> {
        self.write("pid", started)
    }

    /// True if a shim was to start the program, whatever else is on file.
    pub fn has_started(&self) -> bool {
        ["spec.json", "lock", "pid", "exit"].iter().any(|name| self.directory.join(name).exists())
    }

    /// Names in the log what is damaged or missing of a program that was started, be it needed or not.
    pub(crate) fn tell_of_damage(&self) {
        if !self.has_started() {
            return;
        }
        let missing = ["spec.json", "lock", "pid"].map(|name| self.directory.join(name)).into_iter();
        let missing = missing.filter(|path| !path.exists());
        missing.for_each(|path| tracing::warn!(path = %path.display(), "a file of a task's state is missing"));
        let damage = ["spec.json", "pid", "grace"].into_iter().filter_map(|name| self.read::<IgnoredAny>(name).err());
        damage.for_each(|error| tracing::warn!(%error, "a file of a task's state is damaged"));
    }

    /// The end, if it came to that.
    pub(crate) fn exit(&self) -> io::Result<Option<End>> {
        self.read("exit")
    }

    /// Writes the end down. From then on no shim starts this program any more.
    pub(crate) fn write_exit(&self, exit: &End) -> io::Result<()> {
        self.write("exit", exit)
    }

    /// The time since boot until which what is left of the program may go on, once it was asked to end.
    pub(super) fn grace(&self) -> Option<Duration> {
        self.read("grace").ok().flatten()
    }

    /// Gives the program until then, as the time since boot. To be written before it is asked to end.
    pub fn write_grace(&self, until: Duration) -> io::Result<()> {
        self.write("grace", &until)
    }

    /// True if the shim itself said that nothing of the program is left.
    pub(crate) fn is_clear(&self) -> bool {
        self.directory.join("clear").exists()
    }

    pub(super) fn write_clear(&self) -> io::Result<()> {
        write_whole(&self.directory.join("clear"), b"")
    }

    /// The lock, unless a living shim has it.
    pub(crate) fn try_lock(&self) -> io::Result<Option<ShimLock>> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(self.directory.join("lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(ShimLock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let path = self.directory.join(name);
        let damaged = |error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()));
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(damaged),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write<T: Serialize>(&self, name: &str, content: &T) -> io::Result<()> {
        write_whole(&self.directory.join(name), &serde_json::to_vec(content)?)
    }
}

/// Replaces a file, which is nobody else's, at once; when this returns, it is on disk.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    // A name that is on disk before the content would be an empty file after a power cut.
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
