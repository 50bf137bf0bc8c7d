//! `cygnet dev`: master, agent and scheduler in one process, the apps of some files, and a look at how they are.
//!
//! [`parts`] binds and runs the three, [`definitions`] reads and submits, [`watch`] shows what changes ([`live`] as a
//! table, or as lines) until somebody asks to stop.

pub(crate) mod definitions;
mod live;
mod parts;
mod watch;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use self::parts::{Bound, Running};
use self::watch::Show;
use crate::api::Api;
use crate::signals::Stop;

/// The options of `cygnet dev`.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Files with app definitions, Marathon's JSON: one app or a list; - is standard input
    files: Vec<String>,
    /// Where everything is kept
    #[arg(long, default_value = ".cygnet", env = "CYGNET_WORK_DIR")]
    work_dir: PathBuf,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1", env = "CYGNET_LISTEN")]
    listen: IpAddr,
    /// The master's port
    #[arg(long, default_value_t = 5050, env = "CYGNET_MASTER_PORT")]
    master_port: u16,
    /// The agent's port
    #[arg(long, default_value_t = 5051, env = "CYGNET_AGENT_PORT")]
    agent_port: u16,
    /// The port of the Marathon API
    #[arg(long, default_value_t = 8080, env = "CYGNET_API_PORT")]
    api_port: u16,
    /// What to offer, such as "cpus:4;mem:8192;ports:[31000-32000]"; by default, what the machine has
    #[arg(long, env = "CYGNET_RESOURCES")]
    resources: Option<String>,
    /// Leave the tasks running at the end: the next `cygnet dev` finds them
    #[arg(long, env = "CYGNET_KEEP")]
    keep: bool,
    /// One JSON object for each change, instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs until told to stop.
pub(crate) async fn run(dev: Dev) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let definitions = definitions::read(&dev.files)?;
    let running = Bound::bind(&dev).await?.run();
    let api = Api::new(&running.addresses.api.to_string());
    let show = Show::choose(dev.json);
    show.started(&running.addresses);
    let ended = tokio::select! {
        ended = serve(&api, &definitions, show) => ended.map(|()| ExitCode::SUCCESS),
        () = stop.asked() => Ok(ExitCode::SUCCESS),
    };
    if let Err(error) = &ended {
        eprintln!("cygnet dev: {error:#}");
    }
    leave(&dev, running, show, &mut stop).await?;
    Ok(ended.unwrap_or(ExitCode::FAILURE))
}

async fn serve(api: &Api, definitions: &[serde_json::Value], show: Show) -> anyhow::Result<()> {
    for definition in definitions {
        definitions::submit(api, definition, false).await?;
    }
    watch::forever(api, show).await
}

/// Stops everything in order. Asked a second time, everything at once.
async fn leave(dev: &Dev, running: Running, show: Show, stop: &mut Stop) -> anyhow::Result<()> {
    show.stopping(dev.keep);
    tokio::select! {
        result = running.stop(dev.keep) => result?,
        () = stop.asked() => show.forced(),
    }
    show.stopped(dev.keep);
    Ok(())
}
