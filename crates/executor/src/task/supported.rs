//! The demands of a task or a container that nobody here can meet: they are named, not skipped. Pure.

use containers::provision::Provision;
use mesos::v1::ContainerInfo;
use mesos::v1::container_info::Type as Containerizer;

/// A feature that the container asks for and the agent has not made ready, if any; volumes are another matter.
pub(super) fn unsupported(container: &ContainerInfo, provision: &Provision) -> Option<&'static str> {
    let mut networks = container.network_infos.iter();
    let wants_network = networks.any(|network| network.name.is_some() || !network.port_mappings.is_empty());
    [
        (container.r#type() == Containerizer::Docker, "Docker containers"),
        (container.image().is_some() && provision.image.is_none(), "Container images"),
        (wants_network && provision.network.is_none(), "Networks of their own"),
    ]
    .into_iter()
    .find_map(|(is_so, what)| is_so.then_some(what))
}

#[cfg(test)]
mod tests {
    use mesos::v1::container_info::MesosInfo;
    use mesos::v1::{Image, NetworkInfo};

    use super::*;

    fn mesos(container: ContainerInfo) -> Option<&'static str> {
        unsupported(&ContainerInfo { r#type: Containerizer::Mesos.into(), ..container }, &Provision::default())
    }

    #[test]
    fn an_agent_that_made_nothing_ready_has_only_its_own_network_and_files() {
        let with = |network| ContainerInfo { network_infos: vec![network], ..ContainerInfo::default() };
        assert_eq!(mesos(with(NetworkInfo::default())), None);
        let named = NetworkInfo { name: Some("blue".to_owned()), ..NetworkInfo::default() };
        assert_eq!(mesos(with(named)), Some("Networks of their own"));
        let image = Some(MesosInfo { image: Some(Image::default()) });
        assert_eq!(mesos(ContainerInfo { mesos: image, ..ContainerInfo::default() }), Some("Container images"));
    }
}
