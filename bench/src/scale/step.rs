//! The findings at one number of tasks. Pure but for [`Costs::now`].

use std::time::Duration;

use super::cluster::Cluster;
use super::http;
use super::punctuality::Lag;
use super::usage::{self, Usage};

/// The processes that are measured, in the order of columns.
pub(crate) const ROLES: [&str; 4] = ["scheduler", "master", "agent", "executor"];

pub(crate) const SCHEDULER: usize = 0;
pub(crate) const MASTER: usize = 1;
pub(crate) const EXECUTOR: usize = 3;

/// The resources that each of them has used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    pub(crate) roles: [Usage; 4],
    pub(crate) machine_cpu: Duration,
    pub(crate) machine_mib: f64,
    /// Status updates the master has seen.
    pub(crate) updates: f64,
    pub(crate) at: Duration,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) tasks: u32,
    /// From the request until all were healthy; nothing if they never were.
    pub(crate) ramp: Option<Duration>,
    pub(crate) ramp_updates_per_s: f64,
    /// While all are healthy: CPU of each role, as a part of one core.
    pub(crate) cpu: [f64; 4],
    pub(crate) rss_mib: [f64; 4],
    pub(crate) machine_cpu: f64,
    pub(crate) machine_mib: f64,
    pub(crate) updates_per_s: f64,
    pub(crate) lag: Option<Lag>,
    /// Since the step before.
    pub(crate) false_verdicts: u64,
}

impl Costs {
    pub(crate) fn now(cluster: &Cluster, at: Duration) -> Costs {
        let [scheduler, master, agent] =
            [cluster.scheduler.pid(), cluster.master.pid(), cluster.agent_pid()].map(usage::of);
        let metrics = http::get(cluster.master.address, "/metrics/snapshot").unwrap_or_default();
        Costs {
            roles: [scheduler, master, agent, cluster.pool().map(usage::with_children).unwrap_or_default()],
            machine_cpu: usage::machine_cpu(),
            machine_mib: usage::machine_memory_mib(),
            updates: metrics["master/messages_status_update"].as_f64().unwrap_or_default(),
            at,
        }
    }

    /// Per second between these and later ones.
    fn per_second(&self, later: &Costs, amount: impl Fn(&Costs) -> f64) -> f64 {
        (amount(later) - amount(self)) / (later.at.saturating_sub(self.at)).as_secs_f64().max(0.001)
    }

    /// CPU of each role until later ones, as a part of one core.
    pub(crate) fn cpu_per_s(&self, later: &Costs) -> [f64; 4] {
        [0, 1, 2, 3].map(|role| self.per_second(later, |costs| costs.roles[role].cpu.as_secs_f64()))
    }

    /// The same as time.
    pub(crate) fn cpu_until(&self, later: &Costs) -> [Duration; 4] {
        [0, 1, 2, 3].map(|role| later.roles[role].cpu.saturating_sub(self.roles[role].cpu))
    }

    pub(crate) fn updates_per_s(&self, later: &Costs) -> f64 {
        self.per_second(later, |costs| costs.updates)
    }
}

impl Step {
    /// `ramp`: when scaling began, and when all were healthy; `still`: between which all was still.
    pub(crate) fn new(
        tasks: u32,
        (begin, healthy): (Costs, Costs),
        (still, end): (Costs, Costs),
        lag: Option<Lag>,
        false_verdicts: u64,
    ) -> Step {
        Step {
            tasks,
            ramp: Some(healthy.at.saturating_sub(begin.at)),
            ramp_updates_per_s: begin.updates_per_s(&healthy),
            cpu: still.cpu_per_s(&end),
            rss_mib: end.roles.map(|usage| usage.rss_mib),
            machine_cpu: still.per_second(&end, |costs| costs.machine_cpu.as_secs_f64()),
            machine_mib: end.machine_mib,
            updates_per_s: still.updates_per_s(&end),
            lag,
            false_verdicts,
        }
    }
}
