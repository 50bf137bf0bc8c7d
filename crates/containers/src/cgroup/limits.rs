//! From a container's resources to the numbers that the kernel takes. Pure; the formulas and the least values are Mesos'
//! (`slave/containerizer/mesos/isolators/cgroups/constants.hpp`).

/// The time over which a CPU limit is kept, in microseconds.
pub(crate) const PERIOD_US: u64 = 100_000;
const LEAST_QUOTA_US: u64 = 1_000;
const SHARES_PER_CPU: f64 = 1024.0;
const LEAST_SHARES: u64 = 2;
const WEIGHT_PER_CPU: f64 = 100.0;
const MOST_WEIGHT: u64 = 10_000;
const LEAST_MEMORY_BYTES: u64 = 32 * 1024 * 1024;

/// The resources of a container, as requested and as limited. What is absent is left to the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Its processor time.
    pub cpu: Option<CpuLimits>,
    /// Its memory.
    pub memory: Option<MemoryLimits>,
    /// The processes and threads that it may have at a time; without, as many as the machine allows.
    pub pids: Option<u64>,
}

/// The processor time of a container.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuLimits {
    /// The CPUs that it gets when others want them too.
    pub cpus: f64,
    /// The CPUs that it gets at most; without, as many as are idle.
    pub limit: Option<f64>,
}

/// The memory of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// The memory that it is sure of.
    pub bytes: u64,
    /// The memory that it gets at most, but never less than 32 MiB; without, as much as there is.
    pub limit: Option<u64>,
    /// True if the limit counts what is swapped out, too; version 1 only.
    pub swap: bool,
}

impl CpuLimits {
    /// `cpu.shares` of version 1.
    pub(crate) fn shares(&self) -> u64 {
        scaled(SHARES_PER_CPU, self.cpus).max(LEAST_SHARES)
    }

    /// `cpu.weight` of version 2.
    pub(crate) fn weight(&self) -> u64 {
        scaled(WEIGHT_PER_CPU, self.cpus).clamp(1, MOST_WEIGHT)
    }

    /// The microseconds of each [`PERIOD_US`] that it may run.
    pub(crate) fn quota_us(&self) -> Option<u64> {
        self.limit.map(|cpus| scaled(PERIOD_US as f64, cpus).max(LEAST_QUOTA_US))
    }
}

impl MemoryLimits {
    /// The memory that the kernel spares when it needs some.
    pub(crate) fn soft_bytes(&self) -> u64 {
        self.bytes.max(LEAST_MEMORY_BYTES)
    }

    /// The memory at which the kernel kills.
    pub(crate) fn hard_bytes(&self) -> Option<u64> {
        self.limit.map(|bytes| bytes.max(LEAST_MEMORY_BYTES))
    }
}

fn scaled(unit: f64, cpus: f64) -> u64 {
    (unit * cpus) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn resources_become_what_mesos_makes_of_them() {
        for (cpus, shares, weight, quota) in [
            (1.0, 1024, 100, 100_000),
            (0.1, 102, 10, 10_000),
            (0.001, 2, 1, 1_000),
            (2.5, 2560, 250, 250_000),
            (200.0, 204_800, 10_000, 20_000_000),
        ] {
            let cpu = CpuLimits { cpus, limit: Some(cpus) };
            assert_eq!((cpu.shares(), cpu.weight(), cpu.quota_us()), (shares, weight, Some(quota)), "{cpus}");
        }
        assert_eq!(CpuLimits { cpus: 1.0, limit: None }.quota_us(), None);
        let memory = MemoryLimits { bytes: 1, limit: Some(1), swap: false };
        assert_eq!((memory.soft_bytes(), memory.hard_bytes()), (32 * MIB, Some(32 * MIB)));
        assert_eq!(MemoryLimits { limit: None, ..memory }.hard_bytes(), None);
    }
}
