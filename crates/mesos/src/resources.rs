//! The resources that agents have, offers hold and tasks use, as values to add, subtract and compare.
//! In: lists of `Resource`, or Mesos' text (`cpus:4;mem:1024;ports:[31000-32000]`). Out: the same, sums, differences,
//! answers, and the objects of the legacy endpoints.
//!
//! Resources of one name are told apart by the role they are reserved for and the role they are allocated to. Scalars
//! are kept in thousandths, as Mesos does, so that sums are exact. Dynamic reservations, volumes, revocable and shared
//! resources are not known here and refused.

mod amount;
mod legacy;
mod ranges;
mod text;
mod wire;

use std::{
    collections::BTreeMap,
    iter::Sum,
    ops::{Add, AddAssign, Sub, SubAssign},
};

use self::amount::{Amount, Kind};
pub use self::{ranges::Ranges, wire::ResourceError};

/// The role of everything that is not reserved.
pub const UNRESERVED: &str = "*";

/// A bag of resources. Nothing in it is empty: a resource used up is a resource gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    amounts: BTreeMap<Key, Amount>,
}

/// The things that tell resources apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    /// One name is of one kind in practice; if not, the two have nothing to do with each other.
    kind: Kind,
    /// The role it is statically reserved for.
    reserved: Option<String>,
    /// The role of the framework it is allocated to.
    allocated: Option<String>,
}

impl Resources {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// True if nothing is left.
    pub fn is_empty(&self) -> bool {
        self.amounts.is_empty()
    }

    /// True if all of `other` is in here, with the same reservations and allocations.
    pub fn contains(&self, other: &Resources) -> bool {
        other.amounts.iter().all(|(key, wanted)| self.amounts.get(key).is_some_and(|amount| amount.contains(wanted)))
    }

    /// The rest without `other`, if all of it is in here.
    pub fn checked_sub(&self, other: &Resources) -> Option<Resources> {
        self.contains(other).then(|| self.clone() - other)
    }

    /// The sum of all scalars of this name; 0 if there is none.
    pub fn scalar(&self, name: &str) -> f64 {
        let sum =
            self.named(name).filter_map(|amount| if let Amount::Scalar(value) = amount { Some(*value) } else { None });
        amount::to_double(sum.fold(0, i64::saturating_add))
    }

    /// Processors.
    pub fn cpus(&self) -> f64 {
        self.scalar("cpus")
    }

    /// Memory in MiB.
    pub fn mem(&self) -> f64 {
        self.scalar("mem")
    }

    /// Disk space in MiB.
    pub fn disk(&self) -> f64 {
        self.scalar("disk")
    }

    /// All ranges of this name together.
    pub fn ranges(&self, name: &str) -> Ranges {
        let mut all = Ranges::default();
        for amount in self.named(name) {
            if let Amount::Ranges(ranges) = amount {
                all.insert(ranges);
            }
        }
        all
    }

    /// The ports.
    pub fn ports(&self) -> Ranges {
        self.ranges("ports")
    }

    /// The same amounts without reservations and allocations.
    pub fn flatten(&self) -> Resources {
        self.mapped(|key| Key { reserved: None, allocated: None, ..key })
    }

    /// The same resources, allocated to a role.
    pub fn allocate(&self, role: &str) -> Resources {
        self.mapped(|key| Key { allocated: Some(role.to_owned()), ..key })
    }

    /// The same resources, allocated to nobody.
    pub fn unallocate(&self) -> Resources {
        self.mapped(|key| Key { allocated: None, ..key })
    }

    /// The part that is not reserved.
    pub fn unreserved(&self) -> Resources {
        self.filtered(|key| key.reserved.is_none())
    }

    /// The part that is reserved, by role.
    pub fn reservations(&self) -> BTreeMap<String, Resources> {
        let roles = self.amounts.keys().filter_map(|key| key.reserved.clone());
        roles.map(|role| (role.clone(), self.reserved_for(&role))).collect()
    }

    /// The part that is reserved for a role.
    pub fn reserved_for(&self, role: &str) -> Resources {
        self.filtered(|key| key.reserved.as_deref() == Some(role))
    }

    /// The roles these resources are allocated to.
    pub fn allocation_roles(&self) -> Vec<&str> {
        let mut roles: Vec<_> = self.amounts.keys().filter_map(|key| key.allocated.as_deref()).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Amount> {
        self.amounts.iter().filter(move |(key, _)| key.name == name).map(|(_, amount)| amount)
    }

    fn mapped(&self, change: impl Fn(Key) -> Key) -> Resources {
        let mut changed = Resources::new();
        for (key, amount) in &self.amounts {
            changed.put(change(key.clone()), amount.clone());
        }
        changed
    }

    fn filtered(&self, keep: impl Fn(&Key) -> bool) -> Resources {
        let kept = self.amounts.iter().filter(|(key, _)| keep(key));
        Resources { amounts: kept.map(|(key, amount)| (key.clone(), amount.clone())).collect() }
    }

    fn put(&mut self, key: Key, amount: Amount) {
        if amount.is_empty() {
            return;
        }
        match self.amounts.get_mut(&key) {
            Some(present) => present.add(&amount),
            None => drop(self.amounts.insert(key, amount)),
        }
    }
}

impl AddAssign<&Resources> for Resources {
    fn add_assign(&mut self, other: &Resources) {
        for (key, amount) in &other.amounts {
            self.put(key.clone(), amount.clone());
        }
    }
}

/// Takes away what is there; more than that cannot be taken.
impl SubAssign<&Resources> for Resources {
    fn sub_assign(&mut self, other: &Resources) {
        for (key, taken) in &other.amounts {
            if let Some(amount) = self.amounts.get_mut(key) {
                amount.subtract(taken);
            }
        }
        self.amounts.retain(|_, amount| !amount.is_empty());
    }
}

impl Add<&Resources> for Resources {
    type Output = Resources;

    fn add(mut self, other: &Resources) -> Resources {
        self += other;
        self
    }
}

impl Sub<&Resources> for Resources {
    type Output = Resources;

    fn sub(mut self, other: &Resources) -> Resources {
        self -= other;
        self
    }
}

impl<'a> Sum<&'a Resources> for Resources {
    fn sum<I: Iterator<Item = &'a Resources>>(all: I) -> Resources {
        all.fold(Resources::new(), Resources::add)
    }
}

impl Sum for Resources {
    fn sum<I: Iterator<Item = Resources>>(all: I) -> Resources {
        all.fold(Resources::new(), |sum, next| sum + &next)
    }
}

#[cfg(test)]
mod tests;
