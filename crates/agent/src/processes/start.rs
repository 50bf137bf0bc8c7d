//! Starting a program in a session of its own, so that neither the agent's end nor a Ctrl-C on its terminal reaches it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use executor::sandbox::append;
use processes::{Credentials, Process, Spawn};

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// All arguments, the program's own name first.
    pub(crate) arguments: Vec<String>,
    /// The whole environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: PathBuf,
    /// Files that standard output and error are appended to.
    pub(crate) stdout: PathBuf,
    pub(crate) stderr: PathBuf,
    /// Whom it runs as, if not as the agent.
    pub(crate) user: Option<Credentials>,
}

/// Starts it. The descriptor tells of its end.
pub(crate) fn start(program: Program) -> io::Result<(Process, OwnedFd)> {
    let (null, stdout, stderr) = (File::open("/dev/null")?, append(&program.stdout)?, append(&program.stderr)?);
    let child = Spawn {
        path: program.path,
        argv: program.arguments,
        environment: program.environment,
        working_directory: Some(program.directory),
        stdin: Some(null.as_fd()),
        stdout: Some(stdout.as_fd()),
        stderr: Some(stderr.as_fd()),
        session: true,
        credentials: program.user,
        ..Spawn::default()
    }
    .start()?;
    let pid = child.pid.as_raw_nonzero().get();
    // A child that nobody has waited for has an entry in /proc, even when it has ended already.
    let process = Process::of(pid).ok_or_else(|| io::Error::other("the process has vanished"))?;
    Ok((process, child.pidfd))
}
