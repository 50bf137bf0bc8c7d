//! Versions: the Mesos version whose API this is, which clients parse as dotted integers, and Cygnet's own beside it.

use mesos::v1::VersionInfo;
use serde::Serialize;

/// The Mesos version the APIs are compatible with.
pub const MESOS_VERSION: &str = "1.11.0";

/// Cygnet's own.
pub const CYGNET_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The day of this version: builds are reproducible, so they carry no time of their own, and no user.
const BUILD_DATE: &str = "2026-11-29 00:00:00 UTC";

/// The same in seconds since 1970.
const BUILD_TIME: f64 = 1_795_910_400.0;

/// As the old endpoints have it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Legacy {
    version: &'static str,
    cygnet_version: &'static str,
    build_date: &'static str,
    build_time: f64,
    build_user: &'static str,
}

pub(crate) fn legacy() -> Legacy {
    Legacy {
        version: MESOS_VERSION,
        cygnet_version: CYGNET_VERSION,
        build_date: BUILD_DATE,
        build_time: BUILD_TIME,
        build_user: "",
    }
}

/// As the operator API has it; the tag says whose build it is.
pub(crate) fn info() -> VersionInfo {
    VersionInfo {
        version: MESOS_VERSION.to_owned(),
        build_date: Some(BUILD_DATE.to_owned()),
        build_time: Some(BUILD_TIME),
        build_user: Some(String::new()),
        git_tag: Some(format!("cygnet-{CYGNET_VERSION}")),
        ..VersionInfo::default()
    }
}
