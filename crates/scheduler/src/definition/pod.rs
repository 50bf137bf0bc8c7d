//! A pod as a person writes it, with Marathon's defaults, and the app it is to the planner.

mod check;
mod container;
mod endpoint;
mod health_check;
mod image;
mod resources;
mod scheduling;
mod surroundings;
mod validate;
mod volume;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::env::EnvValue;
use super::linux_info::LinuxInfo;
use super::network::{self, Mode, Network};
use super::secret::Secrets;
use super::switch::Switch;
use super::{Faults, Kind, RunSpec};
use crate::ids::AppId;
use crate::time::Timestamp;
pub(crate) use container::{Container, Exec};
pub(crate) use endpoint::Endpoint;
pub(crate) use health_check::{HttpEndpoint, PodHealthCheck, TcpEndpoint};
pub(crate) use image::Image;
pub(crate) use resources::{ExecutorResources, Resources};
pub(crate) use scheduling::{Scaling, Scheduling};
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
    #[serde(default, skip_serializing_if = "Switch::is_unsaid")]
    pub(crate) legacy_shared_cgroups: Switch,
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

    /// The number of this container's health check among those of the pod.
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

fn host_network() -> Vec<Network> {
    vec![Network::default()]
}
