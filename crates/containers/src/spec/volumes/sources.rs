//! The source of a volume: the origin of what is put into the container. In: a message. Out: the source, or why it cannot
//! be had. Pure.

use std::path::{Component, Path, PathBuf};

use mesos::v1::volume::source::{self, DockerVolume, SandboxPath, sandbox_path};
use mesos::v1::volume::{Mode, Source};
use mesos::v1::{Image, MountPropagation, Volume as Message, mount_propagation};
use processes::rootfs::Propagation;

use super::{Sandboxes, VolumeError};
use crate::provision::Provision;
use crate::rootfs::VolumeSource;
use crate::spec::{memory, secrets};

pub(super) fn of_source(
    source: &Source,
    message: &Message,
    provision: &Provision,
    sandboxes: Sandboxes<'_>,
) -> Result<VolumeSource, VolumeError> {
    match source.r#type() {
        source::Type::HostPath => {
            let path = source.host_path.as_ref().ok_or(VolumeError::Unset("host_path", "HOST_PATH"))?;
            host(&path.path, propagation(path.mount_propagation.as_ref()), sandboxes)
        }
        source::Type::SandboxPath => {
            let path = source.sandbox_path.as_ref().ok_or(VolumeError::Unset("sandbox_path", "SANDBOX_PATH"))?;
            of_sandbox(path, message, sandboxes)
        }
        source::Type::Secret => {
            let secret = source.secret.as_ref().ok_or(VolumeError::Unset("secret", "SECRET"))?;
            Ok(VolumeSource::Secret(secrets::content(secret, provision.settings.secrets_directory.as_deref())?))
        }
        source::Type::DockerVolume => {
            let volume = source.docker_volume.as_ref().ok_or(VolumeError::Unset("docker_volume", "DOCKER_VOLUME"))?;
            of_driver(volume)
        }
        source::Type::CsiVolume => Err(VolumeError::Csi),
        source::Type::Unknown => Err(VolumeError::Unknown),
    }
}

/// A path of the host, or, if it does not say where it begins, of the sandbox.
pub(super) fn host(
    path: &str,
    propagation: Propagation,
    sandboxes: Sandboxes<'_>,
) -> Result<VolumeSource, VolumeError> {
    match Path::new(path).is_absolute() {
        true => Ok(VolumeSource::Host { path: path.into(), propagation }),
        false => Ok(VolumeSource::Sandbox { sandbox: sandboxes.own.to_owned(), path: inside(path)? }),
    }
}

/// Later mounts spread from the host to the container, unless they are to spread both ways.
fn propagation(wanted: Option<&MountPropagation>) -> Propagation {
    match wanted.map(MountPropagation::mode) {
        Some(mount_propagation::Mode::Bidirectional) => Propagation::Shared,
        Some(mount_propagation::Mode::HostToContainer | mount_propagation::Mode::Unknown) | None => Propagation::Slave,
    }
}

fn of_sandbox(path: &SandboxPath, message: &Message, sandboxes: Sandboxes<'_>) -> Result<VolumeSource, VolumeError> {
    if Path::new(&path.path).is_absolute() {
        return Err(VolumeError::Absolute(path.path.clone()));
    }
    let sandbox = match path.r#type() {
        sandbox_path::Type::Self_ if Path::new(&message.container_path).is_relative() => {
            return Err(VolumeError::SelfRelative);
        }
        sandbox_path::Type::Self_ => sandboxes.own,
        sandbox_path::Type::Parent => sandboxes.parent.ok_or(VolumeError::NoParent)?,
        sandbox_path::Type::Unknown => return Err(VolumeError::Unknown),
    };
    Ok(VolumeSource::Sandbox { sandbox: sandbox.to_owned(), path: inside(&path.path)? })
}

/// The layers of an image, which others have, too: they cannot be written.
pub(super) fn of_image(image: &Image, message: &Message, provision: &Provision) -> Result<VolumeSource, VolumeError> {
    if message.mode() != Mode::Ro {
        return Err(VolumeError::WritableImage);
    }
    let name = image.docker.as_ref().map(|docker| docker.name.clone()).unwrap_or_default();
    let ready = provision.volume_images.get(&name).ok_or_else(|| VolumeError::NoImage(name.clone()))?;
    Ok(VolumeSource::Layers(ready.layers.iter().rev().cloned().collect()))
}

/// A volume of a driver: a directory in memory is the one that is known.
fn of_driver(volume: &DockerVolume) -> Result<VolumeSource, VolumeError> {
    if volume.driver() != memory::DRIVER {
        let driver = if volume.driver().is_empty() { "local" } else { volume.driver() };
        return Err(VolumeError::Driver(driver.to_owned()));
    }
    let options = volume.driver_options.iter().flat_map(|options| &options.parameter);
    memory::directory(options.map(|option| (option.key.as_str(), option.value.as_str())))
}

/// A path that leads nowhere else.
pub(super) fn inside(path: &str) -> Result<PathBuf, VolumeError> {
    let stays = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    match !path.is_empty() && Path::new(path).components().all(stays) {
        true => Ok(path.into()),
        false => Err(VolumeError::Outside(path.to_owned())),
    }
}
