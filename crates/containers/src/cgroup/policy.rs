//! The limits that an agent sets: which there are, and what they come to for the executor and the tasks of a container.
//! Pure.

use std::collections::BTreeMap;

use mesos::v1::value::Scalar;
use mesos::v1::{Resource, TaskInfo};
use serde::{Deserialize, Serialize};

use super::limits::{CpuLimits, Limits, MemoryLimits};

const BYTES_IN_MB: f64 = 1024.0 * 1024.0;

/// The bounds of the points that readiness to die is counted in.
const LEAST_POINTS: i32 = 3;
const MOST_POINTS: i32 = 999;

/// The limits that an agent sets, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Mesos' isolator `cgroups/cpu`.
    pub cpu: bool,
    /// Mesos' isolator `cgroups/mem`.
    pub memory: bool,
    /// Requested CPUs are a limit, too: Mesos' `--cgroups_enable_cfs`.
    pub cfs: bool,
    /// Limits of memory count what is swapped out: Mesos' `--cgroups_limit_swap`.
    pub swap: bool,
    /// The most processes and threads of a container.
    pub pids: Option<u64>,
}

/// The demand of an executor or a task: its resources, and the limits beside them.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    resources: &'a [Resource],
    limits: Option<&'a BTreeMap<String, Scalar>>,
}

impl<'a> Demand<'a> {
    /// These resources, with limits that may be higher.
    pub fn limited(resources: &'a [Resource], limits: &'a BTreeMap<String, Scalar>) -> Demand<'a> {
        Demand { resources, limits: Some(limits) }
    }

    fn amount(&self, name: &str) -> f64 {
        let named = self.resources.iter().filter(|resource| resource.name == name);
        named.filter_map(|resource| resource.scalar.as_ref()).map(|scalar| scalar.value).sum()
    }

    fn limit(&self, name: &str) -> Option<f64> {
        self.limits?.get(name).map(|limit| limit.value)
    }
}

/// These resources, without limits of their own.
impl<'a> From<&'a [Resource]> for Demand<'a> {
    fn from(resources: &'a [Resource]) -> Demand<'a> {
        Demand { resources, limits: None }
    }
}

impl<'a> From<&'a TaskInfo> for Demand<'a> {
    fn from(task: &'a TaskInfo) -> Demand<'a> {
        Demand::limited(&task.resources, &task.limits)
    }
}

impl Policy {
    /// The limits of a container in which these share.
    pub fn limits(&self, demands: &[Demand<'_>]) -> Limits {
        let requested = |name| demands.iter().map(|demand| demand.amount(name)).sum::<f64>();
        let cpus = requested("cpus");
        let cpu =
            CpuLimits { cpus, limit: limit(demands, "cpus").or_else(|| self.cfs.then_some(cpus)).filter(is_finite) };
        let mem = requested("mem");
        let most = limit(demands, "mem").unwrap_or(mem);
        let memory =
            MemoryLimits { bytes: bytes(mem), limit: Some(most).filter(is_finite).map(bytes), swap: self.swap };
        Limits { cpu: self.cpu.then_some(cpu), memory: self.memory.then_some(memory), pids: self.pids }
    }
}

impl Policy {
    /// The points by which a container rather dies when the machine, which has this much memory, has no more: what it asks
    /// for is less than what it may take. The formula is Mesos', and before that Kubernetes'.
    pub fn oom_score_adjustment(&self, demand: Demand<'_>, machine_bytes: u64) -> Option<i32> {
        let (limit, requested) = (demand.limit("mem")?, demand.amount("mem"));
        let share = 1000.0 * bytes(requested) as f64 / machine_bytes.max(1) as f64;
        let points = (1000.0 - share).clamp(f64::from(LEAST_POINTS), f64::from(MOST_POINTS)) as i32;
        (self.memory && limit > requested).then_some(points)
    }
}

/// The limits together, if there is any; one without counts with what it requests.
fn limit(demands: &[Demand<'_>], name: &str) -> Option<f64> {
    demands.iter().find_map(|demand| demand.limit(name))?;
    Some(demands.iter().map(|demand| demand.limit(name).unwrap_or_else(|| demand.amount(name))).sum())
}

/// Not so is what Mesos writes as `inf`: no limit.
fn is_finite(limit: &f64) -> bool {
    limit.is_finite()
}

fn bytes(megabytes: f64) -> u64 {
    (megabytes * BYTES_IN_MB) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;
    const POLICY: Policy = Policy { cpu: true, memory: true, cfs: false, swap: false, pids: Some(7) };

    /// CPUs, memory, limits.
    type Asked<'a> = (f64, f64, &'a [(&'a str, f64)]);

    fn limits_of(policy: Policy, tasks: &[Asked<'_>]) -> Limits {
        let task = |(cpus, mem, limits): &Asked<'_>| TaskInfo {
            resources: vec![Resource::scalar("cpus", *cpus), Resource::scalar("mem", *mem)],
            limits: limits.iter().map(|(name, value)| ((*name).to_owned(), Scalar { value: *value })).collect(),
            ..TaskInfo::default()
        };
        let tasks: Vec<_> = tasks.iter().map(task).collect();
        policy.limits(&tasks.iter().map(Demand::from).collect::<Vec<_>>())
    }

    #[test]
    fn requests_and_limits_add_up() {
        let (cpu, memory) = (|limits: &Limits| limits.cpu.unwrap(), |limits: &Limits| limits.memory.unwrap());
        let plain = limits_of(POLICY, &[(0.5, 64.0, &[]), (1.0, 32.0, &[])]);
        assert_eq!(cpu(&plain), CpuLimits { cpus: 1.5, limit: None });
        assert_eq!(memory(&plain), MemoryLimits { bytes: 96 * MIB, limit: Some(96 * MIB), swap: false });
        assert_eq!(plain.pids, Some(7));
        let one = limits_of(POLICY, &[(0.5, 64.0, &[("cpus", 2.0), ("mem", 100.0)]), (1.0, 32.0, &[])]);
        assert_eq!((cpu(&one).limit, memory(&one).limit), (Some(3.0), Some(132 * MIB)));
        assert_eq!((cpu(&one).cpus, memory(&one).bytes), (1.5, 96 * MIB));
        let endless = [("cpus", f64::INFINITY), ("mem", f64::INFINITY)];
        let none = limits_of(Policy { cfs: true, ..POLICY }, &[(0.5, 64.0, &endless), (1.0, 32.0, &[])]);
        assert_eq!((cpu(&none).limit, memory(&none).limit), (None, None));
    }

    #[test]
    fn who_may_take_more_than_it_asks_for_dies_sooner_the_less_that_is() {
        let points = |policy: Policy, mem: f64, limits: &[(&str, f64)]| {
            let resources = [Resource::scalar("mem", mem)];
            let limits = limits.iter().map(|(name, value)| ((*name).to_owned(), Scalar { value: *value })).collect();
            policy.oom_score_adjustment(Demand::limited(&resources, &limits), 1024 * MIB)
        };
        assert_eq!(points(POLICY, 256.0, &[("mem", 512.0)]), Some(750));
        assert_eq!(points(POLICY, 256.0, &[("mem", f64::INFINITY)]), Some(750));
        assert_eq!(points(POLICY, 0.5, &[("mem", 2.0)]), Some(999));
        assert_eq!(points(POLICY, 2048.0, &[("mem", 4096.0)]), Some(3));
        for none in [&[][..], &[("cpus", 2.0)], &[("mem", 256.0)]] {
            assert_eq!(points(POLICY, 256.0, none), None);
        }
        assert_eq!(points(Policy::default(), 256.0, &[("mem", 512.0)]), None);
    }

    #[test]
    fn a_policy_says_which_there_are() {
        let task: Asked<'_> = (0.5, 64.0, &[]);
        let strict = Policy { cfs: true, swap: true, ..POLICY };
        assert_eq!(limits_of(strict, &[task]).cpu.unwrap().limit, Some(0.5));
        assert!(limits_of(strict, &[task]).memory.unwrap().swap);
        let nothing = Limits { cpu: None, memory: None, pids: None };
        assert_eq!(limits_of(Policy::default(), &[task]), nothing);
    }
}
