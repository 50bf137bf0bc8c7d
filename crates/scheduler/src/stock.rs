//! The resources of one offer, taken from piece by piece. Pure.
//!
//! A part that is taken keeps the role, reservation and allocation of its resource, as the master wants it back.

use mesos::v1::value::{Range, Ranges, Scalar};
use mesos::v1::{Offer, Resource};

/// The rest of an offer.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    left: Vec<Resource>,
    roles: Vec<String>,
}

impl Stock {
    /// All of an offer.
    pub(crate) fn of(offer: &Offer) -> Self {
        Stock { left: offer.resources.clone(), roles: Vec::new() }
    }

    /// These, and nothing else.
    pub(crate) fn holding(resources: Vec<Resource>) -> Self {
        Stock { left: resources, roles: Vec::new() }
    }

    /// The same, from which only resources of these roles are taken; of any if the list is empty.
    pub(crate) fn accepting(self, roles: &[String]) -> Self {
        Stock { roles: roles.to_vec(), ..self }
    }

    /// The amount of a scalar.
    pub(crate) fn scalar(&self, name: &str) -> f64 {
        self.usable(name).filter_map(|resource| resource.scalar.as_ref()).map(|scalar| scalar.value).sum()
    }

    /// True if anything is of these roles; all are if the list is empty.
    pub(crate) fn has_any_of(&self, roles: &[String]) -> bool {
        roles.is_empty() || self.left.iter().any(|resource| roles.iter().any(|accepted| accepted == role(resource)))
    }

    /// True if there is so much of a scalar in these roles.
    pub(crate) fn has_scalar(&self, name: &str, amount: f64, roles: &[String]) -> bool {
        let usable = self.left.iter().filter(|resource| is_usable(resource, name, roles));
        let sum: f64 = usable.filter_map(|resource| resource.scalar.as_ref()).map(|scalar| scalar.value).sum();
        milli(amount) <= milli(sum)
    }

    /// True if there are ports like these in these roles: the given one each, or any.
    pub(crate) fn has_ports(&self, wanted: &[Option<u16>], roles: &[String]) -> bool {
        let usable = || self.left.iter().filter(|resource| is_usable(resource, "ports", roles)).flat_map(ranges);
        let total: u64 = usable().map(size).sum();
        let has = |port: u16| usable().any(|range| (range.begin..=range.end).contains(&u64::from(port)));
        u64::try_from(wanted.len()).is_ok_and(|wanted| wanted <= total)
            && wanted.iter().flatten().all(|port| has(*port))
    }

    /// Takes an amount, if there is enough; from several roles if need be.
    pub(crate) fn take_scalar(&mut self, name: &str, amount: f64) -> Option<Vec<Resource>> {
        let mut missing = milli(amount);
        if missing > milli(self.scalar(name)) {
            return None;
        }
        let mut taken = Vec::new();
        let roles = self.roles.clone();
        for resource in self.left.iter_mut().filter(|resource| is_usable(resource, name, &roles)) {
            let Some(scalar) = resource.scalar.as_mut() else { continue };
            let part = milli(scalar.value).min(missing);
            if part > 0 {
                missing -= part;
                scalar.value = unit(milli(scalar.value) - part);
                taken.push(Resource { scalar: Some(Scalar { value: unit(part) }), ..resource.clone() });
            }
        }
        Some(taken)
    }

    /// Takes this port, or any (the `dice` decide which).
    pub(crate) fn take_port(&mut self, wanted: Option<u16>, dice: &mut fastrand::Rng) -> Option<(u16, Resource)> {
        let port = match wanted {
            Some(port) => u64::from(port),
            None => self.any_port(dice)?,
        };
        let roles = self.roles.clone();
        let mut parts = self.left.iter_mut().filter(|resource| is_usable(resource, "ports", &roles));
        let part = parts.find(|part| ranges(part).iter().any(|range| (range.begin..=range.end).contains(&port)))?;
        let left = ranges(part).iter().flat_map(|range| without(range, port)).collect();
        part.ranges = Some(Ranges { range: left });
        let one = Ranges { range: vec![Range { begin: port, end: port }] };
        Some((u16::try_from(port).ok()?, Resource { ranges: Some(one), ..part.clone() }))
    }

    fn any_port(&self, dice: &mut fastrand::Rng) -> Option<u64> {
        let all: Vec<Range> = self.usable("ports").flat_map(|resource| ranges(resource).to_vec()).collect();
        let total: u64 = all.iter().map(size).sum();
        let mut index = (total > 0).then(|| dice.u64(0..total))?;
        for range in &all {
            if index < size(range) {
                return Some(range.begin + index);
            }
            index -= size(range);
        }
        None
    }

    fn usable(&self, name: &str) -> impl Iterator<Item = &Resource> {
        self.left.iter().filter(move |resource| is_usable(resource, name, &self.roles))
    }
}

/// Resources of the same role and kind put together: one entry for all ports.
pub(crate) fn merge_ports(ports: Vec<Resource>) -> Vec<Resource> {
    let mut merged: Vec<Resource> = Vec::new();
    for port in ports {
        let same = |other: &&mut Resource| {
            Resource { ranges: None, ..(*other).clone() } == Resource { ranges: None, ..port.clone() }
        };
        match merged.iter_mut().find(same) {
            Some(other) => other.ranges.get_or_insert_default().range.extend(ranges(&port).to_vec()),
            None => merged.push(port),
        }
    }
    merged
}

fn is_usable(resource: &Resource, name: &str, roles: &[String]) -> bool {
    let role = role(resource);
    resource.name == name
        && resource.disk.is_none()
        && resource.revocable.is_none()
        && resource.shared.is_none()
        && (roles.is_empty() || roles.iter().any(|accepted| accepted == role))
}

/// The role a resource is reserved for; `*` if for none.
pub(crate) fn role(resource: &Resource) -> &str {
    let reserved = resource.reservations.last().and_then(|reservation| reservation.role.as_deref());
    reserved.or(resource.role.as_deref()).unwrap_or("*")
}

fn ranges(resource: &Resource) -> &[Range] {
    resource.ranges.as_ref().map_or(&[], |ranges| &ranges.range)
}

fn without(range: &Range, port: u64) -> Vec<Range> {
    if !(range.begin..=range.end).contains(&port) {
        return vec![*range];
    }
    let below = (port > range.begin).then(|| Range { begin: range.begin, end: port - 1 });
    let above = (port < range.end).then(|| Range { begin: port + 1, end: range.end });
    below.into_iter().chain(above).collect()
}

/// The number of ports in a range.
fn size(range: &Range) -> u64 {
    range.end.saturating_add(1).saturating_sub(range.begin)
}

/// Mesos counts scalars in thousandths.
fn milli(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}

fn unit(milli: i64) -> f64 {
    milli as f64 / 1000.0
}
