//! Runs a command and judges by its exit status.
//!
//! It leads a session of its own, so that it can be found again with everything it starts. Its output goes through a
//! pipe, of which the end is kept for the case of failure. Its end is read from a pidfd. When time is up the whole
//! tree is killed, and the attempt is over when the command itself is reaped.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::task::Poll;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{Errno, read};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, WaitId, WaitIdOptions, WaitIdStatus, waitid};

use super::poller::Interest;
use super::tools::Tools;
use super::undertaker::Undertaker;
use super::{blame, tree, words};
use crate::kernel::{Child, Spawn, Step, Stumble, null};
use crate::outcome::{Answer, Failure, Outcome, Reason};
use crate::place::Place;
use crate::spec::{Command, CommandProbe};

/// How much of the output is kept.
const TAIL: usize = 3 * 1024;

/// How much output is read in one go, so that a talkative command does not hold up the others.
const READS: usize = 4;

#[derive(Debug)]
pub(crate) struct Attempt {
    child: Child,
    output: Option<OwnedFd>,
    tail: Vec<u8>,
    /// What it is, if not what its exit status says: its time was up.
    decided: Option<Outcome>,
}

impl Attempt {
    pub(super) fn start(probe: &CommandProbe, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        tools.go(place)?;
        let ours = |errno| blame(errno, |cause| Failure::NotStarted { cause });
        let (output, input) = pipe().map_err(ours)?;
        let child = spawn(probe, place, input).map_err(not_started)?;
        let attempt = Attempt { child, output: Some(output), tail: Vec::new(), decided: None };
        match attempt.register(tools) {
            Ok(()) => Ok(attempt),
            Err(errno) => {
                attempt.dismiss(tools.undertaker);
                Err(ours(errno))
            }
        }
    }

    fn register(&self, tools: &Tools<'_>) -> rustix::io::Result<()> {
        tools.poller.add(&self.child.pidfd, tools.key, Interest::Read)?;
        self.output.as_ref().map_or(Ok(()), |output| tools.poller.add(output, tools.key, Interest::Read))
    }

    pub(super) fn advance(&mut self, tools: &mut Tools<'_>) -> Poll<Outcome> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let status = waitid(WaitId::PidFd(self.child.pidfd.as_fd()), options);
        self.drain(tools.scratch);
        match status {
            Ok(None) | Err(Errno::INTR) => Poll::Pending,
            Ok(Some(status)) => Poll::Ready(self.end(Ended::of(&status))),
            Err(_) => Poll::Ready(self.end(None)),
        }
    }

    fn end(&mut self, ended: Option<Ended>) -> Outcome {
        match (self.decided.take(), ended) {
            (Some(decided), _) => with_output(decided, self.text()),
            (None, Some(Ended::Exited(0))) => Outcome::Success(Answer::Exit(0)),
            (None, Some(Ended::Exited(code))) => Outcome::Failure(Failure::Exit { code, output: self.text() }),
            (None, Some(Ended::Killed(signal))) => Outcome::Failure(Failure::Signal { signal, output: self.text() }),
            (None, None) => Outcome::Inconclusive(Reason::ExitStatusLost),
        }
    }

    pub(super) fn expire(&mut self, outcome: Outcome, undertaker: &mut Undertaker) -> Poll<Outcome> {
        self.decided = Some(outcome);
        undertaker.take(tree::fell(self.child.pid));
        Poll::Pending
    }

    pub(super) fn dismiss(self, undertaker: &mut Undertaker) {
        undertaker.take(tree::fell(self.child.pid));
        undertaker.take([self.child.pidfd]);
    }

    /// Reads what there is. Whoever still holds the other end when the command has ended talks to nobody.
    fn drain(&mut self, scratch: &mut [u8]) {
        for _ in 0..READS {
            let Some(output) = &self.output else { return };
            match read(output, &mut *scratch) {
                Ok(0) | Err(Errno::IO) => self.output = None,
                Ok(length) => self.keep(scratch.get(..length).unwrap_or_default()),
                Err(_) => return,
            }
        }
    }

    fn keep(&mut self, text: &[u8]) {
        self.tail.extend_from_slice(text);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.tail).trim_end().to_owned()
    }
}

/// How a command ended.
enum Ended {
    Exited(i32),
    Killed(i32),
}

impl Ended {
    fn of(status: &WaitIdStatus) -> Option<Ended> {
        let exited = status.exit_status().map(Ended::Exited);
        exited.or_else(|| status.terminating_signal().map(Ended::Killed))
    }
}

fn with_output(outcome: Outcome, text: String) -> Outcome {
    match outcome {
        Outcome::Failure(Failure::TimedOut { after, .. }) => {
            Outcome::Failure(Failure::TimedOut { after, output: text })
        }
        other => other,
    }
}

/// Only our end does not block: the command's standard output is an ordinary one.
fn pipe() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let (output, input) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setfl(&output, OFlags::NONBLOCK)?;
    Ok((output, input))
}

/// The thread is in the right network already, which its children inherit; the mounts are the child's business.
fn spawn(probe: &CommandProbe, place: &Place, output: OwnedFd) -> Result<Child, Stumble> {
    let prepare = |errno| Stumble { step: Step::Prepare, errno };
    let unprepared = |error: std::io::Error| prepare(Errno::from_io_error(&error).unwrap_or(Errno::IO));
    let (path, argv) = program(&probe.command);
    let enter = place.mounts().map(|mounts| mounts.try_clone()).transpose().map_err(unprepared)?;
    let spawn = Spawn {
        path,
        argv,
        environment: probe.environment.clone(),
        working_directory: probe.working_directory.clone(),
        stdin: Some(null().map_err(prepare)?),
        stdout: Some(output.try_clone().map_err(unprepared)?),
        stderr: Some(output),
        session: true,
        credentials: probe.user.clone(),
        parent_death_signal: Some(Signal::KILL),
        enter: enter.into_iter().collect(),
    };
    spawn.launch()
}

fn program(command: &Command) -> (PathBuf, Vec<String>) {
    match command {
        Command::Shell(value) => ("sh".into(), ["sh", "-c", value].map(str::to_owned).to_vec()),
        Command::Exec { path, argv } => (path.into(), argv.clone()),
    }
}

fn not_started(stumble: Stumble) -> Outcome {
    let cause = |cause: String| match stumble.step {
        Step::Namespaces => Failure::Place { cause },
        Step::Directory => Failure::NotStarted { cause: format!("working directory: {cause}") },
        Step::Credentials => Failure::NotStarted { cause: format!("user: {cause}") },
        Step::Program | Step::Prepare | Step::Session | Step::Streams => Failure::NotStarted { cause },
    };
    match (stumble.step, stumble.errno) {
        (Step::Prepare, Errno::AGAIN) => Outcome::Inconclusive(Reason::EngineExhausted { cause: words(stumble.errno) }),
        (_, errno) => blame(errno, cause),
    }
}
