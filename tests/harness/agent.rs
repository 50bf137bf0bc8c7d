//! An agent as a process of its own, beside the others of a cluster.

use std::net::SocketAddr;
use std::path::Path;

use crate::cluster::{Running, START};
use crate::ground::Ground;
use crate::ports::{Ports, free_address};
use crate::{http, wait};

/// Killed with all it has started when this is dropped.
#[derive(Debug)]
pub struct Agent {
    // Killed before the rest.
    process: Running,
    ground: Ground,
    _task_ports: Ports,
}

impl Agent {
    /// Starts one after this line of shell, and waits until it is registered.
    #[track_caller]
    pub fn start_behind(script: &str, master: SocketAddr, more: &[&str]) -> Agent {
        let (ground, address, task_ports) = (Ground::new(), free_address(), Ports::take());
        let work_dir = ground.path().join("agent").display().to_string();
        let (port, master_at) = (address.port().to_string(), master.to_string());
        let resources = format!("cpus:8;mem:8192;disk:8192;{}", task_ports.resource());
        let own =
            ["agent", "--work-dir", &work_dir, "--port", &port, "--master", &master_at, "--resources", &resources];
        let arguments: Vec<String> = own.iter().chain(more).map(|&argument| argument.to_owned()).collect();
        let process = Running::start_behind(script, &arguments, &ground.path().join("log"));
        let agent = Agent { process, ground, _task_ports: task_ports };
        wait::until("a registered agent", START, || {
            let slaves = http::get(master, "/slaves")?.json();
            slaves["slaves"].as_array()?.iter().any(|slave| slave["port"] == address.port()).then_some(())
        });
        agent
    }

    /// The directory of all that it keeps, also the mark of what it has started.
    pub fn directory(&self) -> &Path {
        self.ground.path()
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }
}
