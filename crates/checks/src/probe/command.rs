//! Runs a command and judges by its exit status.
//!
//! It leads a session of its own, so that it can be found again with everything it starts. Its output goes through a
//! pipe, of which the end is kept for the case of failure. Its end is read from a pidfd. When time is up the whole
//! tree is killed, which is everybody in its cgroup if it has one, and the attempt is over when the command itself is
//! reaped.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::task::Poll;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{Errno, dup, read};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, kill_process_group};
use rustix::thread::ThreadNameSpaceType;

use super::blame;
use super::cgroup::Cgroup;
use super::poller::{Interest, Poller};
use super::tools::Tools;
use crate::outcome::{Answer, Failure, Outcome, Phases, Reason, errno_text};
use crate::place::Place;
use crate::spec::{Command, CommandProbe};
use processes::{Birthplace, Child, Credentials, Ended, Enter, Session, Spawn, SpawnError, Step, kill_session, reap};

/// The part of the output that is kept.
const TAIL: usize = 3 * 1024;

/// The output that is read in one go, so that a talkative command does not hold up the others.
const READS: usize = 4;

/// The pipe that the command writes to.
#[derive(Debug)]
struct Pipe {
    /// Does not block.
    ours: OwnedFd,
    /// Held as long as the command runs, so that its end wakes us once, by the pidfd, and not by both.
    theirs: OwnedFd,
    /// True if what is written wakes us.
    wakes: bool,
}

#[derive(Debug)]
pub(crate) struct Attempt {
    child: Child,
    cgroup: Option<Cgroup>,
    output: Pipe,
    tail: Vec<u8>,
    phases: Phases,
    /// The CPU time it has used, once it has ended.
    cpu: Duration,
    /// The outcome, if its exit status does not decide it: its time was up.
    decided: Option<Outcome>,
    /// The task's process, awaited by a command that was killed: with the first process of a namespace the kernel kills all
    /// others in it, before that one counts as ended. And the outcome if it has not.
    awaited: Option<(OwnedFd, Outcome)>,
}

impl Attempt {
    pub(super) fn start(probe: &CommandProbe, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        // A child enters a container by one call, with its network.
        if network(place).is_none() {
            tools.go(place)?;
        }
        if probe.birthplace.as_ref().is_some_and(Birthplace::is_frozen) {
            return Err(Outcome::Inconclusive(Reason::Paused));
        }
        let ours = |errno| blame(errno, |cause| Failure::NotStarted { cause });
        let output = Pipe::new().map_err(ours)?;
        let mut cgroup = tools.cgroups.take(probe.birthplace.as_ref());
        let mut spawned = spawn(probe, place, &output.theirs, cgroup.as_ref(), tools);
        if let (Err(error), Some(refusing)) = (&spawned, cgroup.take_if(|_| is_refused(&spawned))) {
            tracing::debug!(errno = %error.errno, "commands cannot be born in cgroups here");
            tools.cgroups.give_up(refusing);
            spawned = spawn(probe, place, &output.theirs, None, tools);
        }
        match spawned {
            Ok(child) => Attempt::watch(child, cgroup, output, tools),
            Err(error) => {
                let left = cgroup.into_iter().flat_map(|cgroup| tools.cgroups.give_back(cgroup));
                tools.reaper.take(left);
                Err(not_started(error, place))
            }
        }
    }

    fn watch(child: Child, cgroup: Option<Cgroup>, output: Pipe, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        let phases = Phases { started: Some(tools.elapsed()), ..Phases::default() };
        let (tail, cpu) = (Vec::new(), Duration::ZERO);
        let mut attempt = Attempt { child, cgroup, output, tail, phases, cpu, decided: None, awaited: None };
        match attempt.register(tools) {
            Ok(()) => Ok(attempt),
            Err(errno) => {
                attempt.dismiss(tools);
                Err(blame(errno, |cause| Failure::NotStarted { cause }))
            }
        }
    }

    pub(super) fn phases(&self) -> Phases {
        self.phases
    }

    /// It is over: what it left behind ends, and its cgroup serves the next one, unless that was killed. Returns what it
    /// used. Without a cgroup only its process group is found.
    pub(super) fn dissolve(self, tools: &mut Tools<'_>) -> Duration {
        // Closing a copy is not enough: epoll knows the process by all of them.
        self.awaited.iter().for_each(|(pidfd, _)| tools.poller.remove(pidfd));
        match self.cgroup {
            Some(cgroup) => tools.reaper.take(tools.cgroups.give_back(cgroup)),
            // The number is not given to another process that soon, as numbers come round.
            None => _ = kill_process_group(self.child.pid, Signal::KILL),
        }
        self.cpu
    }

    fn register(&mut self, tools: &Tools<'_>) -> rustix::io::Result<()> {
        tools.poller.add(&self.child.pidfd, tools.key, Interest::Read)?;
        self.output.wake(tools)
    }

    /// Its output does not wake it until it has gone on again; its end does.
    pub(super) fn rest(&mut self, poller: &Poller) -> bool {
        self.output.rest(poller)
    }

    pub(super) fn advance(&mut self, place: &Place, tools: &mut Tools<'_>) -> Poll<Outcome> {
        if let Some((_, outcome)) = &self.awaited {
            return if place.has_ended() { Poll::Ready(outcome.clone()) } else { Poll::Pending };
        }
        let reaped = reap(self.child.pidfd.as_fd());
        self.drain(tools);
        match reaped {
            Ok(None) | Err(Errno::INTR) => {
                let _its_end_wakes_us_anyway = self.output.wake(tools);
                Poll::Pending
            }
            Ok(Some(reaped)) => {
                self.forget(tools);
                self.cpu = reaped.cpu;
                let is_by_us = self.decided.is_some();
                let outcome = self.end(Some(reaped.ended));
                match reaped.ended {
                    Ended::Killed(signal) if signal == Signal::KILL.as_raw() && !is_by_us => {
                        self.wait_for_the_task(outcome, place, tools)
                    }
                    _ => Poll::Ready(outcome),
                }
            }
            Err(_) => Poll::Ready(self.end(None)),
        }
    }

    /// The task may have been killed together with a command in its namespace of processes: its end decides, or the end
    /// of the time there is.
    fn wait_for_the_task(&mut self, outcome: Outcome, place: &Place, tools: &Tools<'_>) -> Poll<Outcome> {
        let Some(pidfd) = place.whose_end_ends_others().filter(|_| !place.has_ended()) else {
            return Poll::Ready(outcome);
        };
        let awaited = dup(pidfd).and_then(|pidfd| tools.poller.add(&pidfd, tools.key, Interest::Read).map(|()| pidfd));
        match awaited {
            Ok(pidfd) => {
                self.awaited = Some((pidfd, outcome));
                Poll::Pending
            }
            Err(_) => Poll::Ready(outcome),
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

    pub(super) fn expire(&mut self, outcome: Outcome, tools: &mut Tools<'_>) -> Poll<Outcome> {
        if let Some((_, outcome)) = &self.awaited {
            return Poll::Ready(outcome.clone());
        }
        self.decided = Some(outcome);
        self.kill_tree(tools);
        Poll::Pending
    }

    /// Takes its descriptors out of the epoll set.
    fn forget(&self, tools: &Tools<'_>) {
        tools.poller.remove(&self.output.ours);
        tools.poller.remove(&self.child.pidfd);
    }

    pub(super) fn dismiss(mut self, tools: &mut Tools<'_>) {
        if self.awaited.is_some() {
            self.dissolve(tools);
            return;
        }
        self.forget(tools);
        self.kill_tree(tools);
        tools.reaper.take([self.child.pidfd]);
    }

    fn kill_tree(&mut self, tools: &mut Tools<'_>) {
        match self.cgroup.take().map(|cgroup| tools.cgroups.kill(cgroup)) {
            Some(Ok(killed)) => tools.reaper.take(killed),
            Some(Err(_)) | None => tools.reaper.take(kill_session(self.child.pid)),
        }
    }

    /// Reads the output so far. A process that still holds the other end after the command has ended is not heard.
    fn drain(&mut self, tools: &mut Tools<'_>) {
        for _ in 0..READS {
            let Ok(length) = read(&self.output.ours, &mut *tools.scratch) else { return };
            self.phases.answered.get_or_insert_with(|| tools.elapsed());
            self.keep(tools.scratch.get(..length).unwrap_or_default());
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

fn with_output(outcome: Outcome, text: String) -> Outcome {
    match outcome {
        Outcome::Failure(Failure::TimedOut { after, .. }) => {
            Outcome::Failure(Failure::TimedOut { after, output: text })
        }
        other => other,
    }
}

impl Pipe {
    /// Only our end does not block: the command's standard output is an ordinary one.
    fn new() -> rustix::io::Result<Pipe> {
        let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
        fcntl_setfl(&ours, OFlags::NONBLOCK)?;
        Ok(Pipe { ours, theirs, wakes: false })
    }

    fn wake(&mut self, tools: &Tools<'_>) -> rustix::io::Result<()> {
        if !self.wakes {
            tools.poller.add(&self.ours, tools.key, Interest::Read)?;
            self.wakes = true;
        }
        Ok(())
    }

    fn rest(&mut self, poller: &Poller) -> bool {
        let woke = std::mem::take(&mut self.wakes);
        if woke {
            poller.remove(&self.ours);
        }
        woke
    }
}

/// True if the kernel does not let children be born in that cgroup, or it has been removed.
fn is_refused(spawned: &Result<Child, SpawnError>) -> bool {
    const REFUSALS: [Errno; 8] = [
        Errno::ACCESS,
        Errno::BUSY,
        Errno::INVAL,
        Errno::NODEV,
        Errno::NOENT,
        Errno::NOSYS,
        Errno::OPNOTSUPP,
        Errno::PERM,
    ];
    matches!(spawned, Err(SpawnError { step: Step::Prepare, errno }) if REFUSALS.contains(errno))
}

/// To enter namespaces is the child's business. A network alone is its thread's, which its children inherit.
fn spawn(
    probe: &CommandProbe,
    place: &Place,
    output: &OwnedFd,
    cgroup: Option<&Cgroup>,
    tools: &Tools<'_>,
) -> Result<Child, SpawnError> {
    let (path, argv) = program(&probe.command);
    let spawn = Spawn {
        path,
        argv,
        environment: probe.environment.clone(),
        directories: probe.working_directory.iter().chain(&probe.fallback_directory).cloned().collect(),
        streams: [tools.null.as_fd(), output.as_fd(), output.as_fd()].map(Some),
        session: Session::Own,
        credentials: probe.user.clone().or_else(|| first_user(place)),
        birthplace: probe.birthplace.clone(),
        confinement: probe.confinement.clone(),
        parent_death_signal: Some(Signal::KILL),
        enter: enter(place),
        cgroup: cgroup.map(Cgroup::directory),
        executable: None,
        is_brief: true,
        watch: enter(place).map(|_| tools.here.births()),
    };
    let unreachable = |error: std::io::Error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        SpawnError { step: Step::Namespaces, errno }
    };
    tools.here.among_processes(place, || spawn.launch()).map_err(unreachable)?
}

/// In a user namespace nobody is our user; its own root is.
fn first_user(place: &Place) -> Option<Credentials> {
    let Place::Process(process) = place else { return None };
    let has_users = process.others().contains(ThreadNameSpaceType::USER);
    has_users.then(|| Credentials { uid: 0, gid: 0, groups: Vec::new() })
}

fn enter(place: &Place) -> Option<Enter<'_>> {
    let Place::Process(process) = place else { return None };
    Some(Enter {
        of: process.pidfd(),
        kinds: process.others() | network(place).unwrap_or(ThreadNameSpaceType::empty()),
    })
}

/// The network among the namespaces of a process, if it is not ours.
fn network(place: &Place) -> Option<ThreadNameSpaceType> {
    matches!(place, Place::Process(_)).then(|| place.network_id())?.map(|_| ThreadNameSpaceType::NETWORK)
}

fn program(command: &Command) -> (PathBuf, Vec<String>) {
    match command {
        Command::Shell(value) => ("sh".into(), ["sh", "-c", value].map(str::to_owned).to_vec()),
        Command::Exec { path, argv } => (path.into(), argv.clone()),
    }
}

fn not_started(error: SpawnError, place: &Place) -> Outcome {
    let cause = |cause: String| match error.step {
        Step::Namespaces => Failure::Place { cause },
        Step::Stopped => {
            Failure::NotStarted { cause: "it was stopped inside the container before it had begun".into() }
        }
        Step::Program | Step::Prepare | Step::Session | Step::Streams => Failure::NotStarted { cause },
        step @ (Step::Cgroup
        | Step::OomScore
        | Step::Label
        | Step::Limits
        | Step::Capabilities
        | Step::Credentials
        | Step::Directory
        | Step::Seccomp) => Failure::NotStarted { cause: format!("{step}: {cause}") },
    };
    match (error.step, error.errno) {
        (Step::Namespaces, Errno::SRCH) => Outcome::Inconclusive(Reason::TaskEnded),
        // The cgroup of a task goes when its last process has gone.
        (Step::Cgroup, Errno::NOENT | Errno::NODEV) if place.is_ending() => Outcome::Inconclusive(Reason::TaskEnded),
        (Step::Prepare, Errno::AGAIN) => {
            Outcome::Inconclusive(Reason::EngineExhausted { cause: errno_text(error.errno) })
        }
        (_, errno) => blame(errno, cause),
    }
}
