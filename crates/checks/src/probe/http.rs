//! `GET` over HTTP/1.1, plain or with TLS, following redirects.
//!
//! A connection per hop. The body is read to its end and discarded; the last status is judged.

mod connection;
mod response;
mod target;

use std::task::Poll;

use super::tools::Tools;
use crate::outcome::{Answer, Failure, Outcome, Reason};
use crate::place::Place;
use crate::spec::{HttpProbe, Redirects};
use connection::{Connection, Received};
use response::{Head, Response};
use target::Target;

/// How often an attempt reads before the others have their turn.
const READS: usize = 8;

#[derive(Debug)]
pub(crate) struct Attempt {
    target: Target,
    connection: Connection,
    response: Response,
    hops: u32,
}

/// How it goes on after some bytes.
enum Turn {
    /// They are all read.
    Wait,
    /// There may be more.
    Again,
    Over(Outcome),
}

impl Attempt {
    pub(super) fn start(probe: &HttpProbe, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        let target = Target::of(probe);
        let connection = Connection::open(&target, place, tools)?;
        let mut attempt = Attempt { target, connection, response: Response::new(), hops: 0 };
        match attempt.advance(probe, place, tools) {
            Poll::Ready(outcome) => Err(outcome),
            Poll::Pending => Ok(attempt),
        }
    }

    /// A few reads per turn of the engine, so that a long body does not hold up the others.
    pub(super) fn advance(&mut self, probe: &HttpProbe, place: &Place, tools: &mut Tools<'_>) -> Poll<Outcome> {
        for _ in 0..READS {
            match self.turn(probe, place, tools) {
                Turn::Over(outcome) => return Poll::Ready(outcome),
                Turn::Again => {}
                Turn::Wait => break,
            }
        }
        match self.connection.register(tools) {
            Ok(()) => Poll::Pending,
            Err(outcome) => Poll::Ready(outcome),
        }
    }

    fn turn(&mut self, probe: &HttpProbe, place: &Place, tools: &mut Tools<'_>) -> Turn {
        let (read, next) = match self.connection.exchange(tools.scratch) {
            Ok(Received::NotYet) => return Turn::Wait,
            Ok(Received::End) => (self.response.end(), Turn::Wait),
            Ok(Received::Bytes(length)) => {
                let next = if length == tools.scratch.len() { Turn::Again } else { Turn::Wait };
                (self.response.feed(tools.scratch.get(..length).unwrap_or_default()), next)
            }
            Err(failure) => return Turn::Over(Outcome::Failure(failure)),
        };
        if let Err(violation) = read {
            return Turn::Over(Outcome::Failure(Failure::Protocol { cause: violation.to_string() }));
        }
        let location = self.response.head().and_then(|head| self.follows(head, probe.redirects)).map(str::to_owned);
        match (location, self.response.head()) {
            (Some(location), _) => self.hop(&location, probe.redirects, place, tools),
            (None, Some(head)) if self.response.is_whole() => Turn::Over(judge(head.status, probe)),
            (None, _) => next,
        }
    }

    /// The location to go to, if this is a redirect that is not the answer.
    fn follows<'a>(&self, head: &'a Head, redirects: Redirects) -> Option<&'a str> {
        let location = head.location.as_deref().filter(|_| (300..400).contains(&head.status))?;
        let goes = match redirects {
            Redirects::Follow { .. } => true,
            Redirects::SameHost => self.target.stays(location),
            Redirects::TakeAsAnswer => false,
        };
        goes.then_some(location)
    }

    fn hop(&mut self, location: &str, redirects: Redirects, place: &Place, tools: &mut Tools<'_>) -> Turn {
        match self.try_hop(location, redirects, place, tools) {
            Ok(()) => Turn::Again,
            Err(outcome) => Turn::Over(outcome),
        }
    }

    fn try_hop(
        &mut self,
        location: &str,
        redirects: Redirects,
        place: &Place,
        tools: &mut Tools<'_>,
    ) -> Result<(), Outcome> {
        let limit = if let Redirects::Follow { limit } = redirects { limit } else { Redirects::LIMIT };
        let astray = |cause: String| Outcome::Failure(Failure::Redirect { cause });
        if self.hops >= limit {
            return Err(astray(format!("more than {limit} of them")));
        }
        self.hops += 1;
        self.target = self.target.redirected(location).map_err(|error| astray(error.to_string()))?;
        self.connection = Connection::open(&self.target, place, tools)?;
        self.response = Response::new();
        Ok(())
    }
}

fn judge(status: u16, probe: &HttpProbe) -> Outcome {
    if probe.ignored_statuses.as_ref().is_some_and(|ignored| ignored.contains(status)) {
        return Outcome::Inconclusive(Reason::IgnoredStatus(status));
    }
    if probe.healthy_statuses.contains(status) {
        Outcome::Success(Answer::Status(status))
    } else {
        Outcome::Failure(Failure::Status(status))
    }
}
