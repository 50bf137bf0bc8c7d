//! A health check on its own, not in a list: as Marathon writes one, or as Swan does.
//!
//! Swan's checks are always made by the executor. Its form is told by what only it has: a protocol in small letters,
//! `cmd`, or `consecutiveFailures`.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::health_check::HealthCheck;
use super::strict::{Strict, Wrong};

/// One health check, in either form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SingleCheck(HealthCheck);

impl From<SingleCheck> for HealthCheck {
    fn from(check: SingleCheck) -> Self {
        check.0
    }
}

impl<'de> Deserialize<'de> for SingleCheck {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut json = Value::deserialize(deserializer)?;
        if is_swans(&json) {
            translate(&mut json);
        }
        HealthCheck::deserialize(Strict(json)).map(SingleCheck).map_err(Wrong::within)
    }
}

fn is_swans(json: &Value) -> bool {
    let small = json["protocol"].as_str().is_some_and(|name| name.chars().all(|letter| letter.is_ascii_lowercase()));
    small || json.get("cmd").is_some() || json.get("consecutiveFailures").is_some()
}

fn translate(json: &mut Value) {
    let Some(fields) = json.as_object_mut() else { return };
    let protocol = fields.get("protocol").and_then(Value::as_str).unwrap_or("http").to_ascii_lowercase();
    let ours = match protocol.as_str() {
        "cmd" => "COMMAND".into(),
        "http" | "tcp" => format!("MESOS_{}", protocol.to_ascii_uppercase()),
        _ => protocol,
    };
    fields.insert("protocol".into(), ours.into());
    if let Some(failures) = fields.remove("consecutiveFailures") {
        fields.insert("maxConsecutiveFailures".into(), failures);
    }
    if let Some(cmd) = fields.remove("cmd").filter(|cmd| cmd.as_str() != Some("")) {
        fields.insert("command".into(), serde_json::json!({"value": cmd}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Protocol, Seconds};

    fn read(json: Value) -> HealthCheck {
        serde_json::from_value::<SingleCheck>(json).unwrap().into()
    }

    #[test]
    fn swans_form() {
        let check = read(serde_json::json!({"protocol": "http", "path": "/health", "portName": "web",
            "consecutiveFailures": 5, "gracePeriodSeconds": 10, "intervalSeconds": 4, "timeoutSeconds": 3}));
        assert_eq!((check.protocol, check.max_consecutive_failures), (Protocol::MesosHttp, 5));
        assert_eq!((check.port_name.as_deref(), check.interval_seconds), (Some("web"), Seconds::whole(4)));
        let check = read(serde_json::json!({"protocol": "cmd", "cmd": "true"}));
        assert_eq!((check.protocol, check.command.unwrap().value.as_str()), (Protocol::Command, "true"));
        assert_eq!(read(serde_json::json!({"protocol": "tcp"})).protocol, Protocol::MesosTcp);
    }

    #[test]
    fn marathons_form() {
        assert_eq!(read(serde_json::json!({"protocol": "HTTP", "portIndex": 0})).protocol, Protocol::Http);
        assert_eq!(read(serde_json::json!({})).protocol, Protocol::Http);
        assert!(serde_json::from_value::<SingleCheck>(serde_json::json!({"protocol": "icmp"})).is_err());
    }
}
