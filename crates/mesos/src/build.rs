//! The build of this program: a constant that only the topmost crate knows, and every `/version` shows.

use std::sync::OnceLock;

use serde::Serialize;

use crate::v1::VersionInfo;

/// The Mesos version the APIs are compatible with.
pub const MESOS_VERSION: &str = "1.11.0";

/// Cygnet's own.
pub const CYGNET_VERSION: &str = env!("CARGO_PKG_VERSION");

static CURRENT: OnceLock<Build> = OnceLock::new();

/// The version that this is, and its day.
const RELEASE: Build =
    Build { version: env!("CARGO_PKG_VERSION"), date: "2026-11-29 00:00:00 UTC", unix_seconds: 1_795_910_400 };

/// A build of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// Its version, with the commit it is of where there is one.
    pub version: &'static str,
    /// The time of what it is built from: `2026-11-29 08:45:09 UTC`.
    pub date: &'static str,
    /// The same, in seconds since 1970.
    pub unix_seconds: u32,
}

impl Build {
    /// Tells it to all who show it; what was told first counts.
    pub fn tell(self) {
        let _told_before = CURRENT.set(self);
    }

    /// The build that was told, or the version and its day.
    pub fn current() -> Build {
        CURRENT.get().copied().unwrap_or(RELEASE)
    }
}

/// The answer of `/version`, where clients look for dotted integers. Builds are reproducible: their time is that of what
/// they are built from, and they carry no user.
#[derive(Debug, Clone, Serialize)]
pub struct LegacyVersion {
    version: &'static str,
    cygnet_version: &'static str,
    build_date: &'static str,
    build_time: f64,
    build_user: &'static str,
}

impl LegacyVersion {
    /// That of this build.
    pub fn current() -> LegacyVersion {
        let build = Build::current();
        LegacyVersion {
            version: MESOS_VERSION,
            cygnet_version: CYGNET_VERSION,
            build_date: build.date,
            build_time: build.unix_seconds.into(),
            build_user: "",
        }
    }
}

/// As the operator API has it; the tag says whose build it is.
pub fn version_info() -> VersionInfo {
    VersionInfo {
        version: MESOS_VERSION.to_owned(),
        build_date: Some(Build::current().date.to_owned()),
        build_time: Some(Build::current().unix_seconds.into()),
        build_user: Some(String::new()),
        git_tag: Some(format!("cygnet-{CYGNET_VERSION}")),
        ..VersionInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_first_counts() {
        assert_eq!(Build::current(), RELEASE);
        let first = Build { version: "1", date: "2001-09-09 01:46:40 UTC", unix_seconds: 1_000_000_000 };
        first.tell();
        Build { version: "2", ..first }.tell();
        assert_eq!(Build::current(), first);
    }
}
