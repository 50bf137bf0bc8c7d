//! A check as its owner hands it over, and as the engine's thread gets it.
//!
//! In: a [`Check`]. Out: an [`Order`], in which patterns are compiled and certificates are read.

use std::time::Duration;

use super::entry::Policy;
use super::listener::Listener;
use super::series::SeriesName;
use crate::place::Place;
use crate::probe::prepared::Prepared;
use crate::spec::{CheckId, CheckSpec, Reach};
use crate::verdict::VerdictState;

/// A check to carry out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// Comes back in every event; unique per receiver.
    pub id: CheckId,
    /// Its hash spreads the first attempts: the same seed, the same phase. For instance `task-id/0`. Checks that look for
    /// listeners in one network namespace share a seed of that, so that one look is enough.
    pub seed: String,
    /// The probe, its schedule, and how its outcomes are judged.
    pub spec: CheckSpec,
    /// The place to ask from.
    pub place: Place,
    /// Anew, or where another process stopped.
    pub start: Start,
    /// The receiver of its events. The check ends when its channel is closed.
    pub events: Listener,
    /// The name that its attempts are counted under, together with those of all checks of that name.
    pub series: Option<SeriesName>,
}

impl Check {
    /// A check from where the engine is, that starts at once. Its seed is its number.
    pub fn new(id: CheckId, spec: CheckSpec, events: impl Into<Listener>) -> Check {
        let (place, start, events) = (Place::Host, Start::Fresh, events.into());
        Check { id, seed: id.to_string(), spec, place, start, events, series: None }
    }

    /// The same check, from another place.
    #[must_use]
    pub fn at(self, place: Place) -> Check {
        Check { place, ..self }
    }

    /// The same check with another start.
    #[must_use]
    pub fn starting(self, start: Start) -> Check {
        Check { start, ..self }
    }

    /// The same check, whose attempts are counted under this name.
    #[must_use]
    pub fn counted_as(self, series: Option<SeriesName>) -> Check {
        Check { series, ..self }
    }

    /// The same check with another seed.
    #[must_use]
    pub fn seeded(self, seed: impl Into<String>) -> Check {
        Check { seed: seed.into(), ..self }
    }
}

/// The moment of a check's first attempt, and what is known before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// After its delay: at once if that is zero.
    Fresh,
    /// After its delay and a part of its interval, of a second at most, by its seed: many checks that are added together
    /// do not start together.
    Spread,
    /// Within one interval, by its seed, as if it had never stopped.
    Recovered {
        /// As in the last event.
        state: VerdictState,
        /// The time since the original start, from which grace is counted.
        age: Duration,
    },
}

/// A check, ready to be carried out.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) id: CheckId,
    pub(super) seed: String,
    pub(super) probe: Prepared,
    pub(super) policy: Policy,
    pub(super) place: Place,
    pub(super) start: Start,
    pub(super) events: Listener,
    pub(super) series: Option<Box<SeriesName>>,
    pub(super) owner: u32,
}

impl Order {
    /// A check that makes no sense fails at every attempt, and says which field.
    pub(super) fn of(check: Check, reach: &Reach) -> Order {
        let Check { id, seed, spec, place, start, events, series } = check;
        let valid = spec.validate();
        let policy = Policy { schedule: spec.schedule, judgement: spec.judgement };
        let probe = valid.and_then(|()| Prepared::of(spec.probe, reach));
        let probe = probe.unwrap_or_else(|error| Prepared::Invalid(Box::new(error)));
        let seed = shared_seed(&probe, &place).unwrap_or(seed);
        Order { id, seed, probe, policy, place, start, events, series: series.map(Box::new), owner: 0 }
    }
}

/// The seed of all listening sockets of a network that is not ours: the kernel answers by itself, so that nobody is crowded,
/// and the first question of a turn warms the network's tables for the others. Cold, a question takes half as much again.
fn shared_seed(probe: &Prepared, place: &Place) -> Option<String> {
    let network = place.network_id().filter(|_| matches!(probe, Prepared::Listen(_)))?;
    Some(format!("{network:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Judgement, ListenProbe, Probe, Schedule, TcpProbe};

    fn seed(id: u64, probe: Probe, place: &Place) -> String {
        let spec = CheckSpec { probe, schedule: Schedule::default(), judgement: Judgement::default() };
        let (events, _unread) = tokio::sync::mpsc::unbounded_channel();
        Order::of(Check::new(id, spec, events).at(place.clone()), &Reach::Anywhere).seed
    }

    #[test]
    fn the_kernel_is_asked_for_all_sockets_of_a_network_in_one_turn() {
        let address = "127.0.0.1:80".parse().unwrap();
        let listen = |id, place: &Place| seed(id, Probe::Listen(ListenProbe::new(address)), place);
        assert_ne!(listen(1, &Place::Host), listen(2, &Place::Host), "those of the machine may be any number");
        let blue = Place::of_network(1);
        assert_eq!(listen(1, &blue), listen(2, &blue));
        assert_ne!(listen(1, &blue), listen(1, &Place::of_network(2)));
        let tcp = |id| seed(id, Probe::Tcp(TcpProbe::new(address)), &blue);
        assert_ne!(tcp(1), tcp(2), "to connect is work for the program");
    }
}
