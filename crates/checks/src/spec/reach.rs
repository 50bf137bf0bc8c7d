//! The addresses that checks may talk to, as the operator says and not the check's author.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The addresses that checks may talk to. Loopback, which is the task's own inside its network, is always among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// All: the authors of checks are trusted.
    #[default]
    Anywhere,
    /// Loopback and these networks. Checks, and redirects, that lead elsewhere fail without a packet being sent.
    Only(Vec<Network>),
}

impl Reach {
    /// Loopback and nothing else.
    pub fn loopback() -> Reach {
        Reach::Only(Vec::new())
    }

    /// True if checks may talk to this address.
    pub fn allows(&self, address: IpAddr) -> bool {
        match self {
            Reach::Anywhere => true,
            Reach::Only(networks) => {
                let address = address.to_canonical();
                address.is_loopback() || networks.iter().any(|network| network.contains(address))
            }
        }
    }
}

/// A network: `10.0.0.0/8`, `fd00::/8`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no network: write ADDRESS or ADDRESS/PREFIX, such as 10.0.0.0/8")]
pub struct NetworkError(String);

impl Network {
    /// True if an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same_v4(own, other, self.prefix),
            (IpAddr::V6(own), IpAddr::V6(other)) => same_v6(own, other, self.prefix),
            _ => false,
        }
    }
}

fn same_v4(own: Ipv4Addr, other: Ipv4Addr, prefix: u8) -> bool {
    let differ = u32::from(own) ^ u32::from(other);
    differ.leading_zeros() >= u32::from(prefix)
}

fn same_v6(own: Ipv6Addr, other: Ipv6Addr, prefix: u8) -> bool {
    let differ = u128::from(own) ^ u128::from(other);
    differ.leading_zeros() >= u32::from(prefix)
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Network, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| wrong())?;
        if prefix > longest { Err(wrong()) } else { Ok(Network { address, prefix }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(network: &str) -> Reach {
        Reach::Only(vec![network.parse().unwrap()])
    }

    #[test]
    fn only_what_is_named_and_loopback() {
        let allowed = |network: &str, address: &str| reach(network).allows(address.parse().unwrap());
        assert!(allowed("10.0.0.0/8", "10.200.3.4") && !allowed("10.0.0.0/8", "11.0.0.1"));
        assert!(allowed("192.0.2.7", "192.0.2.7") && !allowed("192.0.2.7", "192.0.2.6"));
        assert!(allowed("fd00::/8", "fdab::1") && !allowed("fd00::/8", "fe80::1"));
        assert!(allowed("10.0.0.0/8", "127.9.9.9") && allowed("10.0.0.0/8", "::1"));
        assert!(!allowed("10.0.0.0/8", "169.254.169.254"));
        assert!(allowed("10.0.0.0/8", "::ffff:10.0.0.1"), "an IPv4 address in IPv6 clothes is what it is");
        assert!(!allowed("10.0.0.0/8", "::ffff:169.254.169.254"));
        assert!(reach("0.0.0.0/0").allows("8.8.8.8".parse().unwrap()));
        assert!(!Reach::loopback().allows("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_said() {
        for text in ["10.0.0.0/33", "10.0.0/8", "x", "::/129", "10.0.0.0/"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError(text.to_owned())));
        }
    }
}
