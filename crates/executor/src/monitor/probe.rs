//! From a task's `check` and health checks to what the engine runs. Pure.
//!
//! In: definitions as Mesos has them, with Cygnet's own fields. Out: specs, or the field that makes no sense; and from
//! what an attempt found a `CheckStatusInfo`.

mod network;
mod status;

use std::path::{Path, PathBuf};
use std::time::Duration;

use checks::spec::{
    Action, CheckSpec, Command, CommandProbe, Credentials, FailureRate, Judgement, Probe, Schedule, Scheme,
};
use mesos::v1::cygnet::HealthAction;
use mesos::v1::{CheckInfo, CommandInfo, HealthCheck, TaskInfo, check_info, health_check};

pub(crate) use self::status::check_status;
use crate::config::Variables;
use crate::task::overlay;
use crate::user::User;

/// Which of a task's checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `TaskInfo.check`: its results are reported as they are.
    Check,
    /// One of its health checks, by its place among them: its results are judged.
    Health(usize),
}

impl Kind {
    /// The number of a check towards the engine, the same in every process.
    pub(crate) fn id(self) -> u64 {
        match self {
            Kind::Check => 0,
            Kind::Health(index) => index as u64 + 1,
        }
    }

    /// Which check has this number.
    pub(crate) fn of(id: u64) -> Kind {
        match usize::try_from(id).ok().and_then(|id| id.checked_sub(1)) {
            None => Kind::Check,
            Some(index) => Kind::Health(index),
        }
    }
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
    /// Whom a check's command may name to run as; nothing if, as for single tasks, it counts for nothing.
    pub users: Option<fn(&str) -> Option<User>>,
}

/// All health checks of a task, in the order in which results name them.
pub(crate) fn health_checks(task: &TaskInfo) -> impl Iterator<Item = &HealthCheck> {
    task.health_check.iter().chain(&task.health_checks)
}

/// The checks of a task, or which of them makes no sense, and why.
pub(crate) fn specs(task: &TaskInfo, around: Surroundings<'_>) -> Result<Vec<(Kind, CheckSpec)>, String> {
    let check = task.check.iter().map(|check| {
        let valid = mesos::validate::check(check).map_err(|error| error.to_string());
        let spec = valid.and_then(|()| check_spec(check, around)).and_then(validated);
        spec.map(|spec| (Kind::Check, spec)).map_err(|error| format!("Task uses invalid check: {error}"))
    });
    let health = health_checks(task).enumerate().map(|(index, check)| {
        let valid = mesos::validate::health_check(check).map_err(|error| error.to_string());
        let spec = valid.and_then(|()| health_spec(check, around)).and_then(validated);
        let named = |error| format!("Task uses invalid health check{}: {error}", described(check));
        spec.map(|spec| (Kind::Health(index), spec)).map_err(named)
    });
    check.chain(health).collect()
}

fn described(check: &HealthCheck) -> String {
    check.name.as_ref().map(|name| format!(" '{name}'")).unwrap_or_default()
}

fn validated(spec: CheckSpec) -> Result<CheckSpec, String> {
    spec.validate().map(|()| spec).map_err(|error| error.to_string())
}

fn check_spec(check: &CheckInfo, around: Surroundings<'_>) -> Result<CheckSpec, String> {
    use check_info::Type;
    let probe = match (check.r#type(), &check.command, &check.http, &check.tcp) {
        (Type::Command, Some(command), _, _) => command_probe(&command.command, around)?,
        (Type::Http, _, Some(http), _) => {
            let wanted = network::Http {
                scheme: scheme(http.scheme.as_deref()),
                protocol: http.protocol(),
                port: http.port,
                path: http.path.as_deref(),
                statuses: &[],
            };
            network::http(wanted, http.options.as_ref())?
        }
        (Type::Tcp, _, _, Some(tcp)) => network::tcp(tcp.protocol(), tcp.port, tcp.options.as_ref())?,
        (Type::Grpc, ..) => network::grpc(check.grpc.as_ref())?,
        (Type::Listen, ..) => network::listen(check.listen.as_ref())?,
        (Type::Exchange, ..) => network::exchange(check.exchange.as_ref())?,
        _ => return Err("the check has nothing of its type".to_owned()),
    };
    let times = schedule(check.delay_seconds(), check.interval_seconds(), check.timeout_seconds())?;
    let schedule =
        Schedule { jitter: optional_seconds("jitter_seconds", check.jitter_seconds)?.unwrap_or_default(), ..times };
    // Nobody judges a check: it never ends a task, whatever it finds.
    let judgement = Judgement { grace: Duration::ZERO, action: Action::Report, ..Judgement::default() };
    Ok(CheckSpec { probe, schedule, judgement })
}

fn health_spec(check: &HealthCheck, around: Surroundings<'_>) -> Result<CheckSpec, String> {
    use health_check::Type;
    let probe = match (check.r#type(), &check.command, &check.http, &check.tcp) {
        (Type::Command, Some(command), _, _) => command_probe(command, around)?,
        (Type::Http, _, Some(http), _) => {
            let wanted = network::Http {
                scheme: scheme(http.scheme.as_deref()),
                protocol: http.protocol(),
                port: http.port,
                path: http.path.as_deref(),
                statuses: &http.statuses,
            };
            network::http(wanted, http.options.as_ref())?
        }
        (Type::Tcp, _, _, Some(tcp)) => network::tcp(tcp.protocol(), tcp.port, tcp.options.as_ref())?,
        (Type::Grpc, ..) => network::grpc(check.grpc.as_ref())?,
        (Type::Listen, ..) => network::listen(check.listen.as_ref())?,
        (Type::Exchange, ..) => network::exchange(check.exchange.as_ref())?,
        _ => return Err("the health check has nothing of its type".to_owned()),
    };
    Ok(CheckSpec { probe, schedule: health_schedule(check)?, judgement: judgement(check)? })
}

fn scheme(name: Option<&str>) -> Scheme {
    if name == Some("https") { Scheme::Https } else { Scheme::Http }
}

/// A check's command sees what the task sees, and its own variables above that.
fn command_probe(command: &CommandInfo, around: Surroundings<'_>) -> Result<Probe, String> {
    let mut environment = around.environment.clone();
    overlay(&mut environment, command.environment.as_ref()).map_err(|error| error.to_string())?;
    let value = command.value.clone().unwrap_or_default();
    let run = match command.shell() {
        true => Command::Shell(value),
        false if command.arguments.is_empty() => Command::Exec { argv: vec![value.clone()], path: value },
        false => Command::Exec { path: value, argv: command.arguments.clone() },
    };
    let user = user_of(command, around)?;
    Ok(Probe::Command(CommandProbe {
        command: run,
        environment: environment.into_iter().collect(),
        working_directory: Some(around.directory.to_path_buf()),
        // A task may do without its sandbox; Mesos' executor stays in one that was removed.
        fallback_directory: Some(PathBuf::from("/")),
        user: user.map(|user| Credentials { uid: user.uid, gid: user.gid, groups: user.groups }),
    }))
}

/// Its own user, where that counts, or the task's.
fn user_of(command: &CommandInfo, around: Surroundings<'_>) -> Result<Option<User>, String> {
    match (around.users, command.user.as_deref().filter(|name| !name.is_empty())) {
        (Some(look_up), Some(name)) => {
            look_up(name).map(Some).ok_or_else(|| format!("No such user '{name}' on this machine"))
        }
        _ => Ok(around.user.cloned()),
    }
}

fn judgement(check: &HealthCheck) -> Result<Judgement, String> {
    let defaults = Judgement::default();
    Ok(Judgement {
        grace: seconds("grace_period_seconds", check.grace_period_seconds())?,
        consecutive_failures: check.consecutive_failures(),
        consecutive_successes: check.consecutive_successes.unwrap_or(defaults.consecutive_successes),
        unhealthy_after: check.unhealthy_after.unwrap_or(defaults.unhealthy_after),
        first_decides: check.first_decides(),
        rate: check.failure_rate.map(|rate| FailureRate { failures: rate.failures, window: rate.window }),
        action: match check.action() {
            HealthAction::Kill => Action::Kill,
            HealthAction::Report => Action::Report,
        },
    })
}

fn health_schedule(check: &HealthCheck) -> Result<Schedule, String> {
    let times = schedule(check.delay_seconds(), check.interval_seconds(), check.timeout_seconds())?;
    Ok(Schedule {
        jitter: optional_seconds("jitter_seconds", check.jitter_seconds)?.unwrap_or_default(),
        unhealthy_interval: optional_seconds("unhealthy_interval_seconds", check.unhealthy_interval_seconds)?,
        edge_interval: optional_seconds("edge_interval_seconds", check.edge_interval_seconds)?,
        ..times
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

fn optional_seconds(field: &str, value: Option<f64>) -> Result<Option<Duration>, String> {
    value.map(|value| seconds(field, value)).transpose()
}

fn seconds(field: &str, value: f64) -> Result<Duration, String> {
    mesos::duration::from_seconds(value).ok_or_else(|| format!("'{field}' is {value}, which is no duration"))
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
