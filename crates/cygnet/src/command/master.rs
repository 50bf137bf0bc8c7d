//! `cygnet master`: the master alone.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use ::master::{Authentication, Patience, Settings};
use anyhow::{Context, anyhow, ensure};
use clap::Args;
use clap::builder::BoolishValueParser;
use tokio_util::sync::CancellationToken;

use super::{credentials, open_registry, raise_file_limit};
use crate::signals::Stop;

/// The options of a master.
#[derive(Debug, Args)]
pub(crate) struct Master {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1", env = "CYGNET_LISTEN")]
    listen: IpAddr,
    /// The port to listen on
    #[arg(long, default_value_t = 5050, env = "CYGNET_MASTER_PORT")]
    port: u16,
    /// What others are told to reach this master by
    #[arg(long, env = "CYGNET_HOSTNAME")]
    hostname: Option<String>,
    /// Where its registry is kept
    #[arg(long, default_value = ".cygnet", env = "CYGNET_WORK_DIR")]
    work_dir: PathBuf,
    /// How long an agent has to answer a ping
    #[arg(long, default_value = "15s", value_parser = humantime::parse_duration, env = "CYGNET_AGENT_PING_TIMEOUT")]
    agent_ping_timeout: Duration,
    /// How many pings in a row it may leave unanswered
    #[arg(long, default_value_t = 5, env = "CYGNET_MAX_AGENT_PING_TIMEOUTS")]
    max_agent_ping_timeouts: u32,
    /// How long a disconnected agent has to come back
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration, env = "CYGNET_AGENT_REREGISTER_TIMEOUT")]
    agent_reregister_timeout: Duration,
    /// How often resources are offered
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration, env = "CYGNET_ALLOCATION_INTERVAL")]
    allocation_interval: Duration,
    /// How long an offer stands; for ever by default
    #[arg(long, value_parser = humantime::parse_duration, env = "CYGNET_OFFER_TIMEOUT")]
    offer_timeout: Option<Duration>,
    /// The roles frameworks may be in, separated by commas; any by default
    #[arg(long, value_delimiter = ',', env = "CYGNET_ROLES")]
    roles: Option<Vec<String>>,
    /// Shares of roles relative to each other: `dev=1,ops=2.5`
    #[arg(long, value_delimiter = ',', value_parser = weight, env = "CYGNET_WEIGHTS")]
    weights: Vec<(String, f64)>,
    /// How fast agents are given up that do not answer or do not come back: COUNT/DURATION, such as 1/10m; at once by
    /// default
    #[arg(long, value_parser = interval, env = "CYGNET_AGENT_REMOVAL_RATE_LIMIT")]
    agent_removal_rate_limit: Option<Duration>,
    /// The share of the known agents that may be given up for not coming back after a restart of the master; if more
    /// stay away it ends, gives up none, and somebody has to look
    #[arg(long, default_value = "100%", value_parser = percent, env = "CYGNET_RECOVERY_AGENT_REMOVAL_LIMIT")]
    recovery_agent_removal_limit: f64,
    /// Completed frameworks remembered
    #[arg(long, default_value_t = 50, env = "CYGNET_MAX_COMPLETED_FRAMEWORKS")]
    max_completed_frameworks: usize,
    /// Completed tasks remembered for each framework
    #[arg(long, default_value_t = 1000, env = "CYGNET_MAX_COMPLETED_TASKS_PER_FRAMEWORK")]
    max_completed_tasks_per_framework: usize,
    /// Unreachable tasks remembered for each framework
    #[arg(long, default_value_t = 1000, env = "CYGNET_MAX_UNREACHABLE_TASKS_PER_FRAMEWORK")]
    max_unreachable_tasks_per_framework: usize,
    /// The credentials that the master knows: {"credentials": [{"principal": "NAME", "secret": "SECRET"}]}
    #[arg(long, value_name = "FILE", env = "CYGNET_CREDENTIALS")]
    credentials: Option<PathBuf>,
    /// Only known principals may register frameworks
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_AUTHENTICATE_HTTP_FRAMEWORKS")]
    authenticate_http_frameworks: bool,
    /// Only known principals may look
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_AUTHENTICATE_HTTP_READONLY")]
    authenticate_http_readonly: bool,
    /// Only known principals may change things, and use the operator API
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_AUTHENTICATE_HTTP_READWRITE")]
    authenticate_http_readwrite: bool,
    /// Only known principals may register agents
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_AUTHENTICATE_AGENTS")]
    authenticate_agents: bool,
    #[command(flatten)]
    pub(crate) log: crate::log::Files,
}

/// `role=2.5`
fn weight(text: &str) -> anyhow::Result<(String, f64)> {
    let (role, weight) = text.split_once('=').context("expected role=weight")?;
    let weight: f64 = weight.parse().with_context(|| format!("'{weight}' is not a number"))?;
    ensure!(!role.is_empty() && weight.is_finite() && weight > 0.0, "weights must be positive");
    Ok((role.to_owned(), weight))
}

/// `1/10m`: the time between two.
fn interval(text: &str) -> anyhow::Result<Duration> {
    let (count, duration) = text.split_once('/').context("expected COUNT/DURATION, such as 1/10m")?;
    let count: u32 = count.parse().with_context(|| format!("'{count}' is not a whole number"))?;
    let duration = humantime::parse_duration(duration).map_err(|error| anyhow!("'{duration}': {error}"))?;
    duration.checked_div(count).context("no agents in any time is no limit that can be kept")
}

/// `40%`
fn percent(text: &str) -> anyhow::Result<f64> {
    let percent = text.strip_suffix('%').context("expected a percentage, such as 40%")?;
    let percent: f64 = percent.parse().with_context(|| format!("'{percent}' is not a number"))?;
    ensure!((0.0..=100.0).contains(&percent), "expected 0% to 100%");
    Ok(percent)
}

/// The principals that the master lets in.
fn authentication(arguments: &Master) -> anyhow::Result<Authentication> {
    let needs = [
        (arguments.authenticate_http_frameworks, "--authenticate-http-frameworks"),
        (arguments.authenticate_http_readonly, "--authenticate-http-readonly"),
        (arguments.authenticate_http_readwrite, "--authenticate-http-readwrite"),
        (arguments.authenticate_agents, "--authenticate-agents"),
    ];
    let needed_by = needs.iter().find(|(asked, _)| *asked).map(|(_, flag)| *flag);
    Ok(Authentication {
        credentials: credentials::known(arguments.credentials.as_deref(), "--credentials", needed_by)?,
        frameworks: arguments.authenticate_http_frameworks,
        agents: arguments.authenticate_agents,
        readonly: arguments.authenticate_http_readonly,
        readwrite: arguments.authenticate_http_readwrite,
    })
}

/// Runs until it is asked to stop.
pub(crate) async fn run(arguments: Master) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    raise_file_limit()?;
    super::exposure::warn(
        arguments.listen,
        arguments.authenticate_http_frameworks && arguments.authenticate_http_readwrite,
    );
    let authentication = authentication(&arguments)?;
    let mut options = ::master::Options::new(open_registry(&arguments.work_dir)?);
    options.listen = arguments.listen;
    options.port = arguments.port;
    options.hostname = arguments.hostname;
    options.settings = Settings {
        allocation_interval: arguments.allocation_interval,
        offer_timeout: arguments.offer_timeout,
        roles: arguments.roles.map(|roles| roles.into_iter().collect()),
        weights: arguments.weights.into_iter().collect(),
        agents: Patience {
            ping_timeout: arguments.agent_ping_timeout,
            max_ping_timeouts: arguments.max_agent_ping_timeouts,
            reregister_timeout: arguments.agent_reregister_timeout,
            removal_interval: arguments.agent_removal_rate_limit,
            recovery_removal_limit_percent: arguments.recovery_agent_removal_limit,
        },
        max_completed_frameworks: arguments.max_completed_frameworks,
        max_completed_tasks: arguments.max_completed_tasks_per_framework,
        max_unreachable_tasks: arguments.max_unreachable_tasks_per_framework,
        ..Settings::default()
    };
    options.logging = crate::log::level();
    options.log = crate::log::file();
    options.authentication = authentication;
    let master = ::master::Master::bind(options).await?;
    tracing::info!(address = %master.address(), "the master listens");
    let shutdown = CancellationToken::new();
    let mut running = tokio::spawn(master.run(shutdown.clone()));
    tokio::select! {
        () = stop.asked() => shutdown.cancel(),
        ended = &mut running => { ended??; return Ok(ExitCode::FAILURE); }
    }
    running.await??;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_mesos_writes_them() {
        assert_eq!(interval("1/10m").unwrap(), Duration::from_secs(600));
        assert_eq!(interval("4/1min").unwrap(), Duration::from_secs(15));
        assert_eq!((percent("40%").unwrap(), percent("0%").unwrap()), (40.0, 0.0));
        for bad in ["", "10m", "x/10m", "0/1s", "1/soon"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
        for bad in ["", "40", "-1%", "101%", "x%", "NaN%"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
    }
}
