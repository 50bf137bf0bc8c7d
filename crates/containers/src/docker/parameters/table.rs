//! The options of `docker run`, each with its place in the body of the call, or with why it has none.

use super::own::{device, entrypoint, expose, label, log_driver, log_option, security, tmpfs, ulimit, variable};
use crate::docker::definition::Body;

/// The place of an option in the body of the call.
pub(super) enum Target {
    /// A member of the configuration or of `HostConfig`: a text, a switch, a number, a number of bytes, an item of a list,
    /// a `NAME=VALUE` of an object.
    Config(&'static str, Kind),
    Host(&'static str, Kind),
    /// Something of its own.
    Own(fn(&mut Body, &str) -> Option<()>),
    Refused(&'static str),
}

/// The kind of its value.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Switch,
    Number,
    Bytes,
    Item,
    Pair,
}

use Kind::{Bytes, Item, Number, Pair, Switch, Text};
use Target::{Config, Host, Own, Refused};

const OURS: &str = "the executor decides over it";
const CHECKS: &str = "write a health check of the task";
const PORTS: &str = "write port mappings";
pub(super) const UNKNOWN: &str = "no such option is known";

/// The options by their long names.
pub(super) const PARAMETERS: &[(&str, Target)] = &[
    ("add-host", Host("ExtraHosts", Item)),
    ("attach", Refused(OURS)),
    ("blkio-weight", Host("BlkioWeight", Number)),
    ("cap-add", Host("CapAdd", Item)),
    ("cap-drop", Host("CapDrop", Item)),
    ("cgroup-parent", Host("CgroupParent", Text)),
    ("cgroupns", Host("CgroupnsMode", Text)),
    ("cidfile", Refused(OURS)),
    ("cpu-period", Host("CpuPeriod", Number)),
    ("cpu-quota", Host("CpuQuota", Number)),
    ("cpu-shares", Host("CpuShares", Number)),
    ("cpuset-cpus", Host("CpusetCpus", Text)),
    ("cpuset-mems", Host("CpusetMems", Text)),
    ("detach", Refused(OURS)),
    ("device", Own(device)),
    ("device-cgroup-rule", Host("DeviceCgroupRules", Item)),
    ("dns", Host("Dns", Item)),
    ("dns-opt", Host("DnsOptions", Item)),
    ("dns-option", Host("DnsOptions", Item)),
    ("dns-search", Host("DnsSearch", Item)),
    ("domainname", Config("Domainname", Text)),
    ("entrypoint", Own(entrypoint)),
    ("env", Own(variable)),
    ("expose", Own(expose)),
    ("group-add", Host("GroupAdd", Item)),
    ("health-cmd", Refused(CHECKS)),
    ("health-interval", Refused(CHECKS)),
    ("health-retries", Refused(CHECKS)),
    ("health-start-period", Refused(CHECKS)),
    ("health-timeout", Refused(CHECKS)),
    ("hostname", Config("Hostname", Text)),
    ("init", Host("Init", Switch)),
    ("interactive", Refused(OURS)),
    ("ipc", Host("IpcMode", Text)),
    ("label", Own(label)),
    ("link", Host("Links", Item)),
    ("log-driver", Own(log_driver)),
    ("log-opt", Own(log_option)),
    ("mac-address", Config("MacAddress", Text)),
    ("memory", Host("Memory", Bytes)),
    ("memory-reservation", Host("MemoryReservation", Bytes)),
    ("memory-swap", Host("MemorySwap", Bytes)),
    ("memory-swappiness", Host("MemorySwappiness", Number)),
    ("name", Refused("")),
    ("net", Host("NetworkMode", Text)),
    ("network", Host("NetworkMode", Text)),
    ("no-healthcheck", Refused(CHECKS)),
    ("oom-kill-disable", Host("OomKillDisable", Switch)),
    ("oom-score-adj", Host("OomScoreAdj", Number)),
    ("pid", Host("PidMode", Text)),
    ("pids-limit", Host("PidsLimit", Number)),
    ("privileged", Host("Privileged", Switch)),
    ("publish", Refused(PORTS)),
    ("publish-all", Refused(PORTS)),
    ("read-only", Host("ReadonlyRootfs", Switch)),
    ("restart", Refused("tasks are started again by their framework")),
    ("rm", Refused(OURS)),
    ("runtime", Host("Runtime", Text)),
    ("security-opt", Own(security)),
    ("shm-size", Host("ShmSize", Bytes)),
    ("sig-proxy", Refused(OURS)),
    ("stop-signal", Config("StopSignal", Text)),
    ("stop-timeout", Refused("write a kill policy of the task")),
    ("storage-opt", Host("StorageOpt", Pair)),
    ("sysctl", Host("Sysctls", Pair)),
    ("tmpfs", Own(tmpfs)),
    ("tty", Refused(OURS)),
    ("ulimit", Own(ulimit)),
    ("user", Config("User", Text)),
    ("userns", Host("UsernsMode", Text)),
    ("uts", Host("UTSMode", Text)),
    ("volume", Host("Binds", Item)),
    ("volume-driver", Host("VolumeDriver", Text)),
    ("volumes-from", Host("VolumesFrom", Item)),
    ("workdir", Config("WorkingDir", Text)),
];

/// The options that have a letter, too.
pub(super) const LETTERS: [(&str, &str); 12] = [
    ("a", "attach"),
    ("d", "detach"),
    ("e", "env"),
    ("h", "hostname"),
    ("i", "interactive"),
    ("l", "label"),
    ("m", "memory"),
    ("p", "publish"),
    ("t", "tty"),
    ("u", "user"),
    ("v", "volume"),
    ("w", "workdir"),
];
