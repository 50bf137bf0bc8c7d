//! Starts the task's main process; runs in the shim.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use checks::kernel::Spawn;
use checks::spec::Credentials;
use rustix::process::{Pid, Signal};

use crate::sandbox::append;
use crate::shim::Spec;

/// Starts what the spec says, as the leader of a new session that dies with its parent.
pub(crate) fn task(spec: &Spec) -> io::Result<Pid> {
    let null = File::open("/dev/null")?;
    let (stdout, stderr) = (append(&spec.stdout)?, append(&spec.stderr)?);
    let child = Spawn {
        path: spec.path.clone(),
        argv: spec.arguments.clone(),
        environment: spec.environment.clone(),
        working_directory: Some(spec.working_directory.clone()),
        fallback_directory: None,
        stdin: Some(null.as_fd()),
        stdout: Some(stdout.as_fd()),
        stderr: Some(stderr.as_fd()),
        session: true,
        terminal: false,
        credentials: spec.user.clone().map(|user| Credentials { uid: user.uid, gid: user.gid, groups: user.groups }),
        parent_death_signal: Some(Signal::KILL),
        enter: None,
        cgroup: None,
    };
    let cannot = |error| io::Error::other(format!("Cannot run '{}': {error}", spec.path.display()));
    child.start().map(|child| child.pid).map_err(cannot)
}
