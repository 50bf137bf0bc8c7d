//! The limit of open files. The engine needs many; a program it starts gets what this process was given, because some
//! programs walk through all descriptors up to the limit.

use std::io;
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

static ORIGINAL: OnceLock<Rlimit> = OnceLock::new();

/// Raises the soft limit of open files to the hard one and returns it; `None` is no limit.
pub fn raise_file_limit() -> io::Result<Option<u64>> {
    let now = getrlimit(Resource::Nofile);
    let maximum = now.maximum;
    if now.current != maximum {
        let _first_one_counts = ORIGINAL.set(now);
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(maximum)
}

/// The limit that children get, if it differs from that of this process.
pub(super) fn original_limit() -> Option<Rlimit> {
    let original = ORIGINAL.get()?;
    Some(Rlimit { current: original.current, maximum: original.maximum })
}
