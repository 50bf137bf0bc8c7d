//! The question whether a port is listened on, asked of the kernel over netlink (`sock_diag(7)`).
//!
//! One lookup is one message there and one back, at once. A socket per network namespace is kept, because making one
//! costs more than asking.

use std::net::IpAddr;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

use super::blame;
use super::tools::Tools;
use crate::outcome::{Answer, Failure, Outcome};
use crate::place::Place;
use crate::spec::{ListenProbe, Transport};

/// The kernel's words: `linux/sock_diag.h`, `linux/inet_diag.h`, `linux/netlink.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const TCP_LISTEN: u8 = 10;
const HEADER: usize = 16;
const MESSAGE: usize = HEADER + 56;
const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;

/// Asks; there is nothing to wait for.
pub(super) fn ask(probe: &ListenProbe, place: &Place, tools: &mut Tools<'_>) -> Outcome {
    match find(probe, place, tools) {
        Ok(true) => Outcome::Success(Answer::Listening),
        Ok(false) => Outcome::Failure(Failure::Refused),
        Err(outcome) => outcome,
    }
}

fn find(probe: &ListenProbe, place: &Place, tools: &mut Tools<'_>) -> Result<bool, Outcome> {
    let ours = |errno| blame(errno, |cause| Failure::Place { cause });
    if tools.kept.diagnostics(place).is_none() {
        tools.go(place)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let protocol = Some(netlink::SOCK_DIAG);
        let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, protocol).map_err(ours)?;
        tools.kept.keep_diagnostics(place, socket, tools.poller).map_err(ours)?;
    }
    let Some(socket) = tools.kept.diagnostics(place) else { return Ok(false) };
    let answer =
        exchange(socket, &request(probe), tools.scratch).and_then(|answer| understand(answer, probe.transport));
    answer.map_err(|errno| {
        // Whatever is the matter with it, the next attempt has a new one.
        tools.kept.forget(place);
        ours(errno)
    })
}

fn exchange<'a>(socket: impl AsFd, request: &[u8], scratch: &'a mut [u8]) -> rustix::io::Result<&'a [u8]> {
    send(&socket, request, SendFlags::empty())?;
    let (_, length) = recv(&socket, &mut *scratch, RecvFlags::empty())?;
    Ok(scratch.get(..length).unwrap_or_default())
}

/// `nlmsghdr`, then `inet_diag_req_v2`: an exact lookup, of the socket that a packet to this address would reach.
fn request(probe: &ListenProbe) -> [u8; MESSAGE] {
    let mut bytes = [0; MESSAGE];
    let mut put = |at: usize, field: &[u8]| {
        bytes.iter_mut().skip(at).zip(field).for_each(|(byte, value)| *byte = *value);
    };
    let ip = probe.address.ip();
    let family = if ip.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    put(0, &u32::try_from(MESSAGE).unwrap_or(0).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &NLM_F_REQUEST.to_ne_bytes());
    put(HEADER, &[u8::try_from(family.as_raw()).unwrap_or(0)]);
    put(HEADER + 4, &u32::MAX.to_ne_bytes());
    // The kernel has the two ends the other way round for UDP.
    let (protocol, port, address) = match probe.transport {
        Transport::Tcp => (IPPROTO_TCP, HEADER + 8, HEADER + 12),
        Transport::Udp => (IPPROTO_UDP, HEADER + 10, HEADER + 28),
    };
    put(HEADER + 1, &[protocol]);
    put(port, &probe.address.port().to_be_bytes());
    match ip {
        IpAddr::V4(ip) => put(address, &ip.octets()),
        IpAddr::V6(ip) => put(address, &ip.octets()),
    }
    // No cookie.
    put(HEADER + 48, &u64::MAX.to_ne_bytes());
    bytes
}

/// True if the answer is a socket that listens.
fn understand(answer: &[u8], transport: Transport) -> rustix::io::Result<bool> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let word = answer.get(HEADER..HEADER + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, word) {
        (Some(NLMSG_ERROR), Some(error)) if error == -Errno::NOENT.raw_os_error() => Ok(false),
        (Some(NLMSG_ERROR), Some(error)) => Err(Errno::from_raw_os_error(error.wrapping_neg())),
        (Some(SOCK_DIAG_BY_FAMILY), Some(_)) => {
            // `inet_diag_msg` has the state in its second byte; of UDP it says nothing.
            Ok(transport == Transport::Udp || answer.get(HEADER + 1) == Some(&TCP_LISTEN))
        }
        _ => Err(Errno::BADMSG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_as_long_as_the_kernel_wants_it() {
        let bytes = request(&ListenProbe::new("127.0.0.1:8080".parse().unwrap()));
        assert_eq!(bytes[..4], 72_u32.to_ne_bytes());
        assert_eq!(bytes[24..26], [0x1f, 0x90]);
        assert_eq!(bytes[28..32], [127, 0, 0, 1]);
    }

    #[test]
    fn answers() {
        let error = |errno: Errno| {
            let mut bytes = [0; 36];
            bytes[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
            bytes[16..20].copy_from_slice(&(-errno.raw_os_error()).to_ne_bytes());
            understand(&bytes, Transport::Tcp)
        };
        assert_eq!(error(Errno::NOENT), Ok(false));
        assert_eq!(error(Errno::PERM), Err(Errno::PERM));
        assert_eq!(understand(&[], Transport::Tcp), Err(Errno::BADMSG));
        let mut found = [0; 88];
        found[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        assert_eq!(understand(&found, Transport::Tcp), Ok(false), "a connection is no listener");
        found[17] = TCP_LISTEN;
        assert_eq!(understand(&found, Transport::Tcp), Ok(true));
    }
}
