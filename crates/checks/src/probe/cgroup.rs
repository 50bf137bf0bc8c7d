//! A cgroup (version 2) for each command in flight, where this process may make them: a timeout then ends all
//! that the command started, also processes that have left its session.
//!
//! In: the start, end and kill of a command. Out: directories below one cgroup, `checks-PID-ENGINE/N`,
//! made when they are first needed and used again for the next command, unless they were killed: on kernels that count
//! kills (`kill_seq`, Linux 6.15 and later) a child born into a cgroup that was ever killed dies at once. So killing
//! consumes the [`Cgroup`], and its directory is only removed. All are removed at the end. Owned by the engine's thread;
//! `nursery` has the cgroups below which they are.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Numbers the engines of this process.
static ENGINES: AtomicU64 = AtomicU64::new(1);

/// The number that is kept for the next commands, at most.
const SPARE: usize = 64;

/// The number of discarded cgroups to try to remove for each new command. More than one, so that they become fewer.
const TRIES: usize = 2;

/// `cgroup.events` is shorter.
const EVENTS: usize = 256;

/// Each that is open is one of a command in flight or was: there are never more than commands in flight at once.
#[derive(Debug)]
pub(crate) struct Cgroups {
    parent: Parent,
    /// Their commands have ended, the first one the longest ago.
    spare: VecDeque<Cgroup>,
    /// Killed, or still populated when the next command came: never used again, only removed once empty. Without
    /// descriptors, as that may take long.
    discarded: VecDeque<PathBuf>,
    made: u64,
}

#[derive(Debug)]
enum Parent {
    /// Below this cgroup, or, for now, nobody knows where our own is.
    Unknown(Option<PathBuf>),
    At(Own),
    /// There is no version 2, or we may not make any.
    Nowhere,
}

/// The directory of this engine. Its lock shows the next engines that this one lives: they end and remove what belongs to
/// one that was killed. A pid would not do, as it is used again, and is another one in another namespace.
#[derive(Debug)]
struct Own {
    path: PathBuf,
    _lock: File,
}

/// The cgroup of one command.
#[derive(Debug)]
pub(crate) struct Cgroup {
    path: PathBuf,
    directory: OwnedFd,
    /// Says whether anybody is in it.
    events: File,
}

impl Cgroups {
    /// None, if they are not wanted.
    pub(crate) fn new(wanted: bool) -> Cgroups {
        Cgroups::with(if wanted { Parent::Unknown(None) } else { Parent::Nowhere })
    }

    /// The cgroups below this one, instead of our own.
    pub(crate) fn below(place: PathBuf) -> Cgroups {
        Cgroups::with(Parent::Unknown(Some(place)))
    }

    fn with(parent: Parent) -> Cgroups {
        Cgroups { parent, spare: VecDeque::new(), discarded: VecDeque::new(), made: 0 }
    }

    /// An empty cgroup, if this process may make one.
    pub(crate) fn take(&mut self) -> Option<Cgroup> {
        self.tidy();
        self.spare.pop_front().or_else(|| self.make())
    }

    /// Takes the cgroup of a command that has ended. Processes that it left behind are killed; returns their pidfds, for
    /// the reaper.
    pub(crate) fn give_back(&mut self, cgroup: Cgroup) -> Vec<OwnedFd> {
        if cgroup.is_inhabited() {
            return self.kill(cgroup).unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot end what a command left behind");
                Vec::new()
            });
        }
        self.spare.push_back(cgroup);
        if self.spare.len() > SPARE {
            self.discarded.extend(self.spare.pop_front().map(|cgroup| cgroup.path));
        }
        Vec::new()
    }

    /// True if a directory waits for its last process to go.
    pub(crate) fn is_busy(&self) -> bool {
        !self.discarded.is_empty()
    }

    /// Kills every process in it. Returns their pidfds, for the reaper; nothing if it could not be killed.
    /// Its directory goes once it is empty.
    pub(crate) fn kill(&mut self, cgroup: Cgroup) -> io::Result<Vec<OwnedFd>> {
        let killed = cgroup.kill();
        self.discarded.push_back(cgroup.path);
        killed
    }

    /// It turned out that nothing can be started there.
    pub(crate) fn give_up(&mut self, cgroup: Cgroup) {
        self.discarded.push_back(cgroup.path);
        self.close();
        self.parent = Parent::Nowhere;
    }

    /// Removes all that are empty.
    pub(crate) fn close(&mut self) {
        let paths = self.spare.drain(..).map(|cgroup| cgroup.path).chain(self.discarded.drain(..));
        paths.for_each(|path| drop(fs::remove_dir(path)));
        if let Parent::At(own) = &self.parent {
            let _somebody_is_still_in_one = fs::remove_dir(&own.path);
        }
    }

    /// Removes the cgroups that have waited longest; one with processes in it waits again.
    pub(crate) fn tidy(&mut self) {
        for _ in 0..TRIES.min(self.discarded.len()) {
            let left = self.discarded.pop_front().filter(|path| !is_removed(path));
            self.discarded.extend(left);
        }
    }

    /// Below this cgroup, if we may. Engines come one after the other, so that none takes
    /// another's new directory for one that was left behind.
    fn found(&mut self, place: PathBuf) -> Option<Own> {
        let turn = File::open(&place).ok()?;
        flock(&turn, FlockOperation::LockExclusive).ok()?;
        self.discarded.extend(left_behind(&place));
        let engine = ENGINES.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("checks-{}-{engine}", std::process::id()));
        let made = fs::create_dir(&path).and_then(|()| lock(&path));
        let refused = |error: &io::Error| {
            tracing::debug!(%error, path = %path.display(), "commands get no cgroups of their own");
        };
        let lock = made.inspect_err(refused).ok()?;
        Some(Own { path, _lock: lock })
    }

    fn make(&mut self) -> Option<Cgroup> {
        if let Parent::Unknown(place) = &self.parent {
            let place = place.clone().or_else(own);
            self.parent = place.and_then(|place| self.found(place)).map_or(Parent::Nowhere, Parent::At);
        }
        let Parent::At(Own { path: parent, .. }) = &self.parent else { return None };
        self.made += 1;
        let made = Cgroup::make(parent.join(self.made.to_string()));
        match made {
            Ok(cgroup) => Some(cgroup),
            Err(error) => {
                tracing::debug!(%error, path = %parent.display(), "commands get no cgroups of their own");
                self.parent = Parent::Nowhere;
                None
            }
        }
    }
}

impl Cgroup {
    fn make(path: PathBuf) -> io::Result<Cgroup> {
        fs::create_dir(&path)?;
        // From Linux 5.14 on.
        if let Err(error) = fs::metadata(path.join("cgroup.kill")) {
            let _nobody_was_in_it = fs::remove_dir(&path);
            return Err(error);
        }
        let (directory, events) = (File::open(&path)?.into(), File::open(path.join("cgroup.events"))?);
        Ok(Cgroup { path, directory, events })
    }

    /// The cgroup below which that of the engine is.
    pub(crate) fn place(&self) -> Option<&Path> {
        self.path.parent()?.parent()
    }

    /// For a child to be born in.
    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    fn kill(&self) -> io::Result<Vec<OwnedFd>> {
        let members = fs::read_to_string(self.path.join("cgroup.procs"))?;
        let pids = members.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?));
        let pidfds = pids.filter_map(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()).collect();
        File::options().write(true).open(self.path.join("cgroup.kill"))?.write_all(b"1")?;
        Ok(pidfds)
    }

    fn is_inhabited(&self) -> bool {
        let mut text = [0; EVENTS];
        let length = self.events.read_at(&mut text, 0).unwrap_or(0);
        text.get(..length).unwrap_or_default().split(|byte| *byte == b'\n').any(|line| line == b"populated 1")
    }
}

/// This cgroup is removed with the one above it.
fn is_removed(path: &Path) -> bool {
    fs::remove_dir(path).map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |()| true)
}

/// Our own cgroup, if there is a version 2.
fn own() -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    place(&own, &mounts)
}

/// The place of our own cgroup in the file system.
fn place(own: &str, mounts: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    // 31 23 0:27 ROOT MOUNTPOINT OPTIONS ... - TYPE SOURCE OPTIONS
    let mount = mounts.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        let mut fields = fields.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        kind.starts_with("cgroup2 ").then_some((root, point))
    });
    let (root, point) = mount?;
    let below = Path::new(path).strip_prefix(root).ok()?;
    Some(Path::new(point).join(below))
}

/// The cgroups of engines that were killed: their processes are ended, and they await removal.
fn left_behind(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let engines = entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("checks-")));
    engines.map(|entry| entry.path()).filter(|path| lock(path).is_ok()).flat_map(end).collect()
}

/// The lock on a directory, if no engine holds it.
fn lock(path: &Path) -> io::Result<File> {
    let directory = File::open(path)?;
    flock(&directory, FlockOperation::NonBlockingLockExclusive)?;
    Ok(directory)
}

/// Kills what lives in the cgroups of an engine that was killed. Returns the directories, innermost first.
fn end(path: PathBuf) -> Vec<PathBuf> {
    if let Err(error) =
        File::options().write(true).open(path.join("cgroup.kill")).and_then(|mut file| file.write_all(b"1"))
    {
        tracing::warn!(%error, path = %path.display(), "cannot end what an engine left behind");
    }
    let below = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
    below.filter(|path| path.is_dir()).chain([path.clone()]).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    /// The first cgroup; if none can be made, says so in the words that are counted.
    fn made(test: &str) -> Option<(Cgroups, Cgroup)> {
        let mut cgroups = Cgroups::new(true);
        let first = cgroups.take();
        if first.is_none() {
            println!("SKIPPED {test}: cgroups of version 2 cannot be made here");
        }
        first.map(|first| (cgroups, first))
    }

    /// A process that stays in that cgroup.
    fn settler(cgroup: &Cgroup) -> Child {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        fs::write(cgroup.path.join("cgroup.procs"), child.id().to_string()).unwrap();
        child
    }

    /// The number of descriptors of this process that are open below that directory.
    fn descriptors(parent: &Path) -> usize {
        let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.filter(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.starts_with(parent))).count()
    }

    fn directories(parent: &Path) -> usize {
        fs::read_dir(parent).unwrap().flatten().filter(|entry| entry.path().is_dir()).count()
    }

    #[test]
    fn a_killed_cgroup_is_removed_and_never_used_again() {
        let Some((mut cgroups, first)) = made("a_killed_cgroup_is_never_used_again") else { return };
        let killed = first.path.clone();
        let mut settler = settler(&first);
        assert_eq!(cgroups.kill(first).unwrap().len(), 1);
        settler.wait().unwrap();
        let second = cgroups.take().unwrap();
        assert_ne!(second.path, killed);
        while killed.exists() {
            cgroups.tidy();
        }
        cgroups.give_back(second);
        cgroups.close();
    }

    #[test]
    fn who_stays_behind_costs_no_descriptors_and_no_directory_once_gone() {
        const SETTLERS: usize = 8;
        let Some((mut cgroups, first)) = made("who_stays_behind_costs_no_descriptors") else { return };
        let parent = first.path.parent().unwrap().to_owned();
        cgroups.give_back(first);
        let settle = |_| {
            let cgroup = cgroups.take().unwrap();
            let settler = settler(&cgroup);
            cgroups.give_back(cgroup);
            settler
        };
        let settlers: Vec<Child> = (0..SETTLERS).map(settle).collect();
        for mut settler in settlers {
            assert!(!settler.wait().unwrap().success(), "it was killed");
        }
        assert!(descriptors(&parent) <= 3, "the directory's own lock, and one command at a time");
        for _ in 0..SETTLERS {
            let cgroup = cgroups.take().unwrap();
            cgroups.give_back(cgroup);
        }
        assert_eq!((descriptors(&parent), directories(&parent)), (3, 1));
        cgroups.close();
        assert!(!parent.exists());
    }

    #[test]
    fn signals_of_a_child_born_in_one_are_default() {
        let Some((mut cgroups, cgroup)) = made("signals_of_a_child_born_in_one_are_default") else { return };
        processes::signals::ignore(&[rustix::process::Signal::USR2]).unwrap();
        let (mut ours, theirs) = std::io::pipe().unwrap();
        let argv = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"].map(str::to_owned).to_vec();
        let streams = [None, Some(theirs.as_fd()), None];
        let spawn = processes::Spawn { path: "grep".into(), argv, streams, ..processes::Spawn::default() };
        let child = processes::Spawn { cgroup: Some(cgroup.directory()), ..spawn }.start().unwrap();
        drop(theirs);
        let mut text = String::new();
        io::Read::read_to_string(&mut ours, &mut text).unwrap();
        while processes::reap(child.pidfd.as_fd()).unwrap().is_none() {}
        let mask =
            |name: &str| text.split_once(name).and_then(|(_, mask)| u64::from_str_radix(mask.get(..16)?, 16).ok());
        let (blocked, ignored) = (mask("SigBlk:\t").unwrap(), mask("SigIgn:\t").unwrap());
        assert_eq!((blocked, ignored & 0x7fff_ffff), (0, 0), "handlers are cleared by the kernel: {text}");
        cgroups.give_back(cgroup);
        cgroups.close();
    }

    #[test]
    fn the_next_engine_ends_what_a_killed_one_left() {
        let Some((killed, cgroup)) = made("the_next_engine_ends_what_a_killed_one_left") else { return };
        let mut settler = settler(&cgroup);
        let left = cgroup.path.parent().unwrap().to_owned();
        let mut living = Cgroups::new(true);
        let beside = living.take().unwrap();
        assert!(left.exists() && settler.try_wait().unwrap().is_none(), "its engine lives");
        drop((cgroup, killed));
        let mut next = Cgroups::new(true);
        let other = next.take().unwrap();
        assert!(!settler.wait().unwrap().success(), "it was killed");
        assert!(beside.path.exists());
        assert!(next.give_back(other).is_empty() && living.give_back(beside).is_empty());
        next.close();
        living.close();
    }

    #[test]
    fn our_own_cgroup_is_where_it_is_mounted() {
        let mounts = "24 18 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n33 24 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 none rw\n";
        let own = "4:memory:/x\n0::/system.slice/cygnet.service\n";
        let expected = "/sys/fs/cgroup/unified/system.slice/cygnet.service";
        assert_eq!(place(own, mounts), Some(expected.into()));
        let within = "33 24 0:30 /system.slice /sys/fs/cgroup rw - cgroup2 none rw\n";
        assert_eq!(place(own, within), Some("/sys/fs/cgroup/cygnet.service".into()));
        let elsewhere = "33 24 0:30 /other /sys/fs/cgroup rw - cgroup2 none rw\n";
        assert_eq!(place(own, elsewhere), None);
        assert_eq!(place("4:memory:/x\n", mounts), None);
        assert_eq!(place(own, "24 18 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"), None);
    }
}
