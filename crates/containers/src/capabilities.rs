//! Capabilities: their names, Docker's default, and what a container gets of what it asks for. Pure.
//!
//! In: `LinuxInfo` of a container and the operator's flags. Out: the sets for [`processes::Confinement`].

use mesos::v1::{CapabilityInfo, LinuxInfo};
use processes::{Capabilities, CapabilitySet};
use serde::{Deserialize, Serialize};

/// The names without `CAP_`, by the kernel's number.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Mesos' number of a capability is the kernel's and this.
const MESOS_OFFSET: u32 = 1000;

/// The capabilities of Docker's containers: `CHOWN`, `DAC_OVERRIDE`, `FOWNER`, `FSETID`, `KILL`, `SETGID`, `SETUID`,
/// `SETPCAP`, `NET_BIND_SERVICE`, `NET_RAW`, `SYS_CHROOT`, `MKNOD`, `AUDIT_WRITE`, `SETFCAP`.
pub const DOCKER_DEFAULT: CapabilitySet = CapabilitySet::from_bits(0xa804_25fb);

/// All that have names here: those of a privileged container.
pub const ALL: CapabilitySet = CapabilitySet::from_bits((1 << NAMES.len()) - 1);

/// Capabilities that a container does not get.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// Old and new field at once.
    #[error("Only one of 'capability_info' or 'effective_capabilities' is allowed")]
    Twice,
    /// The kernel has no such one.
    #[error("Unknown capability {0}")]
    Unknown(i32),
    /// A bounding set beyond the operator's.
    #[error("Bounding capabilities '{requested}', but only '{allowed}' are allowed", requested = words(*.0), allowed = words(*.1))]
    BoundingRefused(CapabilitySet, CapabilitySet),
    /// An effective set beyond the bounding one.
    #[error("Requested capabilities '{requested}', but only '{allowed}' are allowed", requested = words(*.0), allowed = words(*.1))]
    Refused(CapabilitySet, CapabilitySet),
}

/// The operator's word: `--effective_capabilities` and `--bounding_capabilities`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The effective set of containers that ask for none.
    pub effective: Option<CapabilitySet>,
    /// The most that a container gets, and the bounding set of those that ask for none.
    pub bounding: Option<CapabilitySet>,
}

impl Policy {
    /// The sets of a container whose user is root or not. `default` is for one of which neither it nor the operator says
    /// anything: Docker's for one with an image; nothing leaves it those of the agent.
    ///
    /// An effective set that was asked for is kept by a user who is not root, and not exceeded by root (unlike with
    /// Mesos, where root gets the bounding set). Otherwise only root has capabilities, as with Docker.
    pub fn sets(
        &self,
        info: Option<&LinuxInfo>,
        default: Option<CapabilitySet>,
        is_root: bool,
    ) -> Result<Option<Capabilities>, CapabilityError> {
        let asked = Asked::read(info)?;
        if let (Some(requested), Some(allowed)) = (asked.bounding, self.bounding) {
            within(requested, allowed, CapabilityError::BoundingRefused)?;
        }
        let effective = asked.effective.or(self.effective);
        let bounding = asked.bounding.or(self.bounding);
        match effective {
            None => Ok(bounding.or(default).map(only_for_root)),
            Some(effective) => {
                let bounding = bounding.unwrap_or(effective);
                within(effective, bounding, CapabilityError::Refused)?;
                Ok(Some(Capabilities {
                    bounding,
                    permitted: effective,
                    effective,
                    inheritable: effective,
                    ambient: effective,
                    root_is_ordinary: is_root && effective != bounding,
                }))
            }
        }
    }
}

/// The sets that a container asks for.
struct Asked {
    effective: Option<CapabilitySet>,
    bounding: Option<CapabilitySet>,
}

impl Asked {
    fn read(info: Option<&LinuxInfo>) -> Result<Asked, CapabilityError> {
        let Some(info) = info else { return Ok(Asked { effective: None, bounding: None }) };
        let former = info.capability_info.as_ref();
        if former.is_some() && info.effective_capabilities.is_some() {
            return Err(CapabilityError::Twice);
        }
        let effective = former.or(info.effective_capabilities.as_ref());
        Ok(Asked {
            effective: effective.map(from_mesos).transpose()?,
            bounding: info.bounding_capabilities.as_ref().map(from_mesos).transpose()?,
        })
    }
}

fn only_for_root(set: CapabilitySet) -> Capabilities {
    Capabilities { bounding: set, permitted: set, effective: set, ..Capabilities::default() }
}

fn within(
    requested: CapabilitySet,
    allowed: CapabilitySet,
    refusal: fn(CapabilitySet, CapabilitySet) -> CapabilityError,
) -> Result<(), CapabilityError> {
    match requested.without(allowed) {
        CapabilitySet::EMPTY => Ok(()),
        _ => Err(refusal(requested, allowed)),
    }
}

/// The set of a message.
pub fn from_mesos(info: &CapabilityInfo) -> Result<CapabilitySet, CapabilityError> {
    let number = |value: &i32| {
        let number = u32::try_from(*value).ok().and_then(|value| value.checked_sub(MESOS_OFFSET));
        number.filter(|number| name(*number).is_some()).ok_or(CapabilityError::Unknown(*value))
    };
    info.capabilities.iter().map(number).collect()
}

/// The kernel's number of a capability by its name, with or without `CAP_`.
pub fn number(name: &str) -> Option<u32> {
    let name = name.to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    NAMES.iter().position(|known| *known == name).and_then(|number| u32::try_from(number).ok())
}

/// The name of a capability, without `CAP_`.
pub fn name(number: u32) -> Option<&'static str> {
    NAMES.get(usize::try_from(number).ok()?).copied()
}

/// As Mesos writes a set.
fn words(set: CapabilitySet) -> String {
    let names: Vec<_> = set.numbers().filter_map(name).collect();
    format!("{{ {} }}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> CapabilitySet {
        names.iter().map(|name| number(name).unwrap()).collect()
    }

    fn info(names: &[&str]) -> Option<CapabilityInfo> {
        let capabilities = set(names).numbers().map(|number| i32::try_from(number + MESOS_OFFSET).unwrap()).collect();
        Some(CapabilityInfo { capabilities })
    }

    fn linux(effective: Option<CapabilityInfo>, bounding: Option<CapabilityInfo>) -> LinuxInfo {
        LinuxInfo { effective_capabilities: effective, bounding_capabilities: bounding, ..LinuxInfo::default() }
    }

    #[test]
    fn names_and_numbers_are_the_kernels_and_mesos() {
        for (word, bit) in [("CAP_CHOWN", 0), ("sys_admin", 21), ("CHECKPOINT_RESTORE", 40)] {
            assert_eq!(
                (number(word), name(bit)),
                (Some(bit), Some(word.trim_start_matches("CAP_").to_uppercase().as_str()))
            );
        }
        assert_eq!((number("CAP_"), number("NONE"), name(41)), (None, None, None));
        let docker = "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD \
                      AUDIT_WRITE SETFCAP";
        assert_eq!(set(&docker.split_whitespace().collect::<Vec<_>>()), DOCKER_DEFAULT);
        assert_eq!(ALL.bits(), 0x1ff_ffff_ffff);
        for wrong in [999, 1041, 0, -1] {
            let info = CapabilityInfo { capabilities: vec![1000, wrong] };
            assert_eq!(from_mesos(&info), Err(CapabilityError::Unknown(wrong)));
        }
    }

    #[test]
    fn who_asks_for_nothing_gets_the_default_and_only_root_has_it() {
        let policy = Policy::default();
        assert_eq!(policy.sets(None, None, true), Ok(None));
        let sets = policy.sets(Some(&LinuxInfo::default()), Some(DOCKER_DEFAULT), false).unwrap().unwrap();
        assert_eq!(sets, only_for_root(DOCKER_DEFAULT));
        assert_eq!((sets.ambient, sets.inheritable), (CapabilitySet::EMPTY, CapabilitySet::EMPTY));
        let few = set(&["KILL"]);
        let operator = Policy { bounding: Some(few), effective: None };
        assert_eq!(operator.sets(None, Some(DOCKER_DEFAULT), true), Ok(Some(only_for_root(few))));
        let operator = Policy { bounding: None, effective: Some(few) };
        assert_eq!(operator.sets(None, None, true).unwrap().unwrap().bounding, few);
    }

    #[test]
    fn an_effective_set_is_kept_by_others_and_not_exceeded_by_root() {
        let asked = linux(info(&["NET_RAW"]), info(&["NET_RAW", "KILL"]));
        let few = set(&["NET_RAW"]);
        for is_root in [true, false] {
            let sets = Policy::default().sets(Some(&asked), Some(DOCKER_DEFAULT), is_root).unwrap().unwrap();
            assert_eq!((sets.effective, sets.ambient, sets.inheritable), (few, few, few));
            assert_eq!((sets.bounding, sets.root_is_ordinary), (set(&["NET_RAW", "KILL"]), is_root));
        }
        let sets = Policy::default().sets(Some(&linux(info(&["NET_RAW"]), None)), None, true).unwrap().unwrap();
        assert_eq!((sets.bounding, sets.root_is_ordinary), (few, false));
    }

    #[test]
    fn what_is_not_allowed_is_refused_in_the_words_of_mesos() {
        let policy = Policy { effective: None, bounding: Some(set(&["CHOWN", "KILL"])) };
        let refused = |linux: LinuxInfo| policy.sets(Some(&linux), None, true).unwrap_err().to_string();
        for (asked, words) in [
            (
                linux(info(&["CHOWN", "SYS_ADMIN"]), None),
                "Requested capabilities '{ CHOWN, SYS_ADMIN }', but only '{ CHOWN, KILL }' are allowed",
            ),
            (
                linux(info(&["CHOWN", "KILL"]), info(&["CHOWN"])),
                "Requested capabilities '{ CHOWN, KILL }', but only '{ CHOWN }' are allowed",
            ),
            (
                linux(None, info(&["NET_RAW"])),
                "Bounding capabilities '{ NET_RAW }', but only '{ CHOWN, KILL }' are allowed",
            ),
        ] {
            assert_eq!(refused(asked), words);
        }
        let both = LinuxInfo { capability_info: info(&[]), ..linux(info(&[]), None) };
        assert_eq!(refused(both), "Only one of 'capability_info' or 'effective_capabilities' is allowed");
        let former = LinuxInfo { capability_info: info(&["KILL"]), ..LinuxInfo::default() };
        assert_eq!(policy.sets(Some(&former), None, true).unwrap().unwrap().effective, set(&["KILL"]));
    }
}
