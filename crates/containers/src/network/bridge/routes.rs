//! The machine's own routes: a bridge whose addresses are somebody else's would cut the machine off from them.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use super::BridgeSettings;
use crate::network::NetworkError;

/// The routes of the network namespace of the calling thread.
const ROUTES: &str = "/proc/thread-self/net/route";

/// # Errors
///
/// The bridge's network is a part of one that the machine reaches otherwise, or has one as its part.
pub(super) fn check(settings: &BridgeSettings) -> Result<(), NetworkError> {
    let table = fs::read_to_string(ROUTES).map_err(|source| NetworkError::file(Path::new(ROUTES), source))?;
    let BridgeSettings { name, subnet, .. } = settings;
    match overlapping(&table, settings) {
        Some(route) => Err(NetworkError::Overlap { subnet: *subnet, bridge: name.clone(), route }),
        None => Ok(()),
    }
}

/// The first route that overlaps. The default route is everybody's.
fn overlapping(table: &str, settings: &BridgeSettings) -> Option<String> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // The kernel writes addresses as this machine has numbers in memory.
        let number = |at: usize| {
            u32::from_str_radix(fields.get(at)?, 16).ok().map(|number| u32::from_be_bytes(number.to_ne_bytes()))
        };
        let (link, address, mask) = (*fields.first()?, number(1)?, number(7)?);
        let is_other = link != settings.name && mask != 0;
        let overlaps = is_other && settings.subnet.overlaps(address, mask);
        overlaps.then(|| format!("{}/{} by {link}", Ipv4Addr::from_bits(address), mask.count_ones()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
mesos-bridge\t00004D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t0000010A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
cut short";

    #[cfg(target_endian = "little")]
    #[test]
    fn other_peoples_networks_are_seen() {
        let found = |subnet: &str| {
            let settings = BridgeSettings {
                name: "mesos-bridge".to_owned(),
                owner: "/".into(),
                subnet: subnet.parse().unwrap(),
                mtu: None,
            };
            overlapping(TABLE, &settings)
        };
        assert_eq!(found("10.77.0.0/24"), None, "its own");
        assert_eq!(found("172.31.0.0/24"), None);
        for subnet in ["10.1.7.0/24", "10.1.0.0/16", "10.0.0.0/8"] {
            assert_eq!(found(subnet).as_deref(), Some("10.1.0.0/16 by eth0"), "{subnet}");
        }
    }
}
