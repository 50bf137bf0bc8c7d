//! `cygnet scheduler`: the scheduler alone, on Cygnet's master or another.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use ::scheduler::ExecutorCommand;
use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::{credentials, open_definitions};
use crate::server::Server;
use crate::signals::Stop;

/// The options of a scheduler.
#[derive(Debug, Args)]
pub(crate) struct Scheduler {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1", env = "CYGNET_LISTEN")]
    listen: IpAddr,
    /// The port to listen on
    #[arg(long, default_value_t = 8080, env = "CYGNET_API_PORT")]
    port: u16,
    /// What others are told to reach this machine by
    #[arg(long, env = "CYGNET_HOSTNAME")]
    hostname: Option<String>,
    /// Where a master is, Cygnet's or Mesos' own: HOST:PORT; several with commas, of which any may lead
    #[arg(long, value_delimiter = ',', default_value = "127.0.0.1:5050", env = "CYGNET_MASTER")]
    master: Vec<Server>,
    /// Where apps are kept
    #[arg(long, default_value = ".cygnet", env = "CYGNET_WORK_DIR")]
    work_dir: PathBuf,
    /// The name of the framework
    #[arg(long, default_value = "marathon", env = "CYGNET_FRAMEWORK_NAME")]
    framework_name: String,
    /// The role whose resources to use
    #[arg(long, default_value = "*", env = "CYGNET_ROLE")]
    role: String,
    /// The principal to register with
    #[arg(long, env = "CYGNET_PRINCIPAL")]
    principal: Option<String>,
    /// The credential that the scheduler shows a master that asks: {"principal": "NAME", "secret": "SECRET"}
    #[arg(long, value_name = "FILE", env = "CYGNET_CREDENTIAL")]
    credential: Option<PathBuf>,
    /// As whom tasks run that name nobody; by default, whoever runs this
    #[arg(long, env = "CYGNET_USER")]
    user: Option<String>,
    /// The command that starts Cygnet's executor on the agents, such as "/usr/local/bin/cygnet executor"; without it,
    /// apps run in the executor that the agents have
    #[arg(long, value_name = "COMMAND", env = "CYGNET_EXECUTOR_COMMAND")]
    executor_command: Option<String>,
    /// The processors that this executor has for itself, beside those of its app; those of a pod's are in the pod
    #[arg(long, value_name = "CPUS", default_value_t = 0.1, value_parser = amount, env = "CYGNET_EXECUTOR_CPUS")]
    executor_cpus: f64,
    /// The megabytes of memory that it has for itself
    #[arg(long, value_name = "MB", default_value_t = 32.0, value_parser = amount, env = "CYGNET_EXECUTOR_MEM")]
    executor_mem: f64,
    /// For how long tasks go on without a scheduler
    #[arg(long, default_value = "7d", value_parser = humantime::parse_duration, env = "CYGNET_FAILOVER_TIMEOUT")]
    failover_timeout: Duration,
    /// How long a task may be launched and not run before it is killed and launched again
    #[arg(long, default_value = "5m", value_parser = humantime::parse_duration, env = "CYGNET_TASK_LAUNCH_TIMEOUT")]
    task_launch_timeout: Duration,
    /// The network of apps and pods that ask for a container network and name none
    #[arg(long, alias = "default_network_name", value_name = "NAME", env = "CYGNET_DEFAULT_NETWORK_NAME")]
    default_network_name: Option<String>,
    /// The name that the agents have for their bridge, which container/bridge means
    #[arg(
        long,
        alias = "mesos_bridge_name",
        value_name = "NAME",
        default_value = "mesos-bridge",
        env = "CYGNET_MESOS_BRIDGE_NAME"
    )]
    mesos_bridge_name: String,
    /// Origins whose web pages may read from the API, separated by commas; * is any
    #[arg(
        long,
        alias = "access_control_allow_origin",
        value_name = "ORIGINS",
        value_delimiter = ',',
        env = "CYGNET_ACCESS_CONTROL_ALLOW_ORIGIN"
    )]
    access_control_allow_origin: Vec<String>,
    /// Let clients have events posted to them (/v2/eventSubscriptions), as Marathon did before 1.5. Whoever may use the API
    /// can then make the scheduler speak to whatever it reaches
    #[arg(long, alias = "event_subscriber", value_name = "MODULE", env = "CYGNET_EVENT_SUBSCRIBER")]
    event_subscriber: Option<EventSubscriber>,
    /// URLs that events are posted to from the start, separated by commas
    #[arg(
        long,
        alias = "http_endpoints",
        value_name = "URLS",
        value_delimiter = ',',
        requires = "event_subscriber",
        env = "CYGNET_HTTP_ENDPOINTS"
    )]
    http_endpoints: Vec<String>,
    /// Within how long the shares of health kills below hold; 0s sets no limit
    #[arg(long, default_value = "1m", value_parser = humantime::parse_duration, env = "CYGNET_HEALTH_KILL_WINDOW")]
    health_kill_window: Duration,
    /// The share of an app's instances that may be killed for their health in that time, three in any case
    #[arg(long, default_value_t = 0.5, env = "CYGNET_HEALTH_KILL_APP_SHARE")]
    health_kill_app_share: f64,
    /// The share of all instances that may be killed for their health in that time, twenty in any case
    #[arg(long, default_value_t = 0.25, env = "CYGNET_HEALTH_KILL_CLUSTER_SHARE")]
    health_kill_cluster_share: f64,
}

/// The way of events to subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EventSubscriber {
    /// By a POST for each
    #[value(name = "http_callback")]
    HttpCallback,
}

/// An amount of a resource.
fn amount(text: &str) -> anyhow::Result<f64> {
    let amount: f64 = text.parse()?;
    anyhow::ensure!(amount.is_finite() && amount >= 0.0, "expected a number that is not negative, such as 0.1");
    Ok(amount)
}

/// The options of the scheduler that these are for.
fn options(arguments: Scheduler) -> anyhow::Result<::scheduler::Options> {
    let store = open_definitions(&arguments.work_dir)?;
    let masters: Vec<_> = arguments.master.iter().map(Server::authority).collect();
    let mut options = ::scheduler::Options::new(store, masters.join(","));
    options.listen = arguments.listen;
    options.port = arguments.port;
    options.hostname = arguments.hostname;
    options.framework_name = arguments.framework_name;
    options.role = arguments.role;
    options.principal = arguments.principal;
    options.credential = credentials::own(arguments.credential.as_deref())?;
    // Agents of Apache Mesos want a name here.
    options.user = arguments.user.or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "root".into());
    let (cpus, mem) = (arguments.executor_cpus, arguments.executor_mem);
    options.executor_command = arguments.executor_command.map(|command| ExecutorCommand { command, cpus, mem });
    options.failover_timeout = arguments.failover_timeout;
    options.task_launch_timeout = arguments.task_launch_timeout;
    options.default_network_name = arguments.default_network_name;
    options.mesos_bridge_name = arguments.mesos_bridge_name;
    options.allowed_origins = arguments.access_control_allow_origin;
    options.event_callbacks = arguments.event_subscriber.map(|_| arguments.http_endpoints);
    options.brake.window = arguments.health_kill_window;
    options.brake.app_share = arguments.health_kill_app_share;
    options.brake.cluster_share = arguments.health_kill_cluster_share;
    Ok(options)
}

/// Runs until it is asked to stop; tasks go on.
pub(crate) async fn run(arguments: Scheduler) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    super::exposure::warn(arguments.listen, false);
    let scheduler = ::scheduler::Scheduler::bind(options(arguments)?).await?;
    tracing::info!(address = %scheduler.address(), "the scheduler listens");
    let shutdown = CancellationToken::new();
    let mut running = tokio::spawn(scheduler.run(shutdown.clone()));
    tokio::select! {
        () = stop.asked() => shutdown.cancel(),
        ended = &mut running => { ended??; return Ok(ExitCode::FAILURE); }
    }
    running.await??;
    Ok(ExitCode::SUCCESS)
}
