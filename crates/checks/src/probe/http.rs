//! A request over HTTP, plain or with TLS, following redirects.
//!
//! A connection per hop. The body is read to its end; the last answer is judged. A connection that is kept from one
//! attempt to the next is tried first: if it breaks before a byte of the answer has come, it was closed meanwhile, and
//! a fresh one is made.

mod dialogue;
mod plan;
mod redirect;
mod request;
mod response;
mod target;

use std::task::Poll;

use super::kept::Handshake;
use super::poller::Poller;
use super::stream::{Endpoint, Received, Stream};
use super::tools::Tools;
use crate::outcome::{Failure, Outcome, Phases, Said};
use crate::place::Place;
use crate::spec::{Redirects, Reuse, Scheme};
use dialogue::Dialogue;
pub(crate) use plan::Plan;
use target::{Astray, Target};

#[derive(Debug)]
pub(crate) struct Attempt {
    /// The target of a redirect; nothing is where the check asks.
    target: Option<Box<Target>>,
    stream: Box<Stream>,
    dialogue: Dialogue,
    hops: u32,
    /// True if the connection is of an earlier attempt.
    reused: bool,
    /// The fate of the connection.
    connection: Reuse,
}

#[cfg(any(feature = "fuzzing", test))]
pub(crate) use self::{response::fuzz, target::fuzz as fuzz_location};

/// The way it goes on after some bytes.
enum Turn {
    /// They are all read.
    Wait,
    /// There may be more.
    Again,
    Over(Outcome),
}

impl Attempt {
    pub(super) fn start(
        plan: &Plan,
        place: &Place,
        kept: Option<Box<Stream>>,
        tools: &mut Tools<'_>,
    ) -> Result<Attempt, Outcome> {
        let reused = kept.is_some();
        let (stream, dialogue) = match kept {
            Some(stream) => resume(plan, stream)?,
            None => open(plan, &plan.target, plan.connection, place, tools)?,
        };
        let mut attempt = Attempt { target: None, stream, dialogue, hops: 0, reused, connection: plan.connection };
        match attempt.advance(plan, place, tools) {
            Poll::Ready(outcome) => Err(outcome),
            Poll::Pending => Ok(attempt),
        }
    }

    pub(super) fn phases(&self) -> Phases {
        self.stream.phases()
    }

    /// The answer, if the check wants it reported; of a failure also the part that has come.
    pub(super) fn said(&self, plan: &Plan, has_failed: bool) -> Option<Box<Said>> {
        let answered = self.dialogue.answered().filter(|_| plan.extras().tell_answer);
        if let Some((answered, body)) = answered.and_then(|answered| Some((answered.content_type, answered.body?))) {
            return Some(Box::new(Said::of(answered, body, Said::LIMIT)));
        }
        let (content_type, body) = self.dialogue.heard().filter(|_| has_failed)?;
        Said::of_failure(content_type, body)
    }

    /// Its connection does not wake it until it has gone on again.
    pub(super) fn rest(&mut self, poller: &Poller) -> bool {
        self.stream.rest(poller)
    }

    /// It is over: the connection, if it can serve another attempt. If not, its socket can.
    pub(super) fn dissolve(self, place: &Place, tools: &mut Tools<'_>) -> Option<Box<Stream>> {
        let is_wanted = self.connection == Reuse::KeepAlive && self.target.is_none();
        if is_wanted && self.dialogue.keeps_alive() {
            return Some(self.stream);
        }
        self.stream.dissolve(place, tools);
        None
    }

    /// Goes on as far as it gets before the others have their turn.
    pub(super) fn advance(&mut self, plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Poll<Outcome> {
        loop {
            match self.turn(plan, place, tools) {
                Turn::Over(_) if self.was_closed_meanwhile() => match self.start_over(plan, place, tools) {
                    Ok(()) => {}
                    Err(outcome) => return Poll::Ready(outcome),
                },
                Turn::Over(outcome) => return Poll::Ready(outcome),
                Turn::Again => {}
                Turn::Wait => break,
            }
        }
        self.stream.register(tools).map_or_else(Poll::Ready, |()| Poll::Pending)
    }

    fn turn(&mut self, plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Turn {
        let elapsed = tools.elapsed();
        let (fed, next) = match self.stream.exchange(tools.scratch, elapsed) {
            Err(outcome) => return Turn::Over(outcome),
            Ok(Received::NotYet) => return Turn::Wait,
            Ok(Received::End) => (self.dialogue.end().map(|()| Vec::new()), Turn::Wait),
            Ok(Received::Bytes(length)) => {
                let next = if length == tools.scratch.len() { Turn::Again } else { Turn::Wait };
                (self.dialogue.feed(tools.scratch.get(..length).unwrap_or_default()), next)
            }
        };
        match fed {
            Err(failure) => Turn::Over(Outcome::Failure(failure)),
            Ok(reply) if reply.is_empty() => self.conclude(plan, place, tools).unwrap_or(next),
            Ok(reply) => match self.stream.push(&reply) {
                Ok(()) => self.conclude(plan, place, tools).unwrap_or(Turn::Again),
                Err(outcome) => Turn::Over(outcome),
            },
        }
    }

    /// The outcome or the next hop, if so much is known.
    fn conclude(&mut self, plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Option<Turn> {
        let answered = self.dialogue.answered()?;
        if let Some(location) = answered.location.filter(|location| self.follows(answered.status, location, plan)) {
            let location = location.to_owned();
            return Some(match self.hop(answered.status, &location, plan, place, tools) {
                Ok(()) => Turn::Again,
                Err(outcome) => Turn::Over(outcome),
            });
        }
        let outcome = plan.judge(answered.status, answered.body?);
        let objection = self.stream.certificate().and_then(|certificate| {
            plan.tls.object(Some(certificate), tools.time_of_day()).filter(|_| matches!(outcome, Outcome::Success(_)))
        });
        Some(Turn::Over(objection.map_or(outcome, Outcome::Failure)))
    }

    fn target<'a>(&'a self, plan: &'a Plan) -> &'a Target {
        self.target.as_deref().unwrap_or(&plan.target)
    }

    /// True if this is a redirect that is not the answer.
    fn follows(&self, status: u16, location: &str, plan: &Plan) -> bool {
        redirect::is_redirect(status)
            && match plan.redirects {
                Redirects::Follow { .. } => true,
                Redirects::SameHost => self.target(plan).stays(location),
                Redirects::TakeAsAnswer => false,
            }
    }

    fn hop(
        &mut self,
        status: u16,
        location: &str,
        plan: &Plan,
        place: &Place,
        tools: &mut Tools<'_>,
    ) -> Result<(), Outcome> {
        let limit = if let Redirects::Follow { limit } = plan.redirects { limit } else { Redirects::LIMIT };
        let astray = |cause: String| Outcome::Failure(Failure::Redirect { cause });
        if self.hops >= limit {
            return Err(astray(format!("more than {limit} of them")));
        }
        self.hops += 1;
        let target = self.next_target(status, location, plan).map_err(|error| astray(error.to_string()))?;
        if !tools.reach.allows(target.address.ip()) {
            return Err(astray(super::prepared::beyond_reach(&target.address)));
        }
        (self.stream, self.dialogue) = open(plan, &target, Reuse::Fresh, place, tools)?;
        self.reused = false;
        self.target = Some(Box::new(target));
        Ok(())
    }

    fn next_target(&self, status: u16, location: &str, plan: &Plan) -> Result<Target, Astray> {
        let here = self.target(plan);
        let there = here.redirected(location)?;
        if plan.tls.is_demanding() && (here.scheme, there.scheme) == (Scheme::Https, Scheme::Http) {
            return Err(Astray::Unprotected);
        }
        let form = here.form.after(status, here.form.method(plan.extras()), here.is_origin_of(&there));
        Ok(there.with(form))
    }

    /// A server may close an idle connection at any time; that says nothing about its health.
    fn was_closed_meanwhile(&self) -> bool {
        self.reused && self.dialogue.is_untouched()
    }

    fn start_over(&mut self, plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Result<(), Outcome> {
        self.reused = false;
        (self.stream, self.dialogue) = open(plan, &plan.target, plan.connection, place, tools)?;
        Ok(())
    }
}

type Opened = (Box<Stream>, Dialogue);

fn open(
    plan: &Plan,
    target: &Target,
    connection: Reuse,
    place: &Place,
    tools: &mut Tools<'_>,
) -> Result<Opened, Outcome> {
    let (dialogue, spoken) = Dialogue::begin(plan, target, connection)?;
    let is_secure = target.scheme == Scheme::Https;
    let tls = is_secure.then(|| (&*plan.tls, plan.tls.server_name(|| target.server_name())));
    let source = plan.extras().source.filter(|source| source.is_ipv4() == target.address.is_ipv4());
    let mut stream =
        Stream::open(Endpoint { address: target.address, source, tls, handshake: Handshake::Deferred }, place, tools)?;
    stream.begin(spoken)?;
    Ok((Box::new(stream), dialogue))
}

fn resume(plan: &Plan, mut stream: Box<Stream>) -> Result<Opened, Outcome> {
    let (dialogue, spoken) = Dialogue::begin(plan, &plan.target, plan.connection)?;
    stream.reuse();
    stream.begin(spoken)?;
    Ok((stream, dialogue))
}
