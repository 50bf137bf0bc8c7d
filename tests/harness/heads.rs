//! A master and a scheduler as processes of their own, without an agent: for tests that bring agents along.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::cluster::{Running, START, free_address};
use crate::ground::Ground;
use crate::{http, wait};

/// Both are killed when this is dropped.
#[derive(Debug)]
pub struct Heads {
    // Killed before the rest.
    _master: Running,
    scheduler: Running,
    ground: Ground,
    /// The master's address.
    pub master: SocketAddr,
    /// The address of the Marathon API.
    pub api: SocketAddr,
}

impl Heads {
    /// Starts both and waits until the scheduler is registered.
    #[track_caller]
    pub fn start() -> Heads {
        Heads::start_with(&[])
    }

    /// The same, with further arguments for the master.
    #[track_caller]
    pub fn start_with(arguments: &[&str]) -> Heads {
        let (ground, master, api) = (Ground::new(), free_address(), free_address());
        let address = master.to_string();
        let process = |name: &str, port: u16, more: &[&str]| {
            let work_dir = ground.path().join(name).display().to_string();
            let port = port.to_string();
            let arguments = [name, "--work-dir", &work_dir, "--port", &port].into_iter().chain(more.iter().copied());
            Running::start(&arguments.map(str::to_owned).collect::<Vec<_>>(), &ground.log())
        };
        let (first, second) =
            (process("master", master.port(), arguments), process("scheduler", api.port(), &["--master", &address]));
        let heads = Heads { _master: first, scheduler: second, master, api, ground };
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
        self.ground.path()
    }

    /// A number that the scheduler's metrics tell.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        let metrics: Value = http::get(self.api, "/metrics")?.json();
        metrics["gauges"][name]["value"].as_u64()
    }
}
