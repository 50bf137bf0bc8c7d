//! Health checks. In: the definition in a task. Out: what is wrong with it.

use std::collections::BTreeSet;

use super::{Invalid, Verdict, command, ensure, extension, known, seconds};
use crate::v1::{
    CommandInfo, HealthCheck, TaskInfo,
    health_check::{HttpCheckInfo, TcpCheckInfo, Type},
};

/// Whether a health check can be run as it is.
pub fn health_check(check: &HealthCheck) -> Verdict {
    let Some(kind) = known::<Type>(check.r#type) else {
        return Err(Invalid::new("HealthCheck must specify 'type'"));
    };
    let expecting = |what: &str| extension::missing(what, kind.as_str_name(), "health check");
    match kind {
        Type::Command => shell_or_path(check.command.as_ref().ok_or_else(|| expecting("command"))?)?,
        Type::Http => http(check.http.as_ref().ok_or_else(|| expecting("http"))?)?,
        Type::Tcp => tcp(check.tcp.as_ref().ok_or_else(|| expecting("tcp"))?)?,
        Type::Grpc => extension::grpc(check.grpc.as_ref().ok_or_else(|| expecting("grpc"))?)?,
        Type::Listen => extension::listen(check.listen.as_ref().ok_or_else(|| expecting("listen"))?)?,
        Type::Exchange => extension::exchange(check.exchange.as_ref().ok_or_else(|| expecting("exchange"))?)?,
        Type::Unknown => return Err(Invalid::new("'UNKNOWN' is not a valid health check type")),
    }
    seconds("delay_seconds", check.delay_seconds)?;
    seconds("grace_period_seconds", check.grace_period_seconds)?;
    seconds("interval_seconds", check.interval_seconds)?;
    seconds("timeout_seconds", check.timeout_seconds)?;
    extension::judgement(check)
}

/// Whether all further health checks of a task can be run, and can be told apart.
pub(super) fn further(task: &TaskInfo) -> Verdict {
    for (index, check) in task.health_checks.iter().enumerate() {
        health_check(check).map_err(|invalid| invalid.within(&format!("'health_checks[{index}]'")))?;
    }
    let mut names = BTreeSet::new();
    let mut named = task.health_check.iter().chain(&task.health_checks).filter_map(|check| check.name.as_deref());
    named.try_for_each(|name| ensure(names.insert(name), || format!("Two health checks have the name '{name}'")))
}

fn shell_or_path(info: &CommandInfo) -> Verdict {
    let missing = if info.shell() { "'shell command'" } else { "'executable path'" };
    ensure(info.value.is_some(), || format!("Command health check must contain {missing}"))?;
    extension::says_what_to_run("command.value", info)?;
    command(info).map_err(|invalid| invalid.within("Health check's `CommandInfo` is invalid"))
}

fn http(http: &HttpCheckInfo) -> Verdict {
    let scheme = http.scheme();
    ensure(matches!(scheme, "http" | "https"), || format!("Unsupported HTTP health check scheme: '{scheme}'"))?;
    let path = http.path.as_deref();
    ensure(path.is_none_or(|path| path.starts_with('/')), || {
        format!("The path '{}' of HTTP health check must start with '/'", http.path())
    })?;
    http.options.as_ref().map_or(Ok(()), extension::http)
}

fn tcp(tcp: &TcpCheckInfo) -> Verdict {
    tcp.options.as_ref().map_or(Ok(()), extension::tcp)
}

/// Fills in the type that the health check of a launched task may leave out when there is only one it can be. Mesos
/// does so for LAUNCH, before validation, and not for LAUNCH_GROUP.
pub fn back_fill_type(task: &mut TaskInfo) {
    let Some(check) = task.health_check.as_mut().filter(|check| known::<Type>(check.r#type).is_none()) else {
        return;
    };
    match (&check.command, &check.http) {
        (Some(_), None) => check.set_type(Type::Command),
        (None, Some(_)) => check.set_type(Type::Http),
        _ => {}
    }
}
