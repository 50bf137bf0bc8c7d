//! A master and a scheduler as processes of their own, without an agent: for tests that bring agents along.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::cluster::{Running, START, free_address};
use crate::{http, wait};

/// Both are killed when this is dropped.
#[derive(Debug)]
pub struct Heads {
    directory: tempfile::TempDir,
    _master: Running,
    scheduler: Running,
    /// The master's address.
    pub master: SocketAddr,
    /// The address of the Marathon API.
    pub api: SocketAddr,
}

impl Heads {
    /// Starts both and waits until the scheduler is registered.
    #[track_caller]
    pub fn start() -> Heads {
        let directory = tempfile::Builder::new().prefix("cygnet-").tempdir().expect("a directory");
        let (master, api) = (free_address(), free_address());
        let address = master.to_string();
        let process = |name: &str, port: u16, more: &[&str]| {
            let work_dir = directory.path().join(name).display().to_string();
            let port = port.to_string();
            let arguments = [name, "--work-dir", &work_dir, "--port", &port].into_iter().chain(more.iter().copied());
            Running::start(&arguments.map(str::to_owned).collect::<Vec<_>>(), &directory.path().join("log"))
        };
        let (first, second) =
            (process("master", master.port(), &[]), process("scheduler", api.port(), &["--master", &address]));
        let heads = Heads { _master: first, scheduler: second, master, api, directory };
        wait::until("a registered scheduler", START, || {
            http::get(api, "/v2/info")?.json()["frameworkId"].is_string().then_some(())
        });
        heads
    }

    /// The scheduler's process id.
    pub fn scheduler(&self) -> i32 {
        self.scheduler.pid()
    }

    /// The directory of all that they keep.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A number that the scheduler's metrics tell.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        let metrics: Value = http::get(self.api, "/metrics")?.json();
        metrics["gauges"][name]["value"].as_u64()
    }
}

impl Drop for Heads {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            eprintln!("--- log ---\n{log}");
        }
    }
}
