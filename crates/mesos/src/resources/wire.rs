//! Resources as lists of `Resource` messages. In: what peers sent. Out: resources, or which one is wrong and why; and
//! back again, in the format with reservation refinement or the one before it.

use std::collections::BTreeSet;

use super::{
    Key, Ranges, Resources, UNRESERVED,
    amount::{Amount, to_double, to_thousandths},
};
use crate::v1::{self, Resource, resource, value};

/// Resources that are none, or that are not known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// The peer sent a resource that makes no sense.
    #[error("Resource '{name}' is invalid: {reason}")]
    Invalid {
        /// Its name.
        name: String,
        /// The fault.
        reason: &'static str,
    },
    /// A kind of resource that is not supported.
    #[error("Resource '{name}' is not supported: {feature}")]
    Unsupported {
        /// Its name.
        name: String,
        /// The thing it would need.
        feature: &'static str,
    },
    /// Text that names no resource.
    #[error("'{0}' is not of the form name:4, name:[1-9] or name:{{a,b}}")]
    Text(String),
}

impl Resources {
    /// The sum of a list of messages.
    pub fn from_wire<'a>(list: impl IntoIterator<Item = &'a Resource>) -> Result<Resources, ResourceError> {
        let mut resources = Resources::new();
        for resource in list {
            let (key, amount) = read(resource)?;
            resources.put(key, amount);
        }
        Ok(resources)
    }

    /// The list of messages, reservations in `reservations`.
    pub fn to_wire(&self) -> Vec<Resource> {
        self.amounts.iter().map(|(key, amount)| write(key, amount)).collect()
    }

    /// The list of messages for frameworks that do not know of reservation refinement: `role` says it all.
    pub fn to_wire_with_roles(&self) -> Vec<Resource> {
        let with_role = |mut resource: Resource, role: Option<&String>| {
            resource.reservations.clear();
            resource.role = Some(role.map_or(UNRESERVED, String::as_str).to_owned());
            resource
        };
        self.amounts.iter().map(|(key, amount)| with_role(write(key, amount), key.reserved.as_ref())).collect()
    }
}

fn read(resource: &Resource) -> Result<(Key, Amount), ResourceError> {
    let invalid = |reason| ResourceError::Invalid { name: resource.name.clone(), reason };
    if resource.name.is_empty() {
        return Err(invalid("Empty resource name"));
    }
    if let Some(feature) = unsupported(resource) {
        return Err(ResourceError::Unsupported { name: resource.name.clone(), feature });
    }
    let amount = amount(resource).map_err(invalid)?;
    let reserved = match resource.reservations.as_slice() {
        [] => resource.role.clone().filter(|role| role != UNRESERVED),
        [one] => one.role.clone().filter(|role| role != UNRESERVED),
        _ => return Err(ResourceError::Unsupported { name: resource.name.clone(), feature: "refined reservations" }),
    };
    let allocated = resource.allocation_info.as_ref().and_then(|info| info.role.clone());
    Ok((Key { name: resource.name.clone(), kind: amount.kind(), reserved, allocated }, amount))
}

fn unsupported(resource: &Resource) -> Option<&'static str> {
    use resource::reservation_info::Type::Dynamic;
    let dynamic = resource.reservation.is_some() || resource.reservations.iter().any(|one| one.r#type() == Dynamic);
    [
        (dynamic, "dynamic reservations"),
        (resource.disk.is_some(), "volumes"),
        (resource.revocable.is_some(), "revocable resources"),
        (resource.shared.is_some(), "shared resources"),
        (resource.provider_id.is_some(), "resource providers"),
    ]
    .into_iter()
    .find_map(|(present, feature)| present.then_some(feature))
}

fn amount(resource: &Resource) -> Result<Amount, &'static str> {
    match (value::Type::try_from(resource.r#type), &resource.scalar, &resource.ranges, &resource.set) {
        (Ok(value::Type::Scalar), Some(scalar), None, None) => scalar_amount(scalar.value),
        (Ok(value::Type::Ranges), None, Some(ranges), None) => ranges_amount(ranges),
        (Ok(value::Type::Set), None, None, Some(set)) => set_amount(set),
        (Ok(value::Type::Scalar), ..) => Err("Invalid scalar resource"),
        (Ok(value::Type::Ranges), ..) => Err("Invalid ranges resource"),
        (Ok(value::Type::Set), ..) => Err("Invalid set resource"),
        _ => Err("Unsupported resource type"),
    }
}

fn scalar_amount(value: f64) -> Result<Amount, &'static str> {
    if value < 0.0 {
        return Err("Invalid scalar resource: value < 0");
    }
    to_thousandths(value).map(Amount::Scalar).ok_or("Invalid scalar resource: value is not finite")
}

fn ranges_amount(ranges: &value::Ranges) -> Result<Amount, &'static str> {
    if ranges.range.iter().any(|range| range.begin > range.end) {
        return Err("Invalid ranges resource: begin > end");
    }
    Ok(Amount::Ranges(Ranges::new(ranges.range.iter().map(|range| (range.begin, range.end)))))
}

fn set_amount(set: &value::Set) -> Result<Amount, &'static str> {
    let items: BTreeSet<_> = set.item.iter().cloned().collect();
    if items.len() == set.item.len() {
        Ok(Amount::Set(items))
    } else {
        Err("Invalid set resource: duplicated elements")
    }
}

fn write(key: &Key, amount: &Amount) -> Resource {
    let mut resource = Resource { name: key.name.clone(), ..Resource::default() };
    match amount {
        Amount::Scalar(thousandths) => {
            resource.set_type(value::Type::Scalar);
            resource.scalar = Some(value::Scalar { value: to_double(*thousandths) });
        }
        Amount::Ranges(ranges) => {
            resource.set_type(value::Type::Ranges);
            let range = ranges.as_slice().iter().map(|&(begin, end)| value::Range { begin, end }).collect();
            resource.ranges = Some(value::Ranges { range });
        }
        Amount::Set(items) => {
            resource.set_type(value::Type::Set);
            resource.set = Some(value::Set { item: items.iter().cloned().collect() });
        }
    }
    resource.reservations = key.reserved.iter().map(|role| statically(role)).collect();
    resource.allocation_info = key.allocated.clone().map(|role| resource::AllocationInfo { role: Some(role) });
    resource
}

fn statically(role: &str) -> v1::resource::ReservationInfo {
    let mut reservation = resource::ReservationInfo { role: Some(role.to_owned()), ..Default::default() };
    reservation.set_type(resource::reservation_info::Type::Static);
    reservation
}
