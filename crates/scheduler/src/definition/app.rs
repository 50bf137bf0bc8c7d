//! An app with all its defaults filled in, as Marathon shows it. Field names, defaults: Marathon's app definition of 1.5
//! and later.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Pod;
use super::brake::AppBrake;
use super::constraint::Constraint;
use super::exec_command::ExecCommand;
use super::health_check::HealthCheck;
use super::readiness::ReadinessCheck;
use super::schedule;
use super::seconds::Seconds;
use crate::ids::AppId;
use crate::time::Timestamp;

/// One version of an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// The path.
    pub id: AppId,
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
    /// How many instances.
    pub instances: u32,
    /// Processors.
    pub cpus: f64,
    /// Memory in MiB.
    pub mem: f64,
    /// Disk in MiB.
    pub disk: f64,
    /// Graphics processors; always 0.
    pub gpus: u32,
    /// `//cmd`: the command executor; or the path of another one. Empty: the scheduler's choice.
    pub executor: String,
    /// Where instances may run.
    pub constraints: Vec<Constraint>,
    /// Files to fetch into the sandbox.
    pub fetch: Vec<Fetch>,
    /// Ports on the host.
    pub port_definitions: Vec<PortDefinition>,
    /// Whether the ports must be those of the definitions.
    pub require_ports: bool,
    /// The launch delay after the first failure.
    pub backoff_seconds: Seconds,
    /// By what the delay grows with each further failure.
    pub backoff_factor: f64,
    /// The longest delay.
    pub max_launch_delay_seconds: Seconds,
    /// The health checks.
    pub health_checks: Vec<HealthCheck>,
    /// A check whose results are shown, and decide nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub check: Option<Check>,
    /// Asked during deployments, until new instances are ready.
    #[serde(default)]
    pub readiness_checks: Vec<ReadinessCheck>,
    /// Apps and groups that have to be up first, as absolute paths.
    #[serde(default)]
    pub dependencies: Vec<AppId>,
    /// A container of Mesos without an image, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub container: Option<Container>,
    /// How fast to replace instances by those of a new version.
    pub upgrade_strategy: UpgradeStrategy,
    /// How many may be killed for their health at a time, where that is different from others: beyond Marathon.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub brake: Option<AppBrake>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The time from the first signal to SIGKILL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task_kill_grace_period_seconds: Option<Seconds>,
    /// Which instances go first when there are too many.
    pub kill_selection: KillSelection,
    /// What to do with instances on agents nobody hears of.
    pub unreachable_strategy: UnreachableStrategy,
    /// The role whose resources it uses, where it says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// Roles of resources to use.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub accepted_resource_roles: Vec<String>,
    /// Always host networking.
    pub networks: Vec<Network>,
    /// The pod that it is, if it is one: then most of the above follows from it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pod: Option<Box<Pod>>,
    /// When this version was made.
    pub version: Timestamp,
    /// When it was scaled, and when anything else was changed.
    pub version_info: VersionInfo,
}

impl App {
    /// An app with nothing but an id: every default.
    #[must_use]
    pub fn new(id: AppId, version: Timestamp) -> Self {
        App {
            id,
            cmd: None,
            args: Vec::new(),
            user: None,
            env: BTreeMap::new(),
            instances: 1,
            cpus: 1.0,
            mem: 128.0,
            disk: 0.0,
            gpus: 0,
            executor: String::new(),
            constraints: Vec::new(),
            fetch: Vec::new(),
            port_definitions: vec![PortDefinition { name: Some("default".into()), ..PortDefinition::default() }],
            require_ports: false,
            backoff_seconds: Seconds::whole(1),
            backoff_factor: 1.15,
            max_launch_delay_seconds: Seconds::whole(300),
            health_checks: Vec::new(),
            check: None,
            readiness_checks: Vec::new(),
            dependencies: Vec::new(),
            container: None,
            upgrade_strategy: UpgradeStrategy::default(),
            brake: None,
            labels: BTreeMap::new(),
            task_kill_grace_period_seconds: None,
            kill_selection: KillSelection::default(),
            unreachable_strategy: UnreachableStrategy::default(),
            role: None,
            accepted_resource_roles: Vec::new(),
            networks: vec![Network::default()],
            pod: None,
            version,
            version_info: VersionInfo { last_scaling_at: version, last_config_change_at: version },
        }
    }

    /// The version that instances are compared with: the last change of anything but the number of instances.
    #[must_use]
    pub fn config_version(&self) -> Timestamp {
        self.version_info.last_config_change_at
    }

    /// Whether `other` differs in anything that its instances would notice: not in their number, the brake, and versions.
    #[must_use]
    pub fn needs_restart(&self, other: &App) -> bool {
        let mut same = other.clone();
        same.instances = self.instances;
        same.version = self.version;
        same.version_info = self.version_info;
        same.brake = self.brake;
        if let (Some(same), Some(own)) = (&mut same.pod, &self.pod) {
            same.scaling.clone_from(&own.scaling);
            same.scheduling.brake = own.scheduling.brake;
        }
        same != *self
    }

    /// Whether its label says that there may never be two of it.
    #[must_use]
    pub fn is_single_instance(&self) -> bool {
        self.labels.get("MARATHON_SINGLE_INSTANCE_APP").is_some_and(|value| value == "true")
    }

    /// Whether a change to `other` takes a deployment: whether anything but the versions differs.
    #[must_use]
    pub fn differs(&self, other: &App) -> bool {
        self.instances != other.instances || self.brake != other.brake || self.needs_restart(other)
    }

    /// How long an instance may take from the first signal to SIGKILL, if the app says so.
    #[must_use]
    pub fn kill_grace(&self) -> Option<Duration> {
        self.task_kill_grace_period_seconds.map(Seconds::duration)
    }
}

/// A port on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PortDefinition {
    /// The port; 0 is any. Without `requirePorts` it is a wish that names a variable.
    #[serde(default)]
    pub port: u16,
    /// A name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `tcp`, `udp` or `udp,tcp`.
    #[serde(default = "tcp")]
    pub protocol: String,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

fn tcp() -> String {
    "tcp".into()
}

impl Default for PortDefinition {
    fn default() -> Self {
        PortDefinition { port: 0, name: None, protocol: tcp(), labels: BTreeMap::new() }
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

/// How fast to replace instances by those of a new version, as shares of `instances`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpgradeStrategy {
    /// How many must stay healthy.
    #[serde(default = "whole")]
    pub minimum_health_capacity: f64,
    /// How many there may be above `instances`.
    #[serde(default = "whole")]
    pub maximum_over_capacity: f64,
    /// How long a deployment may take, in seconds, before it is taken back: beyond Marathon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<Seconds>,
    /// How many instances of the new version may fail in a deployment; with one more it is taken back: beyond Marathon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_failures: Option<u32>,
}

fn whole() -> f64 {
    1.0
}

impl Default for UpgradeStrategy {
    fn default() -> Self {
        UpgradeStrategy {
            minimum_health_capacity: 1.0,
            maximum_over_capacity: 1.0,
            deadline_seconds: None,
            maximum_failures: None,
        }
    }
}

/// Which instances go first when there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KillSelection {
    /// The youngest.
    #[default]
    YoungestFirst,
    /// The oldest.
    OldestFirst,
}

/// What to do with instances on agents nobody hears of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum UnreachableStrategy {
    /// Replace and forget them after a while.
    #[serde(rename_all = "camelCase")]
    After {
        /// When to start a replacement.
        #[serde(default)]
        inactive_after_seconds: Seconds,
        /// When to forget the instance.
        #[serde(default)]
        expunge_after_seconds: Seconds,
    },
    /// `"disabled"`: wait for ever.
    Named(Disabled),
}

/// The one word an unreachable strategy may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disabled {
    /// Wait for ever.
    Disabled,
}

impl Default for UnreachableStrategy {
    fn default() -> Self {
        UnreachableStrategy::After {
            inactive_after_seconds: Seconds::default(),
            expunge_after_seconds: Seconds::default(),
        }
    }
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
pub struct Check {
    /// Ask over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpCheck>,
    /// Ask for a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpCheck>,
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

/// When an app was scaled, and when anything else was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    /// The last change of `instances`.
    pub last_scaling_at: Timestamp,
    /// The last change of anything else.
    pub last_config_change_at: Timestamp,
}
