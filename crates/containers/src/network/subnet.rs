//! Addresses of version 4 that share a prefix.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// The network of a bridge, such as `172.31.254.0/24`. Its first address is the bridge's own, its last is for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    base: u32,
    prefix: u8,
}

/// Why a text is no network for a bridge; the operator is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    /// It has no slash, or no address before it, or no number behind it.
    #[error("'{0}' is no IPv4 network such as 172.31.254.0/24")]
    Malformed(String),
    /// Addresses of version 6 are not supported yet.
    #[error("'{0}' is an IPv6 network; bridges have IPv4 only")]
    Version6(String),
    /// It has too few addresses, or more than a bridge can have members.
    #[error("the prefix of '{0}' is not between 8 and 30")]
    Size(String),
    /// It is the machine's own, or no machine's.
    #[error("'{0}' is not a network of hosts")]
    NotForHosts(String),
}

impl Subnet {
    /// The length of the prefix in bits.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// The address of the bridge, which is the way out for its members.
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base + 1)
    }

    /// The address that all members hear.
    pub fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base | !self.mask())
    }

    /// True if the address is one of a member's.
    pub fn is_member(self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask() == self.base && address > self.gateway() && address < self.broadcast()
    }

    /// All addresses of members, once each, beginning behind `last`.
    pub fn members_after(self, last: Ipv4Addr) -> impl Iterator<Item = Ipv4Addr> {
        let (first, end) = (self.gateway().to_bits() + 1, self.broadcast().to_bits());
        let start = if self.is_member(last) { last.to_bits() + 1 } else { first };
        (start..end).chain(first..start).map(Ipv4Addr::from_bits)
    }

    /// True if it has an address in common with the network of these.
    pub(super) fn overlaps(self, address: u32, mask: u32) -> bool {
        let common = mask & self.mask();
        address & common == self.base & common
    }

    fn mask(self) -> u32 {
        u32::MAX << (32 - u32::from(self.prefix))
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.base), self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Subnet, SubnetError> {
        let malformed = || SubnetError::Malformed(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(malformed)?;
        if address.contains(':') {
            return Err(SubnetError::Version6(text.to_owned()));
        }
        let address: Ipv4Addr = address.parse().map_err(|_| malformed())?;
        let prefix: u8 = prefix.parse().map_err(|_| malformed())?;
        if !(8..=30).contains(&prefix) {
            return Err(SubnetError::Size(text.to_owned()));
        }
        if address.is_loopback() || address.is_multicast() || address.is_broadcast() || address.octets()[0] == 0 {
            return Err(SubnetError::NotForHosts(text.to_owned()));
        }
        let all = Subnet { base: 0, prefix };
        Ok(Subnet { base: address.to_bits() & all.mask(), prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Ipv4Addr {
        text.parse().unwrap()
    }

    #[test]
    fn every_address_between_the_bridge_and_the_broadcast_is_a_members() {
        let subnet: Subnet = "10.1.2.77/29".parse().unwrap();
        assert_eq!(subnet.to_string(), "10.1.2.72/29");
        assert_eq!((subnet.gateway(), subnet.broadcast()), (ip("10.1.2.73"), ip("10.1.2.79")));
        let after = |last: &str| subnet.members_after(ip(last)).map(|ip| ip.octets()[3]).collect::<Vec<_>>();
        assert_eq!(after("0.0.0.0"), [74, 75, 76, 77, 78]);
        assert_eq!(after("10.1.2.76"), [77, 78, 74, 75, 76]);
        assert_eq!(after("10.1.2.78"), [74, 75, 76, 77, 78]);
        assert!(!subnet.is_member(subnet.gateway()) && !subnet.is_member(ip("10.1.2.81")));
    }

    #[test]
    fn other_networks_are_refused_by_name() {
        for (text, why) in [
            ("10.0.0.0", "is no IPv4 network"),
            ("10.0.0/24", "is no IPv4 network"),
            ("10.0.0.0/x", "is no IPv4 network"),
            ("fd00::/64", "bridges have IPv4 only"),
            ("10.0.0.0/31", "not between 8 and 30"),
            ("10.0.0.0/0", "not between 8 and 30"),
            ("127.0.0.0/8", "not a network of hosts"),
            ("224.0.0.0/8", "not a network of hosts"),
        ] {
            let error = text.parse::<Subnet>().unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(text), "{error}");
        }
    }
}
