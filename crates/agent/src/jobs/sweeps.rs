//! Remains of runs and of standalone containers that are in no book: of an agent before this one, and of those that could not
//! be parted with when they ended. All kinds go the same way, when the agent starts and from time to time.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use ::containers::cgroup::Cgroup;
use processes::contained::kill_run;
use tokio::task::spawn_blocking;

use super::Worker;
use super::blocking::remove;
use crate::cgroups::Cgroups;
use crate::layout::Layout;
use crate::networks::Networks;
use crate::strangers::{Known, Strangers};

/// Cgroups and networks of runs that are in no book.
struct Left {
    cgroups: Option<(Vec<Cgroup>, Cgroups)>,
    networks: (Vec<String>, Networks),
}

impl Left {
    async fn end(self) {
        if let Some((left, cgroups)) = self.cgroups {
            cgroups.sweep(left).await;
        }
        let (left, networks) = self.networks;
        networks.sweep(left).await;
    }
}

impl Worker {
    /// Clears away what runs other than these have left. Of what is made later, a sweep knows nothing: it has looked before
    /// that is begun.
    pub(super) async fn sweep(&self, live: BTreeSet<String>) {
        let (worker, runs) = (self.clone(), live.clone());
        if let Ok(left) = spawn_blocking(move || worker.left(&runs)).await {
            tokio::spawn(left.end());
        }
        self.surroundings.provisioner.sweep(live.clone()).await;
        let layout = self.surroundings.layout.clone();
        // One that panicked has logged it.
        let _done = spawn_blocking(move || sweep_states(&layout, &live)).await;
        self.sweep_docker();
    }

    /// Ends, once they have had time to come back, processes that are in no book, and what they leave.
    pub(super) async fn end_strangers(&self, known: Known, patience: Duration) {
        let worker = self.clone();
        let find = move || {
            let layout = &worker.surroundings.layout;
            let strangers = Strangers::find(&layout.executor_states(), &layout.pools(), &known);
            (strangers, worker.left(&known.runs))
        };
        if let Ok((strangers, left)) = spawn_blocking(find).await {
            let worker = self.clone();
            tokio::spawn(async move {
                end_later(strangers, patience).await;
                left.end().await;
                worker.sweep_docker();
            });
        }
    }

    /// May block.
    fn left(&self, live: &BTreeSet<String>) -> Left {
        let (cgroups, networks) = (self.surroundings.removable.clone(), self.surroundings.networks.clone());
        // A container of the operator API has its directory before its cgroup.
        let layout = &self.surroundings.layout;
        let is_standalone = |name: &str| layout.container(&name.into()).exists();
        let of_both = |cgroups: &Cgroups| [cgroups.left_runs(live), cgroups.left_standalone(is_standalone)].concat();
        let cgroups = cgroups.map(|cgroups| (of_both(&cgroups), cgroups));
        Left { cgroups, networks: (networks.left(live), networks) }
    }

    /// The containers of Docker's of runs that have no state any more.
    fn sweep_docker(&self) {
        if let Some(docker) = &self.surroundings.docker {
            docker.sweep(&self.surroundings.layout.executor_states());
        }
    }
}

async fn end_later(strangers: Strangers, patience: Duration) {
    if strangers.is_empty() {
        return;
    }
    tracing::warn!(%strangers, ?patience, "not in the books of this agent; they are told to end, then killed");
    tokio::time::sleep(patience).await;
    // Nobody waits for it: an agent that ends meanwhile leaves it to the next one.
    let _ended = spawn_blocking(move || strangers.end()).await;
}

fn sweep_states(layout: &Layout, live: &BTreeSet<String>) {
    let entries = fs::read_dir(layout.executor_states()).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_str().is_none_or(|name| !live.contains(name))) {
        kill_run(&entry.path());
        remove(&entry.path());
    }
}
