//! Builds a root file system and enters it. In: the plan. Out: this process, in a mount namespace that has nothing else
//! in it. The process is in a mount namespace of its own already.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, open};
use rustix::mount::{
    MountAttrFlags, MountFlags, MountPropagationFlags, OpenTreeFlags, UnmountFlags, mount, mount_change, open_tree,
    unmount,
};
use rustix::process::{chdir, fchdir, pivot_root, umask};

use super::place::{Builder, attach, name};
use super::prepare::{Prepared, copy_of_mount, prepare};
use super::{Root, Rootfs, RootfsError};
use crate::kernel::mount::set_attributes;

/// Devices that an image brings, or that a container makes, cannot be opened: it has those that it is given.
const NO_DEVICES: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NODEV;

/// The working directory afterwards is the new root.
pub(crate) fn build(rootfs: &Rootfs) -> Result<(), RootfsError> {
    umask(Mode::empty());
    let prepared = rootfs.entries.iter().map(prepare).collect::<Result<Vec<Prepared<'_>>, _>>()?;
    // Nothing goes out from here; unmounts come in, or the host's file systems would stay busy.
    let all = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change("/", all).map_err(|errno| RootfsError::Enter(errno.into()))?;
    let root = root(&rootfs.root).map_err(|cause| RootfsError::root(&rootfs.root, cause))?;
    let mut builder = Builder::new(root.as_fd(), !matches!(rootfs.root, Root::Tree(_)));
    for prepared in &prepared {
        builder.place(prepared).map_err(|cause| RootfsError::entry(prepared.entry, cause))?;
    }
    builder.finish().and_then(|()| enter(&root, rootfs.read_only)).map_err(RootfsError::Enter)
}

/// The mount that becomes the root.
fn root(root: &Root) -> io::Result<OwnedFd> {
    match root {
        Root::Overlay { lower, upper, work } => overlay(lower, upper, work),
        Root::Directory(path) => tree(path, false, NO_DEVICES, MountPropagationFlags::PRIVATE),
        Root::Tree(path) => tree(path, true, MountAttrFlags::empty(), MountPropagationFlags::DOWNSTREAM),
    }
}

fn tree(
    path: &Path,
    recursive: bool,
    attributes: MountAttrFlags,
    propagation: MountPropagationFlags,
) -> io::Result<OwnedFd> {
    let place = open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let tree = copy_of_mount(path, recursive)?;
    set_attributes(tree.as_fd(), recursive, attributes, propagation)?;
    attach(tree.as_fd(), place.as_fd())?;
    Ok(tree)
}

/// The layers go by their descriptors: their names would be too long together for the kernel, which takes 4,095 bytes,
/// and would have to be quoted. It is mounted over the upper directory, where it is certainly in nobody's way.
fn overlay(lower: &[PathBuf], upper: &Path, work: &Path) -> io::Result<OwnedFd> {
    let opened = |path: &PathBuf| File::open(path).map_err(|cause| about(path, &cause));
    let lower = lower.iter().map(opened).collect::<io::Result<Vec<File>>>()?;
    let (upper_directory, work) = (opened(&upper.to_owned())?, opened(&work.to_owned())?);
    let names: Vec<String> = lower.iter().map(|layer| name(layer.as_fd())).collect();
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        names.join(":"),
        name(upper_directory.as_fd()),
        name(work.as_fd())
    );
    let options = CString::new(options)?;
    mount("overlay", name(upper_directory.as_fd()), "overlay", MountFlags::NODEV, options.as_c_str())?;
    Ok(open_tree(CWD, upper, OpenTreeFlags::OPEN_TREE_CLOEXEC)?)
}

fn about(path: &Path, cause: &io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
}

/// Makes the mount the root of this process, and lets go of everything else.
fn enter(root: &OwnedFd, read_only: bool) -> io::Result<()> {
    if read_only {
        set_attributes(root.as_fd(), false, MountAttrFlags::MOUNT_ATTR_RDONLY, MountPropagationFlags::empty())?;
    }
    fchdir(root)?;
    // The old root comes to lie over the new one, from where it is taken away.
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    Ok(chdir("/")?)
}
