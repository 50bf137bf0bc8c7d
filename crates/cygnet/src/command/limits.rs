//! What an agent holds its containers to, as options.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

/// The options about limits.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// What containers are held to, in Mesos' words, such as "cgroups/cpu,cgroups/mem,disk/du", or "posix/cpu,posix/mem" for
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
    /// The most processes and threads of a container
    #[arg(long, env = "CYGNET_CGROUPS_PIDS_MAX")]
    cgroups_pids_max: Option<u64>,
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
        options.cgroups_pids_max = self.cgroups_pids_max;
        options.enforce_container_disk_quota = self.enforce_container_disk_quota;
        options.container_disk_watch_interval = self.container_disk_watch_interval;
    }
}
