//! Files that somebody else may have put where they are.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat2};

/// Opening for a look, which waits for nobody.
const LOOK: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// The content of a regular file. Nothing else is waited for, be it a pipe or a device, and one that is larger is refused.
pub fn read_file(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let file = regular(open(path, LOOK, Mode::empty())?.into())?;
    let content = read_at_most(file, most_bytes.saturating_add(1))?;
    match content.len() as u64 > most_bytes {
        true => Err(io::Error::other(format!("it is larger than {most_bytes} bytes"))),
        false => Ok(content),
    }
}

/// The beginning of a file of the kernel's, which may go on without an end.
pub(crate) fn read_start(path: &str, most_bytes: u64) -> io::Result<Vec<u8>> {
    read_at_most(File::open(path)?, most_bytes)
}

/// The end of a regular file in a directory of somebody else: a link leads nowhere, wherever in the path it is.
pub fn read_end(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let mut file = regular(unlinked(path, LOOK, Mode::empty())?)?;
    refuse_hard_link(&file, path)?;
    let start = file.metadata()?.len().saturating_sub(most_bytes);
    file.seek(SeekFrom::Start(start))?;
    read_at_most(file, most_bytes)
}

/// Opens a file whose path has no links in it.
pub(crate) fn unlinked(path: &Path, flags: OFlags, mode: Mode) -> io::Result<File> {
    Ok(openat2(CWD, path, flags | OFlags::CLOEXEC, mode, ResolveFlags::NO_SYMLINKS)?.into())
}

fn regular(file: File) -> io::Result<File> {
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no file")),
    }
}

/// Refuses another name of a file that belongs to somebody else than its directory does: where `fs.protected_hardlinks` is
/// 0, everybody can make one of what only its owner may read or write.
pub(crate) fn refuse_hard_link(file: &File, path: &Path) -> io::Result<()> {
    let found = file.metadata()?;
    if found.nlink() < 2 {
        return Ok(());
    }
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?.symlink_metadata()?;
    match directory.uid() == found.uid() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{} is a link to a file of somebody else", path.display()))),
    }
}

fn read_at_most(file: File, bytes: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(bytes).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn what_has_no_end_has_a_beginning() {
        assert_eq!(read_start("/dev/zero", 3).unwrap(), [0; 3]);
        assert!(read_start("/nowhere", 3).is_err());
    }

    #[test]
    fn only_a_file_that_is_not_too_large_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let (file, pipe) = (directory.path().join("file"), directory.path().join("pipe"));
        std::fs::write(&file, "1234").unwrap();
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(read_file(&file, 4).unwrap(), b"1234");
        let why = |path: &Path| read_file(path, 3).unwrap_err().to_string();
        assert_eq!(why(&file), "it is larger than 3 bytes");
        assert_eq!(why(&pipe), "it is no file", "and nobody waits for a writer");
        assert_eq!(why(directory.path()), "it is no file");
    }

    #[test]
    fn the_end_of_a_file_is_read_and_of_no_other_through_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, "1234").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read_end(&file, 3).unwrap(), b"234");
        assert_eq!(read_end(&file, 9).unwrap(), b"1234");
        assert!(read_end(&link, 9).is_err());
        let linked = directory.path().join("linked");
        std::os::unix::fs::symlink(directory.path(), &linked).unwrap();
        assert!(read_end(&linked.join("file"), 9).is_err(), "nor in the middle of the path");
    }

    #[test]
    fn another_name_of_somebody_elses_file_is_no_way_to_it() {
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED another_name_of_somebody_elses_file_is_no_way_to_it: needs root");
            return;
        }
        let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (secret, log) = (ours.path().join("secret"), theirs.path().join("stderr"));
        std::fs::write(&secret, "1234").unwrap();
        chown(theirs.path(), Some(1), Some(1)).unwrap();
        std::fs::hard_link(&secret, &log).unwrap();
        assert!(read_end(&log, 9).is_err());
        assert!(crate::program::append(&log).is_err());
        let bound = crate::Rotation { bytes: 1, files: 1 };
        assert!(crate::keep_short(&log, bound).is_err());
        assert_eq!(std::fs::read(&secret).unwrap(), b"1234");
        chown(&log, Some(1), Some(1)).unwrap();
        assert_eq!(read_end(&log, 9).unwrap(), b"1234", "their own they may call as they like");
        assert!(crate::program::append(&log).is_ok());
    }
}
