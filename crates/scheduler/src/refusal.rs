//! Why what people ask for is refused, in Marathon's words. Nothing has changed then. Which HTTP status each cause has is
//! the API's to know.

use std::collections::BTreeSet;

use crate::definition::{Faults, ShapeError};
use crate::ids::AppId;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("App '{0}' does not exist")]
    NoApp(AppId),
    #[error("App '{0}' does not exist in version {1}")]
    NoAppVersion(AppId, Timestamp),
    #[error("Pod '{0}' does not exist")]
    NoPod(AppId),
    #[error("Pod '{0}' does not exist in version {1}")]
    NoPodVersion(AppId, Timestamp),
    #[error("Group '{0}' does not exist")]
    NoGroup(AppId),
    #[error("Group {0} not available in version {1}")]
    NoGroupVersion(AppId, Timestamp),
    #[error("DeploymentPlan {0} does not exist")]
    NoDeployment(String),
    #[error("Task '{0}' does not exist")]
    NoTask(String),
    #[error("Task '{0}' {1}")]
    Uncheckable(String, Uncheckable),
    #[error("Agent '{0}' does not exist")]
    NoAgent(String),
    #[error("The master is being told to drain agent '{0}': try again once it has answered")]
    HandingOver(String),
    #[error("Instance does not exist")]
    NoInstance,
    #[error("Application {0} not found in tasks queue.")]
    NotQueued(AppId),
    #[error("An app with id [{0}] already exists.")]
    AppExists(AppId),
    #[error("A pod with id [{0}] already exists.")]
    PodExists(AppId),
    #[error("Group {0} is already created. Use PUT to change this group.")]
    GroupExists(AppId),
    #[error("An app with the path {0} already exists.")]
    PathTaken(AppId),
    /// By these deployments. The text in angle brackets is literal, in Marathon too.
    #[error(
        "App is locked by one or more deployments. Override with the option '?force=true'. View details at \
         '/v2/deployments/<DEPLOYMENT_ID>'."
    )]
    Locked(BTreeSet<String>),
    #[error("Deployment {0} is none of the last that are over")]
    NoPastDeployment(String),
    #[error("Deployment {0} has no canary that waits to be continued.")]
    NoCanary(String),
    #[error("'{path}' does not match definition's id ('{named}')")]
    OtherId { path: AppId, named: String },
    #[error("no app was sent")]
    Nothing,
    #[error("there are {0} event subscriptions already: remove some")]
    Subscriptions(usize),
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error(transparent)]
    Faults(#[from] Faults),
}

/// Why the checks of a task cannot be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Uncheckable {
    #[error("is over")]
    Over,
    #[error("does not run yet: its checks begin when it does")]
    Starting,
    #[error("was told to end: it is checked no more")]
    Ending,
    #[error("has no health checks: it is well as long as it runs")]
    Unchecked,
    #[error("is not checked: its checks are paused until somebody resumes them")]
    Paused,
    #[error("is not checked: its checks are paused until {0}")]
    PausedUntil(Timestamp),
    #[error("cannot be checked: its agent is not heard of")]
    Unreachable,
}
