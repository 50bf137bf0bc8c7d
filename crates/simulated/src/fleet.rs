//! All simulated agents of a process, in the hands of an experiment. Nothing here blocks.
//!
//! Owns a runtime with one thread, on which all agents live, and a channel of flips to each.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use mesos::resources::Resources;
use mesos::v1::Resource;
use shell::Clock;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};

use crate::agent::Agent;
use crate::counts::Counts;
use crate::subscription::{self, Shell};

/// The number of agents, and what each offers.
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of agents.
    pub agents: u32,
    /// As on the command line of a real agent: `cpus:8;mem:8192;disk:8192;ports:[10000-11999]`.
    pub resources: String,
}

/// A fleet that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// [`Options::resources`] cannot be read.
    #[error("resources of simulated agents: {0}")]
    Resources(#[from] mesos::resources::ResourceError),
    /// The machine's time makes no sense.
    #[error(transparent)]
    Clock(#[from] shell::ClockError),
    /// The system gave no thread.
    #[error("no runtime for simulated agents: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Runs until it is dropped; then all its agents vanish without a word, as machines do whose power fails.
#[derive(Debug)]
pub struct Fleet {
    agents: Vec<Reins>,
    /// The agent that flips next.
    next: AtomicUsize,
    runtime: Option<Runtime>,
}

/// The handle of one agent.
#[derive(Debug)]
struct Reins {
    flips: mpsc::UnboundedSender<usize>,
    counts: watch::Receiver<Counts>,
}

/// The address that agent `number`, counted from 0, gives: one of the loopback network, so that servers on this machine
/// can be its tasks.
#[must_use]
pub fn address(number: u32) -> Ipv4Addr {
    let [_, _, high, low] = (number + 1).to_be_bytes();
    Ipv4Addr::new(127, 64, high, low)
}

impl Fleet {
    /// Starts them; they subscribe one after the other, and again whenever they lose their master.
    pub fn start(master: SocketAddr, options: &Options) -> Result<Fleet, FleetError> {
        let resources = options.resources.parse::<Resources>()?.to_wire();
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("simulated").enable_all().build()?;
        let clock = Clock::start()?;
        let agents = (0..options.agents).map(|number| start(&runtime, master, clock, (number, &resources))).collect();
        Ok(Fleet { agents, next: AtomicUsize::new(0), runtime: Some(runtime) })
    }

    /// The counts of all of them, as of a moment ago.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.agents.iter().map(|agent| *agent.counts.borrow()).sum()
    }

    /// Makes so many tasks unhealthy if they are healthy, or healthy if they are not, spread over all agents.
    pub fn flip(&self, tasks: usize) {
        let agents = self.agents.len().max(1);
        let (each, rest) = (tasks / agents, tasks % agents);
        let first = self.next.fetch_add(rest, Ordering::Relaxed);
        for place in 0..self.agents.len().min(tasks) {
            let reins = &self.agents[(first + place) % agents];
            let _turned_away = reins.flips.send(each + usize::from(place < rest));
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn start(runtime: &Runtime, master: SocketAddr, clock: Clock, (number, resources): (u32, &[Resource])) -> Reins {
    let (flips, orders) = mpsc::unbounded_channel();
    let (publish, counts) = watch::channel(Counts::default());
    let agent = Agent::new(address(number), resources.to_vec());
    let shell = Shell { agent, master: master.to_string(), flips: orders, counts: publish, clock };
    runtime.spawn(subscription::run(shell));
    Reins { flips, counts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_is_somewhere_else() {
        assert_eq!(address(0), Ipv4Addr::new(127, 64, 0, 1));
        assert_eq!(address(255), Ipv4Addr::new(127, 64, 1, 0));
        assert_eq!(address(9999), Ipv4Addr::new(127, 64, 39, 16));
    }
}
