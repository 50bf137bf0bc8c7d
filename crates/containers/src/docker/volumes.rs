//! The volumes of a container, as `HostConfig.Binds` has them. Pure.

use std::path::{Component, Path};

use mesos::v1::volume::Mode;
use mesos::v1::volume::source::sandbox_path::Type as Whose;
use mesos::v1::volume::source::{SandboxPath, Type as Source};
use mesos::v1::{ContainerInfo, Volume};

use super::definition::DefinitionError;
use crate::rootfs::SANDBOX;

/// Binds, and the driver of those that have one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Binds {
    pub(super) binds: Vec<String>,
    pub(super) driver: Option<String>,
}

/// The binds of a container whose sandbox is this directory of the host.
pub(super) fn binds(container: &ContainerInfo, sandbox: &Path) -> Result<Binds, DefinitionError> {
    let mut all = Binds::default();
    for volume in &container.volumes {
        let (from, driver) = origin(volume, sandbox)?;
        let to = inside(volume)?;
        let mode = if volume.mode() == Mode::Ro { "ro" } else { "rw" };
        if let Some(path) = [&from, &to].into_iter().find(|path| path.contains(':')) {
            return Err(DefinitionError::Colon(path.clone()));
        }
        all.binds.push(format!("{from}:{to}:{mode}"));
        all.drive(driver)?;
    }
    let deprecated = container.docker.as_ref().and_then(|docker| docker.volume_driver.clone());
    all.drive(deprecated)?;
    Ok(all)
}

impl Binds {
    fn drive(&mut self, driver: Option<String>) -> Result<(), DefinitionError> {
        let Some(driver) = driver else { return Ok(()) };
        match self.driver.replace(driver.clone()) {
            Some(other) if other != driver => Err(DefinitionError::VolumeDrivers),
            _ => Ok(()),
        }
    }
}

/// The path of the host, or the name of a volume of Docker's with its driver.
fn origin(volume: &Volume, sandbox: &Path) -> Result<(String, Option<String>), DefinitionError> {
    if let Some(path) = &volume.host_path {
        return Ok((on_host(path, volume, sandbox)?, None));
    }
    let Some(source) = &volume.source else { return Err(refused(volume, "an image")) };
    match (source.r#type(), &source.docker_volume, &source.host_path, &source.sandbox_path) {
        (Source::DockerVolume, Some(named), ..) => Ok((named.name.clone(), named.driver.clone())),
        (Source::HostPath, _, Some(host), _) => Ok((on_host(&host.path, volume, sandbox)?, None)),
        (Source::SandboxPath, .., Some(path)) => Ok((in_sandbox(path, volume, sandbox)?, None)),
        (other, ..) => Err(refused(volume, other.as_str_name())),
    }
}

fn on_host(path: &str, volume: &Volume, sandbox: &Path) -> Result<String, DefinitionError> {
    if Path::new(path).is_absolute() {
        return Ok(path.to_owned());
    }
    if !Path::new(&volume.container_path).is_absolute() {
        return Err(DefinitionError::Relative { host: path.to_owned(), container: volume.container_path.clone() });
    }
    below(path, volume, sandbox)
}

fn in_sandbox(path: &SandboxPath, volume: &Volume, sandbox: &Path) -> Result<String, DefinitionError> {
    match path.r#type() {
        Whose::Self_ => below(&path.path, volume, sandbox),
        _ => Err(refused(volume, "SANDBOX_PATH of a parent")),
    }
}

fn below(path: &str, volume: &Volume, sandbox: &Path) -> Result<String, DefinitionError> {
    let stays = Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let path = sandbox.join(path);
    if stays { Ok(path.display().to_string()) } else { Err(refused(volume, "a path out of the sandbox")) }
}

/// A relative path is one of the sandbox.
fn inside(volume: &Volume) -> Result<String, DefinitionError> {
    let path = Path::new(SANDBOX).join(&volume.container_path);
    let stays = !path.components().any(|part| part == Component::ParentDir);
    if stays { Ok(path.display().to_string()) } else { Err(refused(volume, "a path with '..'")) }
}

fn refused(volume: &Volume, what: &'static str) -> DefinitionError {
    DefinitionError::Volume { path: volume.container_path.clone(), what }
}
