//! The results of plugins, in all versions of the specification. Pure.

use std::net::IpAddr;

use serde_json::Value;

use super::CniError;
use crate::network::files::Dns;

/// The addresses of more interfaces than anybody has.
const MOST_ADDRESSES: usize = 64;

/// The addresses and resolvers that a container got in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CniResult {
    /// The addresses, without their prefixes.
    pub addresses: Vec<IpAddr>,
    /// The resolvers.
    pub dns: Dns,
}

impl CniResult {
    /// Reads `ips` (since version 0.3), or `ip4` and `ip6` (before).
    pub(super) fn read(value: &Value) -> Result<CniResult, CniError> {
        let listed = value.get("ips").and_then(Value::as_array).into_iter().flatten();
        let since = listed.filter(|ip| is_in_container(value, ip)).filter_map(|ip| ip.get("address"));
        let before = ["ip4", "ip6"].iter().filter_map(|key| value.get(key)).filter_map(|ip| ip.get("ip"));
        let mut addresses: Vec<IpAddr> =
            since.chain(before).take(MOST_ADDRESSES).map(address).collect::<Result<_, _>>()?;
        addresses.dedup();
        let dns = value.get("dns").map_or_else(|| Ok(Dns::default()), |dns| serde_json::from_value(dns.clone()));
        Ok(CniResult { addresses, dns: dns.map_err(|error| CniError::Result(format!("'dns': {error}")))? })
    }
}

/// An address may belong to an interface of the host, a bridge's for example.
fn is_in_container(result: &Value, ip: &Value) -> bool {
    let Some(index) = ip.get("interface").and_then(Value::as_u64) else { return true };
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let interface = result.get("interfaces").and_then(|interfaces| interfaces.get(index));
    let sandbox = interface.and_then(|interface| interface.get("sandbox")).and_then(Value::as_str);
    sandbox.is_some_and(|sandbox| !sandbox.is_empty())
}

fn address(value: &Value) -> Result<IpAddr, CniError> {
    let text = value.as_str().unwrap_or_default();
    let address = text.split('/').next().unwrap_or_default();
    address.parse().map_err(|_| CniError::Result(format!("'{value}' is no address")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_of_all_versions() {
        let interfaces = json!([{"name": "cni0"}, {"name": "eth0", "sandbox": "/ns"}]);
        for (value, expected) in [
            (json!({"ip4": {"ip": "10.0.0.2/24"}, "ip6": {"ip": "fd00::2/64"}}), vec!["10.0.0.2", "fd00::2"]),
            (json!({"ips": [{"version": "4", "address": "10.0.0.2/24"}]}), vec!["10.0.0.2"]),
            (
                json!({"interfaces": interfaces, "ips": [
                    {"address": "10.0.0.1/24", "interface": 0}, {"address": "10.0.0.2/24", "interface": 1},
                    {"address": "10.0.0.3/24", "interface": 2}]}),
                vec!["10.0.0.2"],
            ),
            (json!({}), vec![]),
            (json!({"ips": "many"}), vec![]),
        ] {
            let result = CniResult::read(&value).unwrap();
            let expected: Vec<IpAddr> = expected.iter().map(|address| address.parse().unwrap()).collect();
            assert_eq!(result.addresses, expected, "{value}");
        }
        for (value, why) in [
            (json!({"ips": [{"address": "ten/24"}]}), "'\"ten/24\"' is no address"),
            (json!({"ip4": {"ip": 10}}), "'10' is no address"),
            (json!({"dns": {"nameservers": 1}}), "'dns'"),
        ] {
            let error = CniResult::read(&value).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let many = json!({"ips": vec![json!({"address": "10.0.0.2"}); 1000]});
        assert_eq!(CniResult::read(&many).unwrap().addresses.len(), 1);
    }

    #[test]
    fn resolvers_are_read() {
        let dns = json!({"dns": {"nameservers": ["10.0.0.1"], "search": ["x"]}});
        assert_eq!(CniResult::read(&dns).unwrap().dns.text(), "search x\nnameserver 10.0.0.1\n");
    }
}
