//! The part that only apps have: the one task of each instance, as Marathon shows it with all defaults filled in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::container::Container;
use super::env::EnvValue;
use super::exec_command::ExecCommand;
use super::network::Network;
use super::resource_limits::ResourceLimits;
use super::schedule;
use super::seconds::Seconds;
use super::secret::Secrets;

/// The task of an app's instances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct App {
    /// A shell command; or `args`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) cmd: Option<String>,
    /// The arguments of a command without a shell, the program first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) args: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) user: Option<String>,
    /// Variables; they win over those that Cygnet sets.
    pub(crate) env: BTreeMap<String, EnvValue>,
    /// Secrets that variables, volumes and the image may refer to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(crate) secrets: Secrets,
    /// Graphics processors; always 0.
    pub(crate) gpus: u32,
    /// `//cmd`: the command executor; or the path of another one. Empty: the scheduler's choice.
    pub(crate) executor: String,
    pub(crate) fetch: Vec<Fetch>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) check: Option<Check>,
    /// The container, if one was asked for, or is needed for a network of its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) container: Option<Container>,
    /// The time from the first signal to SIGKILL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) task_kill_grace_period_seconds: Option<Seconds>,
    pub(crate) networks: Vec<Network>,
    /// The most it may have, where that is more than what it asks for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) resource_limits: Option<ResourceLimits>,
    /// True if it has a terminal.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(crate) tty: bool,
}

impl App {
    /// A task with nothing to run: every default.
    pub(crate) fn new() -> Self {
        App { networks: vec![Network::default()], ..App::default() }
    }
}

/// A file to fetch into the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fetch {
    pub(crate) uri: String,
    #[serde(default = "yes")]
    pub(crate) extract: bool,
    #[serde(default)]
    pub(crate) executable: bool,
    #[serde(default)]
    pub(crate) cache: bool,
    /// Its name in the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dest_path: Option<String>,
    /// The digest of its content, if that is to be checked: `sha256:` or `sha512:` and the digits. Beyond Marathon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<String>,
}

fn yes() -> bool {
    true
}

/// A check whose results are shown, and decide nothing (Mesos' `CheckInfo`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Check<Http = HttpCheck, Tcp = TcpCheck> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tcp: Option<Tcp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exec: Option<ExecCheck>,
    #[serde(default = "schedule::interval")]
    pub(crate) interval_seconds: Seconds,
    #[serde(default = "schedule::timeout")]
    pub(crate) timeout_seconds: Seconds,
    #[serde(default = "schedule::delay")]
    pub(crate) delay_seconds: Seconds,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HttpCheck {
    /// The number of the port among those of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port_index: Option<u16>,
    /// Or this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// `HTTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scheme: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TcpCheck {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port_index: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExecCheck {
    pub(crate) command: ExecCommand,
}
