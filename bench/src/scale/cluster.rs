//! A cluster of real processes: a master, an agent and a scheduler, each its own, so that the kernel says what each
//! costs. In a directory and on ports of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::options::Options;
use super::{app, http, processes};
use crate::clock::{Moment, pause};

const START: Duration = Duration::from_secs(60);

pub(crate) struct Cluster {
    /// Removed with everything in it when this is dropped.
    _directory: tempfile::TempDir,
    logs: PathBuf,
    pub(crate) master: Role,
    pub(crate) agent: Role,
    pub(crate) scheduler: Role,
}

/// A server process.
pub(crate) struct Role {
    pub(crate) name: &'static str,
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Role {
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

/// `cygnet`, built beside this program.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name("cygnet");
    ensure!(binary.exists(), "{} is not there: cargo build --release --package cygnet", binary.display());
    Ok(binary)
}

impl Cluster {
    pub(crate) fn start(directory: &Path) -> anyhow::Result<Cluster> {
        let kept = tempfile::Builder::new().prefix("scale-").tempdir_in(directory)?;
        let path = |name: &str| kept.path().join(name).display().to_string();
        let (logs, master) = (directory.join("scale.log"), free_address()?);
        let _there_was_none = std::fs::remove_file(&logs);
        let of_master = |more: &[&str]| [&["--master", &master.to_string()], more].concat().join(" ");
        let resources = format!("--resources {}", app::RESOURCES);
        let role = |name, address, more: &str| start(name, address, &path(name), more, &logs);
        let cluster = Cluster {
            master: role("master", master, "")?,
            agent: role("agent", free_address()?, &of_master(&[&resources]))?,
            scheduler: role("scheduler", free_address()?, &of_master(&[]))?,
            logs: logs.clone(),
            _directory: kept,
        };
        cluster.wait()?;
        Ok(cluster)
    }

    fn wait(&self) -> anyhow::Result<()> {
        let since = Moment::now();
        while !self.is_up() {
            if since.age() > START {
                bail!("the cluster does not start; its log is {}", self.logs.display());
            }
            pause(Duration::from_millis(100));
        }
        Ok(())
    }

    fn is_up(&self) -> bool {
        let agents = http::get(self.master.address, "/slaves");
        let registered = agents.is_ok_and(|agents| agents["slaves"].as_array().is_some_and(|list| !list.is_empty()));
        let known = http::get(self.scheduler.address, "/v2/info");
        registered && known.is_ok_and(|info| info["frameworkId"].is_string())
    }

    pub(crate) fn create_app(&self, options: &Options) -> anyhow::Result<()> {
        self.put(&app::definition(options, &binary()?))
    }

    pub(crate) fn scale(&self, instances: u32) -> anyhow::Result<()> {
        self.put(&json!({"instances": instances}))
    }

    fn put(&self, change: &Value) -> anyhow::Result<()> {
        let path = format!("/v2/apps{}?force=true", app::ID);
        http::put(self.scheduler.address, &path, change).context("the scheduler refused").map(drop)
    }

    /// The process that hosts the executors, once there is one.
    pub(crate) fn pool(&self) -> Option<u32> {
        let children = processes::children(self.agent.pid());
        children.into_iter().find(|pid| processes::command_line(*pid).contains("--pool"))
    }

    /// Ends in order, and kills what does not.
    pub(crate) fn stop(mut self) {
        for role in [&mut self.scheduler, &mut self.agent, &mut self.master] {
            if !processes::end(&mut role.process, Duration::from_secs(5)) {
                eprintln!("the {} did not end in time", role.name);
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        processes::kill_descendants();
    }
}

fn start(name: &'static str, address: SocketAddr, directory: &str, more: &str, log: &Path) -> anyhow::Result<Role> {
    let port = address.port().to_string();
    let fixed = ["--log", "warn", name, "--work-dir", directory, "--port", &port];
    let arguments: Vec<String> = fixed.into_iter().chain(more.split_whitespace()).map(str::to_owned).collect();
    Ok(Role { name, process: processes::start(&binary()?, &arguments, log)?, address })
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
