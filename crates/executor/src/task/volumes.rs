//! The volumes of a task: which it has, and what has to be there before its container is made.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path};

use containers::provision::{Provision, Settings};
use containers::rootfs::{Volume, VolumeSource, is_shared};
use containers::spec::{Sandboxes, VolumeError, Volumes};
use fetcher::Space;
use mesos::v1::TaskInfo;
use processes::{Credentials, give};

use super::group_sandbox::unlinked;
use crate::config::ExecutorConfig;
use crate::task::Unrunnable;

/// The volumes of a task that are no links in its sandbox.
pub(super) fn of(config: &ExecutorConfig, task: &TaskInfo, provision: &Provision) -> Result<Volumes, VolumeError> {
    let sandboxes = Sandboxes { own: &config.sandbox, parent: config.outer_sandbox.as_deref() };
    let Some(container) = &task.container else { return Ok(Volumes::default()) };
    match config.outer_sandbox.is_some() {
        true => Volumes::of(unlinked(container), provision, sandboxes),
        false => Volumes::of(&container.volumes, provision, sandboxes),
    }
}

/// Looks whether all is there that comes from the host, and makes what may be made: directories of the host below those
/// that the operator names, parts of sandboxes, and, for a task with the host's files, the places in its sandbox.
pub(super) fn make_places(
    volumes: &Volumes,
    config: &ExecutorConfig,
    settings: &Settings,
    user: Option<&Credentials>,
    has_hosts_files: bool,
) -> Result<(), Unrunnable> {
    volumes.host_paths.iter().try_for_each(|path| host_path(path, settings, user))?;
    volumes.shared.iter().try_for_each(|path| shared(path))?;
    for (sandbox, path) in &volumes.parts {
        part(sandbox, path, user).map_err(|cause| Unrunnable::Place { path: path.clone(), cause })?;
    }
    let places = volumes.mounts.iter().filter(|_| has_hosts_files);
    places.into_iter().try_for_each(|volume| mount_point(volume, &config.sandbox))
}

fn host_path(path: &Path, settings: &Settings, user: Option<&Credentials>) -> Result<(), Unrunnable> {
    if path.exists() {
        return Ok(());
    }
    let is_plain = path.components().all(|part| part != Component::ParentDir);
    if !is_plain || !settings.created_host_paths.iter().any(|above| path.starts_with(above)) {
        return Err(Unrunnable::HostPath(path.to_owned()));
    }
    let made = fs::create_dir_all(path).and_then(|()| give(&File::open(path)?, user));
    made.map_err(|cause| Unrunnable::Place { path: path.to_owned(), cause })
}

/// A path whose mounts spread both ways: the administrator of the host has to have shared it.
fn shared(path: &Path) -> Result<(), Unrunnable> {
    match is_shared(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Unrunnable::NotShared(path.to_owned())),
        Err(cause) => Err(Unrunnable::Place { path: path.to_owned(), cause }),
    }
}

/// A part of a sandbox that is not there yet is the user's; one that is there may be somebody else's.
fn part(sandbox: &Path, path: &Path, user: Option<&Credentials>) -> io::Result<()> {
    Space::open(sandbox)?.make(path)?.map_or(Ok(()), |made| give(&made, user))
}

/// The place that something is mounted on: one of the host's has to be there.
fn mount_point(volume: &Volume, sandbox: &Path) -> Result<(), Unrunnable> {
    let Ok(inner) = volume.at.strip_prefix(sandbox) else {
        return if volume.at.exists() { Ok(()) } else { Err(Unrunnable::MountPoint(volume.at.clone())) };
    };
    let is_file = match &volume.source {
        VolumeSource::Secret(_) => true,
        VolumeSource::Host { path, .. } => path.is_file(),
        _ => false,
    };
    place(sandbox, inner, is_file).map_err(|cause| Unrunnable::Place { path: volume.at.clone(), cause })
}

/// Others may write in the sandbox meanwhile: nothing is looked up twice.
fn place(sandbox: &Path, path: &Path, is_file: bool) -> io::Result<()> {
    let space = Space::open(sandbox)?;
    if is_file { space.file(path).map(drop) } else { space.make(path).map(drop) }
}
