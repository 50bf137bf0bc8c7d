//! The realms of paths, as Mesos' agents have them. What executors use is open, as in Mesos without executor
//! tokens: an agent's port belongs into a network where nobody pretends to be one.

use mesos::credentials::Credentials;
use mesos::server::Realms;

/// The parts that only known principals may use, and who is known.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// Everybody who is known.
    pub credentials: Credentials,
    /// Set if even those who only look have to be known: `--authenticate_http_readonly`.
    pub readonly: bool,
    /// Set if those who change things have to be known: `--authenticate_http_readwrite`; the operator API belongs here.
    pub readwrite: bool,
}

const REALMS: Realms = Realms {
    open: &["/", "/api/v1/executor", "/cygnet/v1/pool", "/health", "/system/stats", "/version"],
    readonly: &[
        "/containers",
        "/cygnet/v1/history",
        "/cygnet/v1/histories",
        "/cygnet/v1/late",
        "/cygnet/v1/metrics",
        "/files/browse",
        "/files/debug",
        "/files/download",
        "/files/read",
        "/flags",
        "/metrics/snapshot",
        "/monitor/statistics",
        "/state",
    ],
    names: ["mesos-agent-readonly", "mesos-agent-readwrite"],
};

impl Authentication {
    /// The realm that a request for this path has to be of.
    pub(super) fn realm(&self, path: &str) -> Option<&'static str> {
        REALMS.of(path, [self.readonly, self.readwrite])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_nobody_thought_of_takes_rights_to_change() {
        let all = Authentication { readonly: true, readwrite: true, ..Authentication::default() };
        for (path, realm) in [
            ("/state", Some("mesos-agent-readonly")),
            ("/files/read", Some("mesos-agent-readonly")),
            ("/api/v1", Some("mesos-agent-readwrite")),
            ("/logging/toggle", Some("mesos-agent-readwrite")),
            ("/new", Some("mesos-agent-readwrite")),
            ("/cygnet/v1/checks", Some("mesos-agent-readwrite")),
            ("/health", None),
        ] {
            assert_eq!(all.realm(path), realm, "{path}");
        }
    }
}
