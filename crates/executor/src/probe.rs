//! From a task's `check` and `health_check` to what the engine runs, and from what it found to a `CheckStatusInfo`.
//! Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use checks::Outcome;
use checks::spec::{
    CheckSpec, Command, CommandProbe, Credentials, HttpProbe, Judgement, Probe, Redirects, Schedule, Scheme, TcpMode,
    TcpProbe,
};
use mesos::v1::network_info::Protocol;
use mesos::v1::{
    CheckInfo, CheckStatusInfo, CommandInfo, HealthCheck, TaskInfo, check_info, check_status_info, health_check,
};

use crate::environment::Variables;
use crate::lifecycle::empty_status;
use crate::task::overlay;
use crate::user::User;

/// What curl follows, which is what Mesos checks with.
const REDIRECTS: u32 = Redirects::LIMIT;

/// Which of a task's two checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `TaskInfo.check`: its results are reported as they are.
    Check,
    /// `TaskInfo.health_check`: its results are judged.
    Health,
}

/// What the command checks of a task run with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// The task's environment.
    pub environment: &'a Variables,
    /// The task's directory.
    pub directory: &'a Path,
    /// The task's user, if it is not the executor's.
    pub user: Option<&'a User>,
}

/// The checks of a task. One that makes no sense is left out and the task runs without it.
pub(crate) fn specs(task: &TaskInfo, around: Surroundings<'_>) -> Vec<(Kind, CheckSpec)> {
    let check = task.check.as_ref().map(|check| check_spec(check, around).map(|spec| (Kind::Check, spec)));
    let health = task.health_check.as_ref().map(|check| health_spec(check, around).map(|spec| (Kind::Health, spec)));
    let usable = |spec: Result<(Kind, CheckSpec), String>| {
        let valid = spec.and_then(|(kind, spec)| match spec.validate() {
            Ok(()) => Ok((kind, spec)),
            Err(error) => Err(error.to_string()),
        });
        valid.inspect_err(|error| tracing::error!(task = task.task_id.value, error, "the task runs unchecked")).ok()
    };
    check.into_iter().chain(health).filter_map(usable).collect()
}

fn check_spec(check: &CheckInfo, around: Surroundings<'_>) -> Result<CheckSpec, String> {
    use check_info::Type;
    let probe = match (check.r#type(), &check.command, &check.http, &check.tcp) {
        (Type::Command, Some(command), _, _) => command_probe(&command.command, around),
        (Type::Http, _, Some(http), _) => http_probe(Scheme::Http, IPV4, http.port, http.path.as_deref())?,
        (Type::Tcp, _, _, Some(tcp)) => tcp_probe(IPV4, tcp.port)?,
        _ => return Err("the check has nothing of its type".to_owned()),
    };
    let schedule = schedule(check.delay_seconds(), check.interval_seconds(), check.timeout_seconds())?;
    // Nobody judges a check: it never ends a task, whatever it finds.
    let judgement = Judgement { grace: Duration::ZERO, consecutive_failures: u32::MAX, consecutive_successes: 1 };
    Ok(CheckSpec { probe, schedule, judgement })
}

fn health_spec(check: &HealthCheck, around: Surroundings<'_>) -> Result<CheckSpec, String> {
    use health_check::Type;
    let probe = match (check.r#type(), &check.command, &check.http, &check.tcp) {
        (Type::Command, Some(command), _, _) => command_probe(command, around),
        (Type::Http, _, Some(http), _) => {
            let scheme = if http.scheme.as_deref() == Some("https") { Scheme::Https } else { Scheme::Http };
            http_probe(scheme, loopback(http.protocol()), http.port, http.path.as_deref())?
        }
        (Type::Tcp, _, _, Some(tcp)) => tcp_probe(loopback(tcp.protocol()), tcp.port)?,
        _ => return Err("the health check has nothing of its type".to_owned()),
    };
    let judgement = Judgement {
        grace: seconds("grace_period_seconds", check.grace_period_seconds())?,
        consecutive_failures: check.consecutive_failures(),
        consecutive_successes: 1,
    };
    let schedule = schedule(check.delay_seconds(), check.interval_seconds(), check.timeout_seconds())?;
    Ok(CheckSpec { probe, schedule, judgement })
}

const IPV4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn loopback(protocol: Protocol) -> IpAddr {
    match protocol {
        Protocol::IPv4 => IPV4,
        Protocol::IPv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}

fn http_probe(scheme: Scheme, host: IpAddr, port: u32, path: Option<&str>) -> Result<Probe, String> {
    let path = path.filter(|path| !path.is_empty()).unwrap_or("/").to_owned();
    let redirects = Redirects::Follow { limit: REDIRECTS };
    Ok(Probe::Http(HttpProbe { scheme, address: address(host, port)?, path, redirects, ..HttpProbe::default() }))
}

fn tcp_probe(host: IpAddr, port: u32) -> Result<Probe, String> {
    Ok(Probe::Tcp(TcpProbe { address: address(host, port)?, mode: TcpMode::Connect }))
}

fn address(host: IpAddr, port: u32) -> Result<SocketAddr, String> {
    let port = u16::try_from(port).map_err(|_| format!("there is no port {port}"))?;
    Ok(SocketAddr::new(host, port))
}

/// A check's command sees what the task sees, and its own variables above that.
fn command_probe(command: &CommandInfo, around: Surroundings<'_>) -> Probe {
    let mut environment = around.environment.clone();
    overlay(&mut environment, command.environment.as_ref());
    let value = command.value.clone().unwrap_or_default();
    let run = match command.shell() {
        true => Command::Shell(value),
        false if command.arguments.is_empty() => Command::Exec { argv: vec![value.clone()], path: value },
        false => Command::Exec { path: value, argv: command.arguments.clone() },
    };
    let user = around.user.cloned().map(|user| Credentials { uid: user.uid, gid: user.gid, groups: user.groups });
    Probe::Command(CommandProbe {
        command: run,
        environment: environment.into_iter().collect(),
        working_directory: Some(around.directory.to_path_buf()),
        user,
    })
}

fn schedule(delay: f64, interval: f64, timeout: f64) -> Result<Schedule, String> {
    Ok(Schedule {
        delay: seconds("delay_seconds", delay)?,
        interval: seconds("interval_seconds", interval)?,
        timeout: Some(seconds("timeout_seconds", timeout)?).filter(|timeout| !timeout.is_zero()),
    })
}

fn seconds(field: &str, value: f64) -> Result<Duration, String> {
    mesos::duration::from_seconds(value).ok_or_else(|| format!("'{field}' is {value}, which is no duration"))
}

/// What a check reports of an attempt. One without a result is the empty status; one that says nothing about the task
/// is not reported at all.
pub(crate) fn check_status(check: &CheckInfo, outcome: &Outcome) -> Option<CheckStatusInfo> {
    use check_info::Type;
    if matches!(outcome, Outcome::Inconclusive(_)) {
        return None;
    }
    let mut status = empty_status(check);
    match check.r#type() {
        Type::Command => status.command = Some(check_status_info::Command { exit_code: outcome.exit_code() }),
        Type::Http => {
            let status_code = outcome.http_status().map(u32::from);
            status.http = Some(check_status_info::Http { status_code });
        }
        Type::Tcp => status.tcp = Some(check_status_info::Tcp { succeeded: outcome.connected() }),
        Type::Unknown => {}
    }
    Some(status)
}
