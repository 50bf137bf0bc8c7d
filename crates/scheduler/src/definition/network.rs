//! The networks that an app or a pod is on: the agent's own, the bridge, or some by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::unique;
use super::validate::Faults;

/// A network, as Marathon has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Network {
    #[serde(default = "container")]
    pub(crate) mode: Mode,
    /// The name of a container network; the operator's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Labels, which the host's network has not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
}

/// The kind of a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mode {
    /// The agent's.
    #[default]
    #[serde(rename = "host")]
    Host,
    /// One that has a name.
    #[serde(rename = "container")]
    Container,
    /// The bridge of each agent.
    #[serde(rename = "container/bridge")]
    Bridge,
}

fn container() -> Mode {
    Mode::Container
}

impl Network {
    /// A network of this kind, without a name.
    pub(crate) fn of(mode: Mode) -> Self {
        Network { mode, ..Network::default() }
    }
}

/// True if these are nothing but the agent's own network.
pub(crate) fn is_host(networks: &[Network]) -> bool {
    networks.iter().all(|network| network.mode == Mode::Host)
}

/// The names of the container networks among these.
pub(crate) fn names(networks: &[Network]) -> impl Iterator<Item = &str> {
    networks.iter().filter_map(|network| network.name.as_deref())
}

/// Adds what is wrong with networks taken together.
pub(super) fn validate(networks: &[Network], faults: &mut Faults) {
    let of = |mode| networks.iter().filter(move |network| network.mode == mode);
    let plain = of(Mode::Host).all(|network| network.name.is_none() && network.labels.is_empty());
    faults.require(plain, "/networks", "Host networks may not have names or labels");
    let nameless = of(Mode::Bridge).all(|network| network.name.is_none());
    faults.require(nameless, "/networks", "Bridge networks may not have names");
    let once = of(Mode::Container).filter(|network| network.name.is_none()).count() < 2 && unique(names(networks));
    faults.require(once, "/networks", "Duplicate networks are not allowed");
    let counts = [Mode::Host, Mode::Bridge, Mode::Container].map(|mode| of(mode).count());
    let error = "May specify a single host network, single bridge network, or else 1-to-n container networks";
    faults.require(matches!(counts, [0 | 1, 0, 0] | [0, 1, 0] | [0, 0, _]), "/networks", error);
    for (index, network) in networks.iter().enumerate() {
        let named = network.name.as_deref().is_none_or(is_name);
        faults.require(named, format!("/networks({index})/name"), NAME);
    }
}

const NAME: &str = "must fully match regular expression '^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$'";

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(plain) && text.bytes().next_back().is_some_and(plain);
    ends && text.len() <= 63 && text.bytes().all(|byte| plain(byte) || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(networks: Value) -> Vec<String> {
        let networks: Vec<Network> = serde_json::from_value(networks).unwrap();
        let mut faults = Faults::default();
        validate(&networks, &mut faults);
        faults.iter().map(|fault| fault.error.clone()).collect()
    }

    #[test]
    fn network_validation_rows() {
        for (networks, error) in [
            (json!([{"mode": "host", "name": "x"}]), "Host networks may not have names or labels"),
            (json!([{"mode": "host", "labels": {"a": "b"}}]), "Host networks may not have names or labels"),
            (json!([{"mode": "container/bridge", "name": "x"}]), "Bridge networks may not have names"),
            (json!([{}, {"mode": "container"}]), "Duplicate networks are not allowed"),
            (json!([{"name": "a"}, {"name": "a"}]), "Duplicate networks are not allowed"),
            (json!([{"name": "A"}]), NAME),
            (
                json!([{"mode": "host"}, {"mode": "container/bridge"}]),
                "May specify a single host network, single bridge network, or else 1-to-n container networks",
            ),
            (
                json!([{"name": "a"}, {"mode": "container/bridge"}]),
                "May specify a single host network, single bridge network, or else 1-to-n container networks",
            ),
        ] {
            assert_eq!(faults(networks.clone()), [error], "{networks}");
        }
        for fine in [
            json!([]),
            json!([{"mode": "host"}]),
            json!([{"mode": "container/bridge", "labels": {"a": "b"}}]),
            json!([{"name": "a_1"}, {"name": "b"}]),
            json!([{}]),
        ] {
            assert_eq!(faults(fine.clone()), [""; 0], "{fine}");
        }
    }
}
