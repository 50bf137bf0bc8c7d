//! One request and the bytes that come back, over TCP or TLS.
//!
//! The request is sent at once after `connect`: on one machine the handshake is over by then, and epoll is asked only
//! for the answer. If it is not, the socket says so and epoll is asked for that first.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, connect, recv, send};
use rustls::ClientConnection;

use crate::outcome::{Failure, Outcome};
use crate::place::Place;
use crate::probe::poller::Interest;
use crate::probe::tools::Tools;
use crate::probe::{blame, tcp, words};
use crate::spec::Scheme;

use super::target::Target;

#[derive(Debug)]
pub(super) struct Connection {
    wire: Wire,
    tls: Option<Box<ClientConnection>>,
    /// What of the request is not sent yet.
    unsent: Vec<u8>,
    registered: Option<Interest>,
}

/// What came back.
pub(super) enum Received {
    Bytes(usize),
    End,
    NotYet,
}

impl Connection {
    pub(super) fn open(target: &Target, place: &Place, tools: &mut Tools<'_>) -> Result<Connection, Outcome> {
        let socket = tools.socket(place, tcp::family(&target.address))?;
        match connect(&socket, &target.address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            Err(errno) => return Err(blame(errno, |cause| Failure::Connection { cause })),
        }
        let mut connection = Connection { wire: Wire(socket), tls: None, unsent: target.request(), registered: None };
        if target.scheme == Scheme::Https {
            connection.tls = Some(Box::new(shake_hands(target, &connection.unsent, tools)?));
            connection.unsent.clear();
        }
        Ok(connection)
    }

    /// Sends what is to be sent, and reads what there is.
    pub(super) fn exchange(&mut self, scratch: &mut [u8]) -> Result<Received, Failure> {
        match self.try_exchange(scratch) {
            Ok(0) => Ok(Received::End),
            Ok(length) => Ok(Received::Bytes(length)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(Received::NotYet),
                // TLS without its farewell: the response itself says whether it is whole.
                ErrorKind::UnexpectedEof => Ok(Received::End),
                _ => Err(broken(&error)),
            },
        }
    }

    fn try_exchange(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        if !self.unsent.is_empty() {
            let sent = self.wire.write(&self.unsent)?;
            self.unsent.drain(..sent);
            // Nobody answers that fast.
            return Err(ErrorKind::WouldBlock.into());
        }
        match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.wire).read(scratch),
            None => self.wire.read(scratch),
        }
    }

    /// Has epoll look for whatever holds us up.
    pub(super) fn register(&mut self, tools: &Tools<'_>) -> Result<(), Outcome> {
        let tls_writes = self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        let interest = match (self.unsent.is_empty(), tls_writes) {
            (false, _) => Interest::Write,
            (true, true) => Interest::Both,
            (true, false) => Interest::Read,
        };
        let done = match self.registered {
            Some(registered) if registered == interest => Ok(()),
            Some(_) => tools.poller.modify(&self.wire.0, tools.key, interest),
            None => tools.poller.add(&self.wire.0, tools.key, interest),
        };
        self.registered = Some(interest);
        done.map_err(|errno| blame(errno, |cause| Failure::Connection { cause }))
    }
}

/// The request waits inside until hands are shaken.
fn shake_hands(target: &Target, request: &[u8], tools: &Tools<'_>) -> Result<ClientConnection, Outcome> {
    let failed = |cause: String| Outcome::Failure(Failure::Tls { cause });
    let mut tls = ClientConnection::new(Arc::clone(tools.tls), target.server_name())
        .map_err(|error| failed(error.to_string()))?;
    tls.writer().write_all(request).map_err(|error| failed(error.to_string()))?;
    Ok(tls)
}

fn broken(error: &io::Error) -> Failure {
    match (Errno::from_io_error(error), error.get_ref()) {
        (Some(errno), _) => Failure::Connection { cause: words(errno) },
        (None, Some(tls)) => Failure::Tls { cause: tls.to_string() },
        (None, None) => Failure::Connection { cause: error.to_string() },
    }
}

/// A socket as rustls wants it.
#[derive(Debug)]
struct Wire(OwnedFd);

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(&self.0, buffer, RecvFlags::empty())?.1)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0, bytes, SendFlags::NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
