//! The settings of a container that only Linux has.

use serde::{Deserialize, Serialize};

use super::validate::Faults;

/// The filter of system calls, and what is shared of System V IPC and shared memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LinuxInfo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seccomp: Option<Seccomp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ipc_info: Option<IpcInfo>,
}

/// A filter of system calls: a profile of the agent's, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Seccomp {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profile_name: Option<String>,
    #[serde(default)]
    pub(crate) unconfined: bool,
}

/// The namespace of System V IPC, and the size of `/dev/shm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IpcInfo {
    pub(crate) mode: IpcMode,
    /// In MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shm_size: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum IpcMode {
    Private,
    ShareParent,
}

impl LinuxInfo {
    /// Adds what contradicts itself in a container's settings.
    pub(super) fn validate(&self, at: &str, faults: &mut Faults) {
        if let Some(seccomp) = &self.seccomp {
            let at = format!("{at}/seccomp");
            match (&seccomp.profile_name, seccomp.unconfined) {
                (Some(_), true) => faults.add(at, "Seccomp unconfined can NOT be true when Profile is defined"),
                (None, false) => faults.add(at, "Seccomp unconfined must be true when Profile is NOT defined"),
                _ => {}
            }
        }
        self.ipc(at, faults);
    }

    /// Adds what is wrong with the settings of a whole pod, which has no filter.
    pub(super) fn validate_of_pod(&self, at: &str, faults: &mut Faults) {
        let error = "Seccomp configuration on executor level is not supported";
        faults.require(self.seccomp.is_none(), format!("{at}/seccomp"), error);
        self.ipc(at, faults);
    }

    fn ipc(&self, at: &str, faults: &mut Faults) {
        let fits = self.ipc_info.as_ref().is_none_or(|ipc| ipc.mode == IpcMode::Private || ipc.shm_size.is_none());
        let error = "ipcInfo shmSize can NOT be set when mode is SHARE_PARENT";
        faults.require(fits, format!("{at}/ipcInfo"), error);
    }
}
