//! Which paths are whose, in the realms of Mesos' masters.

use mesos::credentials::Credentials;
use mesos::server::Realms;

/// What only known principals may do, and who is known.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// Everybody who is known.
    pub credentials: Credentials,
    /// Whether frameworks have to be: `--authenticate_http_frameworks`.
    pub frameworks: bool,
    /// Whether agents have to be: `--authenticate_agents`.
    pub agents: bool,
    /// Whether who only looks has to be: `--authenticate_http_readonly`.
    pub readonly: bool,
    /// Whether who may change things has to be: `--authenticate_http_readwrite`. The operator API belongs here, too.
    pub readwrite: bool,
}

const REALMS: Realms = Realms {
    open: &["/health", "/redirect", "/system/stats", "/version"],
    readonly: &[
        "/files/browse",
        "/files/debug",
        "/files/download",
        "/files/read",
        "/flags",
        "/frameworks",
        "/maintenance/status",
        "/metrics/snapshot",
        "/roles",
        "/slaves",
        "/state",
        "/state-summary",
        "/tasks",
    ],
    names: ["mesos-master-readonly", "mesos-master-readwrite"],
};

impl Authentication {
    /// The realm that a request for this path has to be of.
    pub(super) fn realm(&self, path: &str) -> Option<&'static str> {
        match path {
            "/api/v1/scheduler" => self.frameworks.then_some("mesos-master-scheduler"),
            "/cygnet/v1/agent" => self.agents.then_some("mesos-master-agent"),
            path => REALMS.of(path, [self.readonly, self.readwrite]),
        }
    }
}
