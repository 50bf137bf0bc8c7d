//! A run specification: how many instances of an app or of a pod shall run, where, and how they are launched, checked and
//! replaced. All that is not about the difference between the two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::app::App;
use super::brake::AppBrake;
use super::constraint::Constraint;
use super::health_check::HealthCheck;
use super::network::Network;
use super::pod::Pod;
use super::port::PortDefinition;
use super::readiness::ReadinessCheck;
use super::seconds::Seconds;
use super::strategy::{KillSelection, UnreachableStrategy, UpgradeStrategy};
use crate::ids::AppId;
use crate::time::Timestamp;

/// One version of an app or a pod. Field names and defaults are those of Marathon's apps of 1.5 and later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunSpec {
    pub(crate) id: AppId,
    /// The app or the pod that is run.
    #[serde(flatten)]
    pub(crate) kind: Kind,
    pub(crate) instances: u32,
    pub(crate) cpus: f64,
    /// Memory in MiB.
    pub(crate) mem: f64,
    /// Disk in MiB.
    pub(crate) disk: f64,
    pub(crate) constraints: Vec<Constraint>,
    /// The ports of the host that it has; none if its container has ports of its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) port_definitions: Option<Vec<PortDefinition>>,
    /// True if the ports must be those of the definitions.
    pub(crate) require_ports: bool,
    /// The launch delay after the first failure.
    pub(crate) backoff_seconds: Seconds,
    /// By what the delay grows with each further failure.
    pub(crate) backoff_factor: f64,
    /// The longest delay.
    pub(crate) max_launch_delay_seconds: Seconds,
    pub(crate) health_checks: Vec<HealthCheck>,
    /// Asked during deployments, until new instances are ready.
    #[serde(default)]
    pub(crate) readiness_checks: Vec<ReadinessCheck>,
    /// Apps and groups that have to be up first, as absolute paths.
    #[serde(default)]
    pub(crate) dependencies: Vec<AppId>,
    pub(crate) upgrade_strategy: UpgradeStrategy,
    /// Limits on kills for health, where they are different from others: beyond Marathon.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) brake: Option<AppBrake>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) kill_selection: KillSelection,
    pub(crate) unreachable_strategy: UnreachableStrategy,
    /// The role whose resources it uses, where it says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) role: Option<String>,
    /// Roles of resources to use.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) accepted_resource_roles: Vec<String>,
    pub(crate) version: Timestamp,
    /// The times at which it was scaled, and at which anything else was changed.
    pub(crate) version_info: VersionInfo,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Kind {
    /// Containers that come and go together.
    Pod {
        /// As it was written: most of the run specification follows from it.
        pod: Box<Pod>,
    },
    /// One task.
    App(Box<App>),
}

/// The times at which an app was scaled, and at which anything else was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionInfo {
    /// The last change of `instances`.
    pub(crate) last_scaling_at: Timestamp,
    /// The last change of anything else.
    pub(crate) last_config_change_at: Timestamp,
}

impl RunSpec {
    /// An app with nothing but an id: every default.
    pub(crate) fn new(id: AppId, version: Timestamp) -> Self {
        RunSpec {
            id,
            kind: Kind::App(Box::new(App::new())),
            instances: 1,
            cpus: 1.0,
            mem: 128.0,
            disk: 0.0,
            constraints: Vec::new(),
            port_definitions: Some(vec![PortDefinition::usual()]),
            require_ports: false,
            backoff_seconds: Seconds::whole(1),
            backoff_factor: 1.15,
            max_launch_delay_seconds: Seconds::whole(300),
            health_checks: Vec::new(),
            readiness_checks: Vec::new(),
            dependencies: Vec::new(),
            upgrade_strategy: UpgradeStrategy::default(),
            brake: None,
            labels: BTreeMap::new(),
            kill_selection: KillSelection::default(),
            unreachable_strategy: UnreachableStrategy::default(),
            role: None,
            accepted_resource_roles: Vec::new(),
            version,
            version_info: VersionInfo { last_scaling_at: version, last_config_change_at: version },
        }
    }

    /// The version that instances are compared with: the last change of anything but the number of instances.
    pub(crate) fn config_version(&self) -> Timestamp {
        self.version_info.last_config_change_at
    }

    /// True if `other` differs in what its instances would notice: not in their number, the brake, and versions.
    pub(crate) fn needs_restart(&self, other: &RunSpec) -> bool {
        let mut same = other.clone();
        same.instances = self.instances;
        same.version = self.version;
        same.version_info = self.version_info;
        same.brake = self.brake;
        if let (Kind::Pod { pod: same }, Kind::Pod { pod: own }) = (&mut same.kind, &self.kind) {
            same.scaling.clone_from(&own.scaling);
            same.scheduling.brake = own.scheduling.brake;
        }
        same != *self
    }

    /// True if its label says that there may never be two of it.
    pub(crate) fn is_single_instance(&self) -> bool {
        self.labels.get("MARATHON_SINGLE_INSTANCE_APP").is_some_and(|value| value == "true")
    }

    /// True if a change to `other` takes a deployment: anything but the versions differs.
    pub(crate) fn differs(&self, other: &RunSpec) -> bool {
        self.instances != other.instances || self.brake != other.brake || self.needs_restart(other)
    }

    /// The networks that it is on.
    pub(crate) fn networks(&self) -> &[Network] {
        match &self.kind {
            Kind::App(app) => &app.networks,
            Kind::Pod { pod } => &pod.networks,
        }
    }

    pub(crate) fn networks_mut(&mut self) -> &mut [Network] {
        match &mut self.kind {
            Kind::App(app) => &mut app.networks,
            Kind::Pod { pod } => &mut pod.networks,
        }
    }

    /// The app that it runs, if it is none of a pod.
    pub(crate) fn app(&self) -> Option<&App> {
        match &self.kind {
            Kind::App(app) => Some(app),
            Kind::Pod { .. } => None,
        }
    }

    /// The pod that it runs, if it is none of an app.
    pub(crate) fn pod(&self) -> Option<&Pod> {
        match &self.kind {
            Kind::Pod { pod } => Some(pod),
            Kind::App(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::definition::container::Container;

    #[test]
    fn records_of_before_there_were_two_kinds_are_read() {
        let at = Timestamp::from_millis(0);
        let app = json!({"id": "/a", "cmd": "run", "env": {"A": "1"}, "instances": 2, "cpus": 1.0, "mem": 128.0, "disk": 0.0,
            "gpus": 0, "executor": "", "constraints": [], "fetch": [], "portDefinitions": [{"port": 10000}],
            "requirePorts": false, "backoffSeconds": 1, "backoffFactor": 1.15, "maxLaunchDelaySeconds": 300,
            "healthChecks": [{"protocol": "MESOS_HTTP", "portIndex": 0}], "upgradeStrategy": {"minimumHealthCapacity": 0.5},
            "labels": {}, "killSelection": "YOUNGEST_FIRST", "networks": [{"mode": "host"}],
            "unreachableStrategy": {"inactiveAfterSeconds": 0.5, "expungeAfterSeconds": 60}, "version": at,
            "versionInfo": {"lastScalingAt": at, "lastConfigChangeAt": at}});
        let mut app = app;
        app["container"] = json!({"type": "MESOS", "volumes": []});
        let read: RunSpec = serde_json::from_value(app.clone()).unwrap();
        assert!(read.app().unwrap().container.as_ref().is_some_and(Container::is_plain));
        assert_eq!((read.app().unwrap().cmd.as_deref(), read.service_ports()), (Some("run"), vec![10_000]));
        let mut pod = app;
        let endpoints = json!([{"name": "http", "hostPort": 0}]);
        let container = json!({"name": "c", "exec": {"command": {"shell": "run"}}, "endpoints": endpoints});
        pod["pod"] = json!({"id": "/a", "containers": [container]});
        let read: RunSpec = serde_json::from_value(pod).unwrap();
        assert_eq!((read.pod().unwrap().containers[0].name.as_str(), read.instances), ("c", 2));
        assert_eq!(read.ports(&[31_000])[0].host, Some(31_000));
        assert_eq!(serde_json::from_value::<RunSpec>(json!(read)).unwrap(), read);
    }
}
