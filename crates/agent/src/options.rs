//! The options of an agent. Defaults are Mesos' own, except that it listens on loopback.

mod containers;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use mesos::credentials::Credential;
use mesos::duration;
use mesos::server::{LogFile, LoggingLevel};
use processes::{Rotation, Rotations};

pub(crate) use self::containers::DOCKER_HUB;
pub use self::containers::{ContainerOptions, ImageCollection};
use crate::http::Authentication;
use crate::networks::NetworkOptions;

/// See the fields; [`Options::new`] has the defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The address to listen on.
    pub listen: IpAddr,
    /// The port to listen on; 0 takes any free one.
    pub port: u16,
    /// The name others are told to reach this agent by; by default, its address.
    pub hostname: Option<String>,
    /// The master's address, as `ip:port`.
    pub master: String,
    /// The directory of sandboxes and everything durable. It belongs to this agent alone.
    pub work_dir: PathBuf,
    /// The resources on offer, as Mesos writes them: `cpus:4;mem:1024;ports:[31000-32000]`. What of cpus, mem, disk and
    /// ports is not named is taken from the machine.
    pub resources: Option<String>,
    /// `rack:r1;zone:a`
    pub attributes: Option<String>,
    /// The program that runs executors: `cygnet` itself. It is called with `executor --pool`.
    pub executor_binary: PathBuf,
    /// The time that executors go on without their agent.
    pub recovery_timeout: Duration,
    /// The time that executors have to come back after the agent has.
    pub executor_reregistration_timeout: Duration,
    /// The time that a new executor has to subscribe.
    pub executor_registration_timeout: Duration,
    /// The time that an executor has to shut down when it does not say itself.
    pub executor_shutdown_grace_period: Duration,
    /// The longest first wait before the master is spoken to.
    pub registration_backoff_factor: Duration,
    /// The directory of the fetcher's cache; by default, below the work directory.
    pub fetcher_cache_dir: Option<PathBuf>,
    /// The size of that cache.
    pub fetcher_cache_size_bytes: u64,
    /// The most that is downloaded of a file.
    pub fetcher_download_bytes: u64,
    /// The variables in every executor's environment, unless its framework says otherwise.
    pub executor_environment_variables: BTreeMap<String, String>,
    /// The time that the sandbox of a run that is over is kept on an empty disk.
    pub gc_delay: Duration,
    /// The share of the disk that is to stay free: the nearer that is, the sooner sandboxes go.
    pub gc_disk_headroom: f64,
    /// The isolators of containers, as Mesos names them: `cgroups/cpu,cgroups/mem,cgroups/pids,disk/du`, or `posix/cpu` and
    /// `posix/mem` for none. By default, all that this machine has.
    pub isolation: Option<String>,
    /// The place where the hierarchies of control groups are mounted.
    pub cgroups_hierarchy: PathBuf,
    /// The cgroup below which those of agents are.
    pub cgroups_root: PathBuf,
    /// Set if a container gets no more CPUs than it has requested, even of those that are idle.
    pub cgroups_enable_cfs: bool,
    /// Set if the limit of memory counts what is swapped out.
    pub cgroups_limit_swap: bool,
    /// The longest that the processes of a container that is over may take to be gone.
    pub cgroups_destroy_timeout: Duration,
    /// The most processes and threads of a container.
    pub cgroups_pids_max: Option<u64>,
    /// Images, and what every container is given.
    pub containers: ContainerOptions,
    /// Set if a container that uses more disk than it has requested is ended.
    pub enforce_container_disk_quota: bool,
    /// The makers of containers, as Mesos names them: `mesos`, or `docker,mesos`. By default,
    /// Docker's daemon, too, if it answers.
    pub containerizers: Option<String>,
    /// The socket of Docker's daemon.
    pub docker_socket: PathBuf,
    /// Set if containers of Docker's that this agent has made and that nobody knows of any more are removed.
    pub docker_kill_orphans: bool,
    /// The time between two looks at the disk that containers use.
    pub container_disk_watch_interval: Duration,
    /// The networks of containers.
    pub networks: NetworkOptions,
    /// The bounds of tasks' logs.
    pub log_rotations: Rotations,
    /// The means of operators to change how much this process logs; without it they cannot.
    pub logging: Option<LoggingLevel>,
    /// The credential by which the agent authenticates to its master.
    pub credential: Option<Credential>,
    /// The parts of its APIs that only known principals may use; none by default.
    pub authentication: Authentication,
    /// The file this process logs to, which operators may read.
    pub log: Option<LogFile>,
    /// Set if tasks run as their users, which only root can make them.
    pub switch_user: bool,
    /// The time that a pool process may idle before it is dismissed.
    pub pool_linger: Duration,
    /// The longest that the last updates may take to be acknowledged when the agent stops its tasks and leaves.
    pub farewell_timeout: Duration,
}

impl Options {
    /// Listens on 127.0.0.1:5051.
    pub fn new(master: impl Into<String>, work_dir: impl Into<PathBuf>, executor_binary: impl Into<PathBuf>) -> Self {
        Options {
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 5051,
            hostname: None,
            master: master.into(),
            work_dir: work_dir.into(),
            resources: None,
            attributes: None,
            executor_binary: executor_binary.into(),
            recovery_timeout: Duration::from_secs(15 * 60),
            executor_reregistration_timeout: Duration::from_secs(2),
            executor_registration_timeout: Duration::from_secs(60),
            executor_shutdown_grace_period: Duration::from_secs(5),
            registration_backoff_factor: Duration::from_secs(1),
            fetcher_cache_dir: None,
            fetcher_cache_size_bytes: 2 << 30,
            fetcher_download_bytes: fetcher::MOST,
            executor_environment_variables: BTreeMap::new(),
            gc_delay: Duration::from_secs(7 * 24 * 3600),
            gc_disk_headroom: 0.1,
            isolation: None,
            containers: ContainerOptions::default(),
            cgroups_hierarchy: ::containers::cgroup::MOUNTS.into(),
            cgroups_root: "mesos".into(),
            cgroups_enable_cfs: false,
            cgroups_limit_swap: false,
            cgroups_destroy_timeout: Duration::from_secs(60),
            cgroups_pids_max: None,
            enforce_container_disk_quota: false,
            containerizers: None,
            docker_socket: "/var/run/docker.sock".into(),
            docker_kill_orphans: true,
            container_disk_watch_interval: Duration::from_secs(15),
            networks: NetworkOptions::default(),
            log_rotations: Rotations::default(),
            logging: None,
            credential: None,
            authentication: Authentication::default(),
            log: None,
            switch_user: true,
            pool_linger: Duration::from_secs(10),
            farewell_timeout: Duration::from_secs(3),
        }
    }

    /// As `/flags` shows them, with the port, the isolation and the containerizers that there really are.
    pub(crate) fn flags(&self, port: u16, isolation: String, containerizers: &str) -> BTreeMap<String, String> {
        let mut flags = BTreeMap::from([
            ("authenticate_http_readonly", self.authentication.readonly.to_string()),
            ("authenticate_http_readwrite", self.authentication.readwrite.to_string()),
            ("cgroups_destroy_timeout", duration::format(self.cgroups_destroy_timeout)),
            ("cgroups_enable_cfs", self.cgroups_enable_cfs.to_string()),
            ("cgroups_hierarchy", self.cgroups_hierarchy.display().to_string()),
            ("cgroups_limit_swap", self.cgroups_limit_swap.to_string()),
            ("cgroups_root", self.cgroups_root.display().to_string()),
            ("container_disk_watch_interval", duration::format(self.container_disk_watch_interval)),
            ("containerizers", containerizers.to_owned()),
            ("default_role", "*".to_owned()),
            ("docker_kill_orphans", self.docker_kill_orphans.to_string()),
            ("docker_socket", self.docker_socket.display().to_string()),
            ("enforce_container_disk_quota", self.enforce_container_disk_quota.to_string()),
            ("executor_registration_timeout", duration::format(self.executor_registration_timeout)),
            ("executor_reregistration_timeout", duration::format(self.executor_reregistration_timeout)),
            ("executor_shutdown_grace_period", duration::format(self.executor_shutdown_grace_period)),
            ("fetcher_cache_size", format!("{}B", self.fetcher_cache_size_bytes)),
            ("gc_delay", duration::format(self.gc_delay)),
            ("gc_disk_headroom", self.gc_disk_headroom.to_string()),
            ("http_command_executor", "true".to_owned()),
            ("http_heartbeat_interval", "30secs".to_owned()),
            ("ip", self.listen.to_string()),
            ("isolation", isolation),
            ("launcher", "posix".to_owned()),
            ("master", self.master.clone()),
            ("max_completed_executors_per_framework", crate::core::MAX_COMPLETED_EXECUTORS.to_string()),
            ("port", port.to_string()),
            ("reconfiguration_policy", "any".to_owned()),
            ("recover", "reconnect".to_owned()),
            ("recovery_timeout", duration::format(self.recovery_timeout)),
            ("registration_backoff_factor", duration::format(self.registration_backoff_factor)),
            ("switch_user", self.switch_user.to_string()),
            ("work_dir", self.work_dir.display().to_string()),
        ]);
        flags.extend(self.networks.flags());
        flags.extend(self.containers.flags());
        flags.extend(logger(self.log_rotations));
        flags.extend(self.cgroups_pids_max.map(|most| ("cgroups_pids_max", most.to_string())));
        flags.extend(self.hostname.clone().map(|hostname| ("hostname", hostname)));
        flags.extend(self.resources.clone().map(|resources| ("resources", resources)));
        let cache = self.fetcher_cache_dir.as_ref().map(|directory| directory.display().to_string());
        flags.extend(cache.map(|directory| ("fetcher_cache_dir", directory)));
        if !self.executor_environment_variables.is_empty() {
            let variables = serde_json::json!(self.executor_environment_variables).to_string();
            flags.insert("executor_environment_variables", variables);
        }
        flags.extend(self.log.as_ref().map(LogFile::flag));
        flags.extend(self.attributes.clone().map(|attributes| ("attributes", attributes)));
        flags.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The logger, by its name in Mesos, and the parameters that it is given there.
fn logger(rotations: Rotations) -> Vec<(&'static str, String)> {
    let bound = |bound: Rotation, names: [&'static str; 2]| {
        let [size, options] = names;
        [(size, format!("{}B", bound.bytes)), (options, format!("rotate {}", bound.files))]
    };
    let stdout = rotations.stdout.map(|stdout| bound(stdout, ["max_stdout_size", "logrotate_stdout_options"]));
    let stderr = rotations.stderr.map(|stderr| bound(stderr, ["max_stderr_size", "logrotate_stderr_options"]));
    let name = if rotations == Rotations::default() { "Sandbox" } else { "Logrotate" };
    let name = ("container_logger", format!("org_apache_mesos_{name}ContainerLogger"));
    stdout.into_iter().chain(stderr).flatten().chain([name]).collect()
}
