//! The answers of a daemon about containers and images, as far as they matter here. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::image::{HealthCheck, signal};

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// The state it has come to.
    pub state: State,
    /// The way its programs run.
    #[serde(deserialize_with = "or_default")]
    pub config: RunConfig,
    /// The bounds it is held in.
    #[serde(deserialize_with = "or_default")]
    pub host_config: HostConfig,
    /// The addresses by which it can be reached.
    #[serde(deserialize_with = "or_default")]
    pub network_settings: NetworkSettings,
}

/// The state that a container has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct State {
    /// `created`, `running`, `exited`, ...
    pub status: String,
    /// Its first process lives, as far as the daemon knows.
    pub running: bool,
    /// The id of that process, on the daemon's machine; 0 if it does not run.
    pub pid: i32,
    /// The exit status, or 128 and the signal.
    pub exit_code: i32,
    /// The kernel killed in it for want of memory.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// Why it could not be started.
    #[serde(deserialize_with = "or_default")]
    pub error: String,
}

/// The way the programs of a container or an image run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RunConfig {
    /// `NAME=VALUE`
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<String>,
    /// The name of its machine, as it sees it.
    #[serde(deserialize_with = "or_default")]
    pub hostname: String,
    /// `USER[:GROUP]` by name or number; root if empty.
    #[serde(deserialize_with = "or_default")]
    pub user: String,
    /// The root if empty.
    #[serde(deserialize_with = "or_default")]
    pub working_dir: String,
    /// The signal that asks it to end, by name or number; `SIGTERM` if absent.
    #[serde(deserialize_with = "or_default")]
    pub stop_signal: String,
    /// The check that Docker would make.
    pub healthcheck: Option<HealthCheck>,
}

/// The bounds a container is held in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    /// Nothing does.
    pub privileged: bool,
    /// `no-new-privileges`, `seccomp=unconfined`, ...
    #[serde(deserialize_with = "or_default")]
    pub security_opt: Vec<String>,
    /// Further groups of its user.
    #[serde(deserialize_with = "or_default")]
    pub group_add: Vec<String>,
    /// The most memory, in bytes; 0 for all there is.
    pub memory: i64,
    /// The points by which the kernel rather kills in it for want of memory.
    #[serde(deserialize_with = "or_default")]
    pub oom_score_adj: i32,
}

/// The addresses by which a container can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSettings {
    /// The networks by name.
    #[serde(deserialize_with = "or_default")]
    pub networks: BTreeMap<String, Endpoint>,
}

/// The link to a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoint {
    /// Empty if it has none.
    #[serde(rename = "IPAddress", deserialize_with = "or_default")]
    pub version4: String,
    /// Empty if it has none.
    #[serde(rename = "GlobalIPv6Address", deserialize_with = "or_default")]
    pub version6: String,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Image {
    /// The way its programs run.
    #[serde(deserialize_with = "or_default")]
    pub config: RunConfig,
}

impl Container {
    pub(super) fn of(told: &Value) -> Result<Container, serde_json::Error> {
        Container::deserialize(told)
    }

    /// Its addresses, of version 4 first.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let endpoints = || self.network_settings.networks.values();
        let texts =
            endpoints().map(|endpoint| &endpoint.version4).chain(endpoints().map(|endpoint| &endpoint.version6));
        texts.filter_map(|text| text.parse().ok()).collect()
    }

    /// True if it ran and does no longer.
    pub fn has_ended(&self) -> bool {
        !self.state.running && ["exited", "stopped", "dead"].contains(&self.state.status.as_str())
    }

    /// The number of the signal that asks it to end; SIGTERM if it names none that there is.
    pub fn stop_signal(&self) -> i32 {
        const TERM: i32 = 15;
        signal(&self.config.stop_signal).unwrap_or(TERM)
    }
}

/// Daemons write `null` for what is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_with_its_nulls_and_kept_as_it_is() {
        let told = json!({"Id": "1f", "Name": "/mesos-c", "State": {"Status": "running", "Running": true, "Pid": 42,
                "ExitCode": 0, "OOMKilled": true, "Error": "", "Health": null},
            "Config": {"Env": null, "User": "", "WorkingDir": "/srv", "StopSignal": "SIGQUIT", "Entrypoint": null,
                "Healthcheck": {"Test": ["NONE"]}},
            "HostConfig": {"Privileged": false, "SecurityOpt": null, "GroupAdd": null, "Memory": 33_554_432, "OomScoreAdj": 5},
            "NetworkSettings": {"IPAddress": "", "Networks": {"a": {"IPAddress": "10.0.0.2", "GlobalIPv6Address": ""},
                "b": {"IPAddress": "", "GlobalIPv6Address": "fd00::2"}}}});
        let container = Container::of(&told).unwrap();
        assert_eq!((container.state.pid, container.state.oom_killed), (42, true));
        assert_eq!((container.host_config.memory, container.host_config.oom_score_adj), (32 << 20, 5));
        let addresses: [IpAddr; 2] = ["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()];
        assert_eq!((container.addresses(), container.stop_signal()), (addresses.to_vec(), 3));
        let kept = serde_json::to_value(&container).unwrap();
        assert_eq!(Container::of(&kept).unwrap(), container);
        assert_eq!(Container::of(&json!({"NetworkSettings": null})).unwrap(), Container::default());
        assert!(Container::of(&json!({"State": {"Pid": "x"}})).is_err());
    }
}
