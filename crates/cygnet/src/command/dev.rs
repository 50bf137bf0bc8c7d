//! `cygnet dev`: master, agent and scheduler in one process, the apps of some files, and a look at how they are.
//!
//! [`parts`] binds and runs the three, [`watch`] shows what there is until somebody
//! asks to stop, [`follow`] the files of `--watch`: [`snapshot`] is one look, [`live`] shows it as a table laid out by [`columns`], [`why`] has the reasons, [`changes`] is what differs from the last one. [`earlier`]
//! finds what earlier runs have left.

mod changes;
mod columns;
mod earlier;
mod follow;
mod live;
mod parts;
mod snapshot;
mod watch;
mod why;

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Args;
use clap::builder::BoolishValueParser;
use serde_json::Value;

use self::follow::Files;
use self::parts::{Bound, Running};
use self::watch::Watch;
use crate::api::Api;
use crate::command::definitions;
use crate::signals::Stop;

/// The options of `cygnet dev`.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Files with definitions of apps, groups or pods, Marathon's JSON: one or a list; - is standard input
    files: Vec<String>,
    /// Follow the files: what changes in them is changed at once, and told
    #[arg(long, requires = "files")]
    watch: bool,
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
    #[arg(long, env = "CYGNET_RESOURCES", value_parser = crate::command::resources)]
    resources: Option<String>,
    #[command(flatten)]
    limits: super::limits::Limits,
    #[command(flatten)]
    docker: super::docker::Docker,
    #[command(flatten)]
    networks: super::networks::Networks,
    /// The network of apps and pods that ask for a container network and name none
    #[arg(long, alias = "default_network_name", value_name = "NAME", env = "CYGNET_DEFAULT_NETWORK_NAME")]
    default_network_name: Option<String>,
    #[command(flatten)]
    containers: super::containers::Containers,
    #[command(flatten)]
    logs: super::logs::Logs,
    /// Leave the tasks running at the end: the next `cygnet dev` finds them
    #[arg(long, env = "CYGNET_KEEP", value_parser = BoolishValueParser::new())]
    keep: bool,
    /// One JSON object for each change, instead of a table
    #[arg(long, env = "CYGNET_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
    #[command(flatten)]
    pub(crate) log: crate::log::Files,
}

/// Runs until it is asked to stop.
pub(crate) async fn run(dev: Dev) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen_with_terminal()?;
    let definitions = definitions::read(&dev.files)?;
    ensure!(!dev.watch || dev.files.iter().all(|file| file != "-"), "standard input cannot be followed: name files");
    let files = dev.watch.then(|| Files::new(dev.files.clone(), definitions.clone()));
    let mut running = Bound::bind(&dev).await?.run();
    super::exposure::warn(dev.listen, false);
    let api = Api::new(&running.addresses.api.into());
    let mut watch = Watch::new(api.clone(), dev.json)?;
    watch.started(&running.addresses, definitions.first().and_then(|app| app["id"].as_str()));
    let refused = tokio::select! {
        ended = serve(&api, &definitions, files.map(|files| (files, dev.json)), &mut watch) => ended.err(),
        error = running.broken() => return Err(error),
        () = stop.asked() => None,
    };
    if let Some(error) = &refused {
        crate::screen::complaint(format!("cygnet dev: {error:#}"));
    }
    leave(dev.keep, running, &mut watch, &mut stop).await?;
    Ok(if refused.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells of what is there already, submits, and shows. The definitions given at the start win over deployments under way.
async fn serve(
    api: &Api,
    definitions: &[Value],
    files: Option<(Files, bool)>,
    watch: &mut Watch,
) -> anyhow::Result<Infallible> {
    let earlier = earlier::ids(api, definitions).await?;
    if !earlier.is_empty() {
        watch.earlier(&earlier);
    }
    for definition in definitions {
        definitions::submit(api, definition, true, None).await?;
    }
    let Some((files, json)) = files else { return Ok(watch.go_on().await) };
    tokio::select! {
        never = watch.go_on() => match never {},
        never = files.follow(api, json) => match never {},
    }
}

/// Stops everything in order, still showing how it goes. Asked again, leaves at once.
async fn leave(keep: bool, running: Running, watch: &mut Watch, stop: &mut Stop) -> anyhow::Result<()> {
    watch.stopping(keep);
    let result = tokio::select! {
        result = running.stop(keep) => Some(result),
        never = watch.go_on() => match never {},
        () = stop.asked_again() => None,
    };
    match result {
        Some(Ok(())) => watch.stopped(keep),
        Some(Err(error)) => return Err(error),
        None => watch.forced(),
    }
    Ok(())
}
