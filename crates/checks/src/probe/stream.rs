//! A connection that bytes go out on and come in from, plain or with TLS.
//!
//! Bytes to be sent are sent at once after `connect`: on one machine the handshake is over by then, and epoll is
//! asked only for the answer. If it is not, the socket says so and epoll is asked for that first.
//!
//! Between two registrations with epoll no more is read than a share ([`Wire`]), TLS included: what a peer sends
//! faster than it is understood waits in the kernel until the others have had their turn.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::connect;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::kept::{Handshake, SocketKind};
use super::poller::{Interest, Poller};
use super::tools::Tools;
use super::wire::Wire;
use super::{blame, unconnected};
use crate::outcome::{Failure, Outcome, Phases, errno_text};
use crate::place::Place;
use crate::spec::TlsPlan;

/// The end point of a connection, and how to make it.
#[derive(Debug)]
pub(crate) struct Endpoint<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) source: Option<IpAddr>,
    pub(crate) tls: Option<(&'a TlsPlan, ServerName<'static>)>,
    /// Deferred, if the first to speak are we.
    pub(crate) handshake: Handshake,
}

#[derive(Debug)]
pub(crate) struct Stream {
    wire: Wire,
    registered: Option<Interest>,
    address: SocketAddr,
    /// Nothing if its socket is bound to a source.
    kind: Option<SocketKind>,
    phases: Phases,
}

/// The result of an exchange.
pub(crate) enum Received {
    Bytes(usize),
    End,
    NotYet,
}

impl Stream {
    pub(crate) fn open(endpoint: Endpoint<'_>, place: &Place, tools: &mut Tools<'_>) -> Result<Stream, Outcome> {
        let Endpoint { address, source, tls, handshake } = endpoint;
        let socket = tools.stream(place, &address, source, handshake)?;
        match connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            Err(errno) => return Err(unconnected(errno, &address)),
        }
        let failed = |error: rustls::Error| Outcome::Failure(super::tls_failure::failure(&error));
        let tls = tls.map(|(plan, name)| ClientConnection::new(Arc::clone(plan.config()), name)).transpose();
        let wire = match tls.map_err(failed)? {
            Some(session) => Wire::secured(socket, session),
            None => Wire::plain(socket),
        };
        let kind = source.is_none().then_some(SocketKind { is_ipv4: address.is_ipv4(), handshake });
        Ok(Stream { wire, registered: None, address, kind, phases: Phases::default() })
    }

    /// Resets the connection. The socket may serve another one.
    pub(crate) fn dissolve(self, place: &Place, tools: &mut Tools<'_>) {
        let Stream { wire, registered, kind, .. } = self;
        let Some(kind) = kind else { return };
        let socket = wire.into_socket();
        if registered.is_some() {
            tools.poller.remove(&socket);
        }
        tools.give_back(place, kind, socket);
    }

    /// Takes bytes to be sent as soon as possible; with TLS, when hands are shaken.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Outcome> {
        self.wire.push(bytes).map_err(|error| self.broken(&error))
    }

    /// The same, for the first bytes, which need not be copied.
    pub(crate) fn begin(&mut self, bytes: Vec<u8>) -> Result<(), Outcome> {
        self.wire.begin(bytes).map_err(|error| self.broken(&error))
    }

    /// The point it got to.
    pub(crate) fn phases(&self) -> Phases {
        self.phases
    }

    /// Until now it was used for another attempt.
    pub(crate) fn reuse(&mut self) {
        let connected = Some(Duration::ZERO);
        self.phases = Phases { connected, secured: self.phases.secured.and(connected), ..Phases::default() };
    }

    /// The certificate the server showed, as DER.
    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        self.wire.certificate()
    }

    /// Sends the bytes that wait, and reads what there is.
    pub(crate) fn exchange(&mut self, scratch: &mut [u8], elapsed: Duration) -> Result<Received, Outcome> {
        let exchanged = self.try_exchange(scratch, elapsed);
        if self.wire.is_secured() {
            self.phases.secured.get_or_insert(elapsed);
        }
        match exchanged {
            Ok(0) => Ok(Received::End),
            Ok(length) => {
                self.phases.answered.get_or_insert(elapsed);
                Ok(Received::Bytes(length))
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(Received::NotYet),
                // TLS without its farewell: the response itself says whether it is whole.
                ErrorKind::UnexpectedEof => Ok(Received::End),
                _ => Err(self.broken(&error)),
            },
        }
    }

    fn try_exchange(&mut self, scratch: &mut [u8], elapsed: Duration) -> io::Result<usize> {
        if self.wire.has_unsent() {
            self.wire.send()?;
            self.phases.connected.get_or_insert(elapsed);
            // No answer comes that fast.
            return Err(ErrorKind::WouldBlock.into());
        }
        if self.phases.connected.is_none() {
            self.connect_again()?;
            self.phases.connected = Some(elapsed);
            if self.wire.is_plain() {
                // Nor does anybody speak that fast.
                return Err(ErrorKind::WouldBlock.into());
            }
        }
        self.wire.read(scratch)
    }

    /// The way to ask whether a connection has come about when there is nothing to send.
    fn connect_again(&self) -> io::Result<()> {
        match connect(self.wire.socket(), &self.address) {
            Ok(()) | Err(Errno::ISCONN) => Ok(()),
            Err(Errno::INPROGRESS | Errno::ALREADY) => Err(ErrorKind::WouldBlock.into()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Has epoll look for whatever holds us up, which may be that others have their turn.
    pub(crate) fn register(&mut self, tools: &Tools<'_>) -> Result<(), Outcome> {
        self.wire.grant_share();
        let waits_to_connect = self.phases.connected.is_none();
        let interest = match (!self.wire.has_unsent() && !waits_to_connect, self.wire.wants_write()) {
            (false, _) => Interest::Write,
            (true, true) => Interest::Both,
            (true, false) => Interest::Read,
        };
        let done = match self.registered {
            Some(registered) if registered == interest => Ok(()),
            Some(_) => tools.poller.modify(self.wire.socket(), tools.key, interest),
            None => tools.poller.add(self.wire.socket(), tools.key, interest),
        };
        self.registered = Some(interest);
        done.map_err(|errno| blame(errno, |cause| Failure::Connection { cause }))
    }

    /// Epoll does not look until it is registered again. Whether it was.
    pub(crate) fn rest(&mut self, poller: &Poller) -> bool {
        let was_registered = self.registered.take().is_some();
        if was_registered {
            poller.remove(self.wire.socket());
        }
        was_registered
    }

    fn broken(&self, error: &io::Error) -> Outcome {
        match (Errno::from_io_error(error), error.get_ref()) {
            (Some(errno), _) if self.phases.connected.is_none() => unconnected(errno, &self.address),
            (Some(errno), _) => blame(errno, |_| Failure::Connection { cause: errno_text(errno) }),
            (None, Some(tls)) => Outcome::Failure(super::tls_failure::failure(tls)),
            (None, None) => Outcome::Failure(Failure::Connection { cause: error.to_string() }),
        }
    }
}
