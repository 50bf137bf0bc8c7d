//! Words of which only a few are known, such as `MESOS_HTTP`: Marathon reads them in letters of any case, and so do we.

use serde_json::Value;

/// The place of the word (the object, or list of objects, if that matters; and the name), and what it may be.
const LITERALS: [(Option<&str>, &str, &[&str]); 16] = [
    (
        Some("healthChecks"),
        "protocol",
        &["HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP", "MESOS_GRPC", "MESOS_LISTEN"],
    ),
    (Some("healthChecks"), "ipProtocol", &["IPv4", "IPv6"]),
    (Some("readinessChecks"), "protocol", &["HTTP", "HTTPS"]),
    (Some("portDefinitions"), "protocol", &["tcp", "udp", "udp,tcp"]),
    (Some("portMappings"), "protocol", &["tcp", "udp", "udp,tcp"]),
    (Some("ports"), "protocol", &["tcp", "udp", "udp,tcp"]),
    (Some("docker"), "network", &["BRIDGE", "HOST", "NONE", "USER"]),
    (Some("volumes"), "mode", &["RO", "RW"]),
    (Some("ipcInfo"), "mode", &["PRIVATE", "SHARE_PARENT"]),
    (Some("networks"), "mode", &["host", "container", "container/bridge"]),
    (Some("container"), "type", &["MESOS", "DOCKER"]),
    (Some("image"), "kind", &["DOCKER"]),
    (Some("http"), "scheme", &["HTTP", "HTTPS"]),
    (Some("constraints"), "operator", &["UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS"]),
    (None, "killSelection", &["YOUNGEST_FIRST", "OLDEST_FIRST"]),
    (None, "unreachableStrategy", &["disabled"]),
];

/// The word as we spell it, where it stands for one we know: under `name`, in what is called `within`.
pub(super) fn spell(within: &str, name: &str, word: &mut Value) {
    let Some(text) = word.as_str() else { return };
    let fits = |place: &Option<&str>, field: &str| field == name && place.is_none_or(|place| place == within);
    let found = LITERALS.iter().filter(|(place, field, _)| fits(place, field)).flat_map(|(_, _, known)| *known);
    if let Some(known) = found.into_iter().find(|known| known.eq_ignore_ascii_case(text)) {
        *word = Value::from(*known);
    }
}
