//! Rules for a `FrameworkInfo` whose scheduler is to be let in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mesos::framework_error::FrameworkError;
use mesos::v1::FrameworkInfo;
use mesos::v1::framework_info::capability::Type;
use mesos::v1::scheduler::OfferConstraints;

use super::frameworks::roles_of;
use crate::allocator::{ConstraintError, Constraints};

/// Why a subscription is refused, in the words of the ERROR event.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum SubscribeRefusal {
    #[error(transparent)]
    Over(#[from] FrameworkError),
    #[error("Role '{0}' is not present in the master's --roles")]
    RoleNotAllowed(String),
    #[error("Suppressed role '{0}' is not contained in the set of roles")]
    SuppressedRole(String),
    #[error("Offer constraints are not valid: {0}")]
    Constraints(#[from] ConstraintError),
    #[error("Offer constraints specify `role_constraints` for a role '{0}' not contained in the set of roles")]
    ConstrainedRole(String),
    #[error("'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable")]
    RoleOfMany,
    #[error("'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable")]
    RolesOfOne,
    #[error("'FrameworkInfo.roles' contains duplicate items: '{0}'")]
    RoleTwice(String),
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error("Framework ID '{0}' is invalid")]
    Id(String),
    #[error("The framework failover_timeout ({0}) is invalid: it is too large")]
    FailoverTimeout(f64),
    /// The old one is not told to somebody who does not know it.
    #[error("Changing framework's principal is not allowed.")]
    OtherPrincipal,
    #[error("Updating 'FrameworkInfo.{field}' is unsupported; attempted to update from '{was}' to '{is}'")]
    Fixed { field: &'static str, was: String, is: String },
}

/// Why a text does not name a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RoleError {
    #[error("Empty role name is invalid")]
    Empty,
    #[error("Role '{role}' {problem}")]
    Part { role: String, problem: &'static str },
}

pub(crate) fn check(info: &FrameworkInfo, allowed: Option<&BTreeSet<String>>) -> Result<(), SubscribeRefusal> {
    check_roles(info)?;
    check_id(info)?;
    check_failover_timeout(info)?;
    let roles = roles_of(info);
    match roles.iter().find(|role| allowed.is_some_and(|allowed| !allowed.contains(*role))) {
        Some(unknown) => Err(SubscribeRefusal::RoleNotAllowed(unknown.clone())),
        None => Ok(()),
    }
}

/// The wishes of a framework for its offers: only for roles that are its own, and in ways that make sense.
pub(crate) fn wishes(
    info: &FrameworkInfo,
    suppressed: Vec<String>,
    constraints: Option<OfferConstraints>,
) -> Result<(BTreeSet<String>, Arc<Constraints>), SubscribeRefusal> {
    let roles = roles_of(info);
    if let Some(stranger) = suppressed.iter().find(|role| !roles.contains(*role)) {
        return Err(SubscribeRefusal::SuppressedRole(stranger.clone()));
    }
    let constraints = Constraints::of(constraints.unwrap_or_default())?;
    if let Some(stranger) = constraints.roles().find(|role| !roles.contains(*role)) {
        return Err(SubscribeRefusal::ConstrainedRole(stranger.to_owned()));
    }
    Ok((suppressed.into_iter().collect(), Arc::new(constraints)))
}

fn check_roles(info: &FrameworkInfo) -> Result<(), SubscribeRefusal> {
    let multi_role = info.is_capable_of(Type::MultiRole);
    if multi_role && info.role.is_some() {
        return Err(SubscribeRefusal::RoleOfMany);
    }
    if !multi_role && !info.roles.is_empty() {
        return Err(SubscribeRefusal::RolesOfOne);
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = info.roles.iter().find(|role| !seen.insert(role.as_str())) {
        return Err(SubscribeRefusal::RoleTwice(twice.clone()));
    }
    Ok(roles_of(info).iter().try_for_each(|role| check_role(role))?)
}

/// The reason why a text cannot name a role, if there is one.
pub(crate) fn check_role(role: &str) -> Result<(), RoleError> {
    if role == "*" {
        return Ok(());
    }
    if role.is_empty() {
        return Err(RoleError::Empty);
    }
    role.split('/').try_for_each(|part| check_role_part(role, part))
}

fn check_role_part(role: &str, part: &str) -> Result<(), RoleError> {
    let problem = match part {
        "" => "cannot start or end with a slash, or contain two adjacent slashes",
        "." | ".." | "*" => "contains an invalid component",
        part if part.starts_with('-') => "has a component that starts with '-'",
        part if part.contains(|c: char| c.is_ascii_control() || c.is_ascii_whitespace() || c == '\\') => {
            "contains whitespace, control characters or backslashes"
        }
        _ => return Ok(()),
    };
    Err(RoleError::Part { role: role.to_owned(), problem })
}

fn check_id(info: &FrameworkInfo) -> Result<(), SubscribeRefusal> {
    let id = info.id.as_ref().map_or("", |id| &id.value);
    let wrong =
        id == "." || id == ".." || id.len() > 255 || id.contains(|c: char| c.is_control() || c == '/' || c == '\\');
    if wrong { Err(SubscribeRefusal::Id(id.escape_debug().to_string())) } else { Ok(()) }
}

fn check_failover_timeout(info: &FrameworkInfo) -> Result<(), SubscribeRefusal> {
    let too_large = || SubscribeRefusal::FailoverTimeout(info.failover_timeout());
    failover_timeout(info).map(|_| ()).ok_or_else(too_large)
}

/// For how long a framework that is away is kept. A negative time is none, as to Mesos.
pub(crate) fn failover_timeout(info: &FrameworkInfo) -> Option<Duration> {
    match info.failover_timeout() {
        negative if negative < 0.0 => Some(Duration::ZERO),
        seconds => mesos::duration::from_seconds(seconds),
    }
}

/// A live framework may not change these things about itself.
pub(crate) fn check_update(old: &FrameworkInfo, new: &FrameworkInfo) -> Result<(), SubscribeRefusal> {
    let fixed = |field, was: &dyn ToString, is: &dyn ToString| {
        Err(SubscribeRefusal::Fixed { field, was: was.to_string(), is: is.to_string() })
    };
    if old.principal() != new.principal() {
        return Err(SubscribeRefusal::OtherPrincipal);
    }
    if old.user != new.user {
        return fixed("user", &old.user, &new.user);
    }
    if old.checkpoint() != new.checkpoint() {
        return fixed("checkpoint", &old.checkpoint(), &new.checkpoint());
    }
    Ok(())
}
