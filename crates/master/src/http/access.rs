//! Which paths are whose, in the realms of Mesos' masters.

use mesos::credentials::Credentials;

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

const OPEN: [&str; 4] = ["/health", "/redirect", "/system/stats", "/version"];
const READONLY: [&str; 13] = [
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
];

impl Authentication {
    /// The realm that whoever asks for this path has to be of. A path that nobody thought of is no place to look only.
    pub(super) fn realm(&self, path: &str) -> Option<&'static str> {
        let (needed, realm) = match path {
            "/api/v1/scheduler" => (self.frameworks, "mesos-master-scheduler"),
            "/cygnet/v1/agent" => (self.agents, "mesos-master-agent"),
            open if OPEN.contains(&open) => return None,
            read if READONLY.contains(&read) => (self.readonly, "mesos-master-readonly"),
            _ => (self.readwrite, "mesos-master-readwrite"),
        };
        needed.then_some(realm)
    }
}
