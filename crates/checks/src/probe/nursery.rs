//! The cgroups of commands in flight: below our own, or, where a command is charged to a container's of version 2, below
//! that one, beside the cgroup with the container's processes.
//!
//! In: the birthplace of a command. Out: its [`Cgroup`]. A container's are forgotten once its cgroup is gone, which its
//! agent removes with all below it. Owned by the engine's thread.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound::{Excluded, Unbounded};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use processes::Birthplace;

use super::cgroup::{Cgroup, Cgroups};

#[derive(Debug)]
pub(crate) struct Nursery {
    is_wanted: bool,
    own: Cgroups,
    /// By the container's cgroup.
    containers: BTreeMap<PathBuf, Cgroups>,
    /// The container that was last looked at.
    looked: PathBuf,
}

impl Nursery {
    /// Nobody gets a cgroup, if they are not wanted.
    pub(crate) fn new(is_wanted: bool) -> Nursery {
        Nursery { is_wanted, own: Cgroups::new(is_wanted), containers: BTreeMap::new(), looked: PathBuf::new() }
    }

    /// An empty cgroup, if this process may make one.
    pub(crate) fn take(&mut self, birthplace: Option<&Birthplace>) -> Option<Cgroup> {
        let Some(container) = birthplace.and_then(Birthplace::directory).and_then(Path::parent) else {
            return self.own.take();
        };
        if !self.is_wanted {
            return None;
        }
        if !self.containers.contains_key(container) {
            self.containers.insert(container.to_owned(), Cgroups::below(container.to_owned()));
        }
        self.containers.get_mut(container)?.take()
    }

    /// As [`Cgroups::give_back`].
    pub(crate) fn give_back(&mut self, cgroup: Cgroup) -> Vec<OwnedFd> {
        self.home(&cgroup).give_back(cgroup)
    }

    /// As [`Cgroups::kill`].
    pub(crate) fn kill(&mut self, cgroup: Cgroup) -> io::Result<Vec<OwnedFd>> {
        self.home(&cgroup).kill(cgroup)
    }

    /// As [`Cgroups::give_up`].
    pub(crate) fn give_up(&mut self, cgroup: Cgroup) {
        self.home(&cgroup).give_up(cgroup);
    }

    /// True if a directory waits for its last process to go.
    pub(crate) fn is_busy(&self) -> bool {
        self.own.is_busy() || self.containers.values().any(Cgroups::is_busy)
    }

    /// Removes the cgroups that have waited longest, and looks whether the next container is still there.
    pub(crate) fn tidy(&mut self) {
        self.own.tidy();
        self.containers.values_mut().for_each(Cgroups::tidy);
        if self.containers.is_empty() {
            return;
        }
        let after = (Excluded(&self.looked), Unbounded);
        let next = self.containers.range::<PathBuf, _>(after).next().map(|(container, _)| container.clone());
        self.looked = next.unwrap_or_default();
        if !self.looked.exists() {
            self.containers.remove(&self.looked);
        }
    }

    /// Removes all that are empty.
    pub(crate) fn close(&mut self) {
        self.own.close();
        self.containers.values_mut().for_each(Cgroups::close);
    }

    /// The cgroups among which this one was made. A container's that are forgotten are nobody's, and so ours to remove.
    fn home(&mut self, cgroup: &Cgroup) -> &mut Cgroups {
        let container = cgroup.place().and_then(|place| self.containers.get_mut(place));
        container.unwrap_or(&mut self.own)
    }
}
