//! The settings that decisions depend on, which never change.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use containers::cgroup::Assignment;
use containers::provision;
use processes::Rotations;

use crate::layout::Layout;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The address at which the agent can be reached.
    pub(crate) address: SocketAddr,
    pub(crate) layout: Layout,
    /// The program of pools and shims.
    pub(crate) executor_binary: PathBuf,
    /// The variables of this process that pools and executors are started with.
    pub(crate) environment: BTreeMap<String, String>,
    /// The variables that every executor finds in its environment.
    pub(crate) executor_environment_variables: BTreeMap<String, String>,
    pub(crate) timeouts: Timeouts,
    pub(crate) switch_user: bool,
    /// The most an executor may fetch at once for a task.
    pub(crate) fetcher_download_bytes: u64,
    /// The cgroup below which those of containers are, where they can be made.
    pub(crate) cgroups: Option<Assignment>,
    /// The operator's word about containers, for the executors that make them.
    pub(crate) containers: provision::Settings,
    /// The name of the network that is the agent's own bridge.
    pub(crate) bridge: String,
    /// The logins for Docker's daemon: JSON, or the path of a file.
    pub(crate) docker_config: Option<String>,
    /// The socket of Docker's daemon, if there is one.
    pub(crate) docker_socket: Option<PathBuf>,
    /// The bounds of tasks' logs.
    pub(crate) log_rotations: Rotations,
    pub(crate) flags: BTreeMap<String, String>,
}

/// The longest that others may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) recovery: Duration,
    pub(crate) executor_reregistration: Duration,
    pub(crate) executor_registration: Duration,
    pub(crate) executor_shutdown_grace: Duration,
    pub(crate) pool_linger: Duration,
    pub(crate) farewell: Duration,
}
