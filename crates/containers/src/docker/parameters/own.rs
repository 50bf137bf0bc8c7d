//! The options that are more than one member of the body. Each gives `None` for a value that is none.

use serde_json::json;

use super::{push, set};
use crate::docker::definition::Body;

/// `HOST[:CONTAINER[:rwm]]`
pub(super) fn device(body: &mut Body, text: &str) -> Option<()> {
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

pub(super) fn entrypoint(body: &mut Body, text: &str) -> Option<()> {
    body.config.insert("Entrypoint".to_owned(), json!([text]));
    Some(())
}

/// Of no variable is the value that of ours.
pub(super) fn variable(body: &mut Body, text: &str) -> Option<()> {
    text.split_once('=').filter(|(name, _)| !name.is_empty())?;
    push(&mut body.config, "Env", json!(text))
}

/// `80`, `80/udp`
pub(super) fn expose(body: &mut Body, text: &str) -> Option<()> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    port.parse::<u16>().ok()?;
    set(&mut body.config, "ExposedPorts", &format!("{port}/{protocol}"), json!({}))
}

pub(super) fn label(body: &mut Body, text: &str) -> Option<()> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    // Those by which containers are found again are nobody else's.
    (!name.is_empty() && !name.starts_with("cygnet.")).then_some(())?;
    set(&mut body.config, "Labels", name, json!(value))
}

pub(super) fn log_driver(body: &mut Body, text: &str) -> Option<()> {
    body.host.insert("LogConfig".to_owned(), json!({"Type": text, "Config": {}}));
    Some(())
}

pub(super) fn log_option(body: &mut Body, text: &str) -> Option<()> {
    let (name, value) = text.split_once('=')?;
    let config = body.host.get_mut("LogConfig")?.get_mut("Config")?.as_object_mut()?;
    config.insert(name.to_owned(), json!(value));
    Some(())
}

/// A profile of seccomp would have to be read from a file.
pub(super) fn security(body: &mut Body, text: &str) -> Option<()> {
    let profile = text.strip_prefix("seccomp").and_then(|rest| rest.strip_prefix(['=', ':']));
    let file = profile.is_some_and(|profile| !matches!(profile, "unconfined" | "builtin"));
    (!file).then_some(())?;
    push(&mut body.host, "SecurityOpt", json!(text))
}

/// `PATH[:OPTIONS]`
pub(super) fn tmpfs(body: &mut Body, text: &str) -> Option<()> {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    set(&mut body.host, "Tmpfs", path, json!(options))
}

/// `NAME=SOFT[:HARD]`
pub(super) fn ulimit(body: &mut Body, text: &str) -> Option<()> {
    let (name, limits) = text.split_once('=')?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let (soft, hard) = (soft.parse::<i64>().ok()?, hard.parse::<i64>().ok()?);
    let others = body.host.entry("Ulimits").or_insert_with(|| json!([])).as_array_mut()?;
    others.retain(|other| other["Name"] != name);
    others.push(json!({"Name": name, "Soft": soft, "Hard": hard}));
    Some(())
}
