//! Which waiting instances go where: offers and wishes in, placements out. Pure.
//!
//! An instance goes to the offer whose agent has the fewest of its app, among equals to the one with most processors
//! left. What is left of an offer goes back with it.

use std::collections::BTreeMap;

use mesos::v1::{Offer, Resource};

use crate::app::App;
use crate::ids::{AppId, InstanceId};
use crate::stock::{Stock, merge_ports};

/// An instance that waits for an offer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// Which.
    pub instance: &'a InstanceId,
    /// Of what.
    pub app: &'a App,
}

/// An instance that got what it needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    /// Which.
    pub instance: InstanceId,
    /// The offer it goes to, by its place in the list.
    pub offer: usize,
    /// Its host ports, in the order of the definitions.
    pub ports: Vec<u16>,
    /// What it takes.
    pub resources: Vec<Resource>,
}

/// How many instances of which app an agent has already.
pub(crate) type Crowd = BTreeMap<(String, AppId), usize>;

/// Places as many as fit.
#[must_use]
pub(crate) fn place(
    offers: &[Offer],
    wishes: &[Wish<'_>],
    mut crowd: Crowd,
    dice: &mut fastrand::Rng,
) -> Vec<Placement> {
    let mut left: Vec<Stock> = offers.iter().map(Stock::of).collect();
    let mut placements = Vec::new();
    for wish in wishes {
        let mut order: Vec<usize> = (0..offers.len()).collect();
        order.sort_by_cached_key(|&index| {
            (crowd_of(&crowd, offers, index, wish.app), -(cpus(&left, index) * 1000.0) as i64)
        });
        let found = order.into_iter().find_map(|index| Some((index, take(left.get_mut(index)?, wish.app, dice)?)));
        let Some((offer, (ports, resources))) = found else { continue };
        if let Some(offer) = offers.get(offer) {
            *crowd.entry((offer.agent_id.value.clone(), wish.app.id.clone())).or_default() += 1;
        }
        placements.push(Placement { instance: wish.instance.clone(), offer, ports, resources });
    }
    placements
}

fn crowd_of(crowd: &Crowd, offers: &[Offer], index: usize, app: &App) -> usize {
    let agent = offers.get(index).map(|offer| offer.agent_id.value.clone()).unwrap_or_default();
    crowd.get(&(agent, app.id.clone())).copied().unwrap_or(0)
}

fn cpus(left: &[Stock], index: usize) -> f64 {
    left.get(index).map_or(0.0, |stock| stock.scalar("cpus"))
}

/// Takes what one instance needs, all of it or nothing.
fn take(stock: &mut Stock, app: &App, dice: &mut fastrand::Rng) -> Option<(Vec<u16>, Vec<Resource>)> {
    let mut rest = stock.clone().accepting(&app.accepted_resource_roles);
    let mut resources = Vec::new();
    for (name, amount) in [("cpus", app.cpus), ("mem", app.mem), ("disk", app.disk)] {
        resources.extend(rest.take_scalar(name, amount)?);
    }
    let (mut ports, mut port_resources) = (Vec::new(), Vec::new());
    for definition in &app.port_definitions {
        let wanted = (app.require_ports && definition.port != 0).then_some(definition.port);
        let (port, resource) = rest.take_port(wanted, dice)?;
        ports.push(port);
        port_resources.push(resource);
    }
    resources.extend(merge_ports(port_resources));
    *stock = rest;
    Some((ports, resources))
}

#[cfg(test)]
mod tests {
    use mesos::v1::value::{Range, Ranges, Scalar};

    use super::*;
    use crate::app::definition::PortDefinition;
    use crate::time::Timestamp;

    fn offer(agent: &str, cpus: f64, ports: std::ops::RangeInclusive<u64>) -> Offer {
        let scalar =
            |name: &str, value| Resource { name: name.into(), scalar: Some(Scalar { value }), ..Resource::default() };
        let range = Range { begin: *ports.start(), end: *ports.end() };
        let ports =
            Resource { name: "ports".into(), ranges: Some(Ranges { range: vec![range] }), ..Resource::default() };
        Offer {
            agent_id: agent.into(),
            resources: vec![scalar("cpus", cpus), scalar("mem", 1000.0), ports],
            ..Offer::default()
        }
    }

    fn app(cpus: f64) -> App {
        App { cpus, mem: 10.0, ..App::new(AppId::new("a"), Timestamp::from_millis(0)) }
    }

    fn placed(offers: &[Offer], app: &App, count: usize) -> Vec<Placement> {
        let ids: Vec<_> = (0..count).map(|number| InstanceId::new(&app.id, &number.to_string())).collect();
        let wishes: Vec<_> = ids.iter().map(|instance| Wish { instance, app }).collect();
        place(offers, &wishes, Crowd::new(), &mut fastrand::Rng::with_seed(1))
    }

    #[test]
    fn instances_are_spread_and_no_port_is_given_twice() {
        let offers = [offer("x", 4.0, 31000..=31003), offer("y", 4.0, 31000..=31003)];
        let placements = placed(&offers, &app(0.5), 8);
        assert_eq!(placements.len(), 8);
        for index in 0..2 {
            let mut ports: Vec<_> = placements.iter().filter(|p| p.offer == index).map(|p| p.ports[0]).collect();
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
        let app = App { require_ports: true, port_definitions: vec![port], ..app(0.1) };
        assert!(placed(&[offer("x", 1.0, 31000..=31010)], &app, 1).is_empty());
        assert_eq!(placed(&[offer("x", 1.0, 8000..=9000)], &app, 2).len(), 1);
    }
}
