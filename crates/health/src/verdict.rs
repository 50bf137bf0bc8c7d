//! A verdict as others write it: Mesos' `healthy`, and Cygnet's own message. Pure.

use checks::Verdict;
use mesos::v1::cygnet::task_health;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The verdict that Mesos' `healthy` stands for.
pub fn of_healthy(healthy: Option<bool>) -> Verdict {
    match healthy {
        None => Verdict::Unknown,
        Some(true) => Verdict::Healthy,
        Some(false) => Verdict::Unhealthy,
    }
}

/// Mesos' `healthy`, which is absent while there is no verdict.
pub fn healthy(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Unknown => None,
        Verdict::Healthy => Some(true),
        Verdict::Unhealthy => Some(false),
    }
}

/// The verdict in Cygnet's message.
pub fn of_wire(verdict: task_health::Verdict) -> Verdict {
    match verdict {
        task_health::Verdict::Unknown => Verdict::Unknown,
        task_health::Verdict::Healthy => Verdict::Healthy,
        task_health::Verdict::Unhealthy => Verdict::Unhealthy,
    }
}

/// The same for Cygnet's message.
pub fn to_wire(verdict: Verdict) -> task_health::Verdict {
    match verdict {
        Verdict::Unknown => task_health::Verdict::Unknown,
        Verdict::Healthy => task_health::Verdict::Healthy,
        Verdict::Unhealthy => task_health::Verdict::Unhealthy,
    }
}

/// Writes a verdict as `true`, `false` or `null`, as it has always been on file. For `#[serde(with = ...)]`, where this
/// module serves as the format.
pub fn serialize<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
    healthy(*verdict).serialize(serializer)
}

/// Reads what [`serialize`] wrote.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
    Option::deserialize(deserializer).map(of_healthy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_verdict_leads_back() {
        for (verdict, text) in [(Verdict::Unknown, "null"), (Verdict::Healthy, "true"), (Verdict::Unhealthy, "false")] {
            assert_eq!((of_healthy(healthy(verdict)), of_wire(to_wire(verdict))), (verdict, verdict));
            let mut written = Vec::new();
            serialize(&verdict, &mut serde_json::Serializer::new(&mut written)).unwrap();
            assert_eq!(written, text.as_bytes());
            assert_eq!(deserialize(&mut serde_json::Deserializer::from_slice(&written)).unwrap(), verdict);
        }
    }
}
