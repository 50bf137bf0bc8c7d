//! Messages to the kernel over netlink (`netlink(7)`): how they are written, sent, and answered.
//!
//! Two families are spoken: routing (links, addresses, routes) and netfilter (elements of its maps). Both answer at once,
//! so nothing here waits. A socket stays in the network namespace that it was made in.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_recv_buffer_size_force, set_socket_send_buffer_size_force};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

/// `linux/netlink.h`.
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
pub(super) const NLM_F_DUMP: u16 = 0x300;
pub(super) const NLM_F_EXCL: u16 = 0x200;
pub(super) const NLM_F_CREATE: u16 = 0x400;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLA_F_NESTED: u16 = 0x8000;
const NLA_TYPE_MASK: u16 = 0x3fff;

/// `nlmsghdr`, and the header of an attribute.
pub(super) const HEADER: usize = 16;
const ATTRIBUTE: usize = 4;
/// The kernel sends no more at once.
const MOST_BYTES: usize = 64 * 1024;

/// The room for a batch, and for the answers to it, of which each takes more than a kilobyte: thousands of ports. It is only
/// taken as it is needed.
const ROOM: usize = 16 << 20;

/// One message: a header of its family's, then attributes, which may have attributes in them.
#[derive(Clone, Debug)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// A message that the kernel acknowledges.
    pub(super) fn new(kind: u16, flags: u16, family_header: &[u8]) -> Message {
        Message::unacknowledged(kind, flags | NLM_F_ACK, family_header)
    }

    /// A message that is not answered, or with more than an acknowledgement.
    pub(super) fn unacknowledged(kind: u16, flags: u16, family_header: &[u8]) -> Message {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend((flags | NLM_F_REQUEST).to_ne_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend(family_header);
        Message(bytes)
    }

    /// With an attribute.
    pub(super) fn put(mut self, kind: u16, value: &[u8]) -> Message {
        let length = u16::try_from(ATTRIBUTE + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// With an attribute that is text and a zero behind it.
    pub(super) fn put_text(self, kind: u16, text: &str) -> Message {
        self.put(kind, &[text.as_bytes(), &[0]].concat())
    }

    /// With an attribute made of the attributes that `inner` adds.
    pub(super) fn nest(self, kind: u16, inner: impl FnOnce(Message) -> Message) -> Message {
        self.nest_behind(kind, &[], inner)
    }

    /// As [`Message::nest`], for an attribute that begins with a header.
    pub(super) fn nest_behind(self, kind: u16, header: &[u8], inner: impl FnOnce(Message) -> Message) -> Message {
        let start = self.0.len();
        let Message(mut bytes) = inner(self.put(kind | NLA_F_NESTED, header));
        let length = u16::try_from(bytes.len() - start).unwrap_or(u16::MAX);
        bytes.splice(start..start + 2, length.to_ne_bytes());
        Message(bytes)
    }

    fn wants_acknowledgement(&self) -> bool {
        half(&self.0, 6).is_some_and(|flags| flags & NLM_F_ACK != 0)
    }

    /// The bytes as they are sent, as the `sequence`th of its batch.
    fn finished(&self, sequence: u32) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.splice(0..4, u32::try_from(self.0.len()).unwrap_or(0).to_ne_bytes());
        bytes.splice(8..12, sequence.to_ne_bytes());
        bytes
    }
}

/// A socket to one family of the kernel's, in the network namespace of the thread that made it.
#[derive(Debug)]
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    /// Links, addresses and routes.
    pub(super) fn route() -> rustix::io::Result<Netlink> {
        Netlink::new(None)
    }

    /// Netfilter's tables.
    pub(super) fn netfilter() -> rustix::io::Result<Netlink> {
        Netlink::new(Some(netlink::NETFILTER))
    }

    fn new(protocol: Option<rustix::net::Protocol>) -> rustix::io::Result<Netlink> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        // Without the right to have it, what is usual is enough for hundreds.
        let _forced = set_socket_send_buffer_size_force(&socket, ROOM)
            .and_then(|()| set_socket_recv_buffer_size_force(&socket, ROOM));
        Ok(Netlink(socket))
    }

    /// Sends a batch. The error is that of the first message that failed; those behind it were tried all the same.
    pub(super) fn carry_out(&self, batch: &[Message]) -> rustix::io::Result<()> {
        let sent: Vec<u8> = (1..).zip(batch).flat_map(|(sequence, message)| message.finished(sequence)).collect();
        send(&self.0, &sent, SendFlags::empty())?;
        let mut awaited = batch.iter().filter(|message| message.wants_acknowledgement()).count();
        let mut first = Ok(());
        while awaited > 0 {
            for answer in self.receive()?.iter().filter_map(Answer::acknowledgement) {
                awaited = awaited.saturating_sub(1);
                first = first.and(answer);
            }
        }
        first
    }

    /// Asks a question with one answer.
    pub(super) fn ask(&self, question: &Message) -> rustix::io::Result<Answer> {
        send(&self.0, &question.finished(1), SendFlags::empty())?;
        let answer = self.receive()?.into_iter().next().ok_or(Errno::BADMSG)?;
        answer.acknowledgement().unwrap_or(Ok(()))?;
        Ok(answer)
    }

    /// Asks a question with any number of answers.
    pub(super) fn ask_all(&self, question: &Message) -> rustix::io::Result<Vec<Answer>> {
        send(&self.0, &question.finished(1), SendFlags::empty())?;
        let mut answers = Vec::new();
        loop {
            for answer in self.receive()? {
                match answer.acknowledgement() {
                    _ if answer.kind == NLMSG_DONE => return Ok(answers),
                    Some(failed) => failed?,
                    None => answers.push(answer),
                }
            }
        }
    }

    fn receive(&self) -> rustix::io::Result<Vec<Answer>> {
        let mut buffer = vec![0; MOST_BYTES];
        let (_, length) = recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
        Ok(Answer::all(buffer.get(..length).unwrap_or_default()))
    }
}

/// A message of the kernel's.
#[derive(Debug)]
pub(super) struct Answer {
    kind: u16,
    body: Vec<u8>,
}

impl Answer {
    /// The messages of one datagram.
    fn all(mut bytes: &[u8]) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some((length, kind)) = word(bytes, 0).zip(half(bytes, 4)) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let Some(body) = bytes.get(HEADER..length) else { break };
            answers.push(Answer { kind, body: body.to_vec() });
            bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        answers
    }

    fn acknowledgement(&self) -> Option<rustix::io::Result<()>> {
        let code = word(&self.body, 0).filter(|_| self.kind == NLMSG_ERROR)?;
        let errno = i32::from_ne_bytes(code.to_ne_bytes()).wrapping_neg();
        Some(if errno == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(errno)) })
    }

    /// The number at this place of the family's header.
    pub(super) fn number(&self, at: usize) -> Option<u32> {
        word(&self.body, at)
    }

    /// The value of an attribute; they begin behind the family's header.
    pub(super) fn attribute(&self, header: usize, wanted: u16) -> Option<&[u8]> {
        let mut rest = self.body.get(header..)?;
        loop {
            let length = usize::from(half(rest, 0)?);
            let value = rest.get(ATTRIBUTE..length)?;
            if half(rest, 2)? & NLA_TYPE_MASK == wanted {
                return Some(value);
            }
            rest = rest.get(length.next_multiple_of(4)..)?;
        }
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than the kernel has room for by default, both of what is asked and of what is answered.
    #[test]
    fn a_large_batch_is_answered() {
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED a_large_batch_is_answered: needs root");
            return;
        }
        let batch = vec![super::super::links::delete("cygnet-none"); 8_000];
        assert_eq!(Netlink::route().unwrap().carry_out(&batch), Err(Errno::NODEV));
    }

    #[test]
    fn attributes_are_padded_and_know_their_length() {
        let message = Message::new(16, 0, &[1, 2, 3, 4]).put_text(3, "ab").nest(18, |inner| inner.put(1, &[9]));
        let bytes = message.finished(7);
        assert_eq!(bytes.len(), 16 + 4 + 8 + 4 + 8);
        assert_eq!(bytes[..4], 40_u32.to_ne_bytes());
        assert_eq!(bytes[8..12], 7_u32.to_ne_bytes());
        assert_eq!(bytes[20..28], [7, 0, 3, 0, b'a', b'b', 0, 0]);
        assert_eq!(bytes[28..], [12, 0, 18, 0x80, 5, 0, 1, 0, 9, 0, 0, 0]);
        assert!(message.wants_acknowledgement());
        assert!(!Message::unacknowledged(16, 0x400, &[]).wants_acknowledgement());
    }

    #[test]
    fn answers_that_are_cut_short_are_none() {
        let bytes = Message::new(16, 0, &[5, 0, 0, 0]).put(3, b"abcd").finished(1);
        let [answer] = &Answer::all(&bytes)[..] else { panic!("one message") };
        assert_eq!((answer.number(0), answer.attribute(4, 3)), (Some(5), Some(&b"abcd"[..])));
        assert_eq!((answer.attribute(4, 4), answer.attribute(40, 3), answer.number(10)), (None, None, None));
        for cut in 0..bytes.len() {
            assert!(Answer::all(&bytes[..cut]).is_empty());
        }
        let mut endless = bytes;
        endless[20..22].copy_from_slice(&0_u16.to_ne_bytes());
        assert_eq!(Answer::all(&endless)[0].attribute(4, 4), None, "an attribute of no length ends the search");
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for _round in 0..5_000 {
            let bytes: Vec<u8> =
                (0..fastrand::usize(..100)).map(|_| fastrand::choice([0, 1, 4, 16, 20, 255]).unwrap()).collect();
            for answer in Answer::all(&bytes) {
                let longest = (0..20).filter_map(|kind| answer.attribute(4, kind)).map(<[u8]>::len).max();
                assert!(longest.unwrap_or_default() <= bytes.len() && answer.number(100).is_none());
            }
        }
    }
}
