//! Commands and checks as tests write them.

use mesos::v1::environment::Variable;
use mesos::v1::{CheckInfo, CommandInfo, Environment, HealthCheck, TaskInfo, TaskStatus, check_info, health_check};

use crate::agent::task;

pub(crate) fn shell(command: &str) -> CommandInfo {
    CommandInfo { value: Some(command.to_owned()), ..CommandInfo::default() }
}

pub(crate) fn environment(variables: &[(&str, &str)]) -> Environment {
    let variable = |(name, value): &(&str, &str)| Variable {
        name: (*name).to_owned(),
        value: Some((*value).to_owned()),
        ..Variable::default()
    };
    Environment { variables: variables.iter().map(variable).collect() }
}

/// The exit code of a task's check, as a status tells it.
pub(crate) fn exit_code(status: &TaskStatus) -> Option<i32> {
    status.check_status.as_ref()?.command.as_ref()?.exit_code
}

/// A check by this command.
pub(crate) fn check_by(command: CommandInfo) -> Option<CheckInfo> {
    let command = Some(check_info::Command { command });
    Some(CheckInfo { command, ..check(check_info::Type::Command) })
}

/// A health check that begins at once and counts from the first failure on.
pub(crate) fn health(command: &str, failures: u32) -> HealthCheck {
    HealthCheck {
        r#type: Some(health_check::Type::Command.into()),
        command: Some(shell(command)),
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.05),
        grace_period_seconds: Some(0.0),
        consecutive_failures: Some(failures),
        ..HealthCheck::default()
    }
}

/// One that succeeds, and is hardly ever made.
pub(crate) fn quiet_check() -> HealthCheck {
    HealthCheck { interval_seconds: Some(60.0), ..health("true", 3) }
}

pub(crate) fn check(kind: check_info::Type) -> CheckInfo {
    CheckInfo {
        r#type: Some(kind.into()),
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.05),
        ..CheckInfo::default()
    }
}

pub(crate) fn with_health(name: &str, command: &str, check: HealthCheck) -> TaskInfo {
    TaskInfo { health_check: Some(check), ..task(name, command) }
}
