//! Ports for the processes of tests, which nothing else takes: below those that the system gives to connections, and apart
//! from those that Cygnet and its tests name themselves. Test programs run beside each other, and share them in stripes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as Name, UnixListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// Above service ports, and below those that an agent offers.
const ALL: RangeInclusive<u16> = 20_100..=30_999;

const STRIPE: u16 = 100;

/// A stripe of ports that is this process's alone, until it is dropped or the process ends.
///
/// The mark of it is a socket with a name, since those belong to a network as ports do, and go with whoever holds them.
#[derive(Debug)]
pub struct Ports {
    all: RangeInclusive<u16>,
    _mark: UnixListener,
}

impl Ports {
    /// The first stripe that nobody holds and nobody listens in.
    #[track_caller]
    pub fn take() -> Ports {
        let stripes = ALL.step_by(usize::from(STRIPE)).map(|first| first..=first + (STRIPE - 1));
        let mut free = stripes.filter_map(Ports::hold).filter(|ports| ports.all.clone().all(is_free));
        free.next().expect("a stripe of ports that is free")
    }

    fn hold(all: RangeInclusive<u16>) -> Option<Ports> {
        let name = Name::from_abstract_name(format!("cygnet-test-ports-{}", all.start())).expect("a short name");
        let mark = UnixListener::bind_addr(&name).ok()?;
        Some(Ports { all, _mark: mark })
    }

    /// A loopback address with the port that is at this place among them.
    pub fn address(&self, place: u16) -> SocketAddr {
        loopback(self.port(place))
    }

    /// All of them, as an agent offers them.
    pub fn resource(&self) -> String {
        self.resource_from(0)
    }

    /// The ports from this place on, as an agent offers them.
    pub fn resource_from(&self, place: u16) -> String {
        format!("ports:[{}-{}]", self.port(place), self.all.end())
    }

    fn port(&self, place: u16) -> u16 {
        assert!(place < STRIPE, "a stripe has {STRIPE}");
        self.all.start() + place
    }
}

/// A loopback address that nobody listens on, of a stripe that this process holds as long as it lives. The same comes again
/// only when all others of it have had their turn.
#[track_caller]
pub fn free_address() -> SocketAddr {
    static OWN: OnceLock<Ports> = OnceLock::new();
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let own = OWN.get_or_init(Ports::take);
    let mut candidates = (0..STRIPE).map(|_| own.port(GIVEN.fetch_add(1, Ordering::Relaxed) % STRIPE));
    loopback(candidates.find(|port| is_free(*port)).expect("a free port"))
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn stripes_are_apart_from_each_other() {
        let [one, other] = [Ports::take(), Ports::take()];
        assert!(one.all.end() < other.all.start() || other.all.end() < one.all.start(), "{one:?} {other:?}");
    }

    #[test]
    fn connections_get_others() {
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").expect("Linux tells");
        let first: u16 = range.split_whitespace().next().and_then(|first| first.parse().ok()).expect("a number");
        if first < 32_768 {
            return eprintln!("skipped: connections get ports from {first} on, and not from where Linux begins");
        }
        assert!(*ALL.end() < first);
    }

    #[test]
    fn a_stripe_is_held_until_it_is_dropped() {
        // Outside of those that are taken: nobody else wants it meanwhile.
        let all = ALL.end() + 1..=ALL.end() + 1;
        let ports = Ports::hold(all.clone()).expect("nobody holds it");
        assert!(Ports::hold(all.clone()).is_none(), "it is held");
        drop(ports);
        assert!(Ports::hold(all).is_some(), "it is free again");
    }

    #[test]
    fn where_somebody_listens_nothing_is_handed_out() {
        let addresses: BTreeSet<SocketAddr> = (0..STRIPE / 2).map(|_| free_address()).collect();
        assert_eq!(addresses.len(), usize::from(STRIPE / 2), "each is another");
        let taken: Vec<_> = addresses.iter().map(|address| TcpListener::bind(address).expect("free")).collect();
        let others = (0..2 * STRIPE).map(|_| free_address());
        assert_eq!(others.filter(|address| addresses.contains(address)).count(), 0);
        drop(taken);
    }
}
