//! The memory of a cgroup in which the kernel killed for want of it, in Mesos' words.

use mesos::v1::{Resource, TaskResourceLimitation};

use super::Bytes;

/// The memory of a cgroup, for the message about its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryReport {
    /// The most that it may use.
    pub limit_bytes: u64,
    /// The most that was in use at a time.
    pub most_bytes: u64,
    /// `memory.stat`, in the kernel's words.
    pub statistics: String,
}

impl MemoryReport {
    /// The message, for people.
    pub fn message(&self) -> String {
        let MemoryReport { limit_bytes, most_bytes, statistics } = self;
        let (limit, most) = (Bytes(*limit_bytes), Bytes(*most_bytes));
        let numbers = format!("Memory limit exceeded: Requested: {limit} Maximum Used: {most}");
        format!("{numbers}\n\nMEMORY STATISTICS: \n{statistics}\n")
    }

    /// The amount that was too much.
    pub fn limitation(&self) -> TaskResourceLimitation {
        TaskResourceLimitation { resources: vec![Resource::scalar("mem", (self.most_bytes >> 20) as f64)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_mesos() {
        let report = MemoryReport { limit_bytes: 32 << 20, most_bytes: 32 << 20, statistics: "cache 0\n".to_owned() };
        let message = "Memory limit exceeded: Requested: 32MB Maximum Used: 32MB\n\nMEMORY STATISTICS: \ncache 0\n\n";
        assert_eq!(report.message(), message);
        assert_eq!(report.limitation().resources, [Resource::scalar("mem", 32.0)]);
    }
}
