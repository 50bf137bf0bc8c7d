//! A container of a pod: its program, what it has and what it may have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::PodCheck;
use super::{Endpoint, Image, PodHealthCheck, Resources, VolumeMount};
use crate::definition::Seconds;
use crate::definition::app::Fetch;
use crate::definition::env::EnvValue;
use crate::definition::exec_command::ExecCommand;
use crate::definition::linux_info::LinuxInfo;
use crate::definition::resource_limits::ResourceLimits;
use crate::definition::switch::Switch;

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
    #[serde(default, skip_serializing_if = "Switch::is_unsaid")]
    pub(crate) tty: Switch,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Exec {
    pub(crate) command: ExecCommand,
    #[serde(default, skip_serializing_if = "Switch::is_unsaid")]
    pub(crate) override_entrypoint: Switch,
}

/// The time a container may take to end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Lifecycle {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kill_grace_period_seconds: Option<Seconds>,
}
