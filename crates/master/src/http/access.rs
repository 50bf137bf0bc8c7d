//! The realms of paths, as Mesos' masters have them.

use mesos::server::Realms;

use crate::options::Authentication;

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
