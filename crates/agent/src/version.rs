//! Versions: the Mesos version whose API this is, which clients parse as dotted integers, and Cygnet's own beside it.

use mesos::build::Build;
use mesos::v1::VersionInfo;
use serde_json::{Map, Value, json};

/// The Mesos version the APIs are compatible with.
pub(crate) const MESOS_VERSION: &str = "1.11.0";

/// Cygnet's own.
pub(crate) const CYGNET_VERSION: &str = env!("CARGO_PKG_VERSION");

/// As the old endpoints have it. Builds are reproducible: their time is that of what they are built from, and they carry
/// no user.
pub(crate) fn legacy() -> Map<String, Value> {
    let build = Build::current();
    let version = json!({
        "version": MESOS_VERSION,
        "cygnet_version": CYGNET_VERSION,
        "build_date": build.date,
        "build_time": f64::from(build.unix_seconds),
        "build_user": "",
    });
    version.as_object().cloned().unwrap_or_default()
}

/// As the operator API has it; the tag says whose build it is.
pub(crate) fn info() -> VersionInfo {
    VersionInfo {
        version: MESOS_VERSION.to_owned(),
        build_date: Some(Build::current().date.to_owned()),
        build_time: Some(Build::current().unix_seconds.into()),
        build_user: Some(String::new()),
        git_tag: Some(format!("cygnet-{CYGNET_VERSION}")),
        ..VersionInfo::default()
    }
}
