//! Checks and health checks, and what executors report of them. In: definitions and statuses. Out: what is wrong with them.

use super::{Invalid, Verdict, command, ensure, extension, known, seconds};
use crate::v1::{
    CheckInfo, CheckStatusInfo, CommandInfo, HealthCheck, check_info,
    health_check::{HttpCheckInfo, Type},
};

/// The words in which Mesos speaks of a check.
struct Words {
    message: &'static str,
    name: &'static str,
    /// The beginning of a sentence.
    title: &'static str,
    /// The field that holds the text of its command.
    command: &'static str,
}

const CHECK: Words = Words { message: "CheckInfo", name: "check", title: "Check", command: "command.command.value" };

const HEALTH_CHECK: Words =
    Words { message: "HealthCheck", name: "health check", title: "Health check", command: "command.value" };

/// Checks that a check can be run as it is.
pub fn check(check: &CheckInfo) -> Verdict {
    can_be_run(&check.into(), &CHECK)
}

/// Checks that a health check can be run as it is.
pub fn health_check(check: &HealthCheck) -> Verdict {
    can_be_run(check, &HEALTH_CHECK)
}

fn can_be_run(check: &HealthCheck, words: &Words) -> Verdict {
    let Some(kind) = known::<Type>(check.r#type) else {
        return Err(Invalid(format!("{} must specify 'type'", words.message)));
    };
    let expecting = |what: &str| extension::missing(what, kind.as_str_name(), words.name);
    match kind {
        Type::Command => shell_or_path(check.command.as_ref().ok_or_else(|| expecting("command"))?, words)?,
        Type::Http => http(check.http.as_ref().ok_or_else(|| expecting("http"))?, words)?,
        Type::Tcp => {
            let tcp = check.tcp.as_ref().ok_or_else(|| expecting("tcp"))?;
            tcp.options.as_ref().map_or(Ok(()), extension::tcp)?;
        }
        Type::Grpc => extension::grpc(check.grpc.as_ref().ok_or_else(|| expecting("grpc"))?)?,
        Type::Listen => extension::listen(check.listen.as_ref().ok_or_else(|| expecting("listen"))?)?,
        Type::Exchange => extension::exchange(check.exchange.as_ref().ok_or_else(|| expecting("exchange"))?)?,
        Type::Unknown => return Err(Invalid(format!("'UNKNOWN' is not a valid {} type", words.name))),
    }
    seconds("delay_seconds", check.delay_seconds)?;
    seconds("grace_period_seconds", check.grace_period_seconds)?;
    seconds("interval_seconds", check.interval_seconds)?;
    seconds("timeout_seconds", check.timeout_seconds)?;
    extension::judgement(check)
}

fn shell_or_path(info: &CommandInfo, words: &Words) -> Verdict {
    let missing = if info.shell() { "'shell command'" } else { "'executable path'" };
    ensure(info.value.is_some(), || format!("Command {} must contain {missing}", words.name))?;
    extension::says_what_to_run(words.command, info)?;
    command(info).map_err(|invalid| invalid.within(&format!("{}'s `CommandInfo` is invalid", words.title)))
}

fn http(http: &HttpCheckInfo, words: &Words) -> Verdict {
    let (name, scheme) = (words.name, http.scheme());
    ensure(matches!(scheme, "http" | "https"), || format!("Unsupported HTTP {name} scheme: '{scheme}'"))?;
    ensure(http.path.as_deref().is_none_or(|path| path.starts_with('/')), || {
        format!("The path '{}' of HTTP {name} must start with '/'", http.path())
    })?;
    http.options.as_ref().map_or(Ok(()), extension::http)
}

/// Checks that a check's status is of a kind, and has the part of that kind.
pub fn check_status(status: &CheckStatusInfo) -> Verdict {
    use check_info::Type;
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
