//! The demands of a task or a container that nobody here can meet: they are named, not skipped. Pure.

use mesos::v1::container_info::Type as Containerizer;
use mesos::v1::environment::variable::Type;
use mesos::v1::linux_info::IpcMode;
use mesos::v1::{ContainerInfo, Environment};

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

/// The limits and the isolation that a container asks for and would not get, in the plural.
pub fn unsupported_isolation(container: &ContainerInfo) -> Option<&'static str> {
    let linux = container.linux_info.clone().unwrap_or_default();
    let capabilities = [&linux.capability_info, &linux.bounding_capabilities, &linux.effective_capabilities];
    let profile = linux.seccomp.as_ref().is_some_and(|seccomp| seccomp.profile_name.is_some());
    let limits = container.rlimit_info.as_ref().is_some_and(|limits| !limits.rlimits.is_empty());
    [
        (capabilities.iter().any(|capabilities| capabilities.is_some()), "Capabilities in 'linux_info'"),
        (profile, "Profiles in 'linux_info.seccomp'"),
        (
            linux.ipc_mode() == IpcMode::Private || linux.shm_size.is_some(),
            "'linux_info.ipc_mode' PRIVATE and 'shm_size'",
        ),
        (limits, "Limits in 'rlimit_info'"),
    ]
    .into_iter()
    .find_map(|(is_so, what)| is_so.then_some(what))
}

/// The first variable that is a secret, which nobody here can look up.
pub fn secret(environment: Option<&Environment>) -> Option<&str> {
    let mut variables = environment.into_iter().flat_map(|environment| &environment.variables);
    variables.find(|variable| variable.r#type() == Type::Secret).map(|variable| variable.name.as_str())
}

#[cfg(test)]
mod tests {
    use mesos::v1::linux_info::SeccompInfo;
    use mesos::v1::{CapabilityInfo, LinuxInfo, NetworkInfo, RLimitInfo, r_limit_info};

    use super::*;

    fn mesos(container: ContainerInfo) -> Option<&'static str> {
        unsupported(&ContainerInfo { r#type: Containerizer::Mesos.into(), ..container })
    }

    fn linux(linux: LinuxInfo) -> Option<&'static str> {
        mesos(ContainerInfo { linux_info: Some(linux), ..ContainerInfo::default() })
    }

    #[test]
    fn the_network_of_the_executor_is_the_only_one() {
        let with = |network| ContainerInfo { network_infos: vec![network], ..ContainerInfo::default() };
        assert_eq!(mesos(with(NetworkInfo::default())), None);
        let named = NetworkInfo { name: Some("blue".to_owned()), ..NetworkInfo::default() };
        assert_eq!(mesos(with(named)), Some("Networks of their own"));
    }

    #[test]
    fn isolation_that_would_not_be_there_has_a_name_and_none_has_not() {
        let capabilities = Some(CapabilityInfo::default());
        let effective = LinuxInfo { effective_capabilities: capabilities, ..LinuxInfo::default() };
        assert_eq!(linux(effective), Some("Capabilities in 'linux_info'"));
        let seccomp = |profile: Option<&str>| SeccompInfo {
            profile_name: profile.map(str::to_owned),
            unconfined: Some(profile.is_none()),
        };
        let with = |seccomp| LinuxInfo { seccomp: Some(seccomp), ..LinuxInfo::default() };
        assert!(linux(with(seccomp(Some("strict")))).is_some() && linux(with(seccomp(None))).is_none());
        let ipc = |mode: IpcMode| LinuxInfo { ipc_mode: Some(mode.into()), ..LinuxInfo::default() };
        assert!(linux(ipc(IpcMode::Private)).is_some() && linux(ipc(IpcMode::ShareParent)).is_none());
        let limits = |rlimits| {
            let rlimit_info = Some(RLimitInfo { rlimits });
            mesos(ContainerInfo { rlimit_info, ..ContainerInfo::default() })
        };
        assert_eq!(limits(vec![r_limit_info::RLimit::default()]), Some("Limits in 'rlimit_info'"));
        assert_eq!(limits(Vec::new()), None);
    }
}
