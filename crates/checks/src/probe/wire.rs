//! The bytes of a connection on its socket, plain or inside TLS. In: bytes to send, room to read into. Out: bytes read.
//!
//! Each kind owns its socket, so what belongs into TLS has no other way out: [`Secured`] writes nothing but what rustls
//! made of it.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustls::ClientConnection;

/// The number of bytes that are read before others have their turn.
const SHARE: usize = 64 * 1024;

/// A connection's bytes.
#[derive(Debug)]
pub(super) enum Wire {
    Plain(Plain),
    Secured(Box<Secured>),
}

/// Bytes as they are.
#[derive(Debug)]
pub(super) struct Plain {
    socket: Socket,
    unsent: Vec<u8>,
}

/// Bytes inside TLS.
#[derive(Debug)]
pub(super) struct Secured {
    socket: Socket,
    session: ClientConnection,
}

impl Wire {
    pub(super) fn plain(socket: OwnedFd) -> Wire {
        Wire::Plain(Plain { socket: Socket::new(socket), unsent: Vec::new() })
    }

    pub(super) fn secured(socket: OwnedFd, mut session: ClientConnection) -> Wire {
        // A request is in memory anyway: kept here until hands are shaken, none of it needs another place.
        session.set_buffer_limit(None);
        Wire::Secured(Box::new(Secured { socket: Socket::new(socket), session }))
    }

    /// Takes bytes to be sent as soon as possible; inside TLS, when hands are shaken.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Wire::Plain(plain) => {
                plain.unsent.extend_from_slice(bytes);
                Ok(())
            }
            Wire::Secured(secured) => secured.session.writer().write_all(bytes),
        }
    }

    /// The same, for the first bytes, which need not be copied.
    pub(super) fn begin(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match self {
            Wire::Plain(plain) => {
                plain.unsent = bytes;
                Ok(())
            }
            Wire::Secured(_) => self.push(&bytes),
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Wire::Plain(_))
    }

    /// True if plain bytes wait, which show by being sent whether the connection has come about.
    pub(super) fn has_unsent(&self) -> bool {
        matches!(self, Wire::Plain(plain) if !plain.unsent.is_empty())
    }

    /// Sends plain bytes that wait.
    pub(super) fn send(&mut self) -> io::Result<()> {
        let Wire::Plain(Plain { socket, unsent }) = self else { return Ok(()) };
        let sent = socket.write(unsent)?;
        unsent.drain(..sent);
        Ok(())
    }

    /// Reads what there is; inside TLS, after what rustls has to send.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(plain) => plain.socket.read(buffer),
            Wire::Secured(secured) => {
                let Secured { socket, session } = &mut **secured;
                rustls::Stream::new(session, socket).read(buffer)
            }
        }
    }

    /// Others have had their turn.
    pub(super) fn grant_share(&mut self) {
        match self {
            Wire::Plain(plain) => plain.socket.share = SHARE,
            Wire::Secured(secured) => secured.socket.share = SHARE,
        }
    }

    /// True if rustls has something to send.
    pub(super) fn wants_write(&self) -> bool {
        matches!(self, Wire::Secured(secured) if secured.session.wants_write())
    }

    /// True if hands are shaken.
    pub(super) fn is_secured(&self) -> bool {
        matches!(self, Wire::Secured(secured) if !secured.session.is_handshaking())
    }

    /// The certificate the server showed, as DER.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        let Wire::Secured(secured) = self else { return None };
        secured.session.peer_certificates()?.first().map(AsRef::as_ref)
    }

    /// The socket, to be watched and asked. To write to it there is [`Wire::push`].
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        match self {
            Wire::Plain(plain) => plain.socket.descriptor.as_fd(),
            Wire::Secured(secured) => secured.socket.descriptor.as_fd(),
        }
    }

    /// The end: the socket may serve another connection.
    pub(super) fn into_socket(self) -> OwnedFd {
        match self {
            Wire::Plain(plain) => plain.socket.descriptor,
            Wire::Secured(secured) => secured.socket.descriptor,
        }
    }
}

/// A socket as rustls wants it.
#[derive(Debug)]
struct Socket {
    descriptor: OwnedFd,
    /// The number of bytes that may still be read before others have their turn.
    share: usize,
}

impl Socket {
    fn new(descriptor: OwnedFd) -> Socket {
        Socket { descriptor, share: SHARE }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.share);
        match buffer.get_mut(..room) {
            None | Some([]) => Err(ErrorKind::WouldBlock.into()),
            Some(buffer) => {
                let length = recv(&self.descriptor, buffer, RecvFlags::empty())?.1;
                self.share -= length;
                Ok(length)
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.descriptor, bytes, SendFlags::NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
