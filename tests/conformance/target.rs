//! The implementation that is tested: the one that the environment names, or a master and an agent of Cygnet's own,
//! started when the first row needs them and stopped with the last.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::OnceLock;

use harness::cluster::Pair;
use harness::http;

const MASTER: &str = "CYGNET_CONFORMANCE_MASTER";
const AGENT: &str = "CYGNET_CONFORMANCE_AGENT";

/// The implementation under test.
#[derive(Debug, Default)]
pub(crate) struct Target {
    own: OnceLock<Pair>,
    /// One that somebody else starts and stops.
    fixed: Option<(SocketAddr, SocketAddr)>,
}

impl Target {
    /// This pair, whoever the environment names.
    pub(crate) fn of(pair: &Pair) -> Target {
        Target { own: OnceLock::new(), fixed: Some((pair.master, pair.agent)) }
    }

    /// The address that the master listens on.
    pub(crate) fn master(&self) -> SocketAddr {
        self.fixed.map(|(master, _)| master).or_else(|| named(MASTER)).unwrap_or_else(|| self.own().master)
    }

    /// The address that the agent listens on.
    pub(crate) fn agent(&self) -> SocketAddr {
        self.fixed.map(|(_, agent)| agent).or_else(|| named(AGENT)).unwrap_or_else(|| self.own().agent)
    }

    /// True if it is somebody else's: its processes are not ours to kill, its programs not where ours are.
    pub(crate) fn is_foreign(&self) -> bool {
        self.fixed.is_none() && std::env::var_os(MASTER).is_some()
    }

    /// True if it has what Mesos has since this version. Cygnet has.
    pub(crate) fn is_since(&self, major: u32, minor: u32) -> bool {
        if !self.is_foreign() {
            return true;
        }
        let version = http::get(self.master(), "/version").expect("an answer").json();
        let text = version["version"].as_str().expect("a version");
        let mut numbers = text.split('.').map(|number| number.parse::<u32>().expect("a number"));
        (numbers.next(), numbers.next()) >= (Some(major), Some(minor))
    }

    /// True if the command executor is told the kill policy of a KILL: agents of Apache Mesos start it as one that
    /// speaks libprocess, which loses it, unless they have `--http_command_executor`.
    pub(crate) fn tells_kill_policies(&self) -> bool {
        let flags = http::get(self.agent(), "/flags").expect("an answer").json();
        !self.is_foreign() || flags["flags"]["http_command_executor"] == "true"
    }

    fn own(&self) -> &Pair {
        self.own.get_or_init(Pair::start)
    }
}

impl From<&Target> for SocketAddr {
    fn from(target: &Target) -> SocketAddr {
        target.master()
    }
}

/// The address in a variable like `http://127.0.0.1:5050`.
fn named(variable: &str) -> Option<SocketAddr> {
    let url = std::env::var(variable).ok()?;
    let authority = url.strip_prefix("http://").unwrap_or(&url).trim_end_matches('/');
    let mut found = authority.to_socket_addrs().unwrap_or_else(|error| panic!("{variable}={url}: {error}"));
    Some(found.next().unwrap_or_else(|| panic!("{variable}={url}: no address")))
}
