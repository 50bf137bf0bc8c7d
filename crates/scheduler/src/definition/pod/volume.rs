//! A volume of a pod, and where a container has it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::switch::Switch;

/// A volume that the containers of a pod may mount.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub(crate) struct Volume {
    pub(crate) name: String,
    pub(crate) source: VolumeSource,
}

/// The origin of what is in a volume.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VolumeSource {
    /// A directory in the pod's sandbox, as long as the instance lives.
    Ephemeral,
    /// A path of the agent; a relative one is in the sandbox.
    Host(String),
    /// A secret of the pod, by its name there.
    Secret(String),
    /// Not supported: refused by name.
    Persistent(Value),
}

/// A volume as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    persistent: Option<Value>,
}

#[derive(Debug, thiserror::Error)]
#[error("Unknown pod volume type: expected at most one of host, secret and persistent")]
struct UnknownKind;

impl TryFrom<Fields> for Volume {
    type Error = UnknownKind;

    fn try_from(fields: Fields) -> Result<Self, UnknownKind> {
        let source = match (fields.host, fields.secret, fields.persistent) {
            (None, None, None) => VolumeSource::Ephemeral,
            (Some(path), None, None) => VolumeSource::Host(path),
            (None, Some(name), None) => VolumeSource::Secret(name),
            (None, None, Some(info)) => VolumeSource::Persistent(info),
            _ => return Err(UnknownKind),
        };
        Ok(Volume { name: fields.name, source })
    }
}

impl From<Volume> for Fields {
    fn from(volume: Volume) -> Self {
        let fields = Fields { name: volume.name, host: None, secret: None, persistent: None };
        match volume.source {
            VolumeSource::Ephemeral => fields,
            VolumeSource::Host(path) => Fields { host: Some(path), ..fields },
            VolumeSource::Secret(name) => Fields { secret: Some(name), ..fields },
            VolumeSource::Persistent(info) => Fields { persistent: Some(info), ..fields },
        }
    }
}

/// The place of a volume in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VolumeMount {
    /// Of the volume.
    pub(crate) name: String,
    pub(crate) mount_path: String,
    #[serde(default, skip_serializing_if = "Switch::is_unsaid")]
    pub(crate) read_only: Switch,
}
