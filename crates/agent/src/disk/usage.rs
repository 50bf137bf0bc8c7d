//! The disk that a directory uses, however deep it is. In: its path. Out: bytes.
//!
//! One descriptor goes down and up again, by the names that the kernel keeps; for each level above it there is only the
//! place in its listing, so that neither the length of a path nor the number of names matters.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, SeekFrom, Stat, fstat, openat, seek, statat};
use rustix::io::Errno;

/// The size of the blocks in which the kernel counts those of a file.
const BLOCK: u64 = 512;

/// The room for names that are read at once.
const NAMES: usize = 4 << 10;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The bytes on disk of a directory with all that is in it, on its file system; each file counts once, and no link is
/// followed.
pub(super) fn usage(directory: &Path) -> u64 {
    let Ok(opened) = openat(CWD, directory, DIRECTORY, Mode::empty()) else { return 0 };
    let Ok(own) = fstat(&opened) else { return 0 };
    let first = Level { name: CString::default(), file: own.st_ino, next: 0 };
    let mut walk = Walk { used: used(&own), device: own.st_dev, seen: BTreeSet::new(), levels: vec![first] };
    // What vanishes meanwhile uses nothing.
    let _all = walk.run(&opened);
    walk.used
}

struct Walk {
    used: u64,
    device: u64,
    /// The files with several names that were counted.
    seen: BTreeSet<u64>,
    /// The directories from the first one to the one that is looked at.
    levels: Vec<Level>,
}

/// A directory that is not done.
struct Level {
    name: CString,
    file: u64,
    /// The place in its listing.
    next: u64,
}

impl Walk {
    fn run(&mut self, top: &OwnedFd) -> Result<(), Errno> {
        let mut current = again(top)?;
        while let Some(level) = self.levels.pop() {
            // What cannot be looked at is done.
            current = match self.look(&current, level).unwrap_or(None) {
                Some(deeper) => deeper,
                None => self.above(&current, top)?,
            };
        }
        Ok(())
    }

    /// Counts what a directory has, up to the first directory in it that is to be looked at next.
    fn look(&mut self, directory: &OwnedFd, mut level: Level) -> Result<Option<OwnedFd>, Errno> {
        seek(directory, SeekFrom::Start(level.next))?;
        let mut room = [MaybeUninit::uninit(); NAMES];
        let mut entries = RawDir::new(directory, &mut room);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            level.next = entry.next_entry_cookie();
            if [c".", c".."].contains(&entry.file_name()) || !self.count(directory, entry.file_name()) {
                continue;
            }
            if let Some((deeper, file)) = self.enter(directory, entry.file_name()) {
                let below = Level { name: entry.file_name().to_owned(), file, next: 0 };
                self.levels.extend([level, below]);
                return Ok(Some(deeper));
            }
        }
        Ok(None)
    }

    /// Counts what has this name; true if it is a directory with more to count.
    fn count(&mut self, directory: &OwnedFd, name: &CStr) -> bool {
        let Ok(found) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
        let is_directory = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
        let is_known = !is_directory && found.st_nlink > 1 && !self.seen.insert(found.st_ino);
        if found.st_dev != self.device || is_known {
            return false;
        }
        self.used += used(&found);
        is_directory
    }

    fn enter(&self, directory: &OwnedFd, name: &CStr) -> Option<(OwnedFd, u64)> {
        let deeper = openat(directory, name, DIRECTORY, Mode::empty()).ok()?;
        let own = fstat(&deeper).ok()?;
        (own.st_dev == self.device).then_some((deeper, own.st_ino))
    }

    /// The directory that the one below it was in when it was found. It may have been moved since; then the way to it is
    /// gone from the top again, as far as there is one.
    fn above(&mut self, below: &OwnedFd, top: &OwnedFd) -> Result<OwnedFd, Errno> {
        let parent = openat(below, c"..", DIRECTORY, Mode::empty());
        let is_it = |found: &OwnedFd, level: &Level| {
            fstat(found).is_ok_and(|own| (own.st_dev, own.st_ino) == (self.device, level.file))
        };
        match (parent, self.levels.last()) {
            (Ok(parent), Some(level)) if is_it(&parent, level) => return Ok(parent),
            _ => {}
        }
        let mut current = again(top)?;
        for (depth, level) in self.levels.iter().enumerate().skip(1) {
            match openat(&current, &level.name, DIRECTORY, Mode::empty()) {
                Ok(next) if is_it(&next, level) => current = next,
                _ => {
                    self.levels.truncate(depth);
                    break;
                }
            }
        }
        Ok(current)
    }
}

fn again(directory: &OwnedFd) -> Result<OwnedFd, Errno> {
    openat(directory, c".", DIRECTORY, Mode::empty())
}

fn used(file: &Stat) -> u64 {
    u64::try_from(file.st_blocks).unwrap_or(0) * BLOCK
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use rustix::fs::mkdirat;

    use super::*;

    #[test]
    fn each_file_counts_once_and_links_count_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (sandbox, outside) = (directory.path().join("sandbox"), directory.path().join("outside"));
        fs::create_dir_all(sandbox.join("deep/deeper")).unwrap();
        fs::write(&outside, vec![1; 1 << 20]).unwrap();
        let empty = usage(&sandbox);
        fs::write(sandbox.join("deep/deeper/file"), vec![1; 1 << 20]).unwrap();
        fs::hard_link(sandbox.join("deep/deeper/file"), sandbox.join("again")).unwrap();
        std::os::unix::fs::symlink(&outside, sandbox.join("link")).unwrap();
        std::os::unix::fs::symlink(&sandbox, sandbox.join("circle")).unwrap();
        let used = usage(&sandbox) - empty;
        assert!((1 << 20..1 << 20 | 64 << 10).contains(&used), "{used}");
        assert_eq!(usage(&sandbox.join("nothing")), 0);
    }

    /// With a megabyte at the bottom, and another one beside the first directory, whichever is found first.
    #[test]
    fn what_is_deep_counts() {
        // In memory, as a disk takes its time for so many.
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let top = directory.path().join("top");
        fs::create_dir(&top).unwrap();
        let mut current = openat(CWD, &top, DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..60_000 {
            mkdirat(&current, c"d", Mode::RWXU).unwrap();
            current = openat(&current, c"d", DIRECTORY, Mode::empty()).unwrap();
        }
        let empty = usage(&top);
        let flags = OFlags::CREATE | OFlags::WRONLY;
        let file = openat(&current, c"file", flags, Mode::RWXU).unwrap();
        rustix::io::write(&file, &[1; 1 << 20]).unwrap();
        fs::create_dir(top.join("beside")).unwrap();
        fs::write(top.join("beside/file"), vec![1; 1 << 20]).unwrap();
        let path = top.clone();
        let small = thread::Builder::new().stack_size(128 << 10).spawn(move || usage(&path)).unwrap();
        let used = small.join().unwrap() - empty;
        processes::remove_tree(&top).unwrap();
        assert!((2 << 20..2 << 20 | 64 << 10).contains(&used), "{used}");
    }

    /// A directory that is moved while it is looked at is no way out.
    #[test]
    fn what_is_moved_costs_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let (top, away) = (directory.path().join("top"), directory.path().join("away"));
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::create_dir(&away).unwrap();
        let open = |path: &Path| openat(CWD, path, DIRECTORY, Mode::empty()).unwrap();
        let level = |name: &str, path: &Path| Level {
            name: CString::new(name).unwrap(),
            file: fstat(open(path)).unwrap().st_ino,
            next: 0,
        };
        let (first, b) = (open(&top), open(&top.join("a/b")));
        let levels = vec![level("", &top), level("a", &top.join("a"))];
        let mut walk = Walk { used: 0, device: fstat(&first).unwrap().st_dev, seen: BTreeSet::new(), levels };
        fs::rename(top.join("a/b"), away.join("b")).unwrap();
        let file = |found: &OwnedFd| fstat(found).unwrap().st_ino;
        assert_eq!(file(&walk.above(&b, &first).unwrap()), file(&open(&top.join("a"))));
        fs::rename(top.join("a"), away.join("a")).unwrap();
        assert_eq!(file(&walk.above(&b, &first).unwrap()), file(&first));
        assert_eq!(walk.levels.len(), 1);
    }
}
