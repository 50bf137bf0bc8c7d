//! The parent of a program: a tiny process that outlives the one that started it, so that nobody ever has to guess how the
//! program ended.
//!
//! In: `spec.json` of its directory, the secrets that are missing there on standard input, and `grace` once the program
//! is asked to end. Out: `pid` once it runs, `exit` once
//! it ended, `clear` once nothing of it is left, each whole or not there; and a newline on standard output as soon as
//! one of them can be read. It owns the lock of its directory for its whole life: a free lock means that nobody will
//! start this program any more.
//!
//! It is the subreaper of everything the program starts. When the main process has ended it kills what is left, at once
//! or, of a program that was asked to end, when the grace is over. It waits for it, and goes. Because it is there exactly
//! as long as somebody writes, it also keeps the program's logs short. It runs no runtime, keeps next to nothing in
//! memory, and has no thread but the one that serves the terminal of a program with one.

mod files;
mod output;
mod secrets;
mod start;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, getpid, set_child_subreaper, setsid, wait};
use rustix::time::{ClockId, clock_gettime};

pub(crate) use self::files::Started;
pub use self::files::{End, ShimFiles};
use self::output::Output;
pub(crate) use self::secrets::Secrets;
use self::start::{Main, start};
use crate::kernel::signals::ignore;
use crate::process::Process;
use crate::status::WaitStatus;
use crate::terminal::server::Server;
use crate::words::in_words;

/// The longest wait for the processes that are known before looking for others.
const GLANCE: Duration = Duration::from_millis(100);

/// The whole life of the shim of this directory. To be called before anything else happens in the process.
pub fn main(directory: &Path) -> ExitCode {
    match live(&ShimFiles::new(directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_may_listen = writeln!(io::stderr(), "cygnet shim {}: {error}", directory.display());
            ExitCode::FAILURE
        }
    }
}

fn live(files: &ShimFiles) -> io::Result<()> {
    let Some(_lock) = files.try_lock()? else {
        return Err(io::Error::other("somebody else holds the lock"));
    };
    if files.exit()?.is_some() || files.started()?.is_some() {
        return Err(io::Error::other("this program was started before"));
    }
    // Whoever started this process may have made it a session leader already.
    let _already_leader = setsid();
    // Only SIGKILL ends a shim before its program.
    ignore(&[Signal::HUP, Signal::INT, Signal::TERM])?;
    set_child_subreaper(Some(getpid()))?;
    match begin(files) {
        Ok(main) => see_through(files, main),
        Err(error) => {
            end_leftovers();
            files.write_exit(&End::NotStarted(in_words(&error.to_string())))?;
            files.write_clear()?;
            announce();
            Ok(())
        }
    }
}

/// Starts the program and says so.
fn begin(files: &ShimFiles) -> io::Result<Main> {
    let main = start(files)?;
    let process = |pid: Pid| Process::of(pid.as_raw_pid()).ok_or_else(|| io::Error::other("no /proc"));
    let written = process(getpid())
        .and_then(|shim| Ok(Started::now(shim, process(main.pid)?)))
        .and_then(|started| files.write_started(&started));
    written?;
    announce();
    Ok(main)
}

fn see_through(files: &ShimFiles, mut main: Main) -> io::Result<()> {
    let status = loop {
        match wait(main.output.patience()) {
            Ok(Some((pid, status))) if pid == main.pid => break status,
            Ok(None) => main.output.wait(),
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    let written = files.write_exit(&End::Status(WaitStatus::from_raw(status.as_raw())));
    leave_the_grace(files, main.pause, &mut main.output);
    end_leftovers();
    main.output.look();
    main.terminal.into_iter().for_each(Server::finish);
    written.and_then(|()| files.write_clear())
}

/// A grace belongs to the whole program: what outlives the main process keeps what is left of it.
/// The first process of a container is nothing to wait for.
fn leave_the_grace(files: &ShimFiles, pause: Option<Pid>, output: &mut Output) {
    let Some(own) = Process::this() else { return };
    while let Some(until) = files.grace() {
        let left = until.saturating_sub(since_boot());
        if left.is_zero() || reap_all().is_err() {
            return;
        }
        let mut others = own.descendants();
        others.retain(|process| Pid::from_raw(process.pid) != pause);
        if others.is_empty() {
            return;
        }
        wait_for_any(&others, left.min(GLANCE));
        output.look();
    }
}

/// Fails once there are no children at all.
fn reap_all() -> rustix::io::Result<()> {
    while wait(WaitOptions::NOHANG)?.is_some() {}
    Ok(())
}

fn wait_for_any(processes: &[Process], patience: Duration) {
    let descriptors: Vec<_> = processes.iter().filter_map(|process| process.open()).collect();
    let mut ends: Vec<_> = descriptors.iter().map(|process| PollFd::new(process, PollFlags::IN)).collect();
    let patience = Timespec::try_from(patience).ok();
    // Whatever comes of it, the caller looks again.
    let _ended = poll(&mut ends, patience.as_ref());
}

/// The container is the main process; nothing of it may stay behind. The dead hand their children to this
/// process, so it goes on until there are none.
fn end_leftovers() {
    let Some(own) = Process::this() else { return };
    loop {
        own.descendants().into_iter().for_each(|process| process.signal(Signal::KILL));
        if wait(WaitOptions::empty()).is_err_and(|errno| errno == rustix::io::Errno::CHILD) {
            return;
        }
    }
}

/// The time since this machine booted, on whose scale a grace is given.
pub fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Tells whoever waits that there is something to read. It may be gone, and that is its right.
fn announce() {
    let mut out = io::stdout();
    let _nobody_may_listen = out.write_all(b"\n").and_then(|()| out.flush());
}
