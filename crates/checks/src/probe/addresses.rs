//! One question at one address after the other, until one takes the connection (RFC 8305, without the race).
//!
//! In: the same probe for each address. Out: what the first that could be connected to has answered, or why the last
//! could not. The next attempt begins where this one got through; if it got nowhere, at the address behind the silent
//! one, so that a black hole costs one attempt and not all of them.

use std::cell::Cell;
use std::task::Poll;

use super::prepared::Prepared;
use super::stream::Stream;
use super::tools::Tools;
use crate::outcome::{Failure, Outcome};
use crate::place::Place;

/// The probes, ready to be attempted.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    first: Prepared,
    others: Box<[Prepared]>,
    /// The address to begin with.
    begin: Cell<usize>,
}

#[derive(Debug)]
pub(crate) struct Attempt {
    pub(super) inner: super::Attempt,
    index: usize,
    /// The number of addresses that are still to be tried.
    left: usize,
}

impl Plan {
    pub(super) fn new(first: Prepared, others: Vec<Prepared>) -> Plan {
        Plan { first, others: others.into(), begin: Cell::new(0) }
    }

    pub(super) fn first(&self) -> &Prepared {
        &self.first
    }

    fn probe(&self, index: usize) -> &Prepared {
        index.checked_sub(1).and_then(|index| self.others.get(index)).unwrap_or(&self.first)
    }

    fn after(&self, index: usize) -> usize {
        (index + 1) % (self.others.len() + 1)
    }

    /// True if another address is worth trying after this.
    fn goes_on(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Failure(Failure::Refused | Failure::Unreachable { .. }))
    }
}

impl Attempt {
    pub(super) fn start(
        plan: &Plan,
        place: &Place,
        kept: Option<Box<Stream>>,
        tools: &mut Tools<'_>,
    ) -> Result<Attempt, Outcome> {
        Attempt::begin(plan, plan.begin.get(), plan.others.len(), kept, (place, tools))
    }

    /// Begins with this address, and goes on while connections fail at once.
    fn begin(
        plan: &Plan,
        mut index: usize,
        mut left: usize,
        mut kept: Option<Box<Stream>>,
        (place, tools): (&Place, &mut Tools<'_>),
    ) -> Result<Attempt, Outcome> {
        loop {
            plan.begin.set(plan.after(index));
            match super::Attempt::start(plan.probe(index), place, kept.take(), tools) {
                Ok(inner) => return Ok(Attempt { inner, index, left }),
                Err(outcome) if left == 0 || !Plan::goes_on(&outcome) => {
                    plan.begin.set(index);
                    return Err(outcome);
                }
                Err(_) => (index, left) = (plan.after(index), left - 1),
            }
        }
    }

    pub(super) fn advance(&mut self, plan: &Plan, place: &Place, tools: &mut Tools<'_>) -> Poll<Outcome> {
        let polled = self.inner.advance(self.probe(plan), place, tools);
        match polled {
            Poll::Ready(outcome) if self.left > 0 && Plan::goes_on(&outcome) => {
                match Attempt::begin(plan, plan.after(self.index), self.left - 1, None, (place, tools)) {
                    Ok(next) => {
                        std::mem::replace(self, next).inner.dissolve(place, tools);
                        Poll::Pending
                    }
                    Err(outcome) => Poll::Ready(outcome),
                }
            }
            polled => {
                if polled.is_ready() || self.inner.phases().connected.is_some() {
                    plan.begin.set(self.index);
                }
                polled
            }
        }
    }

    /// The probe of the address that is being asked.
    pub(super) fn probe<'a>(&self, plan: &'a Plan) -> &'a Prepared {
        plan.probe(self.index)
    }
}
