//! From a pod to Mesos' `ContainerInfo`s: its networks are its executor's, and all its containers are in them; images, volumes
//! and limits are each container's own.

use mesos::v1::container_info::{MesosInfo, Type};
use mesos::v1::volume::source::{self, SandboxPath, sandbox_path};
use mesos::v1::{ContainerInfo, Image, LinuxInfo, TtyInfo, Volume, volume};

use super::container::{docker_image, host_volume, linux_info, network_infos, reference, secret_volume};
use crate::definition::pod::{Container, Image as PodImage, Pod, VolumeMount, VolumeSource};
use crate::definition::ports::Port;

/// The directories in a pod's sandbox that its containers share.
const EPHEMERAL: &str = "volumes";

/// The container of the executor. It shares limits with nobody; that its tasks share them with it, they say.
pub(super) fn of_executor(pod: &Pod, ports: &[Port<'_>], bridge: &str) -> ContainerInfo {
    let settings = pod.linux_info.as_ref().map(linux_info);
    ContainerInfo {
        r#type: Type::Mesos.into(),
        network_infos: network_infos(&pod.networks, ports, bridge),
        linux_info: Some(LinuxInfo { share_cgroups: Some(false), ..settings.unwrap_or_default() }),
        ..ContainerInfo::default()
    }
}

/// The container of a task.
pub(super) fn of_task(pod: &Pod, container: &Container) -> ContainerInfo {
    let image = container.image.as_ref().map(|image| of_image(pod, image));
    let settings = container.linux_info.as_ref().map(linux_info);
    // Limits of its own, unless the pod asks for how it was before.
    let share_cgroups = Some(pod.legacy_shared_cgroups.is_on());
    ContainerInfo {
        r#type: Type::Mesos.into(),
        mesos: image.map(|image| MesosInfo { image: Some(image) }),
        volumes: container.volume_mounts.iter().filter_map(|mount| of_mount(pod, mount)).collect(),
        linux_info: Some(LinuxInfo { share_cgroups, ..settings.unwrap_or_default() }),
        tty_info: container.tty.is_on().then(TtyInfo::default),
        ..ContainerInfo::default()
    }
}

fn of_image(pod: &Pod, image: &PodImage) -> Image {
    let config = image.pull_config.as_ref().map(|config| reference(&config.secret, &pod.secrets));
    let cached = (!image.force_pull.is_unsaid()).then(|| !image.force_pull.is_on());
    Image { cached, ..docker_image(&image.id, config, true) }
}

fn of_mount(pod: &Pod, mount: &VolumeMount) -> Option<Volume> {
    let mode = if mount.read_only.is_on() { volume::Mode::Ro } else { volume::Mode::Rw };
    let volume = pod.volumes.iter().find(|volume| volume.name == mount.name)?;
    Some(match &volume.source {
        VolumeSource::Host(path) => host_volume(&mount.mount_path, path, mode),
        VolumeSource::Secret(name) => secret_volume(&mount.mount_path, reference(name, &pod.secrets)),
        VolumeSource::Ephemeral => ephemeral(mount, mode),
        VolumeSource::Persistent(_) => return None,
    })
}

/// A directory in the sandbox of the pod.
fn ephemeral(mount: &VolumeMount, mode: volume::Mode) -> Volume {
    let path =
        SandboxPath { r#type: Some(sandbox_path::Type::Parent.into()), path: format!("{EPHEMERAL}/{}", mount.name) };
    let source = volume::Source {
        r#type: Some(source::Type::SandboxPath.into()),
        sandbox_path: Some(path),
        ..volume::Source::default()
    };
    let container_path = mount.mount_path.clone();
    Volume { mode: mode.into(), container_path, source: Some(source), ..Volume::default() }
}
