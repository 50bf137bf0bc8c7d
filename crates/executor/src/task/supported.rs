//! The demands of a task or a container that nobody here can meet: they are named, not skipped. Pure.

use mesos::command::unsupported_isolation;
use mesos::v1::ContainerInfo;
use mesos::v1::container_info::Type as Containerizer;

/// A feature that the container asks for and no task can have, if any; volumes are another matter.
pub(crate) fn unsupported(container: &ContainerInfo) -> Option<&'static str> {
    let has_image = container.mesos.as_ref().is_some_and(|mesos| mesos.image.is_some());
    let mut networks = container.network_infos.iter();
    [
        (container.r#type() == Containerizer::Docker, "Docker containers"),
        (has_image, "Container images"),
        (container.hostname.is_some(), "'hostname's of their own"),
        (networks.any(|network| network.name.is_some() || !network.port_mappings.is_empty()), "Networks of their own"),
    ]
    .into_iter()
    .find_map(|(is_so, what)| is_so.then_some(what))
    .or_else(|| unsupported_isolation(container))
}

#[cfg(test)]
mod tests {
    use mesos::v1::NetworkInfo;

    use super::*;

    fn mesos(container: ContainerInfo) -> Option<&'static str> {
        unsupported(&ContainerInfo { r#type: Containerizer::Mesos.into(), ..container })
    }

    #[test]
    fn the_network_of_the_executor_is_the_only_one() {
        let with = |network| ContainerInfo { network_infos: vec![network], ..ContainerInfo::default() };
        assert_eq!(mesos(with(NetworkInfo::default())), None);
        let named = NetworkInfo { name: Some("blue".to_owned()), ..NetworkInfo::default() };
        assert_eq!(mesos(with(named)), Some("Networks of their own"));
    }
}
