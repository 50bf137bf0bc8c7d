//! The places of volumes: what has to be there before a container is made, and is looked for or made.
//!
//! In: the volumes, the sandbox, the operator's settings, the user. Out: directories and files, which belong to sandboxes, or
//! the [`PlaceError`] that names the place. Waits for the disk.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use fetcher::Space;
use processes::{Credentials, give};

use crate::provision::Settings;
use crate::rootfs::{Volume, VolumeSource, is_shared};
use crate::spec::Volumes;

/// A place that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A path of the host is not there, and may not be made.
    #[error(
        "Path '{}' in HOST_PATH volume does not exist: make it on the agent's machine, or let the agent make it \
         ('host_path_volume_force_creation')",
        .0.display()
    )]
    HostPath(PathBuf),
    /// A path of the host whose mounts may not spread.
    #[error(
        "Cannot setup bidirectional mount propagation for host path '{}' because it is not under a shared mount",
        .0.display()
    )]
    NotShared(PathBuf),
    /// A place that a container with the host's files cannot have.
    #[error("Mount point '{}' is an absolute path. It must exist if the container shares the host filesystem", .0.display())]
    MountPoint(PathBuf),
    /// The machine: what a volume is to be mounted on, or of.
    #[error("Cannot make the place of the volume '{}': {cause}", path.display())]
    Unmade {
        /// The place.
        path: PathBuf,
        /// The kernel's word.
        cause: io::Error,
    },
}

/// Looks whether all is there that comes from the host, and makes what may be made: directories of the host below those
/// that the operator names, parts of sandboxes, and, for a task with the host's files, the places in its sandbox.
pub fn make(
    volumes: &Volumes,
    sandbox: &Path,
    settings: &Settings,
    user: Option<&Credentials>,
    has_hosts_files: bool,
) -> Result<(), PlaceError> {
    volumes.host_paths.iter().try_for_each(|path| host_path(path, settings, user))?;
    volumes.shared.iter().try_for_each(|path| shared(path))?;
    for (sandbox, path) in &volumes.parts {
        part(sandbox, path, user).map_err(|cause| PlaceError::Unmade { path: path.clone(), cause })?;
    }
    let places = volumes.mounts.iter().filter(|_| has_hosts_files);
    places.into_iter().try_for_each(|volume| mount_point(volume, sandbox))
}

fn host_path(path: &Path, settings: &Settings, user: Option<&Credentials>) -> Result<(), PlaceError> {
    if path.exists() {
        return Ok(());
    }
    let is_plain = path.components().all(|part| part != Component::ParentDir);
    if !is_plain || !settings.created_host_paths.iter().any(|above| path.starts_with(above)) {
        return Err(PlaceError::HostPath(path.to_owned()));
    }
    let made = fs::create_dir_all(path).and_then(|()| give(&File::open(path)?, user));
    made.map_err(|cause| PlaceError::Unmade { path: path.to_owned(), cause })
}

/// A path whose mounts spread both ways: the administrator of the host has to have shared it.
fn shared(path: &Path) -> Result<(), PlaceError> {
    match is_shared(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(PlaceError::NotShared(path.to_owned())),
        Err(cause) => Err(PlaceError::Unmade { path: path.to_owned(), cause }),
    }
}

/// A part of a sandbox that is not there yet is the user's; one that is there may be somebody else's.
fn part(sandbox: &Path, path: &Path, user: Option<&Credentials>) -> io::Result<()> {
    Space::open(sandbox)?.make(path)?.map_or(Ok(()), |made| give(&made, user))
}

/// The place that something is mounted on: one of the host's has to be there.
fn mount_point(volume: &Volume, sandbox: &Path) -> Result<(), PlaceError> {
    let Ok(inner) = volume.at.strip_prefix(sandbox) else {
        return if volume.at.exists() { Ok(()) } else { Err(PlaceError::MountPoint(volume.at.clone())) };
    };
    let is_file = match &volume.source {
        VolumeSource::Secret(_) => true,
        VolumeSource::Host { path, .. } => path.is_file(),
        _ => false,
    };
    place(sandbox, inner, is_file).map_err(|cause| PlaceError::Unmade { path: volume.at.clone(), cause })
}

/// Others may write in the sandbox meanwhile: nothing is looked up twice.
fn place(sandbox: &Path, path: &Path, is_file: bool) -> io::Result<()> {
    let space = Space::open(sandbox)?;
    if is_file { space.file(path).map(drop) } else { space.make(path).map(drop) }
}
