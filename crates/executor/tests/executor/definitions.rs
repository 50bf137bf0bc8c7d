//! Commands and checks as tests write them.

use mesos::v1::{CheckInfo, CommandInfo, HealthCheck, TaskInfo, check_info, health_check};

use crate::agent::task;

pub(crate) fn shell(command: &str) -> CommandInfo {
    CommandInfo { value: Some(command.to_owned()), ..CommandInfo::default() }
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
