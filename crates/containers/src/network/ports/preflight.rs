//! Other people's firewalls in the way of a bridge.
//!
//! Docker sets the policy of forwarding to DROP on every machine it runs on, and every chain of the hook must let a packet
//! pass. So the packets of a bridge need to be accepted in Docker's own chains.

use std::time::Duration;

use serde_json::Value;

use crate::network::NetworkError;
use crate::network::program::Program;

const LIMIT: Duration = Duration::from_secs(30);
/// Docker's chain for rules of others, which it asks before its own.
const DOCKERS: &str = "DOCKER-USER";
/// The chains for such rules, the better first. Docker may have come after the rules were made.
const PLACES: [&str; 2] = [DOCKERS, "FORWARD"];

/// The chains in the way of packets that the machine forwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firewall {
    /// The chains that drop what none of their rules accepts, as `family table chain`.
    pub dropping: Vec<String>,
    /// The chain of iptables where rules of others belong.
    place: Option<&'static str>,
}

impl Firewall {
    /// The sentence for the operator, if there is something to say.
    pub fn warning(&self, bridge: &str) -> Option<String> {
        let chains = self.dropping.join("', '");
        (!self.dropping.is_empty()).then(|| {
            format!(
                "The firewall drops what it does not know in '{chains}': containers on the bridge '{bridge}' may reach \
                 nothing beyond it, and be reached by nobody, unless a rule there accepts what goes in and out of it"
            )
        })
    }

    /// Reads `nft --json list chains`.
    fn read(json: &Value) -> Firewall {
        let items = json.get("nftables").and_then(Value::as_array).into_iter().flatten();
        let chains: Vec<&Value> = items.filter_map(|item| item.get("chain")).collect();
        let word = |chain: &Value, key: &str| chain.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of_iptables = |name: &str| {
            chains.iter().any(|chain| ["ip", "filter", name] == ["family", "table", "name"].map(|key| word(chain, key)))
        };
        let drops = |chain: &&&Value| word(chain, "hook") == "forward" && word(chain, "policy") == "drop";
        let dropping =
            chains.iter().filter(drops).map(|chain| ["family", "table", "name"].map(|key| word(chain, key)).join(" "));
        let place = PLACES.into_iter().find(|name| of_iptables(name));
        Firewall { dropping: dropping.collect(), place }
    }
}

/// Looks at the machine's chains.
pub fn inspect() -> Result<Firewall, NetworkError> {
    let text = Program::new("nft", &["--json", "list", "chains"]).succeed(LIMIT)?;
    Ok(serde_json::from_slice(&text).map(|json| Firewall::read(&json)).unwrap_or_default())
}

/// Has iptables accept what goes in and out of the bridge; a second time changes nothing. False if there are no chains of
/// iptables to do it in.
pub fn let_through(firewall: &Firewall, bridge: &str) -> Result<bool, NetworkError> {
    let Some(chain) = firewall.place else { return Ok(false) };
    for rule in rules(chain, bridge) {
        if iptables("-C", &rule).is_err() {
            iptables("-I", &rule)?;
        }
    }
    Ok(true)
}

/// Undoes [`let_through`], for a bridge that is no more.
pub fn shut_out(firewall: &Firewall, bridge: &str) -> Result<(), NetworkError> {
    if firewall.place.is_none() {
        return Ok(());
    }
    for rule in PLACES.into_iter().flat_map(|chain| rules(chain, bridge)) {
        if iptables("-C", &rule).is_ok() {
            iptables("-D", &rule)?;
        }
    }
    Ok(())
}

fn rules<'a>(chain: &'a str, bridge: &'a str) -> [[&'a str; 8]; 2] {
    ["-i", "-o"].map(|direction| [chain, direction, bridge, "-j", "ACCEPT", "-m", "comment", "--comment"])
}

fn iptables(command: &str, rule: &[&str]) -> Result<(), NetworkError> {
    Program::new("iptables", &[&["-w", command], rule, &["cygnet"]].concat()).succeed(LIMIT)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dockers_policy_is_seen() {
        let chain = |table: &str, name: &str| json!({"chain": {"family": "ip", "table": table, "name": name}});
        let mut forward = chain("filter", "FORWARD");
        forward["chain"]["hook"] = json!("forward");
        forward["chain"]["policy"] = json!("drop");
        let found = Firewall::read(&json!({"nftables": [{"metainfo": {}}, forward, chain("filter", "DOCKER-USER")]}));
        assert_eq!((found.dropping.clone(), found.place), (vec!["ip filter FORWARD".to_owned()], Some("DOCKER-USER")));
        let warning = found.warning("mesos-bridge").unwrap();
        assert!(warning.contains("'ip filter FORWARD'") && warning.contains("'mesos-bridge'"), "{warning}");
        forward["chain"]["policy"] = json!("accept");
        let found = Firewall::read(&json!({"nftables": [forward]}));
        assert_eq!((found.warning("b"), found.place), (None, Some("FORWARD")));
        assert_eq!(Firewall::read(&json!("garbage")), Firewall::default());
    }
}
