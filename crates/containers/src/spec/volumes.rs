//! The volumes of a task, from Mesos' messages to what is put into its container. Pure: what has to be there before is said.

use std::path::{Component, Path, PathBuf};

use mesos::v1::volume::source::{self, DockerVolume, SandboxPath, sandbox_path};
use mesos::v1::volume::{Mode, Source};
use mesos::v1::{Image, MountPropagation, Volume as Message, mount_propagation};
use processes::rootfs::Propagation;

use super::memory;
use super::secrets::{self, SecretError};
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

/// A volume that nobody here can have.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// None or several of those.
    #[error("Invalid volume: Only one of them should be set: 'host_path', 'image' and 'source'")]
    NotOne,
    /// A source without what it names.
    #[error("Invalid volume: 'source.{0}' is not set for {1} volume")]
    Unset(&'static str, &'static str),
    /// A source of no kind.
    #[error("Invalid volume: 'source.type' is unknown")]
    Unknown,
    /// A kind that there is not.
    #[error("{0} are not supported by this executor")]
    Unsupported(String),
    /// An image that was not made ready.
    #[error("The image '{0}' of a volume was not made ready by the agent")]
    NoImage(String),
    /// A path in a sandbox that says where it begins.
    #[error("Path '{0}' in SANDBOX_PATH volume is absolute")]
    Absolute(String),
    /// The same directory of a sandbox at another place in it.
    #[error("'container_path' is relative for SANDBOX_PATH volume SELF type")]
    SelfRelative,
    /// A task that is alone in its executor.
    #[error("SANDBOX_PATH volume PARENT type only works for nested container")]
    NoParent,
    /// A path that leads out of the sandbox.
    #[error("Path '{0}' of a volume leads out of the sandbox")]
    Outside(String),
    /// An option of a directory in memory.
    #[error("The option '{key}' of a tmpfs volume cannot be '{value}'")]
    Option {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
    },
    /// A secret that cannot be found.
    #[error(transparent)]
    Secret(#[from] SecretError),
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

fn of_source(
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
        source::Type::CsiVolume => Err(VolumeError::Unsupported("CSI volumes".to_owned())),
        source::Type::Unknown => Err(VolumeError::Unknown),
    }
}

/// A path of the host, or, if it does not say where it begins, of the sandbox.
fn host(path: &str, propagation: Propagation, sandboxes: Sandboxes<'_>) -> Result<VolumeSource, VolumeError> {
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
fn of_image(image: &Image, message: &Message, provision: &Provision) -> Result<VolumeSource, VolumeError> {
    if message.mode() != Mode::Ro {
        return Err(VolumeError::Unsupported("Volumes of images with the mode RW".to_owned()));
    }
    let name = image.docker.as_ref().map(|docker| docker.name.clone()).unwrap_or_default();
    let ready = provision.volume_images.get(&name).ok_or_else(|| VolumeError::NoImage(name.clone()))?;
    Ok(VolumeSource::Layers(ready.layers.iter().rev().cloned().collect()))
}

/// A volume of a driver: a directory in memory is the one that is known.
fn of_driver(volume: &DockerVolume) -> Result<VolumeSource, VolumeError> {
    if volume.driver() != memory::DRIVER {
        let driver = if volume.driver().is_empty() { "local" } else { volume.driver() };
        return Err(VolumeError::Unsupported(format!("Docker volumes of the driver '{driver}'")));
    }
    let options = volume.driver_options.iter().flat_map(|options| &options.parameter);
    memory::directory(options.map(|option| (option.key.as_str(), option.value.as_str())))
}

/// A path that leads nowhere else.
fn inside(path: &str) -> Result<PathBuf, VolumeError> {
    let stays = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    match !path.is_empty() && Path::new(path).components().all(stays) {
        true => Ok(path.into()),
        false => Err(VolumeError::Outside(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::{Parameter, Parameters};

    use super::*;

    fn sandboxes() -> Sandboxes<'static> {
        Sandboxes { own: Path::new("/own"), parent: Some(Path::new("/parent")) }
    }

    fn at_host(path: &str, to: &str) -> Message {
        Message {
            mode: Mode::Rw.into(),
            container_path: to.to_owned(),
            host_path: Some(path.to_owned()),
            ..Message::default()
        }
    }

    fn of(source: Source, to: &str) -> Message {
        Message { source: Some(source), host_path: None, ..at_host("", to) }
    }

    fn part(whose: sandbox_path::Type, path: &str, to: &str) -> Message {
        let sandbox_path = Some(SandboxPath { r#type: Some(whose.into()), path: path.to_owned() });
        of(Source { r#type: Some(source::Type::SandboxPath.into()), sandbox_path, ..Source::default() }, to)
    }

    fn driver(name: &str, options: &[(&str, &str)]) -> Message {
        let parameter = |(key, value): &(&str, &str)| Parameter { key: (*key).to_owned(), value: (*value).to_owned() };
        let docker_volume = Some(DockerVolume {
            driver: Some(name.to_owned()),
            name: "v".to_owned(),
            driver_options: Some(Parameters { parameter: options.iter().map(parameter).collect() }),
        });
        of(Source { r#type: Some(source::Type::DockerVolume.into()), docker_volume, ..Source::default() }, "/m")
    }

    fn found(message: &Message) -> Result<Volumes, String> {
        Volumes::of([message], &Provision::default(), sandboxes()).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_are_the_hosts_or_of_a_sandbox() {
        let volumes = found(&at_host("/srv", "data")).unwrap();
        assert_eq!(volumes.host_paths, [PathBuf::from("/srv")]);
        assert_eq!(volumes.mounts[0].at, Path::new("/own/data"), "without an image, it is a path of the host");
        for (message, sandbox) in [
            (at_host("data", "/data"), "/own"),
            (part(sandbox_path::Type::Self_, "data", "/data"), "/own"),
            (part(sandbox_path::Type::Parent, "data", "mine"), "/parent"),
        ] {
            assert_eq!(found(&message).unwrap().parts, [(sandbox.into(), "data".into())]);
        }
    }

    #[test]
    fn a_directory_in_memory_has_a_size_and_a_mode() {
        let source =
            |options: &[(&str, &str)]| found(&driver("tmpfs", options)).map(|volumes| volumes.mounts[0].source.clone());
        assert_eq!(source(&[]), Ok(VolumeSource::Memory { size: None, mode: 0o1777 }));
        let options = [("size", "2m"), ("mode", "0750")];
        assert_eq!(source(&options), Ok(VolumeSource::Memory { size: Some(2 << 20), mode: 0o750 }));
        for (key, value) in [("size", "0"), ("size", "much"), ("mode", "9"), ("mode", "77777"), ("uid", "1")] {
            let error = source(&[(key, value)]).unwrap_err();
            assert_eq!(error, format!("The option '{key}' of a tmpfs volume cannot be '{value}'"));
        }
    }

    #[test]
    fn what_cannot_be_had_is_named_in_mesos_words_where_it_has_some() {
        let csi = Source { r#type: Some(source::Type::CsiVolume.into()), ..Source::default() };
        let unset = Source { r#type: Some(source::Type::Secret.into()), ..Source::default() };
        let both = Message { host_path: Some("/x".to_owned()), ..of(Source::default(), "/x") };
        let image =
            Message { image: Some(Image::default()), mode: Mode::Ro.into(), host_path: None, ..at_host("", "/i") };
        for (message, words) in [
            (both, "Invalid volume: Only one of them should be set: 'host_path', 'image' and 'source'"),
            (of(Source::default(), "/x"), "Invalid volume: 'source.type' is unknown"),
            (of(unset, "/x"), "Invalid volume: 'source.secret' is not set for SECRET volume"),
            (of(csi, "/x"), "CSI volumes are not supported by this executor"),
            (driver("rexray", &[]), "Docker volumes of the driver 'rexray' are not supported by this executor"),
            (part(sandbox_path::Type::Self_, "/a", "/b"), "Path '/a' in SANDBOX_PATH volume is absolute"),
            (
                part(sandbox_path::Type::Self_, "a", "b"),
                "'container_path' is relative for SANDBOX_PATH volume SELF type",
            ),
            (at_host("../x", "/x"), "Path '../x' of a volume leads out of the sandbox"),
            (at_host("/x", "../x"), "Path '../x' of a volume leads out of the sandbox"),
            (image, "The image '' of a volume was not made ready by the agent"),
        ] {
            assert_eq!(found(&message), Err(words.to_owned()));
        }
        let alone = Sandboxes { parent: None, ..sandboxes() };
        let parent = part(sandbox_path::Type::Parent, "a", "b");
        let error = Volumes::of([&parent], &Provision::default(), alone).unwrap_err().to_string();
        assert_eq!(error, "SANDBOX_PATH volume PARENT type only works for nested container");
    }
}
