//! Flows of datagrams that the kernel remembers.
//!
//! A client that goes on sending from one port keeps its flow alive, and the flow keeps the container it led to, or that
//! it led to none. So flows to a port are forgotten when its mapping changes. Connections end by themselves. The numbers
//! are `linux/netfilter/nfnetlink_conntrack.h`'s.

use super::{PortMapping, Transport};
use crate::network::netlink::{Message, Netlink};

const NFNL_SUBSYS_CTNETLINK: u16 = 1;
const IPCTNL_MSG_CT_DELETE: u16 = 2;
const CTA_TUPLE_ORIG: u16 = 1;
const CTA_FILTER: u16 = 25;
const CTA_TUPLE_PROTO: u16 = 2;
const CTA_PROTO_NUM: u16 = 1;
const CTA_PROTO_DST_PORT: u16 = 3;
const CTA_FILTER_ORIG_FLAGS: u16 = 1;
const CTA_FILTER_REPLY_FLAGS: u16 = 2;
/// The parts of a flow's first direction that are compared: its protocol, and the port it goes to.
const COMPARED: u32 = (1 << 3) | (1 << 5);
const AF_INET: u8 = 2;
const IPPROTO_UDP: u8 = 17;

/// Forgets the flows to these ports of the host. Kernels before 5.8 do not know how, and forget after half a minute of
/// silence.
pub(crate) fn forget(socket: &Netlink, ports: &[PortMapping]) {
    let datagrams = ports.iter().filter(|mapping| mapping.transport == Transport::Udp);
    for mapping in datagrams {
        if let Err(errno) = socket.carry_out(&[flows_to(mapping.host_port)]) {
            tracing::debug!("Flows to {mapping} are not forgotten at once: {errno}");
        }
    }
}

fn flows_to(port: u16) -> Message {
    let protocol =
        |inner: Message| inner.put(CTA_PROTO_NUM, &[IPPROTO_UDP]).put(CTA_PROTO_DST_PORT, &port.to_be_bytes());
    Message::new((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0, &[AF_INET, 0, 0, 0])
        .nest(CTA_TUPLE_ORIG, |tuple| tuple.nest(CTA_TUPLE_PROTO, protocol))
        .nest(CTA_FILTER, |filter| {
            filter.put(CTA_FILTER_ORIG_FLAGS, &COMPARED.to_ne_bytes()).put(CTA_FILTER_REPLY_FLAGS, &0_u32.to_ne_bytes())
        })
}
