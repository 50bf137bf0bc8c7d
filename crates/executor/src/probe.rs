//! From a task's `check` and `health_check` to what the engine runs, and from what it found to a `CheckStatusInfo`.
//! Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use checks::Outcome;
use checks::spec::{
    Action, CheckSpec, Command, CommandProbe, Credentials, HttpProbe, Judgement, Probe, Redirects, Schedule, Scheme,
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
    let check = task.check.as_ref().map(|check| {
        mesos::validate::check(check).map_err(|error| error.to_string())?;
        check_spec(check, around).map(|spec| (Kind::Check, spec))
    });
    let health = task.health_check.as_ref().map(|check| {
        mesos::validate::health_check(check).map_err(|error| error.to_string())?;
        health_spec(check, around).map(|spec| (Kind::Health, spec))
    });
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
    let judgement = Judgement { grace: Duration::ZERO, action: Action::Report, ..Judgement::default() };
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
        ..Judgement::default()
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
    Ok(Probe::Tcp(TcpProbe::new(address(host, port)?)))
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
        ..Schedule::default()
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

#[cfg(test)]
mod tests {
    use checks::{Answer, Failure, Reason};

    use super::*;

    fn all(task: &TaskInfo) -> Vec<(Kind, CheckSpec)> {
        let environment = Variables::from([("A".to_owned(), "task".to_owned()), ("B".to_owned(), "task".to_owned())]);
        specs(task, Surroundings { environment: &environment, directory: Path::new("/sandbox"), user: None })
    }

    fn health(check: HealthCheck) -> Option<CheckSpec> {
        let task = TaskInfo { health_check: Some(check), ..TaskInfo::default() };
        all(&task).pop().map(|(kind, spec)| {
            assert_eq!(kind, Kind::Health);
            spec
        })
    }

    fn http(check: health_check::HttpCheckInfo) -> HealthCheck {
        HealthCheck { r#type: Some(health_check::Type::Http.into()), http: Some(check), ..HealthCheck::default() }
    }

    fn http_info() -> health_check::HttpCheckInfo {
        health_check::HttpCheckInfo { port: 8080, ..health_check::HttpCheckInfo::default() }
    }

    #[test]
    fn what_is_left_out_is_as_mesos_has_it() {
        let spec = health(http(http_info())).unwrap();
        let seconds = Duration::from_secs;
        let timeout = Some(seconds(20));
        assert_eq!(
            spec.schedule,
            Schedule { delay: seconds(15), interval: seconds(10), timeout, ..Schedule::default() }
        );
        assert_eq!(spec.judgement, Judgement::default());
        let address = "127.0.0.1:8080".parse().unwrap();
        assert_eq!(spec.probe, Probe::Http(HttpProbe { address, ..HttpProbe::default() }));
    }

    #[test]
    fn ipv6_is_asked_over_ipv6_also_by_tcp() {
        let protocol = Some(Protocol::IPv6.into());
        let https = health_check::HttpCheckInfo { scheme: Some("https".to_owned()), protocol, ..http_info() };
        let Probe::Http(probe) = health(http(https)).unwrap().probe else { panic!() };
        assert_eq!((probe.scheme, probe.address), (Scheme::Https, "[::1]:8080".parse().unwrap()));
        let tcp = HealthCheck {
            r#type: Some(health_check::Type::Tcp.into()),
            tcp: Some(health_check::TcpCheckInfo { port: 25, protocol }),
            ..HealthCheck::default()
        };
        let address = "[::1]:25".parse().unwrap();
        assert_eq!(health(tcp).unwrap().probe, Probe::Tcp(TcpProbe::new(address)));
    }

    #[test]
    fn a_timeout_of_zero_is_none_and_a_port_too_large_is_no_check() {
        let unlimited = HealthCheck { timeout_seconds: Some(0.0), ..http(http_info()) };
        assert_eq!(health(unlimited).unwrap().schedule.timeout, None);
        assert_eq!(health(http(health_check::HttpCheckInfo { port: 65_536, ..http_info() })), None);
        assert_eq!(health(HealthCheck { delay_seconds: Some(-1.0), ..http(http_info()) }), None);
        assert_eq!(health(HealthCheck { r#type: None, ..http(http_info()) }), None);
    }

    #[test]
    fn a_command_runs_in_the_sandbox_with_the_tasks_variables_under_its_own() {
        let own = mesos::v1::environment::Variable {
            name: "B".to_owned(),
            value: Some("check".to_owned()),
            ..mesos::v1::environment::Variable::default()
        };
        let command = CommandInfo {
            shell: Some(false),
            value: Some("probe".to_owned()),
            arguments: vec!["zeroth".to_owned()],
            environment: Some(mesos::v1::Environment { variables: vec![own] }),
            ..CommandInfo::default()
        };
        let check = CheckInfo {
            r#type: Some(check_info::Type::Command.into()),
            command: Some(check_info::Command { command }),
            ..CheckInfo::default()
        };
        let specs = all(&TaskInfo { check: Some(check), ..TaskInfo::default() });
        let [(Kind::Check, CheckSpec { probe: Probe::Command(probe), .. })] = specs.as_slice() else { panic!() };
        assert_eq!(probe.command, Command::Exec { path: "probe".to_owned(), argv: vec!["zeroth".to_owned()] });
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(probe.environment, [pair("A", "task"), pair("B", "check")]);
        assert_eq!(probe.working_directory.as_deref(), Some(Path::new("/sandbox")));
    }

    #[test]
    fn only_a_result_fills_the_status() {
        let check = CheckInfo { r#type: Some(check_info::Type::Tcp.into()), ..CheckInfo::default() };
        let succeeded = |outcome| check_status(&check, &outcome).map(|status| status.tcp.unwrap().succeeded);
        assert_eq!(succeeded(Outcome::Success(Answer::Connected)), Some(Some(true)));
        let refused = Failure::Refused;
        assert_eq!(succeeded(Outcome::Failure(refused)), Some(Some(false)));
        let late = Failure::TimedOut { after: Duration::from_secs(1), output: String::new() };
        assert_eq!(succeeded(Outcome::Failure(late)), Some(None));
        assert_eq!(succeeded(Outcome::Inconclusive(Reason::ExitStatusLost)), None);
    }
}
