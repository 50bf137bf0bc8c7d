//! A deployment: the record of one change to one app, from when it was asked for until all is as wanted. Pure.
//!
//! What is to be done is [`crate::plan`]'s to say, from the present alone; a deployment is what locks the app meanwhile,
//! what people look at, and what can be taken back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::ids::AppId;
use crate::time::Timestamp;

/// A change that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deployment {
    /// A uuid.
    pub id: String,
    /// When it was asked for.
    pub version: Timestamp,
    /// The app.
    pub app: AppId,
    /// The definition before; none for a new app.
    pub before: Option<App>,
    /// The definition after; none if the app is removed.
    pub after: Option<App>,
    /// Whether a restart was asked for.
    pub restart: bool,
}

impl Deployment {
    /// What it does, in Marathon's words.
    #[must_use]
    pub(crate) fn action(&self) -> &'static str {
        match (&self.before, &self.after) {
            (_, None) => "StopApplication",
            (None, Some(_)) => "StartApplication",
            (Some(before), Some(after)) if self.restart || before.needs_restart(after) => "RestartApplication",
            (Some(_), Some(_)) => "ScaleApplication",
        }
    }

    /// Its step, as events show it.
    #[must_use]
    pub(crate) fn step(&self) -> Value {
        json!({"actions": [{"action": self.action(), "app": self.app}]})
    }

    /// As events show it.
    #[must_use]
    pub(crate) fn plan(&self) -> Value {
        json!({"id": self.id, "version": self.version, "steps": [self.step()]})
    }

    /// As `/v2/deployments` lists it.
    #[must_use]
    pub(crate) fn json(&self) -> Value {
        let current = json!([{"action": self.action(), "app": self.app, "readinessCheckResults": []}]);
        json!({"id": self.id, "version": self.version, "affectedApps": [self.app], "affectedPods": [],
            "steps": [self.step()], "currentActions": current, "currentStep": 1, "totalSteps": 1})
    }
}
