//! Checks of a name that has several addresses. Pure.

use std::net::SocketAddr;

use super::{Probe, SpecError, require};

impl Probe {
    /// The same question at each of these addresses, in the order of RFC 8305: as they come, but by turns of IPv6 and
    /// IPv4. Nothing if there are none.
    pub fn at_each(
        addresses: impl IntoIterator<Item = SocketAddr>,
        probe: impl Fn(SocketAddr) -> Probe,
    ) -> Option<Probe> {
        let mut probes: Vec<Probe> = by_turns(addresses).into_iter().map(probe).collect();
        match probes.len() {
            0 | 1 => probes.pop(),
            _ => Some(Probe::AnyAddress(probes)),
        }
    }

    pub(super) fn validate_each(probes: &[Probe]) -> Result<(), SpecError> {
        const FIELD: &str = "probe.any_address";
        require(!probes.is_empty(), FIELD, "has no address")?;
        let have_addresses = !probes.iter().any(|probe| matches!(probe, Probe::AnyAddress(_) | Probe::Command(_)));
        require(have_addresses, FIELD, "is for probes that have one address each")?;
        probes.iter().try_for_each(Probe::validate)
    }
}

/// The family of the first address first.
fn by_turns(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut distinct: Vec<SocketAddr> = Vec::new();
    for address in addresses {
        if !distinct.contains(&address) {
            distinct.push(address);
        }
    }
    let first_is_ipv4 = distinct.first().is_some_and(SocketAddr::is_ipv4);
    let (mut ones, mut others): (Vec<_>, Vec<_>) =
        distinct.into_iter().partition(|address| address.is_ipv4() == first_is_ipv4);
    ones.reverse();
    others.reverse();
    let mut by_turns = Vec::new();
    while !ones.is_empty() || !others.is_empty() {
        by_turns.extend(ones.pop().into_iter().chain(others.pop()));
    }
    by_turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::TcpProbe;

    #[test]
    fn families_take_turns() {
        let addresses = ["[::1]:1", "[::2]:1", "[::1]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"];
        let order = by_turns(addresses.map(|address| address.parse().unwrap()));
        let order: Vec<String> = order.iter().map(ToString::to_string).collect();
        assert_eq!(order, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"]);
    }

    #[test]
    fn one_address_needs_no_list() {
        let tcp = |address| Probe::Tcp(TcpProbe::new(address));
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        assert_eq!(Probe::at_each([address, address], tcp), Some(tcp(address)));
        assert_eq!(Probe::at_each([], tcp), None);
    }
}
