//! A volume of an app's container.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secret::{self, Secrets};
use super::validate::Faults;

/// A directory or file that is mounted into the container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub(crate) struct Volume {
    pub(crate) container_path: String,
    pub(crate) source: Source,
}

/// The origin of what is in a volume.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// A path of the agent; a relative one is in the sandbox.
    Host { path: String, mode: Mode },
    /// A secret of the app, by its name there.
    Secret(String),
    /// Not supported: refused by name.
    Persistent(Value),
    /// Not supported: refused by name.
    External(Value),
}

/// Read and write, or read only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Mode {
    #[default]
    Rw,
    Ro,
}

/// A volume as it is written.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Fields {
    container_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persistent: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<Value>,
}

#[derive(Debug, thiserror::Error)]
#[error("Unknown app volume type: expected one of hostPath, secret, persistent and external")]
struct UnknownKind;

impl TryFrom<Fields> for Volume {
    type Error = UnknownKind;

    fn try_from(fields: Fields) -> Result<Self, UnknownKind> {
        let source = match (fields.host_path, fields.secret, fields.persistent, fields.external) {
            (Some(path), None, None, None) => Source::Host { path, mode: fields.mode.unwrap_or_default() },
            (None, Some(name), None, None) => Source::Secret(name),
            (None, None, Some(info), None) => Source::Persistent(info),
            (None, None, None, Some(info)) => Source::External(info),
            _ => return Err(UnknownKind),
        };
        Ok(Volume { container_path: fields.container_path, source })
    }
}

impl From<Volume> for Fields {
    fn from(volume: Volume) -> Self {
        let fields = Fields { container_path: volume.container_path, ..Fields::default() };
        match volume.source {
            Source::Host { path, mode } => Fields { host_path: Some(path), mode: Some(mode), ..fields },
            Source::Secret(name) => Fields { secret: Some(name), ..fields },
            Source::Persistent(info) => Fields { persistent: Some(info), ..fields },
            Source::External(info) => Fields { external: Some(info), ..fields },
        }
    }
}

impl Volume {
    /// Adds what is wrong with it.
    pub(super) fn validate(&self, secrets: &Secrets, at: &str, faults: &mut Faults) {
        faults.require(!self.container_path.is_empty(), format!("{at}/containerPath"), "must not be empty");
        match &self.source {
            Source::Host { path, .. } => {
                faults.require(!path.is_empty(), format!("{at}/hostPath"), "must not be empty");
            }
            Source::Secret(name) => faults.require(secrets.contains_key(name), at, secret::VOLUME),
            Source::Persistent(_) => {
                faults.add(format!("{at}/persistent"), "persistent volumes are not supported yet");
            }
            Source::External(_) => {
                let error = "Feature external_volumes is not enabled. Enable with --enable_features external_volumes)";
                faults.add(at, error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_is_shown_as_it_was_written() {
        for volume in [
            json!({"containerPath": "/data", "hostPath": "/srv", "mode": "RO"}),
            json!({"containerPath": "/s", "secret": "password"}),
            json!({"containerPath": "d", "persistent": {"size": 1}}),
            json!({"containerPath": "/d", "external": {"provider": "csi"}}),
        ] {
            let read: Volume = serde_json::from_value(volume.clone()).unwrap();
            assert_eq!(json!(read), volume);
        }
        for bad in [json!({"containerPath": "/x"}), json!({"containerPath": "/x", "hostPath": "/y", "secret": "z"})] {
            let error = serde_json::from_value::<Volume>(bad).unwrap_err().to_string();
            assert!(error.starts_with("Unknown app volume type"), "{error}");
        }
    }
}
