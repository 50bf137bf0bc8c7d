//! Versions: the Mesos version whose API this is, which clients parse as dotted integers, and Cygnet's own beside it.

use mesos::v1::VersionInfo;
use serde_json::{Map, Value, json};

/// The Mesos version the APIs are compatible with.
pub(crate) const MESOS_VERSION: &str = "1.11.0";

/// Cygnet's own.
pub(crate) const CYGNET_VERSION: &str = env!("CARGO_PKG_VERSION");

/// As the old endpoints have it. Builds are reproducible, so they carry no time and no user.
pub(crate) fn legacy() -> Map<String, Value> {
    let version = json!({
        "version": MESOS_VERSION,
        "cygnet_version": CYGNET_VERSION,
        "build_date": "1970-01-01 00:00:00 UTC",
        "build_time": 0.0,
        "build_user": "",
    });
    version.as_object().cloned().unwrap_or_default()
}

/// As the operator API has it; the tag says whose build it is.
pub(crate) fn info() -> VersionInfo {
    VersionInfo {
        version: MESOS_VERSION.to_owned(),
        git_tag: Some(format!("cygnet-{CYGNET_VERSION}")),
        ..VersionInfo::default()
    }
}
