//! A file of an image, as it would be seen if its layers lay over each other. Links lead to where they would in a
//! container; nothing outside the layers is ever opened.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fgetxattr, fstat, openat2, readlinkat};
use rustix::io::Errno;

/// The most links on one path.
const MOST_LINKS: usize = 40;

/// The most bytes that are read of a file.
const MOST_BYTES: u64 = 4 << 20;

/// The mark of a directory that hides those below it.
const OPAQUE: &str = "trusted.overlay.opaque";

/// The content of the file at this path; nothing if there is none. `layers` are directories, the lowest first.
pub(super) fn read(layers: &[PathBuf], path: &Path) -> io::Result<Option<Vec<u8>>> {
    let layers = layers.iter().rev().map(File::open).collect::<io::Result<Vec<File>>>()?;
    let Some(found) = find(&layers, path)? else { return Ok(None) };
    if kind(&found)? != FileType::RegularFile {
        return Ok(None);
    }
    // A descriptor that only names a file is opened by the name that the kernel has for it.
    let mut content = Vec::new();
    File::open(format!("/proc/self/fd/{}", found.as_raw_fd()))?.take(MOST_BYTES).read_to_end(&mut content)?;
    Ok(Some(content))
}

/// Goes from the root, a name at a time; `at` is where it has come, without links.
fn find(layers: &[File], path: &Path) -> io::Result<Option<OwnedFd>> {
    let (mut at, mut left, mut links) = (PathBuf::new(), names(path), 0);
    let mut found = None;
    while let Some(name) = left.pop() {
        if name == Path::new("..") {
            at.pop();
            continue;
        }
        let Some(next) = look(layers, &at.join(&name))? else { return Ok(None) };
        if kind(&next)? == FileType::Symlink {
            links += 1;
            if links > MOST_LINKS {
                return Ok(None);
            }
            let target = PathBuf::from(std::ffi::OsString::from_vec(readlinkat(&next, "", Vec::new())?.into_bytes()));
            if target.is_absolute() {
                at = PathBuf::new();
            }
            left.extend(names(&target));
        } else {
            at.push(name);
            found = Some(next);
        }
    }
    Ok(found)
}

/// The names of a path, the first one last.
fn names(path: &Path) -> Vec<PathBuf> {
    let is_name = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().filter(is_name).map(|part| PathBuf::from(part.as_os_str())).rev().collect()
}

/// The thing that the topmost layer has at this path, unless it says that nothing is there.
fn look(layers: &[File], path: &Path) -> io::Result<Option<OwnedFd>> {
    for layer in layers {
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match openat2(layer, path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty(), how) {
            Ok(found) if is_whiteout(&found)? => return Ok(None),
            Ok(found) => return Ok(Some(found)),
            Err(Errno::NOENT) if !hides(layer, path) => {}
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(None)
}

fn kind(of: &OwnedFd) -> io::Result<FileType> {
    Ok(FileType::from_raw_mode(fstat(of)?.st_mode))
}

fn is_whiteout(of: &OwnedFd) -> io::Result<bool> {
    let status = fstat(of)?;
    Ok(FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice && status.st_rdev == 0)
}

/// True if a directory above the path hides what lower layers have in it.
fn hides(layer: &File, path: &Path) -> bool {
    path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()).any(|above| {
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat2(layer, above, flags, Mode::empty(), how);
        let mut value = [0_u8; 1];
        opened.is_ok_and(|directory| fgetxattr(directory.as_fd(), OPAQUE, &mut value).is_ok_and(|_| value == *b"y"))
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};
    use std::os::unix::fs::symlink;

    use super::*;

    struct Image(tempfile::TempDir);

    impl Image {
        fn new() -> Image {
            let image = Image(tempfile::tempdir().unwrap());
            create_dir_all(image.path("low/etc")).unwrap();
            create_dir_all(image.path("high/etc")).unwrap();
            image
        }

        fn path(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        fn seen(&self) -> Option<String> {
            let layers = ["low", "high"].map(|name| self.path(name));
            read(&layers, Path::new("etc/passwd")).unwrap().map(|content| String::from_utf8(content).unwrap())
        }
    }

    #[test]
    fn the_topmost_layer_counts() {
        let image = Image::new();
        assert_eq!(image.seen(), None);
        write(image.path("low/etc/passwd"), "low").unwrap();
        assert_eq!(image.seen().as_deref(), Some("low"));
        write(image.path("high/etc/passwd"), "high").unwrap();
        assert_eq!(image.seen().as_deref(), Some("high"));
    }

    #[test]
    fn links_lead_where_they_would_in_a_container_and_never_out_of_it() {
        let image = Image::new();
        write(image.path("outside"), "outside").unwrap();
        create_dir_all(image.path("low/usr/lib")).unwrap();
        write(image.path("low/usr/lib/users"), "inside").unwrap();
        for (target, seen) in [
            ("../usr/lib/users", Some("inside")),
            ("/usr/lib/users", Some("inside")),
            ("../../../../usr/lib/users", Some("inside")),
            ("../../outside", None),
            (image.path("outside").to_str().unwrap(), None),
            ("passwd", None),
            ("/usr/lib", None),
        ] {
            symlink(target, image.path("high/etc/passwd")).unwrap();
            assert_eq!(image.seen().as_deref(), seen, "{target}");
            std::fs::remove_file(image.path("high/etc/passwd")).unwrap();
        }
    }

    #[test]
    fn what_is_not_a_directory_hides_what_lower_layers_have() {
        let image = Image::new();
        write(image.path("low/etc/passwd"), "low").unwrap();
        std::fs::remove_dir(image.path("high/etc")).unwrap();
        write(image.path("high/etc"), "").unwrap();
        assert_eq!(image.seen(), None);
    }

    #[test]
    fn what_a_layer_removed_is_not_there() {
        let image = Image::new();
        write(image.path("low/etc/passwd"), "low").unwrap();
        let etc = File::open(image.path("high/etc")).unwrap();
        let made = rustix::fs::mknodat(&etc, "passwd", FileType::CharacterDevice, Mode::empty(), 0);
        if made.is_err() {
            eprintln!("skipped: needs to make devices");
            return;
        }
        assert_eq!(image.seen(), None);
        std::fs::remove_file(image.path("high/etc/passwd")).unwrap();
        assert!(image.seen().is_some());
        rustix::fs::fsetxattr(&etc, OPAQUE, b"y", rustix::fs::XattrFlags::empty()).unwrap();
        assert_eq!(image.seen(), None);
    }
}
