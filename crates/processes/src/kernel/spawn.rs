//! Starts a program like `vfork`: the child borrows the parent's memory until it has become the program.
//!
//! The calling thread waits meanwhile, about half a millisecond; the others go on. Because the memory is shared, the
//! child allocates nothing, takes no lock, and makes system calls only: rustix's go straight to the kernel, without
//! `errno` and without glibc's habit of changing the user of every thread.

use std::convert::Infallible;
use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec, write};
use rustix::process::{
    DumpableBehavior, Pid, Resource, Signal, chdir, getppid, ioctl_tiocsctty, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit, setsid,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::thread::{
    ThreadNameSpaceType, move_into_thread_name_spaces, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::birth_watch::{BirthWatch, Cradle};
use super::clone::{HAS_CLONE3, clone_child, last_errno};
use super::plan::Plan;
use super::scheduling::be_ordinary;
use super::signals;
use super::step::{SpawnError, Step};
use crate::{Birthplace, Confinement, Credentials};

/// A program to start.
///
/// It begins with default signal handling, no blocked signals, and the limit of open files this process was given.
/// Of the descriptors of this process it has its three streams, and no other.
#[derive(Debug, Default)]
pub struct Spawn<'a> {
    /// The program; looked up in the `PATH` of `environment` if it has no `/`.
    pub path: PathBuf,
    /// An open file to execute, whatever is at `path`.
    pub executable: Option<BorrowedFd<'a>>,
    /// Its arguments, the first of which is its own name.
    pub argv: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// The directory it runs in, the first of these that exists: entered after the namespaces and as the user; this
    /// process' own if there is none.
    pub directories: Vec<PathBuf>,
    /// Its standard input, output and error; inherited if absent.
    pub streams: [Option<BorrowedFd<'a>>; 3],
    /// The session it belongs to.
    pub session: Session,
    /// Its user; that of this process if absent.
    pub credentials: Option<Credentials>,
    /// The signal it gets when the *thread* that calls [`Spawn::start`] ends.
    pub parent_death_signal: Option<Signal>,
    /// The process whose namespaces it runs in; its working directory and its program are looked up there.
    pub enter: Option<Enter<'a>>,
    /// The cgroup it is born in; that of this process if absent.
    pub birthplace: Option<Birthplace>,
    /// The directory of a cgroup of version 2 to be born in instead: one below that of `birthplace`, or, if that is of
    /// version 1, beside it.
    pub cgroup: Option<BorrowedFd<'a>>,
    /// The bounds within which it runs, beside those of this process.
    pub confinement: Option<Confinement>,
    /// True if the program is short, and started again and again: to set its filter of system calls then costs more than
    /// to pass it.
    pub is_brief: bool,
    /// The watch that sees to it that nobody stops it before it is the program, which would hold up the calling thread.
    pub watch: Option<&'a BirthWatch>,
}

/// The session and process group of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Session {
    /// The session and group of this process.
    #[default]
    Inherited,
    /// Its own, without a terminal.
    Own,
    /// Its own, controlled by the terminal that is its standard input.
    AtTerminal,
}

/// Namespaces to enter.
#[derive(Clone, Copy, Debug)]
pub struct Enter<'a> {
    /// A pidfd of the process they belong to.
    pub of: BorrowedFd<'a>,
    /// The kinds. A child of a process of another process namespace is born there, so that kind means nothing here.
    pub kinds: ThreadNameSpaceType,
}

impl Enter<'_> {
    /// The namespaces that a child enters after its birth.
    fn others(&self) -> ThreadNameSpaceType {
        self.kinds - ThreadNameSpaceType::PROCESS_ID
    }
}

/// A program that runs. Dropping this neither kills nor waits for it.
#[derive(Debug)]
pub struct Child {
    /// Its process id.
    pub pid: Pid,
    /// Readable when it has ended; `waitid` on it gives its exit status.
    pub pidfd: OwnedFd,
}

/// Everything the child reads, and the two cells it writes.
struct Birth<'a> {
    spawn: &'a Spawn<'a>,
    plan: &'a Plan,
    /// Standard input, output and error, none of them below 3.
    streams: [Option<BorrowedFd<'a>>; 3],
    /// Signals the child has to hear again.
    deaf_to: u64,
    /// A descriptor that stays open until the program is executed, beside the streams.
    kept: Option<BorrowedFd<'a>>,
    step: AtomicU8,
    errno: AtomicI32,
}

impl Spawn<'_> {
    /// Starts the program. An error is the first thing that went wrong, also if that was in the child.
    pub fn start(self) -> io::Result<Child> {
        self.launch().map_err(io::Error::from)
    }

    /// As [`Spawn::start`], with the step that failed.
    pub fn launch(self) -> Result<Child, SpawnError> {
        if self.enter.is_some_and(|enter| !enter.kinds.is_empty()) {
            // Until it is its program, the child is this one to those that it is among: they could open its executable.
            set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(unprepared)?;
        }
        let directory = self.open_birthplace().map_err(|errno| SpawnError { step: Step::Cgroup, errno })?;
        let cgroup = self.cgroup.or_else(|| directory.as_ref().map(OwnedFd::as_fd));
        let without_handlers = HAS_CLONE3 && cgroup.is_some();
        let deaf_to = if without_handlers { signals::ignored() } else { signals::ALL };
        self.prepared(deaf_to, self.executable, |birth| {
            let argument = ptr::from_ref(birth).cast_mut().cast::<c_void>();
            let cradle = Arc::new(Cradle::default());
            // SAFETY: `child_main` takes a `Birth`, which lives until after the call, and does as it must.
            let bear = || unsafe { clone_child(child_main, argument, cgroup, &cradle.pidfd) };
            let child = self.watch.map_or_else(bear, |watch| watch.over(&cradle, bear)).map_err(unprepared)?;
            match birth.errno.load(Ordering::Relaxed) {
                0 if cradle.was_stopped() => {
                    reap(&child);
                    Err(SpawnError { step: Step::Stopped, errno: Errno::INTR })
                }
                0 => Ok(child),
                errno => {
                    reap(&child);
                    Err(birth.failed(Errno::from_raw_os_error(errno)))
                }
            }
        })
    }

    /// Becomes the program, in the place of this process, and in the cgroup that this process is in. Comes back only if that
    /// failed, half way perhaps, so that there is nothing to do but to say so, by the one descriptor that is then still
    /// open, and to end.
    pub(crate) fn replace(self, tell: BorrowedFd<'_>) -> SpawnError {
        let replaced: Result<Infallible, SpawnError> =
            self.prepared(signals::ALL, Some(tell), |birth| Err(birth.failed(birth.become_program())));
        match replaced {
            Err(error) => error,
        }
    }

    fn prepared<T>(
        &self,
        deaf_to: u64,
        kept: Option<BorrowedFd<'_>>,
        go: impl FnOnce(&Birth<'_>) -> Result<T, SpawnError>,
    ) -> Result<T, SpawnError> {
        let lifted = lift(self.streams).map_err(unprepared)?;
        let mut streams = self.streams;
        for (stream, copy) in streams.iter_mut().zip(&lifted) {
            *stream = copy.as_ref().map(OwnedFd::as_fd).or(*stream);
        }
        let plan = Plan::of(self).map_err(|_nul| unprepared(Errno::INVAL))?;
        let (step, errno) = (AtomicU8::new(0), AtomicI32::new(0));
        go(&Birth { spawn: self, plan: &plan, streams, deaf_to, kept, step, errno })
    }

    /// The directory for the kernel to make the child in.
    fn open_birthplace(&self) -> rustix::io::Result<Option<OwnedFd>> {
        let directory = self.birthplace.as_ref().and_then(Birthplace::directory);
        let directory = directory.filter(|_| HAS_CLONE3 && self.cgroup.is_none());
        let open = |path| open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        directory.map(open).transpose()
    }
}

fn unprepared(errno: Errno) -> SpawnError {
    SpawnError { step: Step::Prepare, errno }
}

/// A stream below 3 would be overwritten while the streams are put in place: copies of those.
fn lift(streams: [Option<BorrowedFd<'_>>; 3]) -> rustix::io::Result<[Option<OwnedFd>; 3]> {
    let mut lifted = [const { None }; 3];
    for (stream, copy) in streams.iter().zip(&mut lifted) {
        let low = stream.filter(|descriptor| descriptor.as_raw_fd() < 3);
        *copy = low.map(|low| fcntl_dupfd_cloexec(low, 3)).transpose()?;
    }
    Ok(lifted)
}

/// A child that never became its program has exited already.
fn reap(child: &Child) {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let _nothing_to_tell = waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED);
}

extern "C" fn child_main(argument: *mut c_void) -> c_int {
    // SAFETY: `launch` passes a `Birth` that outlives this child.
    let birth = unsafe { &*argument.cast::<Birth<'_>>() };
    let errno = birth.become_program();
    birth.errno.store(errno.raw_os_error(), Ordering::Relaxed);
    // SAFETY: ends this process only, without running anything of the parent's at exit.
    unsafe { libc::_exit(127) }
}

impl Birth<'_> {
    /// Returns only when something went wrong.
    fn become_program(&self) -> Errno {
        match self.prepare() {
            Ok(()) => self.execute(),
            Err(errno) => errno,
        }
    }

    /// The failure of the present step with this error.
    fn failed(&self, errno: Errno) -> SpawnError {
        SpawnError { step: Step::from_raw(self.step.load(Ordering::Relaxed)), errno }
    }

    fn at(&self, step: Step) {
        self.step.store(step as u8, Ordering::Relaxed);
    }

    fn prepare(&self) -> rustix::io::Result<()> {
        let bounds = &self.plan.bounds;
        signals::reset(self.deaf_to);
        self.step(Step::Cgroup, || self.cgroups())?;
        self.step(Step::OomScore, || bounds.adjust_oom_score())?;
        self.step(Step::Label, || bounds.ask_for_label())?;
        self.step(Step::Limits, || self.limits())?;
        self.step(Step::Namespaces, || self.namespaces())?;
        self.step(Step::Session, || self.session())?;
        self.step(Step::Streams, || self.streams())?;
        self.step(Step::Capabilities, || bounds.bound())?;
        self.step(Step::Credentials, || self.credentials())?;
        self.step(Step::Capabilities, || bounds.narrow())?;
        self.step(Step::Credentials, || self.die_with_parent())?;
        self.step(Step::Directory, || self.directory())?;
        self.step(Step::Seccomp, || bounds.filter())
    }

    fn step(&self, step: Step, take: impl FnOnce() -> rustix::io::Result<()>) -> rustix::io::Result<()> {
        self.at(step);
        take()
    }

    fn limits(&self) -> rustix::io::Result<()> {
        if let Some(limit) = &self.plan.file_limit {
            let limit = rustix::process::Rlimit { current: limit.current, maximum: limit.maximum };
            setrlimit(Resource::Nofile, limit)?;
        }
        self.plan.bounds.limit()
    }

    fn namespaces(&self) -> rustix::io::Result<()> {
        match &self.spawn.enter {
            Some(enter) if !enter.others().is_empty() => {
                move_into_thread_name_spaces(enter.of.as_fd(), enter.others()).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn session(&self) -> rustix::io::Result<()> {
        if self.spawn.session != Session::Inherited {
            setsid()?;
        }
        Ok(())
    }

    /// Their paths are those of the parent's mount namespace. A thread that writes 0 moves itself, which, unlike to move
    /// another one, waits for no other process of the machine.
    fn cgroups(&self) -> rustix::io::Result<()> {
        if !self.plan.cgroups.is_empty() {
            be_ordinary()?;
        }
        self.plan.cgroups.iter().try_for_each(|tasks| {
            let tasks = open(tasks.as_c_str(), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
            write(&tasks, b"0").map(drop)
        })
    }

    /// The first one there is.
    fn directory(&self) -> rustix::io::Result<()> {
        let mut absent = Ok(());
        for directory in &self.plan.directories {
            absent = chdir(directory);
            if !matches!(absent, Err(Errno::NOENT | Errno::NOTDIR)) {
                break;
            }
        }
        absent
    }

    fn streams(&self) -> rustix::io::Result<()> {
        let [stdin, stdout, stderr] = self.streams;
        stdin.map_or(Ok(()), dup2_stdin)?;
        stdout.map_or(Ok(()), dup2_stdout)?;
        stderr.map_or(Ok(()), dup2_stderr)?;
        if self.spawn.session == Session::AtTerminal {
            ioctl_tiocsctty(stdin.unwrap_or(rustix::stdio::stdin()))?;
        }
        close_others(self.kept)
    }

    fn credentials(&self) -> rustix::io::Result<()> {
        let Some(ids) = &self.plan.credentials else { return Ok(()) };
        match set_thread_groups(&ids.groups) {
            // A user namespace may forbid it to everybody.
            Err(Errno::PERM) if ids.groups.is_empty() && self.enters_users() => {}
            set => set?,
        }
        set_thread_res_gid(ids.gid, ids.gid, ids.gid)?;
        set_thread_res_uid(ids.uid, ids.uid, ids.uid)
    }

    fn enters_users(&self) -> bool {
        self.spawn.enter.is_some_and(|enter| enter.kinds.contains(ThreadNameSpaceType::USER))
    }

    /// After the user has changed, because the kernel forgets it then.
    fn die_with_parent(&self) -> rustix::io::Result<()> {
        if self.spawn.parent_death_signal.is_none() {
            return Ok(());
        }
        set_parent_process_death_signal(self.spawn.parent_death_signal)?;
        // From within another process namespace the parent is not to be seen.
        let orphaned = getppid().is_some_and(|parent| parent != self.plan.parent);
        if orphaned { Err(Errno::SRCH) } else { Ok(()) }
    }

    /// As `execvp`: a candidate that is not there is passed over; one that may not be run is the error if none runs.
    fn execute(&self) -> Errno {
        self.at(Step::Program);
        let (argv, environment) = (self.plan.argv.as_ptr(), self.plan.environment.as_ptr());
        if let Some(executable) = self.spawn.executable {
            let (file, flags) = (executable.as_raw_fd(), libc::AT_EMPTY_PATH);
            // SAFETY: as below, and an open descriptor with an empty C string.
            unsafe { libc::syscall(libc::SYS_execveat, file, c"".as_ptr(), argv, environment, flags) };
            return last_errno();
        }
        let mut worst = Errno::NOENT;
        for program in &self.plan.programs {
            // SAFETY: a C string, and two null-terminated lists of C strings, all of which outlive the call.
            unsafe { libc::execve(program.as_ptr(), argv, environment) };
            match last_errno() {
                Errno::NOENT | Errno::NOTDIR => {}
                Errno::ACCESS => worst = Errno::ACCESS,
                errno => return errno,
            }
        }
        worst
    }
}

/// All but the streams, as whoever started us may have left descriptors open; the child's table is its own. Not only at
/// `exec`: the directory and the program are looked up in a container that may name one of them by `/proc/self/fd`.
fn close_others(kept: Option<BorrowedFd<'_>>) -> rustix::io::Result<()> {
    match kept.map(|kept| kept.as_raw_fd().unsigned_abs()) {
        Some(kept @ 3..) => close_range(3, kept - 1).and_then(|()| close_range(kept + 1, libc::c_uint::MAX)),
        Some(_) | None => close_range(3, libc::c_uint::MAX),
    }
}

fn close_range(first: libc::c_uint, last: libc::c_uint) -> rustix::io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: three integers; nothing of the child's own is open but the streams.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    match closed {
        0 => Ok(()),
        _ => match last_errno() {
            // Linux before 5.9 has no such call: descriptors are closed at `exec`, as they were opened.
            Errno::NOSYS => Ok(()),
            errno => Err(errno),
        },
    }
}

/// `/dev/null`, for streams nobody reads.
pub fn null() -> rustix::io::Result<OwnedFd> {
    open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
#[path = "spawn_tests.rs"]
mod tests;
