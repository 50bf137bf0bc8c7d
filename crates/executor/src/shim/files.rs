//! The directory a shim and its executor share. Every file appears whole, by a rename.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::terminal::Terminal;
use crate::tree::{Boot, Process};
use crate::user::User;

/// What the shim is to run, complete: it looks nothing up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// The file to execute.
    pub path: PathBuf,
    /// All arguments, the zeroth included.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub working_directory: PathBuf,
    /// The file its standard output is appended to.
    pub stdout: PathBuf,
    /// The file its standard error is appended to.
    pub stderr: PathBuf,
    /// Who it runs as, if not as the shim.
    pub user: Option<User>,
    /// The terminal that takes the place of its three streams; what it prints goes to `stdout`.
    #[serde(default)]
    pub terminal: Option<Terminal>,
}

/// The processes of a task that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    /// The shim.
    pub shim: Process,
    /// The task's main process, leader of its own session.
    pub task: Process,
    /// When the machine was booted: afterwards others have the same numbers.
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

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exit {
    /// The task's main process ended; as wait(2) tells it.
    Status(i32),
    /// There never was a main process; the text says why.
    NotStarted(String),
    /// The shim died and cannot tell; its executor wrote this.
    Unknown(String),
}

/// The directory.
#[derive(Clone, Debug)]
pub(crate) struct ShimFiles {
    directory: PathBuf,
}

/// The lock of the directory; free again when dropped.
#[derive(Debug)]
pub(crate) struct ShimLock {
    _file: File,
}

impl ShimFiles {
    /// The files in this directory.
    pub(crate) fn new(directory: impl Into<PathBuf>) -> ShimFiles {
        ShimFiles { directory: directory.into() }
    }

    /// Where they are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What to run.
    pub(crate) fn spec(&self) -> io::Result<Spec> {
        self.read("spec.json")?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no spec.json"))
    }

    /// Says what to run.
    pub(crate) fn write_spec(&self, spec: &Spec) -> io::Result<()> {
        self.write("spec.json", spec)
    }

    /// The task's processes, if it got that far.
    pub(crate) fn started(&self) -> io::Result<Option<Started>> {
        self.read("pid")
    }

    /// Says which processes they are.
    pub(crate) fn write_started(&self, started: &Started) -> io::Result<()> {
        self.write("pid", started)
    }

    /// True if a shim was to start the program, whatever else is on file.
    pub(crate) fn has_started(&self) -> bool {
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
    pub(crate) fn exit(&self) -> io::Result<Option<Exit>> {
        self.read("exit")
    }

    /// Writes the end down. From then on no shim starts this task any more.
    pub(crate) fn write_exit(&self, exit: &Exit) -> io::Result<()> {
        self.write("exit", exit)
    }

    /// Until when what is left of the task may take its time, once the task was asked to end.
    pub(super) fn grace(&self) -> Option<Moment> {
        self.read("grace").ok().flatten()
    }

    /// Gives the task until then. To be written before it is asked to end.
    pub(crate) fn write_grace(&self, until: Moment) -> io::Result<()> {
        self.write("grace", &until)
    }

    /// Whether the shim itself said that nothing of the task is left.
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

/// Replaces a file of a task's state, which is nobody else's, at once.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    store::replace_file(path, content, 0o600)
}
