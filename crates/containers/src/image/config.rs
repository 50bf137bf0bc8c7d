//! The part of an image that says how it is to be run: Docker's and OCI's `config`.

use serde::{Deserialize, Deserializer, Serialize};

use super::manifest::Platform;
use super::signal::signal;

/// The way an image is to be run, as far as its task does not say otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// The platform it was made for.
    pub platform: Platform,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// The first arguments, which stay when others are given.
    pub entrypoint: Vec<String>,
    /// The arguments if no others are given.
    pub command: Vec<String>,
    /// The directory it runs in; empty if it says none.
    pub working_directory: String,
    /// The user, with or without a group, by name or number; empty for root.
    pub user: String,
    /// The signal that asks it to end, such as `SIGQUIT`.
    pub stop_signal: Option<String>,
    /// The check that its author gave it.
    pub health_check: Option<HealthCheck>,
    /// The digests of its layers when they are unpacked, the lowest first.
    pub layers: Vec<String>,
}

/// `HEALTHCHECK` of a Dockerfile; durations are in nanoseconds, 0 for Docker's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthCheck {
    /// `["NONE"]`, `["CMD", ...]` or `["CMD-SHELL", command]`.
    pub test: Vec<String>,
    /// The time between attempts.
    pub interval: u64,
    /// The time that an attempt may take.
    pub timeout: u64,
    /// The time in which failures do not count.
    pub start_period: u64,
    /// The failures in a row that make it unhealthy.
    pub retries: u32,
}

impl ImageConfig {
    /// The number of the signal that asks it to end, if it names one.
    pub fn stop_signal(&self) -> Option<i32> {
        self.stop_signal.as_deref().and_then(signal)
    }

    /// Reads the configuration.
    pub fn parse(bytes: &[u8]) -> Result<ImageConfig, serde_json::Error> {
        let Raw { os, architecture, variant, config, rootfs } = serde_json::from_slice(bytes)?;
        let Run { env, entrypoint, cmd, working_dir, user, stop_signal, healthcheck } = config;
        let variable = |text: String| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (text, String::new()),
        };
        Ok(ImageConfig {
            platform: Platform { os, architecture, variant },
            environment: env.into_iter().map(variable).collect(),
            entrypoint,
            command: cmd,
            working_directory: working_dir,
            user,
            stop_signal,
            health_check: healthcheck.filter(|check| !check.test.is_empty()),
            layers: rootfs.diff_ids,
        })
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    config: Run,
    #[serde(default)]
    rootfs: RootFs,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// Docker writes `null` for what is not there.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Run {
    #[serde(deserialize_with = "or_default")]
    env: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    entrypoint: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    cmd: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    working_dir: String,
    #[serde(deserialize_with = "or_default")]
    user: String,
    stop_signal: Option<String>,
    healthcheck: Option<HealthCheck>,
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_of_dockers_is_read_with_its_nulls() {
        let text = json!({"os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z",
            "config": {"Hostname": "", "User": "101:102", "Env": ["PATH=/bin", "A=b=c", "EMPTY"], "Entrypoint": null,
                "Cmd": ["nginx", "-g"], "WorkingDir": "/srv", "StopSignal": "SIGQUIT", "OnBuild": null,
                "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"},
                "Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost"], "Interval": 5_000_000_000_u64}},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]}});
        let config = ImageConfig::parse(text.to_string().as_bytes()).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(config.environment, [pair("PATH", "/bin"), pair("A", "b=c"), pair("EMPTY", "")]);
        assert_eq!((config.entrypoint.len(), config.command), (0, vec!["nginx".to_owned(), "-g".to_owned()]));
        assert_eq!((config.user.as_str(), config.working_directory.as_str()), ("101:102", "/srv"));
        assert_eq!(config.stop_signal.as_deref(), Some("SIGQUIT"));
        let check = config.health_check.unwrap();
        assert_eq!((check.test.len(), check.interval, check.retries), (2, 5_000_000_000, 0));
    }

    #[test]
    fn an_image_that_says_nothing_has_nothing() {
        for text in ["{}", r#"{"config": null}"#, r#"{"config": {"Env": null, "Healthcheck": {}}}"#] {
            let config = ImageConfig::parse(text.as_bytes()).unwrap();
            assert!(config.environment.is_empty() && config.user.is_empty() && config.health_check.is_none(), "{text}");
        }
        assert!(ImageConfig::parse(b"1").is_err());
    }
}
