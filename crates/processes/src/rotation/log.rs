//! One log: its length, and how that is cut.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::cut::Cut;
use super::older::Older;
use crate::kernel::notify_of_writes;
use crate::log_bounds::Rotation;

/// A log that others append to.
#[derive(Debug)]
pub(crate) struct Log {
    /// A descriptor that does not append.
    file: File,
    older: Older,
    bound: Rotation,
    /// The length when it was last looked at.
    seen_bytes: u64,
}

impl Log {
    /// The log that was opened at this path.
    pub(crate) fn new(opened: &File, path: &Path, bound: Rotation) -> io::Result<Log> {
        // Whatever is at its path by now.
        let file = OpenOptions::new().read(true).write(true).open(format!("/proc/self/fd/{}", opened.as_raw_fd()))?;
        let seen_bytes = file.metadata()?.len();
        Ok(Log { file, older: Older::of(path, bound.files)?, bound, seen_bytes })
    }

    /// Has this process told by a signal of the next time that something is written to it, or to what lies beside it.
    pub(crate) fn notify(&self) -> io::Result<()> {
        notify_of_writes(self.older.directory())
    }

    /// The bytes that have come since the last look, and those that there was room for.
    pub(crate) fn growth(&mut self) -> io::Result<(u64, u64)> {
        let size = self.file.metadata()?.len();
        let seen = mem::replace(&mut self.seen_bytes, size);
        Ok((size.saturating_sub(seen), self.bound.bytes.saturating_sub(seen)))
    }

    /// Cuts the log if it is too long.
    pub(crate) fn rotate(&mut self) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        let cut = Cut::of(metadata.len(), metadata.blksize(), self.bound);
        let shortened = if cut.dropped == 0 { Ok(true) } else { self.shorten(cut.dropped) };
        match shortened? {
            true => self.hand_over(&cut)?,
            false => self.start_over(cut.dropped)?,
        }
        self.seen_bytes = self.file.metadata()?.len();
        Ok(())
    }

    fn hand_over(&self, cut: &Cut) -> io::Result<()> {
        for _ in 0..cut.files {
            let _bound_first = self.push(0, cut.file_bytes);
            if !self.shorten(cut.file_bytes)? {
                return self.start_over(cut.file_bytes);
            }
        }
        Ok(())
    }

    /// Takes the first bytes away; false if this file system cannot.
    fn shorten(&self, bytes: u64) -> io::Result<bool> {
        match fallocate(&self.file, FallocateFlags::COLLAPSE_RANGE, 0, bytes) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(false),
            taken => Ok(taken.map(|()| true)?),
        }
    }

    /// Keeps what follows these first bytes, and empties the log.
    fn start_over(&self, from: u64) -> io::Result<()> {
        let _bound_first = self.push(from, u64::MAX);
        self.file.set_len(0)
    }

    fn push(&self, from: u64, bytes: u64) -> io::Result<()> {
        (&self.file).seek(SeekFrom::Start(from))?;
        self.older.push((&self.file).take(bytes), &self.file.metadata()?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::program::append;

    const BLOCK: usize = 4096;

    struct World {
        directory: tempfile::TempDir,
        writer: File,
        log: Log,
    }

    impl World {
        fn new(directory: tempfile::TempDir, files: u32) -> World {
            let path = directory.path().canonicalize().unwrap().join("stdout");
            let writer = append(&path).unwrap();
            let log = Log::new(&writer, &path, Rotation { bytes: 2 * BLOCK as u64, files }).unwrap();
            World { directory, writer, log }
        }

        fn write(&mut self, blocks: std::ops::Range<u8>) {
            blocks.for_each(|block| self.writer.write_all(&[block; BLOCK]).unwrap());
        }

        /// The first byte of each block of a file.
        fn blocks(&self, name: &str) -> Vec<u8> {
            let content = fs::read(self.directory.path().join(name)).unwrap_or_default();
            content.chunks(BLOCK).map(|block| block[0]).collect()
        }

        fn all(&self) -> Vec<Vec<u8>> {
            ["stdout.3", "stdout.2", "stdout.1", "stdout"].map(|name| self.blocks(name)).into()
        }
    }

    /// On the disk of this directory: whoever builds here builds on one that can shorten files, or it cannot be tried.
    fn on_disk() -> tempfile::TempDir {
        tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap()
    }

    #[test]
    fn the_oldest_goes_and_every_byte_of_the_rest_is_there_once() {
        for directory in [on_disk(), tempfile::tempdir_in("/dev/shm").unwrap()] {
            let mut world = World::new(directory, 2);
            world.write(0..2);
            world.log.rotate().unwrap();
            assert_eq!(world.all(), [&[][..], &[], &[], &[0, 1]], "it is as long as it may be");
            for blocks in [2..3, 3..5, 5..7] {
                world.write(blocks);
                world.log.rotate().unwrap();
            }
            let all = world.all();
            assert_eq!(all[0], [0; 0]);
            let all = all.concat();
            assert_eq!(all, (7 - all.len() as u8..7).collect::<Vec<_>>());
            assert!((4..=6).contains(&all.len()), "{all:?}");
        }
    }

    #[test]
    fn a_burst_leaves_the_last_of_it() {
        for directory in [on_disk(), tempfile::tempdir_in("/dev/shm").unwrap()] {
            let mut world = World::new(directory, 2);
            world.write(0..101);
            world.log.rotate().unwrap();
            let all = world.all().concat();
            assert_eq!(all, (101 - all.len() as u8..101).collect::<Vec<_>>());
            assert!((4..=6).contains(&all.len()), "{all:?}");
        }
    }

    #[test]
    fn without_older_files_the_beginning_is_dropped() {
        let mut world = World::new(on_disk(), 0);
        world.write(0..7);
        world.log.rotate().unwrap();
        assert!(world.blocks("stdout").len() <= 2 && world.blocks("stdout.1").is_empty());
    }

    #[test]
    fn whatever_is_put_in_the_way_the_log_stays_short_and_nothing_else_is_touched() {
        let elsewhere = tempfile::tempdir().unwrap();
        let outside = elsewhere.path().join("outside");
        fs::write(&outside, "precious").unwrap();
        let obstacles: [&dyn Fn(&Path); 4] = [
            &|path| symlink(&outside, path).unwrap(),
            &|path| fs::hard_link(&outside, path).unwrap(),
            &|path| fs::create_dir(path).unwrap(),
            &|path| {
                rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
            },
        ];
        for obstacle in obstacles {
            for name in ["stdout", ".stdout.new", "stdout.1", "stdout.2"] {
                let mut world = World::new(on_disk(), 2);
                let path = world.directory.path().join(name);
                drop(fs::remove_file(&path));
                // A link to another disk there cannot be.
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| obstacle(&path))).is_err() {
                    continue;
                }
                for _ in 0..4 {
                    world.write(0..9);
                    world.log.rotate().unwrap();
                }
                assert!(world.log.file.metadata().unwrap().len() <= 2 * BLOCK as u64, "{name}");
                assert_eq!(fs::read(&outside).unwrap(), b"precious", "{name}");
            }
        }
    }

    #[test]
    fn a_log_and_a_directory_that_are_gone_stay_short() {
        let mut world = World::new(on_disk(), 2);
        fs::remove_dir_all(world.directory.path()).unwrap();
        world.write(0..9);
        world.log.rotate().unwrap();
        assert!(world.log.file.metadata().unwrap().len() <= 2 * BLOCK as u64);
    }
}
