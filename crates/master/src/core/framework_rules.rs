//! What a `FrameworkInfo` must look like for its scheduler to be let in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mesos::v1::FrameworkInfo;
use mesos::v1::scheduler::OfferConstraints;

use super::capabilities::Capabilities;
use super::framework::{named_role, roles_of};
use crate::allocator::Constraints;

/// Why a subscription is refused, in the words of the ERROR event.
pub(crate) fn check(info: &FrameworkInfo, allowed: Option<&BTreeSet<String>>) -> Result<(), String> {
    check_roles(info)?;
    check_id(info)?;
    check_failover_timeout(info)?;
    let roles = roles_of(info);
    match roles.iter().find(|role| allowed.is_some_and(|allowed| !allowed.contains(*role))) {
        Some(unknown) => Err(format!("Role '{unknown}' is not present in the master's --roles")),
        None => Ok(()),
    }
}

/// How a framework wants to be offered things: only for roles that are its own, and in ways that make sense.
pub(crate) fn wishes(
    info: &FrameworkInfo,
    suppressed: Vec<String>,
    constraints: Option<OfferConstraints>,
) -> Result<(BTreeSet<String>, Arc<Constraints>), String> {
    let roles = roles_of(info);
    if let Some(stranger) = suppressed.iter().find(|role| !roles.contains(*role)) {
        return Err(format!("Suppressed role '{stranger}' is not contained in the set of roles"));
    }
    let wrong = |error| format!("Offer constraints are not valid: {error}");
    let constraints = Constraints::of(constraints.unwrap_or_default()).map_err(wrong)?;
    if let Some(stranger) = constraints.roles().find(|role| !roles.contains(*role)) {
        return Err(format!(
            "Offer constraints specify `role_constraints` for a role '{stranger}' not contained in the set of roles"
        ));
    }
    Ok((suppressed.into_iter().collect(), Arc::new(constraints)))
}

fn check_roles(info: &FrameworkInfo) -> Result<(), String> {
    let multi_role = Capabilities::of(info).multi_role;
    if multi_role && named_role(info).is_some() {
        return Err("'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable".to_owned());
    }
    if !multi_role && !info.roles.is_empty() {
        return Err("'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable".to_owned());
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = info.roles.iter().find(|role| !seen.insert(role.as_str())) {
        return Err(format!("'FrameworkInfo.roles' contains duplicate items: '{twice}'"));
    }
    roles_of(info).iter().try_for_each(|role| check_role(role))
}

/// Whether a text may name a role at all.
pub(crate) fn check_role(role: &str) -> Result<(), String> {
    if role == "*" {
        return Ok(());
    }
    if role.is_empty() {
        return Err("Empty role name is invalid".to_owned());
    }
    role.split('/').try_for_each(|part| check_role_part(role, part))
}

fn check_role_part(role: &str, part: &str) -> Result<(), String> {
    let problem = match part {
        "" => "cannot start or end with a slash, or contain two adjacent slashes",
        "." | ".." | "*" => "contains an invalid component",
        part if part.starts_with('-') => "has a component that starts with '-'",
        part if part.contains(|c: char| c.is_ascii_control() || c.is_ascii_whitespace() || c == '\\') => {
            "contains whitespace, control characters or backslashes"
        }
        _ => return Ok(()),
    };
    Err(format!("Role '{role}' {problem}"))
}

fn check_id(info: &FrameworkInfo) -> Result<(), String> {
    let id = info.id.as_ref().map_or("", |id| &id.value);
    let wrong =
        id == "." || id == ".." || id.len() > 255 || id.contains(|c: char| c.is_control() || c == '/' || c == '\\');
    if wrong { Err(format!("Framework ID '{}' is invalid", id.escape_debug())) } else { Ok(()) }
}

fn check_failover_timeout(info: &FrameworkInfo) -> Result<(), String> {
    match failover_timeout(info) {
        Some(_) => Ok(()),
        None => {
            let seconds = info.failover_timeout();
            Err(format!("The framework failover_timeout ({seconds}) is invalid: it is too large"))
        }
    }
}

/// For how long a framework that is away is kept. A negative time is none, as to Mesos.
pub(crate) fn failover_timeout(info: &FrameworkInfo) -> Option<Duration> {
    match info.failover_timeout() {
        negative if negative < 0.0 => Some(Duration::ZERO),
        seconds => mesos::duration::from_seconds(seconds),
    }
}

/// What a live framework may not change about itself.
pub(crate) fn check_update(old: &FrameworkInfo, new: &FrameworkInfo) -> Result<(), String> {
    let fixed = |name: &str, was: &str, is: &str| {
        Err(format!("Updating 'FrameworkInfo.{name}' is unsupported; attempted to update from '{was}' to '{is}'"))
    };
    if old.principal() != new.principal() {
        // Whoever does not know the old one is not told it.
        return Err("Changing framework's principal is not allowed.".to_owned());
    }
    if old.user != new.user {
        return fixed("user", &old.user, &new.user);
    }
    if old.checkpoint() != new.checkpoint() {
        return fixed("checkpoint", &old.checkpoint().to_string(), &new.checkpoint().to_string());
    }
    Ok(())
}
