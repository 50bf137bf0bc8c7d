//! General checks, and what executors report of them. In: definitions and statuses. Out: what is wrong with them.

use super::{Invalid, Verdict, command, ensure, extension, known, seconds};
use crate::v1::{
    CheckInfo, CheckStatusInfo,
    check_info::{Command, Http, Tcp, Type},
};

/// Whether a check can be run as it is.
pub fn check(check: &CheckInfo) -> Verdict {
    let Some(kind) = known::<Type>(check.r#type) else {
        return Err(Invalid::new("CheckInfo must specify 'type'"));
    };
    let expecting = |what: &str| extension::missing(what, kind.as_str_name(), "check");
    match kind {
        Type::Command => shell_or_path(check.command.as_ref().ok_or_else(|| expecting("command"))?)?,
        Type::Http => http(check.http.as_ref().ok_or_else(|| expecting("http"))?)?,
        Type::Tcp => tcp(check.tcp.as_ref().ok_or_else(|| expecting("tcp"))?)?,
        Type::Grpc => extension::grpc(check.grpc.as_ref().ok_or_else(|| expecting("grpc"))?)?,
        Type::Listen => extension::listen(check.listen.as_ref().ok_or_else(|| expecting("listen"))?)?,
        Type::Exchange => extension::exchange(check.exchange.as_ref().ok_or_else(|| expecting("exchange"))?)?,
        Type::Unknown => return Err(Invalid::new("'UNKNOWN' is not a valid check type")),
    }
    seconds("delay_seconds", check.delay_seconds)?;
    seconds("interval_seconds", check.interval_seconds)?;
    seconds("timeout_seconds", check.timeout_seconds)?;
    seconds("jitter_seconds", check.jitter_seconds)
}

fn shell_or_path(check: &Command) -> Verdict {
    let info = &check.command;
    let missing = if info.shell() { "'shell command'" } else { "'executable path'" };
    ensure(info.value.is_some(), || format!("Command check must contain {missing}"))?;
    extension::says_what_to_run("command.command.value", info)?;
    command(info).map_err(|invalid| invalid.within("Check's `CommandInfo` is invalid"))
}

fn http(http: &Http) -> Verdict {
    let scheme = http.scheme.as_deref().unwrap_or("http");
    ensure(matches!(scheme, "http" | "https"), || format!("Unsupported HTTP check scheme: '{scheme}'"))?;
    ensure(http.path.as_deref().is_none_or(|path| path.starts_with('/')), || {
        format!("The path '{}' of HTTP check must start with '/'", http.path())
    })?;
    http.options.as_ref().map_or(Ok(()), extension::http)
}

fn tcp(tcp: &Tcp) -> Verdict {
    tcp.options.as_ref().map_or(Ok(()), extension::tcp)
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
        Type::Grpc => (status.grpc.is_some(), "grpc"),
        Type::Listen => (status.listen.is_some(), "listen"),
        Type::Exchange => (status.exchange.is_some(), "exchange"),
        Type::Unknown => return Err(Invalid::new("'UNKNOWN' is not a valid check's status type")),
    };
    ensure(present, || extension::missing(what, kind.as_str_name(), "check's status").0)
}
