//! Starts a process whose streams the agent holds: pipes, or one terminal.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use processes::namespace::send_children_to_that_of;
use processes::terminal::pair::{Pair, open_pair};
use processes::{BirthWatch, Birthplace, Child, Enter, Process, Program, Spawn, Terminal};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::ThreadNameSpaceType;

/// The process whose namespaces a session joins, and which of them.
pub(super) type Join = (Process, ThreadNameSpaceType);

/// Our ends. None of them blocks.
#[derive(Debug)]
pub(super) enum SessionStreams {
    Pipes { stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd },
    Terminal(OwnedFd),
}

/// A process that has been started.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) process: Process,
    pub(super) pidfd: OwnedFd,
    pub(super) streams: SessionStreams,
}

/// Takes about a millisecond, in which the calling thread waits. In a container that is paused it would wait for its end.
pub(super) fn start(program: &Program, join: Option<Join>) -> io::Result<Session> {
    if program.birthplace.as_ref().is_some_and(Birthplace::is_frozen) {
        return Err(io::Error::other("the container is paused"));
    }
    let pidfd = join.map(|(process, _)| process.open().ok_or_else(gone)).transpose()?;
    let kinds = join.map_or(ThreadNameSpaceType::empty(), |(_, kinds)| kinds);
    let enter = pidfd.as_ref().map(|of| Enter { of: of.as_fd(), kinds }).filter(|_| !kinds.is_empty());
    let among = enter.filter(|_| kinds.contains(ThreadNameSpaceType::PROCESS_ID));
    let (theirs, streams) = match program.terminal {
        Some(wanted) => terminal(wanted, program.user.as_ref().map(|user| user.uid))?,
        None => pipes()?,
    };
    let bear = |watch: Option<&BirthWatch>| {
        let mut spawn = Spawn { enter, watch, ..program.spawn(theirs.each_ref().map(AsFd::as_fd)) };
        // The sandbox may be gone.
        spawn.directories.push(PathBuf::from("/"));
        spawn.start()
    };
    let child = match among {
        Some(Enter { of, .. }) => born_among(of, bear)?,
        None => bear(None)?,
    };
    Ok(Session { process: child.process()?, pidfd: child.pidfd, streams })
}

fn gone() -> io::Error {
    io::Error::other("the process has vanished")
}

/// Nobody in there holds up the start. A thread cannot take back where it sends its children, so that is done by one that ends with it.
fn born_among(
    of: BorrowedFd<'_>,
    bear: impl FnOnce(Option<&BirthWatch>) -> io::Result<Child> + Send,
) -> io::Result<Child> {
    let there = move || {
        let watch = BirthWatch::start()?;
        send_children_to_that_of(of)?;
        bear(Some(&watch))
    };
    let born = std::thread::scope(|scope| scope.spawn(there).join());
    born.unwrap_or_else(|_panicked| Err(io::Error::other("starting the process failed")))
}

type Theirs = [OwnedFd; 3];

fn pipes() -> io::Result<(Theirs, SessionStreams)> {
    let (their_stdin, stdin) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stdout, their_stdout) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stderr, their_stderr) = pipe_with(PipeFlags::CLOEXEC)?;
    for own in [&stdin, &stdout, &stderr] {
        fcntl_setfl(own, OFlags::NONBLOCK)?;
    }
    Ok(([their_stdin, their_stdout, their_stderr], SessionStreams::Pipes { stdin, stdout, stderr }))
}

fn terminal(terminal: Terminal, owner: Option<u32>) -> io::Result<(Theirs, SessionStreams)> {
    let Pair { ours, theirs } = open_pair(terminal, owner)?;
    Ok(([theirs.try_clone()?, theirs.try_clone()?, theirs], SessionStreams::Terminal(ours)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use harness::patience::PATIENCE;
    use harness::wait::until;
    use rustix::process::{WaitId, WaitIdOptions, waitid};

    use super::*;

    /// The freezers of both versions, where they may be: the directory, the file that freezes, and what to write to it.
    const FREEZERS: [(&str, &str, [&str; 2]); 3] = [
        ("/sys/fs/cgroup/freezer", "freezer.state", ["FROZEN", "THAWED"]),
        ("/sys/fs/cgroup", "cgroup.freeze", ["1", "0"]),
        ("/sys/fs/cgroup/unified", "cgroup.freeze", ["1", "0"]),
    ];

    /// A cgroup in which everybody is frozen.
    struct Frozen {
        path: PathBuf,
        freezer: PathBuf,
        thawed: &'static str,
    }

    impl Frozen {
        fn new((parent, freezer, [frozen, thawed]): (&str, &str, [&'static str; 2])) -> Option<Frozen> {
            let path = PathBuf::from(parent).join(format!("cygnet-session-{}", std::process::id()));
            fs::create_dir(&path).ok()?;
            let made = Frozen { freezer: path.join(freezer), path, thawed };
            // A directory of an ordinary file system has no such file.
            let mut file = fs::File::options().write(true).open(&made.freezer).ok()?;
            std::io::Write::write_all(&mut file, frozen.as_bytes()).ok()?;
            until("the cgroup to be frozen", PATIENCE, || made.birthplace().is_frozen().then_some(()));
            Some(made)
        }

        fn birthplace(&self) -> Birthplace {
            match self.freezer.ends_with("cgroup.freeze") {
                true => Birthplace::Directory(self.path.clone()),
                false => Birthplace::Tasks(vec![self.path.join("tasks")]),
            }
        }

        fn thaw(&self) {
            let _thawed = fs::write(&self.freezer, self.thawed);
        }
    }

    impl Drop for Frozen {
        fn drop(&mut self) {
            if self.freezer.exists() {
                self.thaw();
            }
            let _empty = fs::remove_dir(&self.path);
        }
    }

    #[test]
    fn a_paused_container_holds_up_nobody() {
        let found: Vec<Frozen> = FREEZERS.into_iter().filter_map(Frozen::new).collect();
        if found.is_empty() {
            return println!("SKIPPED a_paused_container_holds_up_nobody: needs a freezer");
        }
        for frozen in found {
            let program =
                Program { path: "/bin/true".into(), birthplace: Some(frozen.birthplace()), ..Program::default() };
            assert_eq!(start(&program, None).unwrap_err().to_string(), "the container is paused");
            frozen.thaw();
            let session = start(&program, None).unwrap();
            let ended = WaitId::PidFd(session.pidfd.as_fd());
            waitid(ended, WaitIdOptions::EXITED).unwrap();
        }
    }
}
