//! The places of instances that wait: offers and wishes in, placements out. Pure.
//!
//! An instance goes to the offer whose agent has the fewest of its app, among equals to the one with most processors
//! left, if its app's constraints admit it there. What is left of an offer goes back with it. Where nothing was found for
//! one instance of an app nothing is looked for others: what is left only becomes less.

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::v1::Offer;

use crate::definition::RunSpec;
use crate::executor::Overhead;
use crate::ids::{AppId, InstanceId};
use crate::portion::{Portion, wanted_ports};
use crate::refusals::{AGENTS, Counts, REASONS, Reason};
use crate::spread::{Site, Spread};
use crate::stock::Stock;
use crate::time::Timestamp;

/// The time before its maintenance in which an agent gets nothing new.
const DRAINING: Duration = Duration::from_secs(120);

/// An instance that waits for an offer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub instance: &'a InstanceId,
    pub app: &'a RunSpec,
    /// The role whose resources it uses.
    pub role: &'a str,
    /// The resources that its executor needs beside those of the app.
    pub overhead: Overhead,
}

/// An instance that got what it needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    pub instance: InstanceId,
    /// The offer it goes to, by its place in the list.
    pub offer: usize,
    pub portion: Portion,
}

/// The outcome of wishes.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    pub placements: Vec<Placement>,
    /// By app, what became of the offers.
    pub refusals: BTreeMap<AppId, Refused>,
}

/// The fate of the offers an app was asked about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    pub used: usize,
    /// Why the others were not: the first reason of each, counted.
    pub unused: Counts,
    /// The last of these, by their place in the list, and all that each of them lacked.
    pub last: Vec<(usize, Vec<Reason>)>,
}

/// An instance that has a task, and where.
pub(crate) type Neighbour<'a> = (&'a str, &'a Site);

/// Places as many as fit. `neighbours` are the instances of an app that have a task already.
pub(crate) fn place<'a, N: IntoIterator<Item = Neighbour<'a>>>(
    offers: &[Offer],
    wishes: &[Wish<'_>],
    neighbours: impl Fn(&AppId) -> N,
    now: Timestamp,
    dice: &mut fastrand::Rng,
) -> Placed {
    let mut counters: Vec<Counter> = offers.iter().map(|offer| Counter::of(offer, now)).collect();
    let mut queues: BTreeMap<(&AppId, Timestamp), Queue<'_>> = BTreeMap::new();
    let mut placements = Vec::new();
    for wish in wishes {
        let queue = queues
            .entry((&wish.app.id, wish.app.config_version()))
            .or_insert_with(|| Queue::of(wish, offers, neighbours(&wish.app.id)));
        placements.extend(queue.serve(wish.instance, &mut counters, dice));
    }
    let mut refusals = BTreeMap::new();
    for ((app, _), queue) in queues {
        refusals.insert(app.clone(), Refused { used: queue.used(), ..queue.refused });
    }
    Placed { placements, refusals }
}

/// An offer from which is taken.
struct Counter {
    /// The role it was made to; none from a master that does not say, and then any.
    role: Option<String>,
    site: Site,
    stock: Stock,
    drains: bool,
}

impl Counter {
    fn of(offer: &Offer, now: Timestamp) -> Counter {
        let nanos = |nanos: i64| Timestamp::from_millis(nanos / 1_000_000);
        let drains = offer.unavailability.as_ref().is_some_and(|away| {
            let start = nanos(away.start.nanoseconds);
            let end =
                away.duration.as_ref().map(|length| nanos(away.start.nanoseconds.saturating_add(length.nanoseconds)));
            start <= now.plus(DRAINING) && end.is_none_or(|end| now < end)
        });
        let role = offer.allocation_info.as_ref().and_then(|info| info.role.clone());
        Counter { role, site: Site::of(offer), stock: Stock::of(offer), drains }
    }
}

impl Counter {
    /// True if it was made to this role. To others it is nothing that could be refused.
    fn is_for(&self, role: &str) -> bool {
        self.role.as_deref().is_none_or(|own| own == role)
    }
}

/// The instances of one configuration that wait, and what there is of its app.
struct Queue<'a> {
    app: &'a RunSpec,
    role: &'a str,
    overhead: Overhead,
    spread: Spread<'a>,
    /// The number of the app's instances on each offer's agent already.
    crowd: Vec<usize>,
    /// The number of instances given to each offer now.
    given: Vec<usize>,
    closed: bool,
    refused: Refused,
}

impl<'a> Queue<'a> {
    fn of<'b>(wish: &Wish<'a>, offers: &[Offer], neighbours: impl IntoIterator<Item = Neighbour<'b>>) -> Queue<'a> {
        let Wish { app, role, overhead, .. } = *wish;
        let mut spread = Spread::new(&app.constraints);
        let mut agents: BTreeMap<&str, usize> = BTreeMap::new();
        for (agent, site) in neighbours {
            spread.add(site);
            *agents.entry(agent).or_default() += 1;
        }
        let crowd = offers.iter().map(|offer| agents.get(offer.agent_id.value.as_str()).copied().unwrap_or(0));
        let crowd = crowd.collect();
        let given = vec![0; offers.len()];
        Queue { app, role, overhead, spread, crowd, given, closed: false, refused: Refused::default() }
    }

    fn used(&self) -> usize {
        self.given.iter().filter(|given| **given > 0).count()
    }

    fn serve(
        &mut self,
        instance: &InstanceId,
        counters: &mut [Counter],
        dice: &mut fastrand::Rng,
    ) -> Option<Placement> {
        if self.closed {
            return None;
        }
        let found = self.find(counters).and_then(|offer| {
            let portion = Portion::take(&mut counters.get_mut(offer)?.stock, self.app, self.overhead, dice)?;
            Some(Placement { instance: instance.clone(), offer, portion })
        });
        match &found {
            Some(placement) => self.note(placement.offer, counters),
            None => self.close(counters),
        }
        found
    }

    /// The best offer of those that will do.
    fn find(&self, counters: &[Counter]) -> Option<usize> {
        let here = counters.iter().enumerate().filter(|(_, counter)| counter.is_for(self.role));
        let fit = here.filter(|(_, counter)| self.lacks(counter).next().is_none());
        let order = |(index, counter): &(usize, &Counter)| {
            (self.crowd.get(*index).copied().unwrap_or(0), -(counter.stock.scalar("cpus") * 1000.0) as i64)
        };
        fit.min_by_key(order).map(|(index, _)| index)
    }

    fn note(&mut self, offer: usize, counters: &[Counter]) {
        for count in [self.crowd.get_mut(offer), self.given.get_mut(offer)].into_iter().flatten() {
            *count += 1;
        }
        if let Some(counter) = counters.get(offer) {
            self.spread.add(&counter.site);
        }
    }

    /// Nothing will do any more: remembers why.
    fn close(&mut self, counters: &[Counter]) {
        self.closed = true;
        let here = counters.iter().enumerate().zip(&self.given).filter(|((_, one), _)| one.is_for(self.role));
        let unused: Vec<_> = here.filter(|(_, given)| **given == 0).map(|(one, _)| one).collect();
        let (mut refused, first_kept) = (Refused::default(), unused.len().saturating_sub(AGENTS));
        for (place, (offer, counter)) in unused.into_iter().enumerate() {
            let mut reasons = self.lacks(counter);
            let Some(first) = reasons.next() else { continue };
            *refused.unused.entry(first).or_default() += 1;
            if place >= first_kept {
                refused.last.push((offer, std::iter::once(first).chain(reasons).collect()));
            }
        }
        self.refused = refused;
    }

    /// Why an offer will not do, one after the other; nothing if it will.
    fn lacks<'b>(&'b self, counter: &'b Counter) -> impl Iterator<Item = Reason> + use<'a, 'b> {
        REASONS.into_iter().filter(|reason| !self.has(*reason, counter))
    }

    /// True if an offer is not to be refused for this reason.
    fn has(&self, reason: Reason, counter: &Counter) -> bool {
        let (app, stock) = (self.app, &counter.stock);
        let roles = &app.accepted_resource_roles;
        match reason {
            Reason::UnfulfilledRole => stock.has_any_of(roles),
            Reason::UnfulfilledConstraint => self.spread.admits(&counter.site),
            Reason::AgentMaintenance => !counter.drains,
            Reason::InsufficientCpus => stock.has_scalar("cpus", app.cpus + self.overhead.cpus, roles),
            Reason::InsufficientMemory => stock.has_scalar("mem", app.mem + self.overhead.mem, roles),
            Reason::InsufficientDisk => stock.has_scalar("disk", app.disk, roles),
            Reason::InsufficientPorts => stock.has_ports(&wanted_ports(app), roles),
        }
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::Resource;

    use super::*;
    use crate::definition::port::PortDefinition;
    use crate::time::Timestamp;

    fn offer(agent: &str, cpus: f64, ports: std::ops::RangeInclusive<u64>) -> Offer {
        let resources = vec![Resource::scalar("cpus", cpus), Resource::scalar("mem", 1000.0), Resource::ports(ports)];
        Offer { agent_id: agent.into(), resources, ..Offer::default() }
    }

    fn app(cpus: f64) -> RunSpec {
        RunSpec { cpus, mem: 10.0, ..RunSpec::new(AppId::new("a"), Timestamp::from_millis(0)) }
    }

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn placed(offers: &[Offer], app: &RunSpec, count: usize) -> Vec<Placement> {
        place_all(offers, app, count).placements
    }

    fn place_all(offers: &[Offer], app: &RunSpec, count: usize) -> Placed {
        let ids: Vec<_> = (0..count).map(|number| InstanceId::new(&app.id, &number.to_string())).collect();
        let wishes: Vec<_> =
            ids.iter().map(|instance| Wish { instance, app, role: "*", overhead: Overhead::default() }).collect();
        place(offers, &wishes, |_| [], NOW, &mut fastrand::Rng::with_seed(1))
    }

    #[test]
    fn instances_are_spread_and_no_port_is_given_twice() {
        let offers = [offer("x", 4.0, 31000..=31003), offer("y", 4.0, 31000..=31003)];
        let placements = placed(&offers, &app(0.5), 8);
        assert_eq!(placements.len(), 8);
        for index in 0..2 {
            let mut ports: Vec<_> =
                placements.iter().filter(|p| p.offer == index).map(|p| p.portion.ports[0]).collect();
            ports.sort_unstable();
            assert_eq!(ports, [31000, 31001, 31002, 31003]);
        }
    }

    #[test]
    fn what_does_not_fit_takes_nothing() {
        assert_eq!(placed(&[offer("x", 1.0, 1..=9)], &app(0.6), 2).len(), 1);
        assert_eq!(placed(&[offer("x", 0.3, 1..=9)], &app(0.1), 4).len(), 3);
        assert_eq!(placed(&[offer("x", 9.0, 1..=1)], &app(0.1), 2).len(), 1);
    }

    #[test]
    fn required_ports_are_those_or_none() {
        let port = PortDefinition { port: 8080, ..PortDefinition::default() };
        let app = RunSpec { require_ports: true, port_definitions: Some(vec![port]), ..app(0.1) };
        assert!(placed(&[offer("x", 1.0, 31000..=31010)], &app, 1).is_empty());
        assert_eq!(placed(&[offer("x", 1.0, 8000..=9000)], &app, 2).len(), 1);
    }

    #[test]
    fn constraints_are_kept_within_one_round_too() {
        let offers = [offer("x", 4.0, 1..=9), offer("y", 4.0, 1..=9)];
        let named: Vec<_> =
            offers.into_iter().map(|offer| Offer { hostname: offer.agent_id.value.clone(), ..offer }).collect();
        let unique = serde_json::from_str(r#"[["hostname", "UNIQUE"]]"#).unwrap();
        let app = RunSpec { constraints: unique, ..app(0.1) };
        let placed = place_all(&named, &app, 3);
        assert_eq!(placed.placements.len(), 2);
        assert_eq!(placed.refusals[&app.id], Refused { used: 2, ..Refused::default() }, "both were used");
        let on_x = Site { host: "x".into(), ..Site::default() };
        let (id, mut dice) = (InstanceId::new(&app.id, "u"), fastrand::Rng::with_seed(1));
        let wish = Wish { instance: &id, app: &app, role: "*", overhead: Overhead::default() };
        let placed = place(&named, &[wish, wish], |_| [("x", &on_x)], NOW, &mut dice);
        assert_eq!(placed.placements.iter().map(|placement| placement.offer).collect::<Vec<_>>(), [1]);
        let reason = Reason::UnfulfilledConstraint;
        let refused = Refused { used: 1, unused: Counts::from([(reason, 1)]), last: vec![(0, vec![reason])] };
        assert_eq!(placed.refusals[&app.id], refused);
    }

    #[test]
    fn what_an_offer_lacks_is_said() {
        let draining = |start_seconds: i64| {
            let start = mesos::v1::TimeInfo { nanoseconds: start_seconds * 1_000_000_000 };
            let unavailability = Some(mesos::v1::Unavailability { start, duration: None });
            Offer { unavailability, ..offer("x", 4.0, 1..=9) }
        };
        let two_ports = RunSpec { port_definitions: Some(vec![PortDefinition::default(); 2]), ..app(0.1) };
        let role = |role: &str| RunSpec { accepted_resource_roles: vec![role.into()], ..app(0.1) };
        for (offer, app, reason) in [
            (offer("x", 0.05, 1..=9), app(0.1), Some(Reason::InsufficientCpus)),
            (offer("x", 1.0, 1..=9), RunSpec { mem: 2000.0, ..app(0.1) }, Some(Reason::InsufficientMemory)),
            (offer("x", 1.0, 1..=9), RunSpec { disk: 1.0, ..app(0.1) }, Some(Reason::InsufficientDisk)),
            (offer("x", 1.0, 1..=1), two_ports, Some(Reason::InsufficientPorts)),
            (offer("x", 1.0, 1..=9), role("other"), Some(Reason::UnfulfilledRole)),
            (offer("x", 1.0, 1..=9), role("*"), None),
            (draining(60), app(0.1), Some(Reason::AgentMaintenance)),
            (draining(600), app(0.1), None),
        ] {
            let placed = place_all(&[offer], &app, 1);
            let Refused { used, unused, last } = &placed.refusals[&app.id];
            let expected = reason.map_or_else(|| (1, Counts::new()), |reason| (0, Counts::from([(reason, 1)])));
            assert_eq!((*used, unused.clone()), expected, "{reason:?}");
            assert_eq!(last.first().and_then(|(_, reasons)| reasons.first().copied()), reason);
        }
    }

    #[test]
    fn an_offer_is_for_those_of_its_role() {
        let info = mesos::v1::resource::AllocationInfo { role: Some("team".into()) };
        let offer = Offer { allocation_info: Some(info), ..offer("x", 4.0, 1..=9) };
        let (app, mut dice) = (app(0.1), fastrand::Rng::with_seed(1));
        let id = InstanceId::new(&app.id, "u");
        for (role, placed) in [("team", 1), ("*", 0), ("team/inner", 0)] {
            let wish = Wish { instance: &id, app: &app, role, overhead: Overhead::default() };
            let found = place(std::slice::from_ref(&offer), &[wish], |_| [], NOW, &mut dice);
            assert_eq!(found.placements.len(), placed, "{role}");
            assert_eq!(found.refusals[&app.id].last, [], "an offer to others is not refused");
        }
    }

    #[test]
    fn all_that_an_offer_lacks_is_said_and_counted_once() {
        let app = RunSpec { mem: 2000.0, ..app(0.1) };
        let refused = place_all(&[offer("x", 0.05, 1..=9)], &app, 1).refusals.remove(&app.id).unwrap();
        assert_eq!(refused.unused, Counts::from([(Reason::InsufficientCpus, 1)]));
        assert_eq!(refused.last, [(0, vec![Reason::InsufficientCpus, Reason::InsufficientMemory])]);
        let many: Vec<_> = (0..2 * AGENTS).map(|agent| offer(&agent.to_string(), 0.05, 1..=9)).collect();
        let refused = place_all(&many, &app, 1).refusals.remove(&app.id).unwrap();
        assert_eq!((refused.unused[&Reason::InsufficientCpus], refused.last.len()), (2 * AGENTS, AGENTS));
        assert_eq!(refused.last[0].0, AGENTS, "the last ones");
    }
}
