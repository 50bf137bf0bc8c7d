//! Attempts: each probe is a state machine over sockets or processes that never blocks.
//!
//! In: a probe, its place, and [`Tools`]; later, that one of its descriptors is ready, or that time is up. Out: an
//! [`Outcome`]. An attempt owns its descriptors; closing them takes them out of the epoll set.

mod command;
mod http;
pub(crate) mod poller;
mod tcp;
pub(crate) mod tls;
pub(crate) mod tools;
mod tree;
pub(crate) mod undertaker;

use std::task::Poll;

use rustix::io::Errno;

use crate::outcome::{Failure, Outcome, Reason};
use crate::place::Place;
use crate::spec::Probe;
use tools::Tools;
use undertaker::Undertaker;

/// One execution of a probe.
#[derive(Debug)]
pub(crate) enum Attempt {
    Tcp(tcp::Attempt),
    Http(Box<http::Attempt>),
    Command(Box<command::Attempt>),
}

impl Attempt {
    /// Begins to ask. `Err` if that was all: many attempts end where they begin.
    pub(crate) fn start(probe: &Probe, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        match probe {
            Probe::Tcp(probe) => tcp::Attempt::start(probe, place, tools).map(Attempt::Tcp),
            Probe::Http(probe) => http::Attempt::start(probe, place, tools).map(Box::new).map(Attempt::Http),
            Probe::Command(probe) => command::Attempt::start(probe, place, tools).map(Box::new).map(Attempt::Command),
        }
    }

    /// Something is ready, perhaps.
    pub(crate) fn advance(&mut self, probe: &Probe, place: &Place, tools: &mut Tools<'_>) -> Poll<Outcome> {
        match (self, probe) {
            (Attempt::Tcp(attempt), Probe::Tcp(_)) => attempt.advance(),
            (Attempt::Http(attempt), Probe::Http(probe)) => attempt.advance(probe, place, tools),
            (Attempt::Command(attempt), _) => attempt.advance(tools),
            (Attempt::Tcp(_) | Attempt::Http(_), _) => Poll::Pending,
        }
    }

    /// Time is up. A command ends, with this outcome, only when all of it is gone.
    pub(crate) fn expire(&mut self, outcome: Outcome, undertaker: &mut Undertaker) -> Poll<Outcome> {
        match self {
            Attempt::Tcp(_) | Attempt::Http(_) => Poll::Ready(outcome),
            Attempt::Command(attempt) => attempt.expire(outcome, undertaker),
        }
    }

    /// Nobody wants to know any more.
    pub(crate) fn dismiss(self, undertaker: &mut Undertaker) {
        if let Attempt::Command(attempt) = self {
            attempt.dismiss(undertaker);
        }
    }
}

/// Who is to blame for an error of the operating system: us, if we are out of something, else the task.
pub(crate) fn blame(errno: Errno, failure: impl FnOnce(String) -> Failure) -> Outcome {
    match errno {
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS => {
            Outcome::Inconclusive(Reason::EngineExhausted { cause: words(errno) })
        }
        errno => Outcome::Failure(failure(words(errno))),
    }
}

/// `connection refused`: what the operating system says, without its number.
pub(crate) fn words(errno: Errno) -> String {
    let text = std::io::Error::from(errno).to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
