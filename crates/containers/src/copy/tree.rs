//! The tree, directory after directory. Each is opened by its path without links, so that however deep it is a few
//! descriptors are enough.

use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fgetxattr, linkat, mkdirat, openat2, statat,
};
use rustix::io::{Errno, Result};

use super::merge::{Kind, Names, Seen};
use super::node::{self, Metadata};
use super::{Copy, CopyError, Watch};

const OPAQUE: &str = "trusted.overlay.opaque";

/// Copies the layers to a directory that is made for them. Its own owner and mode are its caller's to give.
pub fn copy(what: &Copy, watch: &Watch) -> std::result::Result<(), CopyError> {
    let root = Path::new("");
    let failed = CopyError::at(root);
    let open = |path: &PathBuf| File::open(path).map_err(|cause| CopyError::Disk { path: path.clone(), cause });
    let layers = what.layers.iter().map(open).collect::<std::result::Result<Vec<File>, _>>()?;
    mkdirat(CWD, &what.to, Mode::from_raw_mode(0o755)).map_err(&failed)?;
    let all = (0..layers.len()).collect();
    let mut tree = Tree { layers, to: open(&what.to)?, watch, links: HashMap::new(), left: Vec::new() };
    tree.fill(root, all)?;
    while let Some(step) = tree.left.pop() {
        tree.step(step)?;
    }
    Ok(())
}

struct Tree<'a> {
    layers: Vec<File>,
    to: File,
    watch: &'a Watch,
    /// Files with several names, by layer and number: the first name that was copied.
    links: HashMap<(usize, u64), PathBuf>,
    /// The steps that are left, the next one last.
    left: Vec<Step>,
}

enum Step {
    /// A directory has what these layers have in it.
    Fill(PathBuf, Vec<usize>),
    /// A directory has its own owner, mode and times, now that nothing changes in it any more.
    Finish(PathBuf, Metadata),
}

impl Tree<'_> {
    fn step(&mut self, step: Step) -> std::result::Result<(), CopyError> {
        match step {
            Step::Fill(path, layers) => self.fill(&path, layers),
            Step::Finish(path, metadata) => {
                directory(&self.to, &path).and_then(|made| metadata.apply(&made)).map_err(CopyError::at(&path))
            }
        }
    }

    fn fill(&mut self, path: &Path, numbers: Vec<usize>) -> std::result::Result<(), CopyError> {
        let failed = CopyError::at(path);
        let open = |number: usize| Ok((number, directory(&self.layers[number], path)?));
        let from = numbers.into_iter().map(open).collect::<Result<HashMap<usize, OwnedFd>>>().map_err(&failed)?;
        let to = directory(&self.to, path).map_err(&failed)?;
        let mut names = Names::default();
        let mut ordered: Vec<_> = from.iter().collect();
        ordered.sort_by_key(|(number, _)| **number);
        for (number, layer) in ordered {
            list(layer, |name, kind| names.add(*number, name, kind)).map_err(&failed)?;
        }
        // The first name comes first, though the last step is the next.
        for (name, seen) in names.into_seen().rev() {
            let path = path.join(OsStr::from_bytes(name.to_bytes()));
            match seen {
                Seen::Nothing => {}
                Seen::Of(number) => self.node(number, &from[&number], &to, &name, &path)?,
                Seen::Directory { layers, .. } => self.begin(&from[&layers[0]], &to, &name, path, layers)?,
            }
        }
        Ok(())
    }

    fn begin(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        name: &CStr,
        path: PathBuf,
        layers: Vec<usize>,
    ) -> std::result::Result<(), CopyError> {
        self.watch.copied(0)?;
        let failed = CopyError::at(&path);
        let made = statat(from, name, AtFlags::SYMLINK_NOFOLLOW).and_then(|status| {
            mkdirat(to, name, Mode::RWXU)?;
            Metadata::read(from.as_fd(), name, &status)
        });
        self.left.push(Step::Finish(path.clone(), made.map_err(failed)?));
        self.left.push(Step::Fill(path, layers));
        Ok(())
    }

    fn node(
        &mut self,
        number: usize,
        from: &OwnedFd,
        to: &OwnedFd,
        name: &CStr,
        path: &Path,
    ) -> std::result::Result<(), CopyError> {
        self.watch.copied(0)?;
        let failed = CopyError::at(path);
        let status = statat(from, name, AtFlags::SYMLINK_NOFOLLOW).map_err(&failed)?;
        let file = (number, status.st_ino);
        if let Some(first) = self.links.get(&file) {
            return linkat(&self.to, first, to, name, AtFlags::empty()).map_err(failed);
        }
        if status.st_nlink > 1 {
            self.links.insert(file, path.to_owned());
        }
        node::copy(from.as_fd(), to.as_fd(), name, &status, &|bytes| self.watch.copied(bytes), path)
    }
}

/// The directory at this path, which has no links in it.
fn directory(root: &File, path: &Path) -> Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat2(root, path, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

fn list(layer: &OwnedFd, mut each: impl FnMut(CString, Kind)) -> Result<()> {
    for entry in Dir::read_from(layer)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            each(name.to_owned(), kind(layer, name)?);
        }
    }
    Ok(())
}

fn kind(layer: &OwnedFd, name: &CStr) -> Result<Kind> {
    let status = statat(layer, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(match FileType::from_raw_mode(status.st_mode) {
        FileType::Directory => Kind::Directory { opaque: is_opaque(layer, name)? },
        _ if is_whiteout(&status) => Kind::Whiteout,
        _ => Kind::Other,
    })
}

fn is_whiteout(status: &Stat) -> bool {
    FileType::from_raw_mode(status.st_mode).is_char_device() && status.st_rdev == 0
}

fn is_opaque(layer: &OwnedFd, name: &CStr) -> Result<bool> {
    let name = Path::new(OsStr::from_bytes(name.to_bytes()));
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let opened = openat2(layer, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty(), how)?;
    let mut value = [0_u8; 1];
    match fgetxattr(&opened, OPAQUE, &mut value) {
        Ok(_) => Ok(value == *b"y"),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(false),
        Err(errno) => Err(errno),
    }
}
