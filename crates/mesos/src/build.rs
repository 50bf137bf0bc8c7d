//! The build of this program: a constant that only the topmost crate knows, and every `/version` shows.

use std::sync::OnceLock;

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
