//! The bounds of a task: what its container and the operator say, and Docker's for one with an image.

use mesos::v1::ContainerInfo;
use processes::{Capabilities, CapabilitySet, Confinement};

use super::SpecError;
use crate::capabilities::{ALL, DOCKER_DEFAULT};
use crate::provision::Settings;
use crate::rlimits;
use crate::seccomp::Profiles;

/// The bounds, if there are any but those of the executor.
///
/// With an image, these are Docker's capabilities and filter of system calls. Without one they are the executor's, as far
/// as neither the container nor the operator asks for others.
pub fn confinement(
    container: Option<&ContainerInfo>,
    settings: &Settings,
    has_image: bool,
    is_root: bool,
) -> Result<Option<Confinement>, SpecError> {
    let linux = container.and_then(|container| container.linux_info.as_ref());
    let default = has_image.then_some(DOCKER_DEFAULT);
    let capabilities = settings.capabilities.sets(linux, default, is_root)?;
    let asked = linux.and_then(|linux| linux.seccomp.as_ref());
    let is_filtered = has_image || asked.is_some() || settings.seccomp_profile.is_some();
    let bounding = capabilities.map_or(ALL, |sets| sets.bounding);
    let seccomp = match is_filtered {
        true => profiles(settings).filter(asked, bounding)?,
        false => None,
    };
    // The kernel takes a filter from somebody who is not root only together with capabilities.
    let capabilities = capabilities.or_else(|| seccomp.is_some().then(|| as_they_are(ALL)));
    let limits = rlimits::confinement(container)?.unwrap_or_default();
    let confinement = Confinement { capabilities, seccomp, ..limits };
    Ok((confinement != Confinement::default()).then_some(confinement))
}

fn profiles(settings: &Settings) -> Profiles {
    Profiles::new(settings.seccomp_directory.clone(), settings.seccomp_profile.clone())
}

fn as_they_are(set: CapabilitySet) -> Capabilities {
    Capabilities { bounding: set, permitted: set, effective: set, ..Capabilities::default() }
}

#[cfg(test)]
mod tests {
    use mesos::v1::linux_info::SeccompInfo;
    use mesos::v1::{CapabilityInfo, LinuxInfo};

    use super::*;

    fn linux(linux: LinuxInfo) -> ContainerInfo {
        ContainerInfo { linux_info: Some(linux), ..ContainerInfo::default() }
    }

    fn unconfined() -> ContainerInfo {
        let seccomp = Some(SeccompInfo { profile_name: None, unconfined: Some(true) });
        linux(LinuxInfo { seccomp, ..LinuxInfo::default() })
    }

    #[test]
    fn only_an_image_brings_dockers_bounds() {
        let settings = Settings::default();
        let with = confinement(None, &settings, true, true).unwrap().unwrap();
        assert_eq!(with.capabilities.unwrap().bounding, DOCKER_DEFAULT);
        assert!(with.seccomp.is_some() && !with.no_new_privileges);
        assert_eq!(confinement(None, &settings, false, true).unwrap(), None);
        assert_eq!(confinement(Some(&unconfined()), &settings, false, true).unwrap(), None);
        let bare = confinement(Some(&unconfined()), &settings, true, true).unwrap().unwrap();
        assert!(bare.seccomp.is_none() && bare.capabilities.is_some());
    }

    #[test]
    fn what_is_asked_for_is_had_without_an_image_too() {
        let few = CapabilityInfo { capabilities: vec![1005] };
        let asked = linux(LinuxInfo { effective_capabilities: Some(few), ..LinuxInfo::default() });
        let settings = Settings::default();
        let found = confinement(Some(&asked), &settings, false, false).unwrap().unwrap();
        assert_eq!(found.capabilities.unwrap().ambient, [5].into_iter().collect());
        assert!(found.seccomp.is_none());
        let seccomp = Some(SeccompInfo { profile_name: Some("x".to_owned()), unconfined: None });
        let named = linux(LinuxInfo { seccomp, ..LinuxInfo::default() });
        let error = confinement(Some(&named), &settings, false, true).unwrap_err().to_string();
        assert_eq!(error, "Seccomp profile 'x': the agent has no --seccomp_config_dir");
    }
}
