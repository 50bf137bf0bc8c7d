//! From a task's `check` and health checks to what the engine runs. Pure.

use std::time::Duration;

use checks::spec::{Action, CheckSpec, CommandProbe, FailureRate, Judgement, Probe, Schedule};
use mesos::v1::cygnet::HealthAction;
use mesos::v1::health_check::Type;
use mesos::v1::{CheckInfo, CommandInfo, HealthCheck, TaskInfo};

use crate::error::{InvalidCheck, Problem};
use crate::network;
use crate::seconds::{optional_seconds, seconds};

/// A check among those of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `TaskInfo.check`: its results are reported as they are.
    Check,
    /// One of its health checks, by its place among them: its results are judged.
    Health(usize),
}

impl Kind {
    /// The number of a check towards the engine, the same in every process.
    pub fn id(self) -> u64 {
        match self {
            Kind::Check => 0,
            Kind::Health(index) => index as u64 + 1,
        }
    }

    /// The check that has this number.
    pub fn of(id: u64) -> Kind {
        match usize::try_from(id).ok().and_then(|id| id.checked_sub(1)) {
            None => Kind::Check,
            Some(index) => Kind::Health(index),
        }
    }
}

/// The surroundings of a check's command, as the executor of its task knows: with which variables, in which directory,
/// as whom.
pub type Commands<'a> = &'a dyn Fn(&CommandInfo) -> Result<CommandProbe, Problem>;

/// All health checks of a task, in the order in which results name them.
pub fn health_checks(task: &TaskInfo) -> impl Iterator<Item = &HealthCheck> {
    task.health_check.iter().chain(&task.health_checks)
}

/// The checks of a task, or which of them makes no sense, and why.
pub fn specs(task: &TaskInfo, commands: Commands<'_>) -> Result<Vec<(Kind, CheckSpec)>, InvalidCheck> {
    let check = task.check.iter().map(|check| {
        let spec = valid_check(check, commands).map_err(InvalidCheck::Check)?;
        Ok((Kind::Check, spec))
    });
    let health = health_checks(task).enumerate().map(|(index, check)| {
        let named = |problem| InvalidCheck::HealthCheck { name: check.name.clone(), problem };
        let spec = valid_health_check(check, commands).map_err(named)?;
        Ok((Kind::Health(index), spec))
    });
    check.chain(health).collect()
}

fn valid_check(check: &CheckInfo, commands: Commands<'_>) -> Result<CheckSpec, Problem> {
    mesos::validate::check(check)?;
    // Nobody judges a check: it never ends a task, whatever it finds.
    let judgement = Judgement { grace: Duration::ZERO, action: Action::Report, ..Judgement::default() };
    let spec = CheckSpec { judgement, ..health_spec(&check.into(), commands)? };
    spec.validate()?;
    Ok(spec)
}

fn valid_health_check(check: &HealthCheck, commands: Commands<'_>) -> Result<CheckSpec, Problem> {
    mesos::validate::health_check(check)?;
    let spec = health_spec(check, commands)?;
    spec.validate()?;
    Ok(spec)
}

/// The spec of a health check for the engine.
pub fn health_spec(check: &HealthCheck, commands: Commands<'_>) -> Result<CheckSpec, Problem> {
    let probe = match check.r#type() {
        Type::Command => Probe::Command(commands(part(&check.command)?)?),
        Type::Http => network::http(part(&check.http)?)?,
        Type::Tcp => network::tcp(part(&check.tcp)?)?,
        Type::Grpc => network::grpc(part(&check.grpc)?)?,
        Type::Listen => network::listen(part(&check.listen)?)?,
        Type::Exchange => network::exchange(part(&check.exchange)?)?,
        Type::Unknown => return Err(Problem::Empty),
    };
    Ok(CheckSpec { probe, schedule: schedule(check)?, judgement: judgement(check)? })
}

fn part<T>(part: &Option<T>) -> Result<&T, Problem> {
    part.as_ref().ok_or(Problem::Empty)
}

fn judgement(check: &HealthCheck) -> Result<Judgement, Problem> {
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

fn schedule(check: &HealthCheck) -> Result<Schedule, Problem> {
    Ok(Schedule {
        delay: seconds("delay_seconds", check.delay_seconds())?,
        interval: seconds("interval_seconds", check.interval_seconds())?,
        timeout: Some(seconds("timeout_seconds", check.timeout_seconds())?).filter(|timeout| !timeout.is_zero()),
        jitter: optional_seconds("jitter_seconds", check.jitter_seconds)?.unwrap_or_default(),
        unhealthy_interval: optional_seconds("unhealthy_interval_seconds", check.unhealthy_interval_seconds)?,
        edge_interval: optional_seconds("edge_interval_seconds", check.edge_interval_seconds)?,
    })
}

#[cfg(test)]
#[path = "specs_tests.rs"]
mod tests;
