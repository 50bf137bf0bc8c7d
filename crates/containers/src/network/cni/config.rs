//! A configuration of CNI: a list of plugins that together make one network. Pure.

use std::path::Path;

use mesos::v1::NetworkInfo;
use serde_json::{Map, Value, json};

use super::CniError;
use crate::network::ports::Transport;

/// The key in `args` under which Mesos tells plugins about the container.
const RESERVED: &str = "org.apache.mesos";
/// The versions whose inputs and results are known.
const VERSIONS: [&str; 8] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", ""];
/// The versions without CHECK; their plugins are not given the result on DEL.
const BEFORE_CHECK: [&str; 5] = ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1"];

/// The fault of a configuration; its author made it.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("it has no 'name'")]
    NoName,
    #[error("'{0}' is no name of a network")]
    Name(String),
    #[error("'cniVersion' {0} is not supported")]
    Version(String),
    #[error("'plugins' is no list")]
    NoList,
    #[error("'plugins' is empty")]
    NoPlugins,
    #[error("a plugin is no JSON object")]
    NoObject,
    #[error("a plugin has no 'type'")]
    NoType,
    #[error("'{0}' is no name of a plugin")]
    Type(String),
    #[error("'{0}' is no text")]
    NoText(&'static str),
}

/// A network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ConfigList {
    name: String,
    version: String,
    disable_check: bool,
    plugins: Vec<Map<String, Value>>,
}

impl ConfigList {
    /// Reads a list, or a single plugin's configuration, which is the same as a list of one.
    pub(super) fn read(path: &Path, content: &[u8]) -> Result<ConfigList, CniError> {
        let malformed = |why: String| CniError::Malformed { path: path.to_owned(), why };
        let value: Value = serde_json::from_slice(content).map_err(|error| malformed(error.to_string()))?;
        let Value::Object(object) = value else { return Err(malformed("it is no JSON object".to_owned())) };
        ConfigList::understand(object).map_err(|fault| malformed(fault.to_string()))
    }

    fn understand(mut object: Map<String, Value>) -> Result<ConfigList, Fault> {
        let name = text(&object, "name")?.ok_or(Fault::NoName)?.to_owned();
        if !is_name(&name) {
            return Err(Fault::Name(name));
        }
        let version = text(&object, "cniVersion")?.unwrap_or_default().to_owned();
        if !VERSIONS.contains(&version.as_str()) {
            return Err(Fault::Version(version));
        }
        let disable_check = object.get("disableCheck").and_then(Value::as_bool).unwrap_or(false);
        let plugins = match object.remove("plugins") {
            None => vec![object],
            Some(Value::Array(plugins)) => plugins.into_iter().map(as_object).collect::<Result<_, _>>()?,
            Some(_) => return Err(Fault::NoList),
        };
        if plugins.is_empty() {
            return Err(Fault::NoPlugins);
        }
        for plugin in &plugins {
            let kind = text(plugin, "type")?.ok_or(Fault::NoType)?;
            if kind.is_empty() || kind.contains('/') || kind.starts_with('.') {
                return Err(Fault::Type(kind.to_owned()));
            }
        }
        Ok(ConfigList { name, version, disable_check, plugins })
    }

    /// As the plugins are to see it for a container that joins as `info` says.
    pub(super) fn for_container(mut self, info: &NetworkInfo) -> Result<ConfigList, CniError> {
        let ports = port_mappings(info);
        let info = mesos::json::to_value(info);
        for plugin in &mut self.plugins {
            let args = plugin.entry("args").or_insert_with(|| json!({}));
            let Value::Object(args) = args else { return Err(CniError::Reserved) };
            if args.insert(RESERVED.to_owned(), json!({ "network_info": info })).is_some() {
                return Err(CniError::Reserved);
            }
            let maps_ports = plugin.get("capabilities").and_then(|able| able.get("portMappings")) == Some(&json!(true));
            if maps_ports && !ports.is_empty() {
                plugin.insert("runtimeConfig".to_owned(), json!({ "portMappings": ports }));
            }
        }
        Ok(self)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Each plugin's own part.
    pub(super) fn plugins(&self) -> &[Map<String, Value>] {
        &self.plugins
    }

    /// True if its plugins know CHECK, and the operator wants it.
    pub(super) fn can_check(&self) -> bool {
        !self.disable_check && self.knows_check()
    }

    /// True if its version has CHECK, and the result as a part of what is read on DEL.
    pub(super) fn knows_check(&self) -> bool {
        !BEFORE_CHECK.contains(&self.version.as_str())
    }

    /// The input of a plugin.
    pub(super) fn input(&self, plugin: &Map<String, Value>, previous: Option<&Value>) -> Vec<u8> {
        let mut input = plugin.clone();
        input.insert("name".to_owned(), self.name.as_str().into());
        if !self.version.is_empty() {
            input.insert("cniVersion".to_owned(), self.version.as_str().into());
        }
        input.remove("capabilities");
        if let Some(previous) = previous.filter(|previous| previous.is_object()) {
            input.insert("prevResult".to_owned(), previous.clone());
        }
        serde_json::to_vec(&input).unwrap_or_default()
    }

    /// The text that [`ConfigList::read`] makes the same list of.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut list = json!({ "name": self.name, "plugins": self.plugins, "disableCheck": self.disable_check });
        if !self.version.is_empty() {
            list["cniVersion"] = self.version.as_str().into();
        }
        serde_json::to_vec(&list).unwrap_or_default()
    }
}

/// The ports in the words of the capability `portMappings`.
fn port_mappings(info: &NetworkInfo) -> Vec<Value> {
    let mapping = |mapping: &mesos::v1::network_info::PortMapping| {
        let protocol = mapping.protocol.as_deref();
        let protocol = Transport::named(protocol).map_or_else(|| protocol.unwrap_or_default(), |known| known.name());
        json!({ "hostPort": mapping.host_port, "containerPort": mapping.container_port, "protocol": protocol })
    };
    info.port_mappings.iter().map(mapping).collect()
}

fn text<'a>(object: &'a Map<String, Value>, key: &'static str) -> Result<Option<&'a str>, Fault> {
    match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::NoText(key)),
    }
}

fn as_object(value: Value) -> Result<Map<String, Value>, Fault> {
    let Value::Object(object) = value else { return Err(Fault::NoObject) };
    Ok(object)
}

/// The specification's letters; the name is also that of a directory.
fn is_name(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    name.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && name.chars().all(allowed) && name.len() <= 255
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigList, CniError> {
        ConfigList::read(Path::new("/etc/cni/net.d/x"), text.as_bytes())
    }

    fn info() -> NetworkInfo {
        mesos::json::from_value(json!({
            "name": "blue", "port_mappings": [{ "host_port": 31000, "container_port": 80, "protocol": "TCP" }]
        }))
        .unwrap()
    }

    #[test]
    fn a_single_configuration_is_a_list_of_one() {
        let list = read(r#"{"name": "blue", "type": "bridge", "ipam": {"type": "host-local"}}"#).unwrap();
        assert_eq!((list.name(), list.plugins().len(), list.can_check()), ("blue", 1, false));
        let list = list.for_container(&info()).unwrap();
        let input: Value = serde_json::from_slice(&list.input(&list.plugins()[0], None)).unwrap();
        assert_eq!(input["args"]["org.apache.mesos"]["network_info"]["name"], "blue");
        assert_eq!(
            (&input["type"], input.get("runtimeConfig"), input.get("prevResult")),
            (&json!("bridge"), None, None)
        );
        assert_eq!(read(std::str::from_utf8(&list.text()).unwrap()).unwrap(), list);
    }

    #[test]
    fn plugins_that_map_ports_are_told_them_and_each_the_result_before() {
        let text = r#"{"cniVersion": "0.4.0", "name": "blue", "plugins": [
            {"type": "bridge", "args": {"own": 1}}, {"type": "portmap", "capabilities": {"portMappings": true}}]}"#;
        let list = read(text).unwrap().for_container(&info()).unwrap();
        assert!(list.can_check());
        let result = json!({"ips": []});
        let inputs: Vec<Value> = list
            .plugins()
            .iter()
            .map(|plugin| list.input(plugin, Some(&result)))
            .map(|input| serde_json::from_slice(&input).unwrap())
            .collect();
        assert_eq!((&inputs[0]["args"]["own"], inputs[0].get("runtimeConfig")), (&json!(1), None));
        let mapped = json!({"portMappings": [{"hostPort": 31000, "containerPort": 80, "protocol": "tcp"}]});
        assert_eq!((&inputs[1]["runtimeConfig"], &inputs[1]["prevResult"]), (&mapped, &result));
        for (key, value) in [("name", "blue"), ("cniVersion", "0.4.0")] {
            assert!(inputs.iter().all(|input| input[key] == value), "{inputs:?}");
        }
        assert!(inputs.iter().all(|input| input.get("capabilities").is_none()));
    }

    #[test]
    fn other_texts_say_what_is_wrong_with_them() {
        for (text, why) in [
            ("", "EOF"),
            ("[]", "it is no JSON object"),
            ("{}", "it has no 'name'"),
            (r#"{"name": 1}"#, "'name' is no text"),
            (r#"{"name": "../x", "type": "a"}"#, "'../x' is no name of a network"),
            (r#"{"name": "a"}"#, "a plugin has no 'type'"),
            (r#"{"name": "a", "type": "../../bin/sh"}"#, "'../../bin/sh' is no name of a plugin"),
            (r#"{"name": "a", "type": "b", "cniVersion": "2.0.0"}"#, "'cniVersion' 2.0.0 is not supported"),
            (r#"{"name": "a", "plugins": []}"#, "'plugins' is empty"),
            (r#"{"name": "a", "plugins": {}}"#, "'plugins' is no list"),
            (r#"{"name": "a", "plugins": [1]}"#, "a plugin is no JSON object"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("/etc/cni/net.d/x"), "{text}: {error}");
        }
        let reserved = r#"{"name": "a", "type": "b", "args": {"org.apache.mesos": {}}}"#;
        let error = read(reserved).unwrap().for_container(&info()).unwrap_err().to_string();
        assert!(error.starts_with("'org.apache.mesos' in 'args' should not be set"), "{error}");
    }

    #[test]
    fn no_text_makes_it_panic() {
        let text = r#"{"cniVersion": "0.4.0", "name": "blue", "disableCheck": true, "plugins": [
            {"type": "bridge", "args": {"own": 1}, "capabilities": {"portMappings": true}}]}"#;
        for _round in 0..5_000 {
            let mut bytes = text.as_bytes().to_vec();
            for _change in 0..fastrand::usize(1..4) {
                let at = fastrand::usize(..bytes.len());
                bytes.splice(
                    at..at,
                    fastrand::choice([&b"\""[..], b"{", b"}", b"[", b"null", b"\xff", b"1"]).unwrap().iter().copied(),
                );
                bytes.remove(fastrand::usize(..bytes.len()));
            }
            if let Ok(list) = ConfigList::read(Path::new("x"), &bytes)
                && let Ok(list) = list.for_container(&info())
            {
                list.plugins().iter().for_each(|plugin| assert!(!list.input(plugin, None).is_empty()));
            }
        }
    }
}
