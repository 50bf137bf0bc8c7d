//! Sandboxes that go to another user with everything in them: the one who fetched did not know whom an image runs as.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use processes::Credentials;
use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Uid, chownat, fstat, openat};

use crate::Space;

impl Space {
    /// Gives everything in it to this user that belongs to whom the space itself belongs to. No link is followed, and what
    /// is somebody else's stays so.
    pub fn give(&self, user: &Credentials) -> io::Result<()> {
        let from = fstat(self.handle())?.st_uid;
        let mut directories = if from == user.uid { Vec::new() } else { vec![PathBuf::new()] };
        while let Some(path) = directories.pop() {
            let directory = self.directory(&path)?;
            for entry in Dir::read_from(&directory)? {
                let entry = entry?;
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                if [".", ".."].map(OsStr::new).contains(&name) {
                    continue;
                }
                if give(&directory, name, from, user)? == FileType::Directory {
                    directories.push(path.join(name));
                }
            }
        }
        Ok(())
    }
}

/// Gives one away, if it is to be. What it is, is looked at where it is held, so that nobody puts something else there.
fn give(directory: &OwnedFd, name: &OsStr, from: u32, user: &Credentials) -> io::Result<FileType> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = openat(directory, name, flags, Mode::empty())?;
    let found = fstat(&held)?;
    if found.st_uid == from {
        let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
        chownat(&held, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    }
    Ok(FileType::from_raw_mode(found.st_mode))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};

    use super::*;

    #[test]
    fn what_was_fetched_goes_to_the_user_of_the_image_and_nothing_else_does() {
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED what_was_fetched_goes_to_the_user_of_the_image_and_nothing_else_does: needs root");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let (sandbox, outside) = (directory.path().join("sandbox"), directory.path().join("outside"));
        fs::create_dir_all(sandbox.join("deep/er")).unwrap();
        fs::write(&outside, "").unwrap();
        for file in ["data", "deep/er/data", "another's"] {
            fs::write(sandbox.join(file), file).unwrap();
        }
        symlink(&outside, sandbox.join("link")).unwrap();
        for own in ["", "data", "deep", "deep/er", "deep/er/data", "link"] {
            lchown(sandbox.join(own), Some(999), Some(999)).unwrap();
        }
        chown(sandbox.join("another's"), Some(998), Some(998)).unwrap();
        let user = Credentials { uid: 1000, gid: 1000, groups: vec![1000] };
        Space::open(&sandbox).unwrap().give(&user).unwrap();
        let owner = |name: &str| sandbox.join(name).symlink_metadata().unwrap().uid();
        let owners = ["data", "deep", "deep/er", "deep/er/data", "link", "another's", ""].map(owner);
        assert_eq!(owners, [1000, 1000, 1000, 1000, 1000, 998, 999]);
        assert_eq!(fs::metadata(&outside).unwrap().uid(), 0);
    }
}
