//! The parts of a container's definition that this agent does not support: refused by name, not skipped. Pure.

use mesos::command::{self, secret};
use mesos::v1::{CommandInfo, ContainerInfo, container_info};

/// Why the container of an executor cannot be made, if it cannot.
pub(crate) fn unsupported(container: &ContainerInfo) -> Option<String> {
    unsupported_kind(container).or_else(|| unsupported_image(container)).or_else(|| unsupported_isolation(container))
}

/// The same of those who make it: this agent makes no containers of Docker's.
pub(crate) fn unsupported_kind(container: &ContainerInfo) -> Option<String> {
    let is_dockers = container.r#type() == container_info::Type::Docker;
    is_dockers.then(|| "Docker containers are not supported by this agent".to_owned())
}

/// The same of the files that it is made of.
pub(crate) fn unsupported_image(container: &ContainerInfo) -> Option<String> {
    container.image().map(|_| "Container images are not supported by this agent".to_owned())
}

/// The same of what its processes may do, and of the memory they share.
pub(crate) fn unsupported_isolation(container: &ContainerInfo) -> Option<String> {
    command::unsupported_isolation(container).map(|what| format!("{what} are not supported by this agent"))
}

/// The same of the network of a container that has to be in that of the agent, or of the one it is nested in.
pub(crate) fn unsupported_network(container: &ContainerInfo) -> Option<String> {
    let networks = &container.network_infos;
    let network = networks.iter().find_map(|network| network.name.clone());
    let refused = |what: &str| Some(format!("{what} not supported by this agent"));
    match network {
        Some(network) => refused(&format!("The network '{network}' is")),
        None if container.hostname.is_some() => refused("A container's own 'hostname' is"),
        None if networks.iter().any(|network| !network.port_mappings.is_empty()) => refused("'port_mappings' are"),
        None => None,
    }
}

/// The same of a command's variables.
pub(crate) fn unsupported_variable(command: &CommandInfo) -> Option<String> {
    let name = secret(command.environment.as_ref())?;
    Some(format!("The variable '{name}' is a secret; those are not supported by this agent"))
}

/// The same of volumes, which neither executors nor sessions can have.
pub(crate) fn unsupported_volumes(container: &ContainerInfo) -> Option<String> {
    let first = container.volumes.first()?;
    Some(format!("The volume '{}' is not supported by this agent", first.container_path))
}

#[cfg(test)]
mod tests {
    use mesos::v1::{Image, LinuxInfo, NetworkInfo, Volume};

    use super::*;

    fn container(of: ContainerInfo) -> ContainerInfo {
        ContainerInfo { r#type: container_info::Type::Mesos.into(), ..of }
    }

    #[test]
    fn everything_that_is_missing_has_a_name() {
        let image = container_info::MesosInfo { image: Some(Image::default()) };
        for (of, wanted) in [
            (ContainerInfo { mesos: Some(image), ..ContainerInfo::default() }, "images"),
            (
                ContainerInfo {
                    linux_info: Some(LinuxInfo { shm_size: Some(1), ..LinuxInfo::default() }),
                    ..ContainerInfo::default()
                },
                "shm_size",
            ),
        ] {
            assert!(unsupported(&container(of)).unwrap().contains(wanted), "{wanted}");
        }
        let docker = ContainerInfo { r#type: container_info::Type::Docker.into(), ..ContainerInfo::default() };
        assert!(unsupported(&docker).unwrap().contains("Docker"));
    }

    #[test]
    fn a_container_that_has_to_be_elsewhere_has_no_network() {
        let in_network = |info| container(ContainerInfo { network_infos: vec![info], ..ContainerInfo::default() });
        let blue = in_network(NetworkInfo { name: Some("blue".to_owned()), ..NetworkInfo::default() });
        assert!(unsupported_network(&blue).unwrap().contains("blue"));
        let named = ContainerInfo { hostname: Some("h".to_owned()), ..ContainerInfo::default() };
        assert!(unsupported_network(&container(named)).unwrap().contains("hostname"));
        assert_eq!(unsupported_network(&in_network(NetworkInfo::default())), None);
    }

    #[test]
    fn the_volume_of_who_can_have_none_is_named() {
        let volume = Volume { container_path: "data".to_owned(), ..Volume::default() };
        let with = container(ContainerInfo { volumes: vec![volume], ..ContainerInfo::default() });
        assert!(unsupported_volumes(&with).unwrap().contains("'data'"));
        assert_eq!(unsupported_volumes(&container(ContainerInfo::default())), None);
    }
}
