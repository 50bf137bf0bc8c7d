//! `cygnet agent`: the agent alone.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use agent::{Authentication, Shutdown};
use anyhow::Context;
use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use tokio::sync::oneshot;

use super::containers::Containers;
use super::limits::Limits;
use super::logs::Logs;
use super::networks::Networks;
use super::{credentials, raise_file_limit};
use crate::paths::absolute;
use crate::server::Server;
use crate::signals::Stop;

/// The options of an agent.
#[derive(Debug, Args)]
pub(crate) struct Agent {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1", env = "CYGNET_LISTEN")]
    listen: IpAddr,
    /// The port to listen on
    #[arg(long, default_value_t = 5051, env = "CYGNET_AGENT_PORT")]
    port: u16,
    /// What others are told to reach this machine by
    #[arg(long, env = "CYGNET_HOSTNAME")]
    hostname: Option<String>,
    /// Where the master is: HOST:PORT
    #[arg(long, default_value = "127.0.0.1:5050", env = "CYGNET_MASTER")]
    master: Server,
    /// Where sandboxes and what must survive a restart are kept
    #[arg(long, default_value = ".cygnet/agent", env = "CYGNET_WORK_DIR")]
    work_dir: PathBuf,
    /// What to offer, such as "cpus:4;mem:8192;disk:10000;ports:[31000-32000]"; by default, what the machine has
    #[arg(long, env = "CYGNET_RESOURCES", value_parser = crate::command::resources)]
    resources: Option<String>,
    /// What the machine is like, such as "rack:r1;zone:a"
    #[arg(long, env = "CYGNET_ATTRIBUTES")]
    attributes: Option<String>,
    /// For how long executors wait for an agent that is gone
    #[arg(long, default_value = "15m", value_parser = humantime::parse_duration, env = "CYGNET_RECOVERY_TIMEOUT")]
    recovery_timeout: Duration,
    /// How long executors have to come back after the agent has
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration,
        env = "CYGNET_EXECUTOR_REREGISTRATION_TIMEOUT")]
    executor_reregistration_timeout: Duration,
    /// How long a new executor has to subscribe, with everything that is fetched for it
    #[arg(long, default_value = "1m", value_parser = humantime::parse_duration,
        env = "CYGNET_EXECUTOR_REGISTRATION_TIMEOUT")]
    executor_registration_timeout: Duration,
    /// How long an executor has to shut down when it does not say itself
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration,
        env = "CYGNET_EXECUTOR_SHUTDOWN_GRACE_PERIOD")]
    executor_shutdown_grace_period: Duration,
    /// What every executor finds in its environment, as NAME=VALUE; may be given several times
    #[arg(long, value_parser = variable, value_name = "NAME=VALUE")]
    executor_environment: Vec<(String, String)>,
    /// Where the fetcher keeps what may be wanted again; by default, below the work directory
    #[arg(long, env = "CYGNET_FETCHER_CACHE_DIR")]
    fetcher_cache_dir: Option<PathBuf>,
    /// How many megabytes the fetcher may keep there
    #[arg(long, default_value_t = 2048, env = "CYGNET_FETCHER_CACHE_MEGABYTES")]
    fetcher_cache_megabytes: u64,
    /// The most megabytes of a file that is fetched for a task, or of a directory as a whole
    #[arg(long, default_value_t = 16384, env = "CYGNET_FETCHER_DOWNLOAD_MEGABYTES")]
    fetcher_download_megabytes: u64,
    /// How long the sandbox of a task that is over is kept on an empty disk; the fuller that is, the shorter
    #[arg(long, default_value = "7d", value_parser = humantime::parse_duration, env = "CYGNET_GC_DELAY")]
    gc_delay: Duration,
    /// The share of the disk that is to stay free, between 0 and 1
    #[arg(long, default_value_t = 0.1, env = "CYGNET_GC_DISK_HEADROOM")]
    gc_disk_headroom: f64,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    docker: super::docker::Docker,
    #[command(flatten)]
    networks: Networks,
    #[command(flatten)]
    containers: Containers,
    #[command(flatten)]
    logs: Logs,
    /// Whether tasks run as their users, which only root can make them
    #[arg(long, default_value_t = true, action = ArgAction::Set, env = "CYGNET_SWITCH_USER")]
    switch_user: bool,
    /// Stop the tasks when told to stop; by default they go on, and the next agent finds them
    #[arg(long, env = "CYGNET_STOP_TASKS", value_parser = BoolishValueParser::new())]
    stop_tasks: bool,
    /// The credential that the agent shows its master: {"principal": "NAME", "secret": "SECRET"}
    #[arg(long, value_name = "FILE", env = "CYGNET_CREDENTIAL")]
    credential: Option<PathBuf>,
    /// The credentials that the agent knows: {"credentials": [{"principal": "NAME", "secret": "SECRET"}]}
    #[arg(long, value_name = "FILE", env = "CYGNET_HTTP_CREDENTIALS")]
    http_credentials: Option<PathBuf>,
    /// Only known principals may look
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_AUTHENTICATE_HTTP_READONLY")]
    authenticate_http_readonly: bool,
    /// Only known principals may change things, and use the operator API
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_AUTHENTICATE_HTTP_READWRITE")]
    authenticate_http_readwrite: bool,
    #[command(flatten)]
    pub(crate) log: crate::log::Files,
}

fn variable(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = text.split_once('=').with_context(|| format!("'{text}' is not NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The principals that the agent lets in.
fn authentication(arguments: &Agent) -> anyhow::Result<Authentication> {
    let needs = [
        (arguments.authenticate_http_readonly, "--authenticate-http-readonly"),
        (arguments.authenticate_http_readwrite, "--authenticate-http-readwrite"),
    ];
    let needed_by = needs.iter().find(|(asked, _)| *asked).map(|(_, flag)| *flag);
    Ok(Authentication {
        credentials: credentials::known(arguments.http_credentials.as_deref(), "--http-credentials", needed_by)?,
        readonly: arguments.authenticate_http_readonly,
        readwrite: arguments.authenticate_http_readwrite,
    })
}

/// The options of the agent that these are for.
fn options(arguments: Agent) -> anyhow::Result<::agent::Options> {
    let authentication = authentication(&arguments)?;
    let master = arguments.master.to_string();
    let mut options = ::agent::Options::new(master, absolute(&arguments.work_dir)?, processes::executable::path()?);
    options.listen = arguments.listen;
    options.port = arguments.port;
    options.hostname = arguments.hostname;
    options.resources = arguments.resources;
    options.attributes = arguments.attributes;
    options.recovery_timeout = arguments.recovery_timeout;
    options.executor_reregistration_timeout = arguments.executor_reregistration_timeout;
    options.executor_shutdown_grace_period = arguments.executor_shutdown_grace_period;
    options.executor_registration_timeout = arguments.executor_registration_timeout;
    options.executor_environment_variables = arguments.executor_environment.into_iter().collect();
    options.fetcher_cache_dir = arguments.fetcher_cache_dir.as_deref().map(absolute).transpose()?;
    options.fetcher_cache_size_bytes = arguments.fetcher_cache_megabytes.saturating_mul(1 << 20);
    options.fetcher_download_bytes = arguments.fetcher_download_megabytes.saturating_mul(1 << 20);
    options.gc_delay = arguments.gc_delay;
    options.gc_disk_headroom = arguments.gc_disk_headroom;
    arguments.limits.give(&mut options);
    arguments.docker.give(&mut options)?;
    arguments.networks.give(&mut options)?;
    arguments.containers.give(&mut options)?;
    arguments.logs.give(&mut options)?;
    options.switch_user = arguments.switch_user;
    options.logging = crate::log::level();
    options.log = crate::log::file();
    options.authentication = authentication;
    options.credential = credentials::own(arguments.credential.as_deref())?;
    Ok(options)
}

/// Runs until it is asked to stop.
pub(crate) async fn run(arguments: Agent) -> anyhow::Result<ExitCode> {
    let stop = Stop::listen()?;
    raise_file_limit()?;
    super::exposure::warn(arguments.listen, arguments.authenticate_http_readwrite);
    let tasks = if arguments.stop_tasks { Shutdown::StopTasks } else { Shutdown::Keep };
    let agent = ::agent::Agent::bind(options(arguments)?).await?;
    tracing::info!(address = %agent.address(), "the agent listens");
    serve(agent, stop, tasks).await
}

/// Asked twice, it ends at once. One that ends by itself has failed.
async fn serve(agent: ::agent::Agent, mut stop: Stop, tasks: Shutdown) -> anyhow::Result<ExitCode> {
    let (shutdown, told) = oneshot::channel();
    let mut running = tokio::spawn(agent.run(async { told.await.unwrap_or(Shutdown::Keep) }));
    tokio::select! {
        () = stop.asked() => {}
        ended = &mut running => { ended??; return Ok(ExitCode::FAILURE); }
    }
    let _ = shutdown.send(tasks);
    tokio::select! {
        ended = &mut running => ended??,
        () = stop.asked_again() => return Ok(ExitCode::FAILURE),
    }
    Ok(ExitCode::SUCCESS)
}
