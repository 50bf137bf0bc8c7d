//! Attempts: each probe is a state machine over sockets or processes that never blocks.
//!
//! In: a prepared probe, its place, and [`Tools`]; later, that one of its descriptors is ready, or that time is up.
//! Out: an [`Outcome`]. An attempt owns its descriptors; closing them takes them out of the epoll set.

mod addresses;
mod cgroup;
mod command;
mod exchange;
mod grpc;
mod http;
mod http2;
pub(crate) mod kept;
mod listen;
pub(crate) mod nursery;
pub(crate) mod poller;
pub(crate) mod prepared;
pub(crate) mod reaper;
pub(crate) mod stream;
mod tcp;
mod tls_failure;
pub(crate) mod tools;
mod wire;

use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use rustix::io::Errno;

use crate::outcome::{Failure, Outcome, Phases, Reason, Said, errno_text};
use crate::place::Place;
use poller::Poller;
use prepared::Prepared;
use stream::Stream;
use tools::Tools;

#[cfg(any(feature = "fuzzing", test))]
pub(crate) use self::{
    grpc::fuzz as fuzz_grpc, http::fuzz as fuzz_http1, http::fuzz_location, http2::fuzz as fuzz_http2,
};

/// The name that the engine gives itself.
const USER_AGENT: &str = concat!("cygnet-checks/", env!("CARGO_PKG_VERSION"));

/// One execution of a probe.
#[derive(Debug)]
pub(crate) enum Attempt {
    Tcp(tcp::Attempt),
    Http(Box<http::Attempt>),
    Grpc(Box<grpc::Attempt>),
    Exchange(Box<exchange::Attempt>),
    Command(Box<command::Attempt>),
    AnyAddress(Box<addresses::Attempt>),
}

impl Attempt {
    /// Begins to ask, on the connection that an earlier attempt kept if there is one. `Err` if that was all: many
    /// attempts end where they begin.
    pub(crate) fn start(
        probe: &Prepared,
        place: &Place,
        kept: Option<Box<Stream>>,
        tools: &mut Tools<'_>,
    ) -> Result<Attempt, Outcome> {
        match probe {
            Prepared::Tcp(probe) => tcp::Attempt::start(probe, place, tools).map(Attempt::Tcp),
            Prepared::Http(plan) => http::Attempt::start(plan, place, kept, tools).map(Box::new).map(Attempt::Http),
            Prepared::Grpc(plan) => grpc::Attempt::start(plan, place, tools).map(Box::new).map(Attempt::Grpc),
            Prepared::Listen(probe) => Err(listen::ask(probe, place, tools)),
            Prepared::Exchange(plan) => {
                exchange::Attempt::start(plan, place, tools).map(Box::new).map(Attempt::Exchange)
            }
            Prepared::Command(probe) => {
                command::Attempt::start(probe, place, tools).map(Box::new).map(Attempt::Command)
            }
            Prepared::AnyAddress(plan) => {
                addresses::Attempt::start(plan, place, kept, tools).map(Box::new).map(Attempt::AnyAddress)
            }
            Prepared::Invalid(error) => Err(Outcome::Failure(Failure::Invalid { cause: error.to_string() })),
        }
    }

    /// Something is ready, perhaps.
    pub(crate) fn advance(&mut self, probe: &Prepared, place: &Place, tools: &mut Tools<'_>) -> Poll<Outcome> {
        match (self, probe) {
            (Attempt::Tcp(attempt), _) => attempt.advance(),
            (Attempt::Http(attempt), Prepared::Http(plan)) => attempt.advance(plan, place, tools),
            (Attempt::Grpc(attempt), Prepared::Grpc(plan)) => attempt.advance(plan, tools),
            (Attempt::Exchange(attempt), Prepared::Exchange(plan)) => attempt.advance(plan, tools),
            (Attempt::Command(attempt), _) => attempt.advance(place, tools),
            (Attempt::AnyAddress(attempt), Prepared::AnyAddress(plan)) => attempt.advance(plan, place, tools),
            (Attempt::Http(_) | Attempt::Grpc(_) | Attempt::Exchange(_) | Attempt::AnyAddress(_), _) => Poll::Pending,
        }
    }

    /// Others have their turn: what its peer sends does not wake it until it has gone on again. Whether there was
    /// something that would have.
    pub(crate) fn rest(&mut self, poller: &Poller) -> bool {
        match self {
            Attempt::Tcp(_) => false,
            Attempt::Http(attempt) => attempt.rest(poller),
            Attempt::Grpc(attempt) => attempt.rest(poller),
            Attempt::Exchange(attempt) => attempt.rest(poller),
            Attempt::Command(attempt) => attempt.rest(poller),
            Attempt::AnyAddress(attempt) => attempt.inner.rest(poller),
        }
    }

    /// The points it got to, and when.
    pub(crate) fn phases(&self) -> Phases {
        match self {
            Attempt::Tcp(_) => Phases::default(),
            Attempt::Http(attempt) => attempt.phases(),
            Attempt::Grpc(attempt) => attempt.phases(),
            Attempt::Exchange(attempt) => attempt.phases(),
            Attempt::Command(attempt) => attempt.phases(),
            Attempt::AnyAddress(attempt) => attempt.inner.phases(),
        }
    }

    /// The answer, if there was one, and the probe wants it reported or it was no success.
    pub(crate) fn said(&self, probe: &Prepared, outcome: &Outcome) -> Option<Box<Said>> {
        let has_failed = !matches!(outcome, Outcome::Success(_));
        match (self, probe) {
            (Attempt::Http(attempt), Prepared::Http(plan)) => attempt.said(plan, has_failed),
            (Attempt::Grpc(attempt), _) if has_failed => attempt.said(),
            (Attempt::Exchange(attempt), _) if has_failed => attempt.said(),
            (Attempt::AnyAddress(attempt), Prepared::AnyAddress(plan)) => {
                attempt.inner.said(attempt.probe(plan), outcome)
            }
            _ => None,
        }
    }

    /// Its time is up.
    pub(crate) fn timed_out(&self, after: Duration) -> Failure {
        match self {
            Attempt::Command(_) => Failure::TimedOut { after, output: String::new() },
            other if other.phases().connected.is_none() => Failure::ConnectTimedOut { after },
            _ => Failure::TimedOut { after, output: String::new() },
        }
    }

    /// Ends it, because its time is up. A command ends, with this outcome, only when all of it is gone.
    pub(crate) fn expire(&mut self, outcome: Outcome, tools: &mut Tools<'_>) -> Poll<Outcome> {
        match self {
            Attempt::Command(attempt) => attempt.expire(outcome, tools),
            _ => Poll::Ready(outcome),
        }
    }

    /// Ends it: its outcome is no longer wanted.
    pub(crate) fn dismiss(self, tools: &mut Tools<'_>) {
        if let Attempt::Command(attempt) = self {
            attempt.dismiss(tools);
        }
    }

    /// It is over. Returns a connection that another attempt may use, and the CPU a command has used.
    pub(crate) fn dissolve(self, place: &Place, tools: &mut Tools<'_>) -> (Option<Box<Stream>>, Duration) {
        match self {
            Attempt::Http(attempt) => (attempt.dissolve(place, tools), Duration::ZERO),
            Attempt::Command(attempt) => (None, attempt.dissolve(tools)),
            Attempt::AnyAddress(attempt) => attempt.inner.dissolve(place, tools),
            Attempt::Tcp(_) | Attempt::Grpc(_) | Attempt::Exchange(_) => (None, Duration::ZERO),
        }
    }
}

/// Blames an error of the operating system on us, if we are out of something, else on the task.
pub(crate) fn blame(errno: Errno, failure: impl FnOnce(String) -> Failure) -> Outcome {
    match errno {
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS => {
            Outcome::Inconclusive(Reason::EngineExhausted { cause: errno_text(errno) })
        }
        errno => Outcome::Failure(failure(errno_text(errno))),
    }
}

/// No connection came about. Over IPv4 "address not available" means that no port is left to connect from; over IPv6
/// also that there is no address at all.
pub(crate) fn unconnected(errno: Errno, address: &SocketAddr) -> Outcome {
    match errno {
        Errno::CONNREFUSED => Outcome::Failure(Failure::Refused),
        Errno::ADDRNOTAVAIL if address.is_ipv4() => {
            Outcome::Inconclusive(Reason::EngineExhausted { cause: "no port is left to connect from".to_owned() })
        }
        Errno::CONNRESET | Errno::PIPE => blame(errno, |cause| Failure::Connection { cause }),
        errno => blame(errno, |cause| Failure::Unreachable { cause }),
    }
}
