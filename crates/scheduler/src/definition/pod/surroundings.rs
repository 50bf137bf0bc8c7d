//! The surroundings of a pod's containers: networks, endpoints, volumes, secrets, images, limits. In: a pod. Out:
//! Marathon's faults of these.

use super::{Container, Endpoint, Image, Pod, VolumeSource};
use crate::definition::network::{self, Mode};
use crate::definition::port_mapping::on_networks;
use crate::definition::rules::{self, NAME, unique};
use crate::definition::{Faults, secret};

/// Adds what is wrong with what the containers of a pod share.
pub(super) fn validate(pod: &Pod, faults: &mut Faults) {
    network::validate(&pod.networks, faults);
    secret::validate(&pod.secrets, faults);
    secret::references(&pod.environment, &pod.secrets, "/environment", faults);
    volumes(pod, faults);
    if let Some(linux_info) = &pod.linux_info {
        linux_info.validate_of_pod("/linuxInfo", faults);
    }
    let ports = pod.endpoints().filter_map(|one| one.container_port).filter(|port| *port != 0);
    faults.require(unique(ports), "/endpoints", "container ports must be unique across all containers");
}

fn volumes(pod: &Pod, faults: &mut Faults) {
    let names = pod.volumes.iter().map(|volume| &volume.name);
    faults.require(unique(names), "/volumes", "volume names must be unique");
    for (index, volume) in pod.volumes.iter().enumerate() {
        let at = format!("/volumes({index})");
        let mut mounts = pod.containers.iter().flat_map(|one| &one.volume_mounts);
        let used = mounts.any(|mount| mount.name == volume.name);
        faults.require(used, &at, "volume must be referenced by at least one container");
        faults.require(is_name(&volume.name), format!("{at}/name"), NAME);
        match &volume.source {
            VolumeSource::Ephemeral => {}
            VolumeSource::Host(path) => faults.require(!path.is_empty(), format!("{at}/host"), "must not be empty"),
            VolumeSource::Secret(name) => {
                faults.require(pod.secrets.contains_key(name), format!("{at}/secret"), secret::VOLUME);
            }
            VolumeSource::Persistent(_) => {
                faults.add(format!("{at}/persistent"), "persistent volumes are not supported yet");
            }
        }
    }
}

/// Adds what is wrong with what one container has of these.
pub(super) fn container(pod: &Pod, one: &Container, at: &str, faults: &mut Faults) {
    secret::references(&one.environment, &pod.secrets, &format!("{at}/environment"), faults);
    for (index, endpoint) in one.endpoints.iter().enumerate() {
        self::endpoint(pod, endpoint, &format!("{at}/endpoints({index})"), faults);
    }
    if let Some(image) = &one.image {
        self::image(pod, image, &format!("{at}/image"), faults);
    }
    if let Some(limits) = &one.resource_limits {
        limits.validate(one.resources.cpus, one.resources.mem, at, faults);
        let error = "resourceLimits cannot be defined if legacySharedCgroups is enabled";
        faults.require(!pod.legacy_shared_cgroups.is_on(), format!("{at}/resourceLimits"), error);
    }
    if let Some(linux_info) = &one.linux_info {
        linux_info.validate(&format!("{at}/linuxInfo"), faults);
    }
    for (index, mount) in one.volume_mounts.iter().enumerate() {
        let at = format!("{at}/volumeMounts({index})");
        let known = pod.volumes.iter().any(|volume| volume.name == mount.name);
        faults.require(known, format!("{at}/name"), "Referenced Volume in VolumeMount should exist");
        let length = mount.mount_path.len();
        faults.require((1..=1024).contains(&length), format!("{at}/mountPath"), "must have 1 to 1024 characters");
    }
}

fn image(pod: &Pod, image: &Image, at: &str, faults: &mut Faults) {
    faults.require(!image.id.trim().is_empty(), format!("{at}/id"), "must not be empty");
    let declared = image.pull_config.as_ref().is_none_or(|config| pod.secrets.contains_key(&config.secret));
    faults.require(declared, format!("{at}/pullConfig"), secret::PULL_CONFIG);
}

fn endpoint(pod: &Pod, endpoint: &Endpoint, at: &str, faults: &mut Faults) {
    let on_host = network::is_host(&pod.networks);
    let error = "is not allowed when using host-mode networking";
    faults.require(!on_host || endpoint.container_port.is_none(), format!("{at}/containerPort"), error);
    let named = pod.networks.iter().any(|network| network.mode == Mode::Container);
    let error = "is required when using container-mode networking";
    faults.require(!named || endpoint.container_port.is_some(), format!("{at}/containerPort"), error);
    on_networks(endpoint.host_port, &endpoint.network_names, &pod.networks, at, faults);
}

/// True if it may be the name of a container, an endpoint or a volume.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 63 && rules::is_name(text)
}
