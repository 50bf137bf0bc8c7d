//! Versions: the Mesos version whose API this is, which clients parse as dotted integers, and Cygnet's own beside it.

use mesos::build::Build;
use mesos::v1::VersionInfo;
use serde::Serialize;

/// The Mesos version the APIs are compatible with.
pub const MESOS_VERSION: &str = "1.11.0";

/// Cygnet's own.
pub const CYGNET_VERSION: &str = env!("CARGO_PKG_VERSION");

/// As the old endpoints have it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Legacy {
    version: &'static str,
    cygnet_version: &'static str,
    build_date: &'static str,
    build_time: f64,
    build_user: &'static str,
}

/// Builds are reproducible: their time is that of what they are built from, and they carry no user.
pub(crate) fn legacy() -> Legacy {
    let build = Build::current();
    Legacy {
        version: MESOS_VERSION,
        cygnet_version: CYGNET_VERSION,
        build_date: build.date,
        build_time: build.unix_seconds.into(),
        build_user: "",
    }
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
