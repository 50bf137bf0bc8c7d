//! The options of `docker run` that a task may have as `parameters`, by their long names or their letters. Pure.

use serde_json::{Map, Value, json};

use super::definition::{Body, DefinitionError};

/// The place of an option in the body of the call.
enum Target {
    /// A member of the configuration or of `HostConfig`: a text, a switch, a number, a number of bytes, an item of a list,
    /// a `NAME=VALUE` of an object.
    Config(&'static str, Kind),
    Host(&'static str, Kind),
    /// Something of its own.
    Own(fn(&mut Body, &str) -> Option<()>),
    Refused(&'static str),
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Switch,
    Number,
    Bytes,
    Item,
    Pair,
}

use Kind::{Bytes, Item, Number, Pair, Switch, Text};
use Target::{Config, Host, Own, Refused};

const OURS: &str = "the executor decides over it";
const CHECKS: &str = "write a health check of the task";
const PORTS: &str = "write port mappings";
const UNKNOWN: &str = "no such option is known";

const PARAMETERS: &[(&str, Target)] = &[
    ("add-host", Host("ExtraHosts", Item)),
    ("attach", Refused(OURS)),
    ("blkio-weight", Host("BlkioWeight", Number)),
    ("cap-add", Host("CapAdd", Item)),
    ("cap-drop", Host("CapDrop", Item)),
    ("cgroup-parent", Host("CgroupParent", Text)),
    ("cgroupns", Host("CgroupnsMode", Text)),
    ("cidfile", Refused(OURS)),
    ("cpu-period", Host("CpuPeriod", Number)),
    ("cpu-quota", Host("CpuQuota", Number)),
    ("cpu-shares", Host("CpuShares", Number)),
    ("cpuset-cpus", Host("CpusetCpus", Text)),
    ("cpuset-mems", Host("CpusetMems", Text)),
    ("detach", Refused(OURS)),
    ("device", Own(device)),
    ("device-cgroup-rule", Host("DeviceCgroupRules", Item)),
    ("dns", Host("Dns", Item)),
    ("dns-opt", Host("DnsOptions", Item)),
    ("dns-option", Host("DnsOptions", Item)),
    ("dns-search", Host("DnsSearch", Item)),
    ("domainname", Config("Domainname", Text)),
    ("entrypoint", Own(entrypoint)),
    ("env", Own(variable)),
    ("expose", Own(expose)),
    ("group-add", Host("GroupAdd", Item)),
    ("health-cmd", Refused(CHECKS)),
    ("health-interval", Refused(CHECKS)),
    ("health-retries", Refused(CHECKS)),
    ("health-start-period", Refused(CHECKS)),
    ("health-timeout", Refused(CHECKS)),
    ("hostname", Config("Hostname", Text)),
    ("init", Host("Init", Switch)),
    ("interactive", Refused(OURS)),
    ("ipc", Host("IpcMode", Text)),
    ("label", Own(label)),
    ("link", Host("Links", Item)),
    ("log-driver", Own(log_driver)),
    ("log-opt", Own(log_option)),
    ("mac-address", Config("MacAddress", Text)),
    ("memory", Host("Memory", Bytes)),
    ("memory-reservation", Host("MemoryReservation", Bytes)),
    ("memory-swap", Host("MemorySwap", Bytes)),
    ("memory-swappiness", Host("MemorySwappiness", Number)),
    ("name", Refused("")),
    ("net", Host("NetworkMode", Text)),
    ("network", Host("NetworkMode", Text)),
    ("no-healthcheck", Refused(CHECKS)),
    ("oom-kill-disable", Host("OomKillDisable", Switch)),
    ("oom-score-adj", Host("OomScoreAdj", Number)),
    ("pid", Host("PidMode", Text)),
    ("pids-limit", Host("PidsLimit", Number)),
    ("privileged", Host("Privileged", Switch)),
    ("publish", Refused(PORTS)),
    ("publish-all", Refused(PORTS)),
    ("read-only", Host("ReadonlyRootfs", Switch)),
    ("restart", Refused("tasks are started again by their framework")),
    ("rm", Refused(OURS)),
    ("runtime", Host("Runtime", Text)),
    ("security-opt", Own(security)),
    ("shm-size", Host("ShmSize", Bytes)),
    ("sig-proxy", Refused(OURS)),
    ("stop-signal", Config("StopSignal", Text)),
    ("stop-timeout", Refused("write a kill policy of the task")),
    ("storage-opt", Host("StorageOpt", Pair)),
    ("sysctl", Host("Sysctls", Pair)),
    ("tmpfs", Own(tmpfs)),
    ("tty", Refused(OURS)),
    ("ulimit", Own(ulimit)),
    ("user", Config("User", Text)),
    ("userns", Host("UsernsMode", Text)),
    ("uts", Host("UTSMode", Text)),
    ("volume", Host("Binds", Item)),
    ("volume-driver", Host("VolumeDriver", Text)),
    ("volumes-from", Host("VolumesFrom", Item)),
    ("workdir", Config("WorkingDir", Text)),
];

const LETTERS: [(&str, &str); 12] = [
    ("a", "attach"),
    ("d", "detach"),
    ("e", "env"),
    ("h", "hostname"),
    ("i", "interactive"),
    ("l", "label"),
    ("m", "memory"),
    ("p", "publish"),
    ("t", "tty"),
    ("u", "user"),
    ("v", "volume"),
    ("w", "workdir"),
];

/// Does as the option says.
pub(super) fn apply(body: &mut Body, key: &str, value: &str) -> Result<(), DefinitionError> {
    let long = LETTERS.iter().find_map(|(letter, long)| (*letter == key).then_some(*long)).unwrap_or(key);
    let target = PARAMETERS.iter().find_map(|(name, target)| (*name == long).then_some(target));
    let done = match target.unwrap_or(&Refused(UNKNOWN)) {
        Config(member, kind) => put(&mut body.config, member, *kind, value),
        Host(member, kind) => put(&mut body.host, member, *kind, value),
        Own(apply) => apply(body, value),
        Refused("") => return Err(DefinitionError::Name),
        Refused(why) => return Err(DefinitionError::Parameter { key: key.to_owned(), why }),
    };
    done.ok_or_else(|| DefinitionError::Value { key: key.to_owned(), value: value.to_owned() })
}

fn put(into: &mut Map<String, Value>, member: &str, kind: Kind, text: &str) -> Option<()> {
    let value = match kind {
        Text => json!(text),
        Switch => json!(switch(text)?),
        Number => json!(text.parse::<i64>().ok()?),
        Bytes => json!(bytes(text)?),
        Item => return push(into, member, json!(text)),
        Pair => {
            let (name, value) = text.split_once('=')?;
            return set(into, member, name, json!(value));
        }
    };
    into.insert(member.to_owned(), value);
    Some(())
}

fn push(into: &mut Map<String, Value>, member: &str, value: Value) -> Option<()> {
    into.entry(member).or_insert_with(|| json!([])).as_array_mut()?.push(value);
    Some(())
}

fn set(into: &mut Map<String, Value>, member: &str, name: &str, value: Value) -> Option<()> {
    into.entry(member).or_insert_with(|| json!({})).as_object_mut()?.insert(name.to_owned(), value);
    Some(())
}

/// An option without a value is switched on.
fn switch(text: &str) -> Option<bool> {
    match text {
        "" | "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// `64m`, `1g`, `1024`; `-1` for no bound.
fn bytes(text: &str) -> Option<i64> {
    if text == "-1" {
        return Some(-1);
    }
    let text = text.to_ascii_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor: i64 = match text.get(digits.len()..)? {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return None,
    };
    digits.parse::<i64>().ok().filter(|number| *number >= 0)?.checked_mul(factor)
}

/// `HOST[:CONTAINER[:rwm]]`
fn device(body: &mut Body, text: &str) -> Option<()> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_permissions = |text: &str| !text.is_empty() && text.chars().all(|letter| "rwm".contains(letter));
    let (host, inside, permissions) = match parts[..] {
        [host] => (host, host, "rwm"),
        [host, permissions] if is_permissions(permissions) => (host, host, permissions),
        [host, inside] => (host, inside, "rwm"),
        [host, inside, permissions] if is_permissions(permissions) => (host, inside, permissions),
        _ => return None,
    };
    let device = json!({"PathOnHost": host, "PathInContainer": inside, "CgroupPermissions": permissions});
    push(&mut body.host, "Devices", device)
}

fn entrypoint(body: &mut Body, text: &str) -> Option<()> {
    body.config.insert("Entrypoint".to_owned(), json!([text]));
    Some(())
}

/// Of no variable is the value that of ours.
fn variable(body: &mut Body, text: &str) -> Option<()> {
    text.split_once('=').filter(|(name, _)| !name.is_empty())?;
    push(&mut body.config, "Env", json!(text))
}

/// `80`, `80/udp`
fn expose(body: &mut Body, text: &str) -> Option<()> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    port.parse::<u16>().ok()?;
    set(&mut body.config, "ExposedPorts", &format!("{port}/{protocol}"), json!({}))
}

fn label(body: &mut Body, text: &str) -> Option<()> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    // Those by which containers are found again are nobody else's.
    (!name.is_empty() && !name.starts_with("cygnet.")).then_some(())?;
    set(&mut body.config, "Labels", name, json!(value))
}

fn log_driver(body: &mut Body, text: &str) -> Option<()> {
    body.host.insert("LogConfig".to_owned(), json!({"Type": text, "Config": {}}));
    Some(())
}

fn log_option(body: &mut Body, text: &str) -> Option<()> {
    let (name, value) = text.split_once('=')?;
    let config = body.host.get_mut("LogConfig")?.get_mut("Config")?.as_object_mut()?;
    config.insert(name.to_owned(), json!(value));
    Some(())
}

/// A profile of seccomp would have to be read from a file.
fn security(body: &mut Body, text: &str) -> Option<()> {
    let file = text.strip_prefix("seccomp=").is_some_and(|profile| !matches!(profile, "unconfined" | "builtin"));
    (!file).then_some(())?;
    push(&mut body.host, "SecurityOpt", json!(text))
}

/// `PATH[:OPTIONS]`
fn tmpfs(body: &mut Body, text: &str) -> Option<()> {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    set(&mut body.host, "Tmpfs", path, json!(options))
}

/// `NAME=SOFT[:HARD]`
fn ulimit(body: &mut Body, text: &str) -> Option<()> {
    let (name, limits) = text.split_once('=')?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let (soft, hard) = (soft.parse::<i64>().ok()?, hard.parse::<i64>().ok()?);
    let others = body.host.entry("Ulimits").or_insert_with(|| json!([])).as_array_mut()?;
    others.retain(|other| other["Name"] != name);
    others.push(json!({"Name": name, "Soft": soft, "Hard": hard}));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(parameters: &[(&str, &str)]) -> Result<(Value, Value), String> {
        let mut body = Body::default();
        for (key, value) in parameters {
            apply(&mut body, key, value).map_err(|error| error.to_string())?;
        }
        Ok((Value::Object(body.config), Value::Object(body.host)))
    }

    #[test]
    fn every_option_has_its_place() {
        let config = |parameter| applied(&[parameter]).unwrap().0;
        let host = |parameter| applied(&[parameter]).unwrap().1;
        for (parameter, expected) in [
            (("user", "web:web"), json!({"User": "web:web"})),
            (("w", "/srv"), json!({"WorkingDir": "/srv"})),
            (("e", "A=b=c"), json!({"Env": ["A=b=c"]})),
            (("entrypoint", "/run.sh"), json!({"Entrypoint": ["/run.sh"]})),
            (("expose", "53/udp"), json!({"ExposedPorts": {"53/udp": {}}})),
            (("label", "a=b"), json!({"Labels": {"a": "b"}})),
            (("stop-signal", "SIGQUIT"), json!({"StopSignal": "SIGQUIT"})),
        ] {
            assert_eq!(config(parameter), expected);
        }
        for (parameter, expected) in [
            (("cap-add", "NET_ADMIN"), json!({"CapAdd": ["NET_ADMIN"]})),
            (("ulimit", "nofile=1024"), json!({"Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 1024}]})),
            (("ulimit", "core=0:-1"), json!({"Ulimits": [{"Name": "core", "Soft": 0, "Hard": -1}]})),
            (("tmpfs", "/run:size=1m"), json!({"Tmpfs": {"/run": "size=1m"}})),
            (("read-only", "true"), json!({"ReadonlyRootfs": true})),
            (("security-opt", "no-new-privileges"), json!({"SecurityOpt": ["no-new-privileges"]})),
            (("shm-size", "64m"), json!({"ShmSize": 64 << 20})),
            (("memory-swap", "-1"), json!({"MemorySwap": -1})),
            (("sysctl", "net.core.somaxconn=9"), json!({"Sysctls": {"net.core.somaxconn": "9"}})),
            (("init", ""), json!({"Init": true})),
            (("net", "blue"), json!({"NetworkMode": "blue"})),
            (("log-driver", "syslog"), json!({"LogConfig": {"Type": "syslog", "Config": {}}})),
            (
                ("device", "/dev/fuse"),
                json!({"Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}]}),
            ),
        ] {
            assert_eq!(host(parameter), expected);
        }
    }

    #[test]
    fn options_that_are_repeated_add_up() {
        let (config, host) =
            applied(&[("dns", "1.1.1.1"), ("dns", "8.8.8.8"), ("env", "A=1"), ("env", "B=2")]).unwrap();
        assert_eq!((&host["Dns"], &config["Env"]), (&json!(["1.1.1.1", "8.8.8.8"]), &json!(["A=1", "B=2"])));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let refused = |key, value| applied(&[(key, value)]).unwrap_err();
        assert_eq!(refused("name", "x"), "Parameter in DockerInfo must not be 'name'");
        for (key, why) in
            [("restart", "framework"), ("rm", "executor"), ("publish", "port"), ("gpus", "no such option")]
        {
            let error = refused(key, "x");
            assert!(error.contains(&format!("'{key}'")) && error.contains(why), "{error}");
        }
        for (key, value) in [
            ("ulimit", "nofile"),
            ("device", "/dev/a:/dev/b:xyz"),
            ("read-only", "perhaps"),
            ("shm-size", "much"),
            ("memory", "99999999999g"),
            ("label", "cygnet.state=/elsewhere"),
            ("env", "HOME"),
            ("security-opt", "seccomp=/profile.json"),
            ("pids-limit", ""),
        ] {
            let error = refused(key, value);
            assert!(error.contains(&format!("'{key}'")) && error.contains(value), "{error}");
        }
    }
}
