//! From an app's container to Mesos' `ContainerInfo`: image, networks, volumes, settings.

use mesos::v1::container_info::{DockerInfo, MesosInfo, Type, docker_info};
use mesos::v1::{
    ContainerInfo, Image, LinuxInfo, NetworkInfo, Parameter, Secret, TtyInfo, Volume, image, linux_info, network_info,
    secret, volume,
};

use crate::definition::app::App;
use crate::definition::container::{Container, ContainerKind, Docker};
use crate::definition::linux_info::{IpcMode, LinuxInfo as LinuxSettings};
use crate::definition::network::{self, Mode, Network};
use crate::definition::ports::Port;
use crate::definition::secret::Secrets;
use crate::definition::volume as app_volume;

/// The container of a task; nothing where a task as any other will do.
pub(super) fn info(app: &App, task_id: &str, ports: &[Port<'_>], bridge: &str) -> Option<ContainerInfo> {
    let plain = Container::plain();
    let container = app.container.as_ref().unwrap_or(&plain);
    if container.is_plain() && network::is_host(&app.networks) && !app.tty {
        return None;
    }
    let info = ContainerInfo {
        volumes: container.volumes.iter().filter_map(|volume| of_volume(volume, &app.secrets)).collect(),
        linux_info: container.linux_info.as_ref().map(linux_info),
        tty_info: app.tty.then(TtyInfo::default),
        ..ContainerInfo::default()
    };
    Some(match (container.kind, &container.docker) {
        (ContainerKind::Docker, Some(docker)) => ContainerInfo {
            r#type: Type::Docker.into(),
            docker: Some(docker_info(docker, task_id, &app.networks, ports)),
            network_infos: network::names(&app.networks).take(1).map(named).collect(),
            ..info
        },
        (_, docker) => ContainerInfo {
            r#type: Type::Mesos.into(),
            mesos: Some(MesosInfo { image: docker.as_ref().map(|docker| of_docker(docker, &app.secrets)) }),
            network_infos: network_infos(&app.networks, ports, bridge),
            ..info
        },
    })
}

fn named(name: &str) -> NetworkInfo {
    NetworkInfo { name: Some(name.to_owned()), ..NetworkInfo::default() }
}

/// The container as Docker is asked for it, with a label that says whose it is.
fn docker_info(docker: &Docker, task_id: &str, networks: &[Network], ports: &[Port<'_>]) -> DockerInfo {
    let network = match networks.first().map(|network| network.mode) {
        Some(Mode::Container) => docker_info::Network::User,
        Some(Mode::Bridge) => docker_info::Network::Bridge,
        Some(Mode::Host) | None => docker_info::Network::Host,
    };
    let parameter = |key: &str, value: &str| Parameter { key: key.to_owned(), value: value.to_owned() };
    let given = docker.parameters.iter().map(|one| parameter(&one.key, &one.value));
    let label = parameter("label", &format!("MESOS_TASK_ID={task_id}"));
    // The host's ports are the task's own there: nothing leads to them.
    let is_beyond = network != docker_info::Network::Host;
    let mappings = mapped(ports, |_| is_beyond).map(|(host_port, container_port, protocol)| docker_info::PortMapping {
        host_port,
        container_port,
        protocol,
    });
    DockerInfo {
        image: docker.image.clone(),
        network: Some(network.into()),
        port_mappings: mappings.collect(),
        privileged: Some(docker.privileged),
        parameters: given.chain([label]).collect(),
        force_pull_image: Some(docker.force_pull_image),
        ..DockerInfo::default()
    }
}

/// The ports of the host and what they lead to, one for each protocol.
fn mapped<'a>(
    ports: &'a [Port<'a>],
    is_here: impl Fn(&Port<'_>) -> bool + 'a,
) -> impl Iterator<Item = (u32, u32, Option<String>)> + 'a {
    let here = ports.iter().filter(move |port| is_here(port));
    here.filter_map(|port| Some((port, port.host?))).flat_map(|(port, host)| {
        let inside = port.inside;
        let protocols: Vec<_> = match port.wanted.protocols.as_slice() {
            [] => vec![None],
            some => some.iter().map(|protocol| Some((*protocol).to_owned())).collect(),
        };
        protocols.into_iter().map(move |protocol| (u32::from(host), u32::from(inside), protocol))
    })
}

/// The networks of a container of Mesos, each with the ports of the host that lead into it.
pub(super) fn network_infos(networks: &[Network], ports: &[Port<'_>], bridge: &str) -> Vec<NetworkInfo> {
    let beyond = networks.iter().filter(|network| network.mode != Mode::Host);
    let info =
        |network: &Network| {
            let name = network.name.as_deref().unwrap_or(bridge);
            let is_here = |port: &Port<'_>| port.wanted.networks.iter().all(|own| own == name);
            let mappings = mapped(ports, is_here).map(|(host_port, container_port, protocol)| {
                network_info::PortMapping { host_port, container_port, protocol }
            });
            NetworkInfo {
                ip_addresses: vec![network_info::IpAddress::default()],
                labels: super::labels(&network.labels),
                port_mappings: mappings.collect(),
                ..named(name)
            }
        };
    beyond.map(info).collect()
}

fn of_docker(docker: &Docker, secrets: &Secrets) -> Image {
    let config = docker.pull_config.as_ref().map(|config| reference(&config.secret, secrets));
    docker_image(&docker.image, config, !docker.force_pull_image)
}

/// An image of Docker's, by its name.
pub(super) fn docker_image(name: &str, config: Option<Secret>, cached: bool) -> Image {
    Image {
        r#type: image::Type::Docker.into(),
        docker: Some(image::Docker { name: name.to_owned(), config, ..image::Docker::default() }),
        cached: Some(cached),
        ..Image::default()
    }
}

/// A secret by its place in the agents' store, given its name in the definition.
pub(super) fn reference(name: &str, secrets: &Secrets) -> Secret {
    let source = secrets.get(name).map_or(name, |secret| &secret.source).to_owned();
    Secret {
        r#type: Some(secret::Type::Reference.into()),
        reference: Some(secret::Reference { name: source, key: None }),
        value: None,
    }
}

/// Nothing for what is refused anyway.
fn of_volume(volume: &app_volume::Volume, secrets: &Secrets) -> Option<Volume> {
    let path = &volume.container_path;
    match &volume.source {
        app_volume::Source::Host { path: host, mode } => {
            let mode = match mode {
                app_volume::Mode::Rw => volume::Mode::Rw,
                app_volume::Mode::Ro => volume::Mode::Ro,
            };
            Some(host_volume(path, host, mode))
        }
        app_volume::Source::Secret(name) => Some(secret_volume(path, reference(name, secrets))),
        app_volume::Source::Persistent(_) | app_volume::Source::External(_) => None,
    }
}

/// A path of the agent; a relative one is in the sandbox.
pub(super) fn host_volume(path: &str, host: &str, mode: volume::Mode) -> Volume {
    let host_path = Some(host.to_owned());
    Volume { mode: mode.into(), container_path: path.to_owned(), host_path, ..Volume::default() }
}

/// A secret as a file.
pub(super) fn secret_volume(path: &str, secret: Secret) -> Volume {
    let source = volume::Source {
        r#type: Some(volume::source::Type::Secret.into()),
        secret: Some(secret),
        ..volume::Source::default()
    };
    let mode = volume::Mode::Ro.into();
    Volume { mode, container_path: path.to_owned(), source: Some(source), ..Volume::default() }
}

/// The settings that only Linux has.
pub(super) fn linux_info(settings: &LinuxSettings) -> LinuxInfo {
    let seccomp = settings.seccomp.as_ref().map(|seccomp| linux_info::SeccompInfo {
        profile_name: seccomp.profile_name.clone(),
        unconfined: Some(seccomp.unconfined),
    });
    let ipc = settings.ipc_info.as_ref();
    let mode = ipc.map(|ipc| match ipc.mode {
        IpcMode::Private => linux_info::IpcMode::Private.into(),
        IpcMode::ShareParent => linux_info::IpcMode::ShareParent.into(),
    });
    LinuxInfo { seccomp, ipc_mode: mode, shm_size: ipc.and_then(|ipc| ipc.shm_size), ..LinuxInfo::default() }
}
