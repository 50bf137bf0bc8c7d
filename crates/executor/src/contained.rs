//! One program under a shim, for whoever else runs programs that are to outlive it: an agent with its containers.
//!
//! Comes in: what to run, and a directory for the shim. Goes out: a [`Contained`] program, and its end. Owns no task.

use std::io;
use std::path::{Path, PathBuf};

use processes::Credentials;
use rustix::process::Signal;

use crate::life::{Blow, Ending};
use crate::shim::{ShimFiles, Spec};
use crate::supervisor::{Found, Launch, Supervisor, find};
use crate::terminal::Terminal;
use crate::user::User;

/// What to run, complete: nothing is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file to execute; one without a slash is looked for in the environment's `PATH`.
    pub path: PathBuf,
    /// All arguments, the zeroth included.
    pub arguments: Vec<String>,
    /// The whole environment; [`mark`] is added.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub working_directory: PathBuf,
    /// The file its standard output is appended to.
    pub stdout: PathBuf,
    /// The file its standard error is appended to.
    pub stderr: PathBuf,
    /// Who it runs as, if not as this process.
    pub user: Option<Credentials>,
    /// The terminal that takes the place of its three streams; what it prints goes to `stdout`.
    pub terminal: Option<Terminal>,
}

/// A program that runs, and will go on running without this process.
#[derive(Debug)]
pub struct Contained(Supervisor);

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As wait(2) tells it.
    Status(i32),
    /// It never ran; the text says why.
    NotStarted(String),
    /// Nobody can tell; the text says why.
    Unknown(String),
}

/// The name of the variable that every program under a shim has.
pub(crate) const MARK: &str = "CYGNET_RUN";

/// The variable that the program and everything it starts has, and nobody else.
pub fn mark(directory: &Path) -> (String, String) {
    (MARK.to_owned(), directory.display().to_string())
}

/// Starts a program. `shim_command` is the program and its first arguments that, given `directory`, run
/// [`crate::shim::main`]; the directory must exist and be this program's alone.
pub async fn start(program: Program, shim_command: &[String], directory: &Path) -> io::Result<Result<Contained, End>> {
    let files = ShimFiles::new(directory);
    let mark = mark(directory);
    let mut environment = program.environment;
    environment.push(mark.clone());
    let spec = Spec {
        path: program.path,
        arguments: program.arguments,
        environment,
        working_directory: program.working_directory,
        stdout: program.stdout,
        stderr: program.stderr.clone(),
        user: program.user.map(|user| User { uid: user.uid, gid: user.gid, groups: user.groups }),
        terminal: program.terminal,
    };
    files.write_spec(&spec)?;
    Launch { files, command: shim_command, log: program.stderr, mark }.start().await.map(found)
}

/// Finds what was started in this directory before. If there is neither a program nor a word about its end, nothing
/// will ever be started there.
pub async fn recover(directory: &Path) -> io::Result<Result<Contained, End>> {
    let files = ShimFiles::new(directory);
    files.tell_of_damage();
    find(files, mark(directory)).await.map(found)
}

fn found(found: Found) -> Result<Contained, End> {
    match found {
        Found::Alive(supervisor) => Ok(Contained(supervisor)),
        Found::Over(Ending::Status(status)) => Err(End::Status(status)),
        Found::Over(Ending::Unknown(why)) => Err(End::Unknown(why)),
        Found::NeverStarted(why) => Err(End::NotStarted(why)),
    }
}

impl Contained {
    /// The main process: its pid, and when it started in clock ticks since boot.
    pub fn process(&self) -> (i32, u64) {
        let task = self.0.task();
        (task.pid, task.start)
    }

    /// Sends a signal to the main process. When that ends, whatever else it started is killed.
    pub fn signal(&self, signal: Signal) {
        self.0.task().signal(signal);
    }

    /// SIGKILL for everything.
    pub fn kill(&self) {
        self.0.signal(Blow::Kill);
    }

    /// Comes back when the program and everything it started is gone.
    pub async fn ended(&self) -> End {
        match self.0.ended().await {
            Ending::Status(status) => End::Status(status),
            Ending::Unknown(why) => End::Unknown(why),
        }
    }
}
