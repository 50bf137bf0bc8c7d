//! General checks, and what executors report of them. In: definitions and statuses. Out: what is wrong with them.

use super::{Invalid, Verdict, command, ensure, known, seconds};
use crate::v1::{
    CheckInfo, CheckStatusInfo,
    check_info::{Command, Http, Type},
};

/// Whether a check can be run as it is.
pub fn check(check: &CheckInfo) -> Verdict {
    let Some(kind) = known::<Type>(check.r#type) else {
        return Err(Invalid::new("CheckInfo must specify 'type'"));
    };
    let expecting = |what: &str| Invalid(format!("Expecting '{what}' to be set for {} check", kind.as_str_name()));
    match kind {
        Type::Command => shell_or_path(check.command.as_ref().ok_or_else(|| expecting("command"))?)?,
        Type::Http => http(check.http.as_ref().ok_or_else(|| expecting("http"))?)?,
        Type::Tcp => drop(check.tcp.as_ref().ok_or_else(|| expecting("tcp"))?),
        Type::Unknown => return Err(Invalid::new("'UNKNOWN' is not a valid check type")),
    }
    seconds("delay_seconds", check.delay_seconds)?;
    seconds("interval_seconds", check.interval_seconds)?;
    seconds("timeout_seconds", check.timeout_seconds)
}

fn shell_or_path(check: &Command) -> Verdict {
    let info = &check.command;
    let missing = if info.shell() { "'shell command'" } else { "'executable path'" };
    ensure(info.value.is_some(), || format!("Command check must contain {missing}"))?;
    command(info).map_err(|invalid| invalid.within("Check's `CommandInfo` is invalid"))
}

fn http(http: &Http) -> Verdict {
    ensure(http.path.as_deref().is_none_or(|path| path.starts_with('/')), || {
        format!("The path '{}' of HTTP check must start with '/'", http.path())
    })
}

/// Whether a check's status is of a kind, and has the part of that kind.
pub fn check_status(status: &CheckStatusInfo) -> Verdict {
    let Some(kind) = known::<Type>(status.r#type) else {
        return Err(Invalid::new("CheckStatusInfo must specify 'type'"));
    };
    let (present, what) = match kind {
        Type::Command => (status.command.is_some(), "command"),
        Type::Http => (status.http.is_some(), "http"),
        Type::Tcp => (status.tcp.is_some(), "tcp"),
        Type::Unknown => return Err(Invalid::new("'UNKNOWN' is not a valid check's status type")),
    };
    ensure(present, || format!("Expecting '{what}' to be set for {} check's status", kind.as_str_name()))
}
