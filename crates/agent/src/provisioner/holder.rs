//! The ones that images are kept for, by the names that leases have of them.

use mesos::v1::ContainerId;

use containers::image::Reference;

/// A run of an executor, or a container of the operator API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holder(String);

/// The first part of the name of a container of the operator API. No id has a slash.
const CONTAINERS: &str = "containers/";

impl Holder {
    /// The run in this container.
    pub(crate) fn run(container: impl std::fmt::Display) -> Holder {
        Holder(container.to_string())
    }

    /// The container of the operator API whose directory has this name, which is its id.
    pub(super) fn named(container: &str) -> Holder {
        Holder(format!("{CONTAINERS}{container}"))
    }

    /// The container of the operator API.
    pub(crate) fn container(container: &ContainerId) -> Holder {
        Holder::named(&container.to_string())
    }

    /// The name of the lease by which it has an image.
    pub(super) fn lease(&self, image: &Reference) -> String {
        format!("{} {image}", self.0)
    }

    /// The one that has a lease.
    pub(super) fn of(lease: &str) -> Option<Holder> {
        lease.split_once(' ').map(|(holder, _)| Holder(holder.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_says_whose_it_is() {
        let id = ContainerId::from("root").child("nested");
        let image: Reference = "here:5000/app:1".parse().unwrap();
        for holder in [Holder::run(id.root()), Holder::container(&id)] {
            assert_eq!(Holder::of(&holder.lease(&image)), Some(holder));
        }
        assert_ne!(Holder::container(id.root()), Holder::run(id.root()), "whatever an operator calls a container");
        assert_eq!(Holder::of("nobody"), None);
    }
}
