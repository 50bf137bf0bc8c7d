//! The limits that an agent holds its containers to, as options.

use std::num::ParseIntError;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

/// The files that say how many processes and threads a machine can have: what is less counts.
const MACHINE: [&str; 2] = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"];

/// The part of them that one container may have, so that it cannot take the machine.
const PART: u64 = 4;

/// The number of processes and threads that an operator lets a container have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pids {
    Unlimited,
    Most(u64),
}

/// The options about limits.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// The isolation of containers, in Mesos' words, such as "cgroups/cpu,cgroups/mem,disk/du", or "posix/cpu,posix/mem" for
    /// nothing; by default, everything this machine has
    #[arg(long, env = "CYGNET_ISOLATION")]
    isolation: Option<String>,
    /// Where the hierarchies of control groups are mounted
    #[arg(long, default_value = "/sys/fs/cgroup", env = "CYGNET_CGROUPS_HIERARCHY")]
    cgroups_hierarchy: PathBuf,
    /// The control group below which those of agents are
    #[arg(long, default_value = "mesos", env = "CYGNET_CGROUPS_ROOT")]
    cgroups_root: PathBuf,
    /// Whether a container gets no more CPUs than it asks for, even of those that are idle
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_CGROUPS_ENABLE_CFS")]
    cgroups_enable_cfs: bool,
    /// Whether the limit of memory counts what is swapped out
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_CGROUPS_LIMIT_SWAP")]
    cgroups_limit_swap: bool,
    /// How long the processes of a container that is over may take to be gone
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration, env = "CYGNET_CGROUPS_DESTROY_TIMEOUT")]
    cgroups_destroy_timeout: Duration,
    /// The most processes and threads of a container, or "unlimited"; by default a quarter of what the machine can have
    #[arg(long, value_parser = Pids::parse, env = "CYGNET_CGROUPS_PIDS_MAX")]
    cgroups_pids_max: Option<Pids>,
    /// Whether a container ends that uses more disk than it asks for
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_ENFORCE_CONTAINER_DISK_QUOTA")]
    enforce_container_disk_quota: bool,
    /// How long it is from one look at the disk that containers use to the next
    #[arg(long, default_value = "15s", value_parser = humantime::parse_duration,
        env = "CYGNET_CONTAINER_DISK_WATCH_INTERVAL")]
    container_disk_watch_interval: Duration,
}

impl Limits {
    pub(crate) fn give(&self, options: &mut ::agent::Options) {
        options.isolation.clone_from(&self.isolation);
        options.cgroups_hierarchy.clone_from(&self.cgroups_hierarchy);
        options.cgroups_root.clone_from(&self.cgroups_root);
        options.cgroups_enable_cfs = self.cgroups_enable_cfs;
        options.cgroups_limit_swap = self.cgroups_limit_swap;
        options.cgroups_destroy_timeout = self.cgroups_destroy_timeout;
        options.cgroups_pids_max = match self.cgroups_pids_max {
            Some(Pids::Most(most)) => Some(most),
            Some(Pids::Unlimited) => None,
            None => share(&MACHINE.map(|file| std::fs::read_to_string(file).unwrap_or_default())),
        };
        options.enforce_container_disk_quota = self.enforce_container_disk_quota;
        options.container_disk_watch_interval = self.container_disk_watch_interval;
    }
}

impl Pids {
    fn parse(text: &str) -> Result<Pids, ParseIntError> {
        match text {
            "0" | "unlimited" => Ok(Pids::Unlimited),
            number => number.parse().map(Pids::Most),
        }
    }
}

/// The number that a container may have of what these files say; none where none says anything.
fn share(files: &[String]) -> Option<u64> {
    files.iter().filter_map(|text| text.trim().parse::<u64>().ok()).min().map(|most| most / PART)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        limits: Limits,
    }

    fn given(arguments: &[&str]) -> Option<u64> {
        let command = Command::parse_from([&["cygnet"], arguments].concat());
        let mut options = ::agent::Options::new("nowhere:5050", "/nowhere", "/nowhere/cygnet");
        command.limits.give(&mut options);
        options.cgroups_pids_max
    }

    #[test]
    fn a_container_cannot_take_all_processes_of_the_machine() {
        let number = |file| std::fs::read_to_string(file).unwrap().trim().parse::<u64>().unwrap();
        let most = number("/proc/sys/kernel/pid_max").min(number("/proc/sys/kernel/threads-max"));
        assert_eq!(given(&[]), Some(most / 4));
        assert_eq!(given(&["--cgroups-pids-max", "20"]), Some(20));
        assert_eq!(given(&["--cgroups-pids-max", "0"]), None);
        assert_eq!(given(&["--cgroups-pids-max", "unlimited"]), None);
        assert!(Pids::parse("some").is_err());
        assert_eq!(share(&["4194304\n".to_owned(), "1000\n".to_owned()]), Some(250));
        assert_eq!(share(&[String::new()]), None);
    }
}
