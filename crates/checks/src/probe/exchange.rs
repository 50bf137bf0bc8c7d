//! Bytes sent and bytes expected, over TCP or UDP.
//!
//! Over TCP what comes in is held against the expectations whenever there is more of it, until they hold, the peer
//! ends, or too much has come. Over UDP one datagram is the answer; one that nobody listens for is refused by the
//! kernel or the peer's host.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::task::Poll;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketType, connect, recv, send};

use super::kept::Handshake;
use super::poller::{Interest, Poller};
use super::stream::{Endpoint, Received, Stream};
use super::tools::Tools;
use super::{blame, unconnected};
use crate::outcome::{Answer, Failure, Outcome, Phases, Said};
use crate::place::Place;
use crate::spec::matcher::{BadExpectation, KEPT, Matcher, Search, first_objection};
use crate::spec::{ExchangeProbe, SpecError, Transport};

/// An exchange, ready to be attempted.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    transport: Transport,
    address: SocketAddr,
    source: Option<IpAddr>,
    send: Box<[u8]>,
    expect: Box<[Matcher]>,
}

#[derive(Debug)]
pub(crate) enum Attempt {
    Tcp { stream: Stream, received: Vec<u8>, search: Search },
    Udp { socket: OwnedFd, received: Vec<u8>, phases: Phases },
}

impl Plan {
    pub(super) fn of(probe: ExchangeProbe) -> Result<Plan, SpecError> {
        let bad = |error: BadExpectation| SpecError { field: "probe.exchange.expect", problem: error.to_string() };
        let expect = probe.expect.iter().map(Matcher::compile).collect::<Result<_, _>>().map_err(bad)?;
        let ExchangeProbe { transport, address, source, send, .. } = probe;
        Ok(Plan { transport, address, source, send: send.into(), expect })
    }

    fn judge(&self, answer: &[u8]) -> Outcome {
        match first_objection(&self.expect, answer) {
            None => Outcome::Success(Answer::Expected),
            Some(cause) => Outcome::Failure(Failure::Body { cause }),
        }
    }
}

impl Attempt {
    pub(super) fn start(plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        let mut attempt = match plan.transport {
            Transport::Tcp => Attempt::open(plan, place, tools)?,
            // No answer comes that fast.
            Transport::Udp => return ask(plan, place, tools),
        };
        match attempt.advance(plan, tools) {
            Poll::Ready(outcome) => Err(outcome),
            Poll::Pending => Ok(attempt),
        }
    }

    /// The answer as far as it has come.
    pub(super) fn said(&self) -> Option<Box<Said>> {
        let (Attempt::Tcp { received, .. } | Attempt::Udp { received, .. }) = self;
        Said::of_failure(None, received)
    }

    fn open(plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        let endpoint = Endpoint { address: plan.address, source: plan.source, tls: None, handshake: Handshake::Whole };
        let mut stream = Stream::open(endpoint, place, tools)?;
        stream.push(&plan.send)?;
        Ok(Attempt::Tcp { stream, received: Vec::new(), search: Search::default() })
    }

    pub(super) fn advance(&mut self, plan: &Plan, tools: &mut Tools<'_>) -> Poll<Outcome> {
        match self {
            Attempt::Tcp { stream, received, search } => converse(stream, received, search, plan, tools),
            Attempt::Udp { socket, received, phases } => hear(socket, received, phases, plan, tools),
        }
    }

    /// Its connection does not wake it until it has gone on again; a datagram is all there is.
    pub(super) fn rest(&mut self, poller: &Poller) -> bool {
        match self {
            Attempt::Tcp { stream, .. } => stream.rest(poller),
            Attempt::Udp { .. } => false,
        }
    }

    pub(super) fn phases(&self) -> Phases {
        match self {
            Attempt::Tcp { stream, .. } => stream.phases(),
            Attempt::Udp { phases, .. } => *phases,
        }
    }
}

fn converse(
    stream: &mut Stream,
    received: &mut Vec<u8>,
    search: &mut Search,
    plan: &Plan,
    tools: &mut Tools<'_>,
) -> Poll<Outcome> {
    loop {
        let elapsed = tools.elapsed();
        match stream.exchange(tools.scratch, elapsed) {
            Err(outcome) => return Poll::Ready(outcome),
            Ok(Received::NotYet) => break,
            Ok(Received::End) if received.is_empty() => {
                let cause = "the connection was closed without an answer".to_owned();
                return Poll::Ready(Outcome::Failure(Failure::Closed { cause }));
            }
            Ok(Received::End) => return Poll::Ready(plan.judge(received)),
            Ok(Received::Bytes(length)) => received.extend(tools.scratch.get(..length).unwrap_or_default()),
        }
        if search.holds(&plan.expect, received) {
            return Poll::Ready(Outcome::Success(Answer::Expected));
        }
        if received.len() >= KEPT {
            return Poll::Ready(plan.judge(received));
        }
    }
    stream.register(tools).map_or_else(Poll::Ready, |()| Poll::Pending)
}

fn ask(plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
    let socket = tools.socket(place, &plan.address, plan.source, SocketType::DGRAM)?;
    connect(&socket, &plan.address).map_err(|errno| unconnected(errno, &plan.address))?;
    send(&socket, &plan.send, SendFlags::NOSIGNAL).map_err(|errno| unconnected(errno, &plan.address))?;
    let ours = |errno| blame(errno, |cause| Failure::Connection { cause });
    tools.poller.add(&socket, tools.key, Interest::Read).map_err(ours)?;
    // There is no connection: that the datagram is on its way is as much as can be known.
    let phases = Phases { connected: Some(Duration::ZERO), ..Phases::default() };
    Ok(Attempt::Udp { socket, received: Vec::new(), phases })
}

fn hear(
    socket: &OwnedFd,
    received: &mut Vec<u8>,
    phases: &mut Phases,
    plan: &Plan,
    tools: &mut Tools<'_>,
) -> Poll<Outcome> {
    match recv(socket, &mut *tools.scratch, RecvFlags::empty()) {
        Ok((_, length)) => {
            phases.answered = Some(tools.elapsed());
            received.extend(tools.scratch.get(..length).unwrap_or_default());
            Poll::Ready(plan.judge(received))
        }
        Err(Errno::AGAIN | Errno::INTR) => Poll::Pending,
        Err(errno) => Poll::Ready(unconnected(errno, &plan.address)),
    }
}
