//! The user of a task with the host's files.

use mesos::v1::{FrameworkInfo, TaskInfo};
use processes::{Credentials, UserError};

use super::Unrunnable;

/// The user that the task names for itself.
pub(super) fn named(task: &TaskInfo) -> Option<&str> {
    task.command.as_ref().and_then(|command| command.user.as_deref()).filter(|name| !name.is_empty())
}

/// A task that names a user runs as that user or not at all. The user of a framework is often only a name on the
/// machine its scheduler runs on, so one that is unknown here means no switching. A resolver that fails has not said that:
/// the task would run as the executor's user, often root, and does not run.
pub(super) fn user_of(
    framework: Option<&FrameworkInfo>,
    task: &TaskInfo,
    look_up: impl Fn(&str) -> Result<Option<Credentials>, UserError>,
) -> Result<Option<Credentials>, Unrunnable> {
    if let Some(name) = named(task) {
        return Ok(look_up(name)?);
    }
    let of_framework = framework.map(|framework| framework.user.as_str()).filter(|name| !name.is_empty());
    let Some(name) = of_framework else { return Ok(None) };
    match look_up(name) {
        Err(error @ UserError::Unknown(_)) => {
            tracing::warn!(user = name, %error, "the task runs as the executor's user, not as the framework's");
            Ok(None)
        }
        found => Ok(found?),
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use mesos::v1::CommandInfo;

    use super::*;

    #[test]
    fn a_resolver_that_fails_is_no_unknown_user() {
        let framework = FrameworkInfo { user: "www".to_owned(), ..FrameworkInfo::default() };
        let command = CommandInfo { user: Some("web".to_owned()), ..CommandInfo::default() };
        let own = TaskInfo { command: Some(command), ..TaskInfo::default() };
        let unknown = |name: &str| Err(UserError::Unknown(name.to_owned()));
        let fails = |name: &str| Err(UserError::Resolver { name: name.to_owned(), source: ErrorKind::TimedOut.into() });
        let said = |found: Result<Option<Credentials>, Unrunnable>| found.map_err(|error| error.to_string());
        let cannot = |name| Err(format!("Cannot start the task: cannot look up the user '{name}': timed out"));
        assert_eq!(said(user_of(Some(&framework), &TaskInfo::default(), unknown)), Ok(None));
        assert_eq!(said(user_of(Some(&framework), &TaskInfo::default(), fails)), cannot("www"));
        let nobody = "No such user 'web' on this machine".to_owned();
        assert_eq!(said(user_of(Some(&framework), &own, unknown)), Err(nobody));
        assert_eq!(said(user_of(Some(&framework), &own, fails)), cannot("web"));
    }
}
