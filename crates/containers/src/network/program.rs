//! Programs that answer and end: `nft`, `iptables`, the plugins of CNI.
//!
//! They are other people's, so the time that each may take and the bytes it may say are bounded. Each has a session of
//! its own, and a program that is over a bound ends with all of it.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use processes::{Child, DEFAULT_PATH, Ended, Session, Spawn, kill_session, reap};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{MemfdFlags, OFlags, fcntl_getfl, fcntl_setfl, memfd_create};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

/// The bytes that a program may write to each of its streams.
const MOST_BYTES: usize = 1024 * 1024;
/// The bytes of a stream that are worth telling.
const MOST_TOLD: usize = 2048;

/// A program to run to its end.
#[derive(Clone, Debug)]
pub(super) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    input: Vec<u8>,
}

/// A program that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) ended: Ended,
    pub(super) output: Vec<u8>,
    pub(super) errors: Vec<u8>,
}

/// Why a program did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It cannot be started.
    #[error("cannot run {program}: {source}", program = program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// It was killed because it did not end.
    #[error("{program} did not end within {limit:?}", program = program.display())]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// The time it had.
        limit: Duration,
    },
    /// It was killed because it said too much.
    #[error("{program} wrote more than {MOST_BYTES} bytes", program = program.display())]
    TooMuch {
        /// The program.
        program: PathBuf,
    },
    /// It said that it failed.
    #[error("{program} failed: {said}", program = program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// Its own words.
        said: String,
    },
}

impl Program {
    /// The program of this name or path, with nothing to read, and `PATH` for its environment.
    pub(super) fn new(path: impl Into<PathBuf>, arguments: &[&str]) -> Program {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let search = std::env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.to_owned());
        Program { path: path.into(), arguments, environment: vec![("PATH".to_owned(), search)], input: Vec::new() }
    }

    /// With this to read.
    pub(super) fn reading(self, input: &[u8]) -> Program {
        Program { input: input.to_owned(), ..self }
    }

    /// With a further variable.
    pub(super) fn with(mut self, name: &str, value: &str) -> Program {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it; its output, if it exits with 0.
    pub(super) fn succeed(self, limit: Duration) -> Result<Vec<u8>, ProgramError> {
        let program = self.path.clone();
        let Finished { ended, output, errors } = self.run(limit)?;
        if ended == Ended::Exited(0) {
            return Ok(output);
        }
        Err(ProgramError::Failed { program, said: told(&errors) })
    }

    /// Runs it to its end, or the end of its time.
    pub(super) fn run(self, limit: Duration) -> Result<Finished, ProgramError> {
        let program = self.path.clone();
        let failed = |source| ProgramError::Start { program: program.clone(), source };
        let mut running = self.start(limit).map_err(failed)?;
        let watched = running.watch();
        let ended = match &watched {
            Ok(Watched::Ended) => reap(running.child.pidfd.as_fd()).ok().flatten(),
            _ => None,
        };
        match (watched.map_err(failed)?, ended) {
            (Watched::Late, _) => Err(ProgramError::TimedOut { program, limit }),
            (Watched::TooMuch, _) => Err(ProgramError::TooMuch { program }),
            (Watched::Ended, Some(reaped)) => {
                let [output, errors] = &mut running.streams;
                let (output, errors) = (std::mem::take(&mut output.said), std::mem::take(&mut errors.said));
                running.is_over = true;
                Ok(Finished { ended: reaped.ended, output, errors })
            }
            (Watched::Ended, None) => Err(failed(Errno::CHILD.into())),
        }
    }

    fn start(&self, limit: Duration) -> io::Result<Running> {
        let mut input = File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
        input.write_all(&self.input)?;
        input.rewind()?;
        let (output, its_output) = pipe_with(PipeFlags::CLOEXEC)?;
        let (errors, its_errors) = pipe_with(PipeFlags::CLOEXEC)?;
        let mut argv = vec![self.path.to_string_lossy().into_owned()];
        argv.extend_from_slice(&self.arguments);
        let spawn = Spawn {
            path: self.path.clone(),
            argv,
            environment: self.environment.clone(),
            streams: [Some(input.as_fd()), Some(its_output.as_fd()), Some(its_errors.as_fd())],
            session: Session::Own,
            parent_death_signal: Some(Signal::KILL),
            ..Spawn::default()
        };
        let timer = timer(limit)?;
        let streams = [Stream::new(output)?, Stream::new(errors)?];
        Ok(Running { child: spawn.start()?, timer, streams, is_over: false })
    }
}

/// The text of what a program wrote, cut where it is of no more use.
pub(super) fn told(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..MOST_TOLD).unwrap_or(bytes)).trim().to_owned();
    if bytes.len() > MOST_TOLD { text + "..." } else { text }
}

fn timer(limit: Duration) -> io::Result<OwnedFd> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let it_value = Timespec::try_from(limit.max(Duration::from_millis(1))).map_err(io::Error::other)?;
    let once = Itimerspec { it_interval: Timespec::default(), it_value };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once)?;
    Ok(timer)
}

struct Running {
    child: Child,
    timer: OwnedFd,
    streams: [Stream; 2],
    is_over: bool,
}

enum Watched {
    Ended,
    Late,
    TooMuch,
}

impl Running {
    /// Reads what it writes until it ends. What it started may still hold its streams then; that is not waited for.
    fn watch(&mut self) -> io::Result<Watched> {
        loop {
            let [output, errors] = &self.streams;
            let mut descriptors =
                vec![PollFd::new(&self.child.pidfd, PollFlags::IN), PollFd::new(&self.timer, PollFlags::IN)];
            let open = [output, errors].into_iter().filter_map(|stream| stream.pipe.as_ref());
            descriptors.extend(open.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            match poll(&mut descriptors, None) {
                Err(Errno::INTR) => continue,
                polled => polled?,
            };
            let [ended, late] = [0, 1].map(|at: usize| descriptors.get(at).is_some_and(|it| !it.revents().is_empty()));
            self.streams.iter_mut().try_for_each(Stream::read)?;
            match () {
                () if self.streams.iter().any(|stream| stream.said.len() > MOST_BYTES) => return Ok(Watched::TooMuch),
                () if ended => return Ok(Watched::Ended),
                () if late => return Ok(Watched::Late),
                () => {}
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            kill_session(self.child.pid);
            let _its_parent_is_us = rustix::process::waitid(
                rustix::process::WaitId::PidFd(self.child.pidfd.as_fd()),
                rustix::process::WaitIdOptions::EXITED,
            );
        }
    }
}

struct Stream {
    pipe: Option<File>,
    said: Vec<u8>,
}

impl Stream {
    fn new(pipe: OwnedFd) -> io::Result<Stream> {
        fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
        Ok(Stream { pipe: Some(pipe.into()), said: Vec::new() })
    }

    /// Takes what is there, up to a little over the bound.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        while let Some(pipe) = &mut self.pipe
            && self.said.len() <= MOST_BYTES
        {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.said.extend_from_slice(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness::wait::timed;

    fn shell(script: &str) -> Program {
        Program::new("sh", &["-c", script])
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn it_reads_speaks_and_ends() {
        let Finished { ended, output, errors } =
            shell("cat; echo $WORD >&2; exit 3").reading(&[b'x'; 200_000]).with("WORD", "hello").run(LONG).unwrap();
        assert_eq!((ended, output.len(), &errors[..]), (Ended::Exited(3), 200_000, &b"hello\n"[..]));
        let error = shell("echo no >&2; exit 1").succeed(LONG).unwrap_err();
        assert_eq!(error.to_string(), "sh failed: no");
        assert!(matches!(Program::new("/nowhere", &[]).run(LONG), Err(ProgramError::Start { .. })));
    }

    #[test]
    fn bounds_hold() {
        let (late, took) = timed(|| shell("sleep 1000 & sleep 1000").run(Duration::from_millis(200)));
        assert!(matches!(late, Err(ProgramError::TimedOut { .. })) && took < LONG, "{late:?} {took:?}");
        assert!(matches!(shell("cat /dev/zero").run(LONG), Err(ProgramError::TooMuch { .. })));
        assert!(matches!(shell("cat /dev/zero >&2").run(LONG), Err(ProgramError::TooMuch { .. })));
        // A child that keeps the streams open is nobody that is waited for.
        let (finished, took) = timed(|| shell("sleep 40 & echo $!").run(LONG).unwrap());
        assert!(finished.ended == Ended::Exited(0) && took < LONG);
        let left: i32 = told(&finished.output).parse().unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(left).unwrap(), Signal::KILL).unwrap();
    }
}
