//! Links, addresses and routes: what is asked of the kernel to make a bridge and join a container to it.
//!
//! Pure but for [`index`] and [`members`], which ask. The numbers are `linux/rtnetlink.h`'s, `linux/if_link.h`'s and
//! `linux/if_addr.h`'s.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use super::netlink::{Message, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, Netlink};
use super::subnet::Subnet;

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_IFALIAS: u16 = 20;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const IFLA_BRPORT_MODE: u16 = 4;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;

const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_BOOT: u8 = 3;
const RTN_UNICAST: u8 = 1;
/// `ifinfomsg` is this long.
const LINK_HEADER: usize = 16;
/// The loopback of every namespace.
const LOOPBACK: u32 = 1;
/// Every kernel's bound on names of links, with the zero behind them.
pub(super) const LONGEST_NAME: usize = 15;

/// `ifinfomsg`: of the link with this index, or of none yet, that is to be up or left as it is.
fn link_header(index: u32, up: bool) -> [u8; LINK_HEADER] {
    let flags = if up { IFF_UP } else { 0 };
    let mut header = [0; LINK_HEADER];
    let fields = index.to_ne_bytes().into_iter().chain(flags.to_ne_bytes()).chain(flags.to_ne_bytes());
    header.iter_mut().skip(4).zip(fields).for_each(|(byte, value)| *byte = value);
    header
}

/// The hardware address that goes with an address, so that a lease's next holder is not taken for the one before it.
pub(super) fn hardware_address(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0x42, a, b, c, d]
}

/// A bridge that is up. Its hardware address stays the same whoever joins it.
pub(super) fn new_bridge(name: &str, address: Ipv4Addr) -> Message {
    Message::new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link_header(0, true))
        .put_text(IFLA_IFNAME, name)
        .put(IFLA_ADDRESS, &hardware_address(address))
        .nest(IFLA_LINKINFO, |info| info.put_text(IFLA_INFO_KIND, "bridge"))
}

/// The link is up.
pub(super) fn up(index: u32) -> Message {
    Message::new(RTM_NEWLINK, 0, &link_header(index, true))
}

/// The link has this text for people to read, which `ip link` shows.
pub(super) fn describe(index: u32, text: &str) -> Message {
    Message::new(RTM_NEWLINK, 0, &link_header(index, true)).put(IFLA_IFALIAS, text.as_bytes())
}

/// The loopback of the namespace is up.
pub(super) fn loopback_up() -> Message {
    up(LOOPBACK)
}

/// The two ends of a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    /// The name of the end that is here.
    pub(super) outer: &'a str,
    /// The name of the end that is in another namespace.
    pub(super) inner: &'a str,
    /// The handle of that namespace.
    pub(super) namespace: BorrowedFd<'a>,
    /// The address that the inner end will have.
    pub(super) address: Ipv4Addr,
    /// The longest packet in bytes; the kernel's choice if absent.
    pub(super) mtu: Option<u32>,
}

/// A pair of links, the outer one up and a member of the bridge. The inner one cannot be up before it has a peer.
pub(super) fn new_pair(pair: &Pair<'_>, bridge: u32) -> Message {
    let bounded = |link: Message| match pair.mtu {
        Some(mtu) => link.put(IFLA_MTU, &mtu.to_ne_bytes()),
        None => link,
    };
    let peer = |peer: Message| {
        bounded(peer)
            .put_text(IFLA_IFNAME, pair.inner)
            .put(IFLA_ADDRESS, &hardware_address(pair.address))
            .put(IFLA_NET_NS_FD, &pair.namespace.as_raw_fd().to_ne_bytes())
    };
    let data = |data: Message| data.nest_behind(VETH_INFO_PEER, &link_header(0, false), peer);
    bounded(Message::new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link_header(0, true)))
        .put_text(IFLA_IFNAME, pair.outer)
        .put(IFLA_MASTER, &bridge.to_ne_bytes())
        .nest(IFLA_LINKINFO, |info| info.put_text(IFLA_INFO_KIND, "veth").nest(IFLA_INFO_DATA, data))
}

/// Packets of a member of a bridge come back to it if their address leads there.
pub(super) fn hairpin(name: &str) -> Message {
    let on = |data: Message| data.put(IFLA_BRPORT_MODE, &[1]);
    Message::new(RTM_NEWLINK, 0, &link_header(0, false))
        .put_text(IFLA_IFNAME, name)
        .nest(IFLA_LINKINFO, |info| info.put_text(IFLA_INFO_SLAVE_KIND, "bridge").nest(IFLA_INFO_SLAVE_DATA, on))
}

/// The link is no more, nor is its peer.
pub(super) fn delete(name: &str) -> Message {
    Message::new(RTM_DELLINK, 0, &link_header(0, false)).put_text(IFLA_IFNAME, name)
}

/// The link has this address of the network.
pub(super) fn new_address(index: u32, address: Ipv4Addr, subnet: Subnet) -> Message {
    let [a, b, c, d] = index.to_ne_bytes();
    Message::new(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &[AF_INET, subnet.prefix(), 0, 0, a, b, c, d])
        .put(IFA_LOCAL, &address.octets())
        .put(IFA_ADDRESS, &address.octets())
        .put(IFA_BROADCAST, &subnet.broadcast().octets())
}

/// Everything that is not near goes by this gateway.
pub(super) fn new_default_route(index: u32, gateway: Ipv4Addr) -> Message {
    let header = [AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, 0, RTN_UNICAST, 0, 0, 0, 0];
    Message::new(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &header)
        .put(RTA_GATEWAY, &gateway.octets())
        .put(RTA_OIF, &index.to_ne_bytes())
}

/// The index of the link of this name; none if there is none.
pub(super) fn index(socket: &Netlink, name: &str) -> rustix::io::Result<Option<u32>> {
    let question = Message::unacknowledged(RTM_GETLINK, 0, &link_header(0, false)).put_text(IFLA_IFNAME, name);
    match socket.ask(&question) {
        Err(Errno::NODEV) => Ok(None),
        answer => answer?.number(4).map(Some).ok_or(Errno::BADMSG),
    }
}

/// The text of a link, if it has one.
pub(super) fn description(socket: &Netlink, index: u32) -> rustix::io::Result<Option<String>> {
    let answer = socket.ask(&Message::unacknowledged(RTM_GETLINK, 0, &link_header(index, false)))?;
    let text = answer.attribute(LINK_HEADER, IFLA_IFALIAS);
    Ok(text.map(|text| String::from_utf8_lossy(text).trim_end_matches('\0').to_owned()))
}

/// The names of the links that are members of the bridge with this index.
pub(super) fn members(socket: &Netlink, bridge: u32) -> rustix::io::Result<Vec<String>> {
    let question = Message::unacknowledged(RTM_GETLINK, NLM_F_DUMP, &link_header(0, false))
        .put(IFLA_MASTER, &bridge.to_ne_bytes());
    let links = socket.ask_all(&question)?;
    let is_member = bridge.to_ne_bytes();
    let of_bridge = links.iter().filter(|link| link.attribute(LINK_HEADER, IFLA_MASTER) == Some(&is_member));
    let names = of_bridge.filter_map(|link| link.attribute(LINK_HEADER, IFLA_IFNAME));
    Ok(names.map(|name| String::from_utf8_lossy(name).trim_end_matches('\0').to_owned()).collect())
}
