//! A cluster of real processes: a master, an agent and a scheduler, each its own, so that the kernel says what each
//! costs. In a directory and on ports of its own. Instead of the agent there may be many simulated ones, in this process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use simulated::Fleet;

use super::options::Options;
use super::{app, http, processes};
use crate::clock::{Moment, pause};
use crate::targets::{Grid, Targets};

const START: Duration = Duration::from_secs(60);

pub(crate) struct Cluster {
    /// Removed with everything in it when this is dropped.
    _directory: tempfile::TempDir,
    logs: PathBuf,
    pub(crate) master: Role,
    pub(crate) agents: Agents,
    pub(crate) scheduler: Role,
    /// The address that the scheduler checks if tasks are simulated.
    pub(crate) targets: Option<Targets>,
}

/// The agents that run tasks.
pub(crate) enum Agents {
    Real(Role),
    Simulated(Fleet),
}

/// A server process. It ends with this, also if the rest of the cluster never starts.
pub(crate) struct Role {
    name: &'static str,
    arguments: Vec<String>,
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

impl Drop for Role {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _reaped_already = self.process.wait();
    }
}

impl Cluster {
    pub(crate) fn start(options: &Options, directory: &Path) -> anyhow::Result<Cluster> {
        let kept = tempfile::Builder::new().prefix("scale-").tempdir_in(directory)?;
        let path = |name: &str| kept.path().join(name).display().to_string();
        let logs = directory.join(format!("{}.log", options.name()));
        let _there_was_none = std::fs::remove_file(&logs);
        let master = start("master", &path("master"), "", &logs)?;
        let of_master = format!("--master {}", master.address);
        let cluster = Cluster {
            targets: options.has_simulated_targets().then(|| Targets::start_grid(grid(options))).transpose()?,
            agents: match options.is_simulated() {
                true => Agents::Simulated(fleet(options, master.address)?),
                false => {
                    let more = format!("{of_master} --resources {}", app::resources(options));
                    Agents::Real(start("agent", &path("agent"), &more, &logs)?)
                }
            },
            scheduler: start("scheduler", &path("scheduler"), &of_master, &logs)?,
            master,
            logs,
            _directory: kept,
        };
        cluster.wait(options.agents().max(1))?;
        Ok(cluster)
    }

    fn wait(&self, agents: u32) -> anyhow::Result<()> {
        let since = Moment::now();
        while !self.is_up(agents) {
            if since.age() > START {
                bail!("the cluster does not start; its log is {}", self.logs.display());
            }
            pause(Duration::from_millis(100));
        }
        Ok(())
    }

    fn is_up(&self, agents: u32) -> bool {
        let slaves = http::get(self.master.address, "/slaves");
        let registered = slaves.is_ok_and(|slaves| slaves["slaves"].as_array().map(Vec::len) == Some(agents as usize));
        let known = http::get(self.scheduler.address, "/v2/info");
        registered && known.is_ok_and(|info| info["frameworkId"].is_string())
    }

    pub(crate) fn create_apps(&self, options: &Options) -> anyhow::Result<()> {
        self.put(&app::definitions(options, &binary()?))
    }

    pub(crate) fn scale(&self, options: &Options, tasks: u32) -> anyhow::Result<()> {
        self.put(&app::scaled(options, tasks))
    }

    fn put(&self, change: &Value) -> anyhow::Result<()> {
        http::put(self.scheduler.address, "/v2/apps?force=true", change).context("the scheduler refused").map(drop)
    }

    /// `kill -9`.
    pub(crate) fn kill_scheduler(&mut self) -> anyhow::Result<()> {
        self.scheduler.process.kill()?;
        self.scheduler.process.wait()?;
        Ok(())
    }

    /// Once more, with what the one before has left on disk.
    pub(crate) fn start_scheduler(&mut self) -> anyhow::Result<()> {
        self.scheduler.process = processes::start(&binary()?, &self.scheduler.arguments, &self.logs)?;
        Ok(())
    }

    /// The simulated agents, if they are.
    pub(crate) fn fleet(&self) -> Option<&Fleet> {
        match &self.agents {
            Agents::Simulated(fleet) => Some(fleet),
            Agents::Real(_) => None,
        }
    }

    /// The process of the agent, or the one in which all of them are simulated.
    pub(crate) fn agent_pid(&self) -> u32 {
        match &self.agents {
            Agents::Real(role) => role.pid(),
            Agents::Simulated(_) => std::process::id(),
        }
    }

    /// The process that hosts the executors, once there is one.
    pub(crate) fn pool(&self) -> Option<u32> {
        let Agents::Real(agent) = &self.agents else { return None };
        let children = processes::children(agent.pid());
        children.into_iter().find(|pid| processes::command_line(*pid).contains("--pool"))
    }

    /// Ends in order, and kills what does not.
    pub(crate) fn stop(mut self) {
        let agent = match &mut self.agents {
            Agents::Real(role) => Some(role),
            Agents::Simulated(_) => None,
        };
        for role in [Some(&mut self.scheduler), agent, Some(&mut self.master)].into_iter().flatten() {
            if !processes::end(&mut role.process, Duration::from_secs(5)) {
                eprintln!("the {} did not end in time", role.name);
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.targets.take());
        processes::kill_descendants();
    }
}

fn grid(options: &Options) -> Grid {
    Grid { addresses: options.agents(), first_port: app::FIRST_PORT, ports: app::ports(options) }
}

fn fleet(options: &Options, master: SocketAddr) -> anyhow::Result<Fleet> {
    let fleet = simulated::Options { agents: options.agents(), resources: app::resources(options) };
    Ok(Fleet::start(master, &fleet)?)
}

fn start(name: &'static str, directory: &str, more: &str, log: &Path) -> anyhow::Result<Role> {
    let address = free_address()?;
    let port = address.port().to_string();
    let fixed = ["--log", "warn", name, "--work-dir", directory, "--port", &port];
    let arguments: Vec<String> = fixed.into_iter().chain(more.split_whitespace()).map(str::to_owned).collect();
    let process = processes::start(&binary()?, &arguments, log)?;
    Ok(Role { name, arguments, process, address })
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
