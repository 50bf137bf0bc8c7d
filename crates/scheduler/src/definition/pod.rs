//! A pod as a person writes it, with Marathon's defaults, and the app it is to the planner.

mod check;
mod image;
mod surroundings;
mod validate;
mod volume;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::app::Fetch;
use super::constraint::Constraint;
use super::env::EnvValue;
use super::exec_command::ExecCommand;
use super::linux_info::LinuxInfo;
use super::network::{self, Mode, Network};
use super::port::PortDefinition;
use super::resource_limits::ResourceLimits;
use super::secret::Secrets;
use super::strategy::{KillSelection, UnreachableStrategy, UpgradeStrategy};
use super::{AppBrake, Faults, HealthCheck, Kind, Protocol, RunSpec, Seconds, schedule};
use crate::ids::AppId;
use crate::time::Timestamp;
use check::PodCheck;
pub(crate) use image::Image;
pub(crate) use volume::{Volume, VolumeMount, VolumeSource};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Pod {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// Set by the scheduler; what a client sends means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) environment: BTreeMap<String, EnvValue>,
    pub(crate) containers: Vec<Container>,
    #[serde(default = "host_network")]
    pub(crate) networks: Vec<Network>,
    #[serde(default)]
    pub(crate) scaling: Scaling,
    #[serde(default)]
    pub(crate) scheduling: Scheduling,
    #[serde(default)]
    pub(crate) executor_resources: ExecutorResources,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    /// Secrets that variables, volumes and images may refer to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) secrets: Secrets,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) volumes: Vec<Volume>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) linux_info: Option<LinuxInfo>,
    /// True if its containers have no limits of their own, as before Marathon 1.10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) legacy_shared_cgroups: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Container {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exec: Option<Exec>,
    #[serde(default)]
    pub(crate) resources: Resources,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) endpoints: Vec<Endpoint>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) environment: BTreeMap<String, EnvValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) health_check: Option<PodHealthCheck>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) check: Option<PodCheck>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) artifacts: Vec<Fetch>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lifecycle: Option<Lifecycle>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<Image>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) volume_mounts: Vec<VolumeMount>,
    /// The most it may have, where that is more than what it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource_limits: Option<ResourceLimits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) linux_info: Option<LinuxInfo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tty: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Exec {
    pub(crate) command: ExecCommand,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) override_entrypoint: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Resources {
    pub(crate) cpus: f64,
    pub(crate) mem: f64,
    pub(crate) disk: f64,
    pub(crate) gpus: u32,
}

impl Default for Resources {
    fn default() -> Self {
        Resources { cpus: 1.0, mem: 128.0, disk: 0.0, gpus: 0 }
    }
}

/// The resources of an instance's executor, beside its containers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ExecutorResources {
    pub(crate) cpus: f64,
    pub(crate) mem: f64,
    pub(crate) disk: f64,
}

impl Default for ExecutorResources {
    fn default() -> Self {
        ExecutorResources { cpus: 0.1, mem: 32.0, disk: 10.0 }
    }
}

/// A port of a container, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container_port: Option<u16>,
    /// The port of the host: 0 is any; none at all if absent, which only container networks allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host_port: Option<u16>,
    #[serde(default = "tcp", skip_serializing_if = "Vec::is_empty")]
    pub(crate) protocol: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) network_names: Vec<String>,
}

/// The time a container may take to end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Lifecycle {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kill_grace_period_seconds: Option<Seconds>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PodHealthCheck {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<HttpEndpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tcp: Option<TcpEndpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exec: Option<Exec>,
    #[serde(default = "schedule::grace")]
    pub(crate) grace_period_seconds: Seconds,
    #[serde(default = "schedule::interval")]
    pub(crate) interval_seconds: Seconds,
    #[serde(default = "schedule::failures")]
    pub(crate) max_consecutive_failures: u32,
    #[serde(default = "schedule::timeout")]
    pub(crate) timeout_seconds: Seconds,
    #[serde(default = "schedule::delay")]
    pub(crate) delay_seconds: Seconds,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpEndpoint {
    pub(crate) endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(default = "http")]
    pub(crate) scheme: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TcpEndpoint {
    pub(crate) endpoint: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Scaling {
    pub(crate) kind: String,
    #[serde(default = "one")]
    pub(crate) instances: u32,
    /// More than these are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_instances: Option<u32>,
}

impl Default for Scaling {
    fn default() -> Self {
        Scaling { kind: "fixed".into(), instances: 1, max_instances: None }
    }
}

/// Where, when and how fast instances are launched and replaced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Scheduling {
    pub(crate) backoff: Backoff,
    pub(crate) upgrade: UpgradeStrategy,
    /// Limits on kills for health, where they are different from others: beyond Marathon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brake: Option<AppBrake>,
    pub(crate) placement: Placement,
    pub(crate) kill_selection: KillSelection,
    pub(crate) unreachable_strategy: UnreachableStrategy,
}

/// The growing wait between a failure and the next launch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Backoff {
    pub(crate) backoff: Seconds,
    pub(crate) backoff_factor: f64,
    pub(crate) max_launch_delay: Seconds,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { backoff: Seconds::whole(1), backoff_factor: 1.15, max_launch_delay: Seconds::whole(300) }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Placement {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) constraints: Vec<PodConstraint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) accepted_resource_roles: Vec<String>,
}

/// A constraint in the form pods have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PodConstraint {
    pub(crate) field_name: String,
    pub(crate) operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
}

impl PodConstraint {
    /// In the form apps have it; refused in Marathon's words.
    fn constraint(&self) -> Result<Constraint, &'static str> {
        let words = [self.field_name.clone(), self.operator.clone()].into_iter().chain(self.value.clone());
        Constraint::parse(&words.collect::<Vec<_>>())
    }
}

impl PodHealthCheck {
    /// As the check of an app.
    fn check(&self) -> HealthCheck {
        let (protocol, port_name, path) = match (&self.http, &self.tcp) {
            (Some(http), _) => {
                let secure = http.scheme.eq_ignore_ascii_case("https");
                (
                    if secure { Protocol::MesosHttps } else { Protocol::MesosHttp },
                    Some(&http.endpoint),
                    http.path.as_ref(),
                )
            }
            (None, Some(tcp)) => (Protocol::MesosTcp, Some(&tcp.endpoint), None),
            (None, None) => (Protocol::Command, None, None),
        };
        HealthCheck {
            protocol,
            port_name: port_name.cloned(),
            path: path.cloned(),
            command: self.exec.as_ref().map(|exec| exec.command.shell.clone().unwrap_or_default().into()),
            grace_period_seconds: self.grace_period_seconds,
            interval_seconds: self.interval_seconds,
            timeout_seconds: self.timeout_seconds,
            delay_seconds: self.delay_seconds,
            max_consecutive_failures: self.max_consecutive_failures,
            ..HealthCheck::default()
        }
    }
}

impl Pod {
    /// No network is the host's, and without container networks every endpoint has a port of the host.
    fn normalize(&mut self) {
        if self.networks.is_empty() {
            self.networks = host_network();
        }
        if network::is_host(&self.networks) || self.networks.iter().any(|network| network.mode == Mode::Bridge) {
            for endpoint in self.containers.iter_mut().flat_map(|container| &mut container.endpoints) {
                endpoint.host_port = endpoint.host_port.or(Some(0));
            }
        }
    }

    /// All endpoints, in the order of their containers.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.containers.iter().flat_map(|container| &container.endpoints)
    }

    /// Which of the pod's health checks is this container's.
    pub(crate) fn check_index(&self, container: &str) -> Option<usize> {
        let checked = self.containers.iter().filter(|container| container.health_check.is_some());
        checked.into_iter().position(|checked| checked.name == container)
    }

    /// The resources of all containers of an instance and its executor together.
    pub(crate) fn total(&self) -> Resources {
        let own = self.executor_resources;
        let start = Resources { cpus: own.cpus, mem: own.mem, disk: own.disk, gpus: 0 };
        self.containers.iter().map(|container| container.resources).fold(start, |sum, one| Resources {
            cpus: sum.cpus + one.cpus,
            mem: sum.mem + one.mem,
            disk: sum.disk + one.disk,
            gpus: sum.gpus + one.gpus,
        })
    }

    /// The app that this pod is to the planner: so many instances of so much, with these ports and checks.
    pub(crate) fn app(mut self, now: Timestamp) -> Result<RunSpec, Faults> {
        let mut faults = Faults::default();
        self.normalize();
        validate::validate(&self, &mut faults);
        self.version = None;
        let mut app = RunSpec::new(AppId::new(&self.id), now);
        app.id.as_str().clone_into(&mut self.id);
        let total = self.total();
        (app.cpus, app.mem, app.disk) = (total.cpus, total.mem, total.disk);
        app.instances = self.scaling.instances;
        app.labels.clone_from(&self.labels);
        app.role.clone_from(&self.role);
        app.require_ports = true;
        app.port_definitions = Some(self.endpoints().map(Endpoint::definition).collect());
        app.health_checks = self.containers.iter().filter_map(|one| Some(one.health_check.as_ref()?.check())).collect();
        let scheduling = &self.scheduling;
        app.backoff_seconds = scheduling.backoff.backoff;
        app.backoff_factor = scheduling.backoff.backoff_factor.max(1.0);
        app.max_launch_delay_seconds = scheduling.backoff.max_launch_delay;
        app.upgrade_strategy = scheduling.upgrade;
        app.brake = scheduling.brake;
        app.kill_selection = scheduling.kill_selection;
        app.unreachable_strategy = scheduling.unreachable_strategy;
        app.constraints = scheduling.placement.constraints.iter().filter_map(|one| one.constraint().ok()).collect();
        app.accepted_resource_roles.clone_from(&scheduling.placement.accepted_resource_roles);
        app.kind = Kind::Pod { pod: Box::new(self) };
        faults.or(app)
    }
}

impl Endpoint {
    fn definition(&self) -> PortDefinition {
        PortDefinition {
            port: self.host_port.unwrap_or(0),
            name: Some(self.name.clone()),
            protocol: self.protocol.join(","),
            labels: self.labels.clone(),
        }
    }
}

fn host_network() -> Vec<Network> {
    vec![Network::default()]
}

fn tcp() -> Vec<String> {
    vec!["tcp".into()]
}

fn http() -> String {
    "HTTP".into()
}

fn one() -> u32 {
    1
}
