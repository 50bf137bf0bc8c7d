//! Which paths are whose, in the realms of Mesos' agents. What executors use is open, as in Mesos without executor
//! tokens: an agent's port belongs into a network where nobody pretends to be one.

use mesos::credentials::Credentials;

/// What only known principals may do, and who is known.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// Everybody who is known.
    pub credentials: Credentials,
    /// Whether who only looks has to be: `--authenticate_http_readonly`.
    pub readonly: bool,
    /// Whether who may change things has to be: `--authenticate_http_readwrite`. The operator API belongs here, too.
    pub readwrite: bool,
}

const OPEN: [&str; 6] = ["/", "/api/v1/executor", "/cygnet/v1/pool", "/health", "/system/stats", "/version"];
const READWRITE: [&str; 2] = ["/api/v1", "/logging/toggle"];

impl Authentication {
    /// The realm that whoever asks for this path has to be of.
    pub(super) fn realm(&self, path: &str) -> Option<&'static str> {
        let (needed, realm) = match path {
            open if OPEN.contains(&open) => return None,
            write if READWRITE.contains(&write) => (self.readwrite, "mesos-agent-readwrite"),
            _ => (self.readonly, "mesos-agent-readonly"),
        };
        needed.then_some(realm)
    }
}
