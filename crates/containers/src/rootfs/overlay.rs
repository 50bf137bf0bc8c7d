//! Layers over each other: the place of what is changed, and a test of the machine.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::mount::{FsOpenFlags, fsconfig_create, fsconfig_set_string, fsopen};

const DIRECTORIES: [&str; 3] = ["lower", "upper", "work"];

/// The device on which it has worked: a process keeps all its state on one.
static WORKED: OnceLock<u64> = OnceLock::new();

/// Tries it in this directory, unless it has worked beside it before. Nothing is left there and nothing mounted: the
/// kernel refuses where the directory itself is on layers, and on some network file systems. An error is the kernel's
/// reason; then images have to be copied.
pub fn overlay_works(directory: &Path) -> io::Result<()> {
    let device = fs::metadata(directory)?.dev();
    if WORKED.get() == Some(&device) {
        return Ok(());
    }
    tried(directory)?;
    // Another thread may have been quicker.
    let _known = WORKED.set(device);
    Ok(())
}

fn tried(directory: &Path) -> io::Result<()> {
    let trial = trial(directory)?;
    let tried = lay(&trial);
    let removed = processes::remove_tree(&trial);
    tried.and(removed)
}

/// Makes the directories for what a program changes of its image. The upper one's mode is that of the container's root.
pub fn make_changes(changes: &Path) -> io::Result<()> {
    fs::create_dir_all(changes.join("work"))?;
    fs::create_dir_all(changes.join("upper"))?;
    fs::set_permissions(changes.join("upper"), fs::Permissions::from_mode(0o755))
}

/// A directory that nobody else tries it in.
fn trial(directory: &Path) -> io::Result<PathBuf> {
    let names = (0_u32..).map(|number| directory.join(format!(".overlay-{}-{number}", std::process::id())));
    let made = names.map(|trial| fs::create_dir(&trial).map(|()| trial));
    let is_taken =
        |made: &io::Result<PathBuf>| made.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists);
    let mut made = made.skip_while(is_taken);
    let trial = made.next().unwrap_or_else(|| Err(ErrorKind::AlreadyExists.into()))?;
    DIRECTORIES.iter().try_for_each(|name| fs::create_dir(trial.join(name)))?;
    Ok(trial)
}

/// A file system that is made, but mounted nowhere.
fn lay(trial: &Path) -> io::Result<()> {
    let new = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for name in DIRECTORIES {
        let directory = File::open(trial.join(name))?;
        let path = format!("/proc/self/fd/{}", directory.as_raw_fd());
        fsconfig_set_string(&new, format!("{name}dir"), path)?;
    }
    Ok(fsconfig_create(&new)?)
}
