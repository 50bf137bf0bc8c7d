//! From the options about networks to what they come to on this machine, for an agent with this work directory.

use std::path::{Path, PathBuf};

use containers::cgroup::of_agent;
use containers::image::Digest;
use containers::network::cni::CniSettings;
use containers::network::files::DefaultDns;
use containers::network::{BridgeSettings, NetworkSettings, Subnet};

use super::NetworkOptions;
use crate::error::AgentError;

/// The parent of what is remembered until the machine restarts.
const RUNTIME: &str = "/run/cygnet";

/// The settings, complete.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) networks: NetworkSettings,
    pub(super) dns: DefaultDns,
}

impl Settings {
    pub(super) fn of(options: &NetworkOptions, work_dir: &Path) -> Result<Settings, AgentError> {
        let directory = match options.network_cni_root_dir_persist {
            true => work_dir.join("meta/networks"),
            false => of_agent(Path::new(RUNTIME), work_dir).join("networks"),
        };
        let bridge = Some(bridge(options, work_dir)?);
        let networks = NetworkSettings { directory, bridge, cni: cni(options)? };
        Ok(Settings { networks, dns: dns(options)? })
    }
}

/// Agents beside each other have bridges of their own: the work directory decides what the operator leaves open.
fn bridge(options: &NetworkOptions, work_dir: &Path) -> Result<BridgeSettings, AgentError> {
    let digits = Digest::of(work_dir.as_os_str().as_encoded_bytes()).hex().to_owned();
    let number = digits.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default();
    let (second, third) = (192 + (number >> 6 & 0x3f), (number & 0x3f) << 2);
    let subnet = options.bridge_subnet.clone().unwrap_or_else(|| format!("10.{second}.{third}.0/22"));
    let subnet: Subnet = subnet.parse().map_err(|error| wrong("bridge_subnet", &error))?;
    let name = options.bridge_link.clone().unwrap_or_else(|| format!("cyg-{}", digits.get(..8).unwrap_or_default()));
    Ok(BridgeSettings { name, owner: work_dir.to_owned(), subnet, mtu: options.bridge_mtu })
}

fn cni(options: &NetworkOptions) -> Result<Option<CniSettings>, AgentError> {
    let limit = options.network_cni_timeout;
    match (&options.network_cni_config_dir, &options.network_cni_plugins_dir) {
        (None, None) => Ok(None),
        (Some(configurations), Some(plugins)) if configurations.is_dir() => {
            Ok(Some(CniSettings { configurations: configurations.clone(), plugins: plugins.clone(), limit }))
        }
        (Some(configurations), Some(_)) => {
            Err(wrong("network_cni_config_dir", &format!("{} is no directory", configurations.display())))
        }
        (Some(_), None) => Err(wrong("network_cni_config_dir", &"it needs network_cni_plugins_dir beside it")),
        (None, Some(_)) => Err(wrong("network_cni_plugins_dir", &"it needs network_cni_config_dir beside it")),
    }
}

fn dns(options: &NetworkOptions) -> Result<DefaultDns, AgentError> {
    const NAME: &str = "default_container_dns";
    let Some(text) = &options.default_container_dns else { return Ok(DefaultDns::default()) };
    let file = text.strip_prefix("file://").or_else(|| text.starts_with('/').then_some(text)).map(PathBuf::from);
    let text = match file {
        Some(path) => std::fs::read_to_string(&path).map_err(|error| wrong(NAME, &error))?,
        None => text.clone(),
    };
    DefaultDns::read(&text).map_err(|error| wrong(NAME, &error))
}

fn wrong(name: &'static str, reason: &dyn std::fmt::Display) -> AgentError {
    AgentError::Option { name, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(options: &NetworkOptions, work_dir: &str) -> Result<NetworkSettings, AgentError> {
        Settings::of(options, Path::new(work_dir)).map(|settings| settings.networks)
    }

    #[test]
    fn agents_beside_each_other_share_nothing() {
        let options = NetworkOptions::default();
        let [one, again, other] = ["/one", "/one", "/other"].map(|directory| settings(&options, directory).unwrap());
        let bridge = |settings: &NetworkSettings| settings.bridge.clone().unwrap();
        assert_eq!((bridge(&one).name, bridge(&one).subnet), (bridge(&again).name, bridge(&again).subnet));
        assert_ne!(bridge(&one).name, bridge(&other).name);
        assert_ne!(bridge(&one).subnet, bridge(&other).subnet);
        assert_ne!(one.directory, other.directory);
        assert!(one.directory.starts_with(RUNTIME) && bridge(&one).subnet.to_string().ends_with("/22"));
        let persisting = NetworkOptions { network_cni_root_dir_persist: true, ..options };
        assert_eq!(settings(&persisting, "/one").unwrap().directory, Path::new("/one/meta/networks"));
    }

    #[test]
    fn options_that_make_no_sense_are_named() {
        let plain = NetworkOptions::default;
        for (options, wanted) in [
            (NetworkOptions { bridge_subnet: Some("10.0.0.0".to_owned()), ..plain() }, "bridge_subnet"),
            (NetworkOptions { network_cni_plugins_dir: Some("/x".to_owned()), ..plain() }, "network_cni_plugins_dir"),
            (NetworkOptions { network_cni_config_dir: Some("/x".into()), ..plain() }, "network_cni_config_dir"),
            (NetworkOptions { default_container_dns: Some("{".to_owned()), ..plain() }, "default_container_dns"),
            (NetworkOptions { default_container_dns: Some("/no/file".to_owned()), ..plain() }, "No such file"),
        ] {
            let error = settings(&options, "/one").unwrap_err().to_string();
            assert!(error.starts_with("option '") && error.contains(wanted), "{error}");
        }
    }
}
