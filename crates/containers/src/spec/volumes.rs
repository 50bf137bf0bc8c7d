//! The volumes of a task, from Mesos' messages to what is put into its container. Pure: what has to be there before is said.

mod error;
mod sources;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use mesos::v1::Volume as Message;
use mesos::v1::volume::Mode;
use processes::rootfs::Propagation;

pub use self::error::VolumeError;
use self::sources::{host, inside, of_image, of_source};
use crate::provision::Provision;
use crate::rootfs::{Volume, VolumeSource};

/// The sandboxes that a task knows.
#[derive(Clone, Copy, Debug)]
pub struct Sandboxes<'a> {
    /// Its own.
    pub own: &'a Path,
    /// The sandbox of its executor, if it has others, too.
    pub parent: Option<&'a Path>,
}

/// The volumes of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volumes {
    /// The things that are put into its container.
    pub mounts: Vec<Volume>,
    /// Paths of the host that have to be there.
    pub host_paths: Vec<PathBuf>,
    /// The ones among them from which mounts are to spread both ways.
    pub shared: Vec<PathBuf>,
    /// Directories in sandboxes that are the user's if nothing was there before: the sandbox, and the path in it.
    pub parts: Vec<(PathBuf, PathBuf)>,
}

impl Volumes {
    /// The volumes of these messages.
    pub fn of<'a>(
        messages: impl IntoIterator<Item = &'a Message>,
        provision: &Provision,
        sandboxes: Sandboxes<'_>,
    ) -> Result<Volumes, VolumeError> {
        let mut volumes = Volumes::default();
        for message in messages {
            volumes.add(message, provision, sandboxes)?;
        }
        Ok(volumes)
    }

    fn add(&mut self, message: &Message, provision: &Provision, sandboxes: Sandboxes<'_>) -> Result<(), VolumeError> {
        let source = match (&message.host_path, &message.image, &message.source) {
            (Some(path), None, None) => host(path, Propagation::Slave, sandboxes)?,
            (None, Some(image), None) => of_image(image, message, provision)?,
            (None, None, Some(source)) => of_source(source, message, provision, sandboxes)?,
            _ => return Err(VolumeError::NotOne),
        };
        match &source {
            VolumeSource::Host { path, propagation } => {
                self.host_paths.push(path.clone());
                self.shared.extend((*propagation == Propagation::Shared).then(|| path.clone()));
            }
            VolumeSource::Sandbox { sandbox, path } => self.parts.push((sandbox.clone(), path.clone())),
            _ => {}
        }
        self.mounts.push(Volume {
            at: at(&message.container_path, provision, sandboxes)?,
            source,
            read_only: message.mode() == Mode::Ro,
        });
        Ok(())
    }
}

/// Its place. That of a task with the host's files is one of the host's.
fn at(path: &str, provision: &Provision, sandboxes: Sandboxes<'_>) -> Result<PathBuf, VolumeError> {
    let at = Path::new(path);
    match at.is_absolute() || provision.image.is_some() {
        true => Ok(at.to_owned()),
        false => Ok(sandboxes.own.join(inside(path)?)),
    }
}
