//! What only apps have: the one task of each instance, as Marathon shows it with all defaults filled in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exec_command::ExecCommand;
use super::schedule;
use super::seconds::Seconds;

/// The task of an app's instances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// A shell command; or `args`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cmd: Option<String>,
    /// The arguments of a command without a shell, the program first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub args: Vec<String>,
    /// As whom to run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// Variables; they win over those that Cygnet sets.
    pub env: BTreeMap<String, String>,
    /// Graphics processors; always 0.
    pub gpus: u32,
    /// `//cmd`: the command executor; or the path of another one. Empty: the scheduler's choice.
    pub executor: String,
    /// Files to fetch into the sandbox.
    pub fetch: Vec<Fetch>,
    /// A check whose results are shown, and decide nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub check: Option<Check>,
    /// A container of Mesos without an image, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub container: Option<Container>,
    /// The time from the first signal to SIGKILL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task_kill_grace_period_seconds: Option<Seconds>,
    /// Always host networking.
    pub networks: Vec<Network>,
}

impl App {
    /// A task with nothing to run: every default.
    #[must_use]
    pub fn new() -> Self {
        App { networks: vec![Network::default()], ..App::default() }
    }
}

/// A file to fetch into the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fetch {
    /// Where it is.
    pub uri: String,
    /// Whether to unpack it.
    #[serde(default = "yes")]
    pub extract: bool,
    /// Whether to make it executable.
    #[serde(default)]
    pub executable: bool,
    /// Whether to keep it for the next task.
    #[serde(default)]
    pub cache: bool,
    /// Its name in the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest_path: Option<String>,
    /// What has to come, if that is to be made sure of: `sha256:` or `sha512:` and the digest. Marathon has no such field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

fn yes() -> bool {
    true
}

/// A network; only the host's is supported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// `host`.
    #[serde(default = "container")]
    pub mode: String,
    /// The name of a container network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels, which only container networks have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

fn container() -> String {
    "container".into()
}

impl Default for Network {
    fn default() -> Self {
        Network { mode: "host".into(), name: None, labels: BTreeMap::new() }
    }
}

/// A container: so far only what Mesos calls one without an image, which is a task as any other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Whose container it is.
    #[serde(rename = "type")]
    pub kind: ContainerKind,
    /// Always empty.
    #[serde(default)]
    pub volumes: Vec<String>,
}

/// Whose container it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ContainerKind {
    /// Mesos' own.
    Mesos,
}

/// A check whose results are shown, and decide nothing (Mesos' `CheckInfo`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check<Http = HttpCheck, Tcp = TcpCheck> {
    /// Ask over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// Ask for a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
    /// Run a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecCheck>,
    /// From one attempt to the next.
    #[serde(default = "schedule::interval")]
    pub interval_seconds: Seconds,
    /// How long an attempt may take.
    #[serde(default = "schedule::timeout")]
    pub timeout_seconds: Seconds,
    /// Until the first attempt.
    #[serde(default = "schedule::delay")]
    pub delay_seconds: Seconds,
}

/// Ask over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpCheck {
    /// Which of the app's ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_index: Option<u16>,
    /// Or this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `HTTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}

/// Ask for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TcpCheck {
    /// Which of the app's ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_index: Option<u16>,
    /// Or this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// Run a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecCheck {
    /// What to run.
    pub command: ExecCommand,
}
