//! The number of connections a listener may hold, so that its process keeps descriptors for everything else.

use rustix::process::{Resource, getrlimit};

/// The most connections, whatever the limit of open files.
const MOST: usize = 16_384;

/// The fewest: who can open next to nothing still answers.
const FEWEST: usize = 16;

/// A process may hold three listeners, and needs files of its own.
const SHARES: u64 = 4;

/// The capacity under this process' limit of open files.
pub(super) fn capacity() -> usize {
    within(getrlimit(Resource::Nofile).current)
}

fn within(files: Option<u64>) -> usize {
    let share = files.map_or(MOST, |files| usize::try_from(files / SHARES).unwrap_or(MOST));
    share.clamp(FEWEST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_few_files_holds_few_connections() {
        assert_eq!(within(Some(8)), FEWEST);
        assert_eq!(within(Some(256)), 64);
        assert_eq!(within(Some(1 << 20)), MOST);
        assert_eq!(within(None), MOST);
    }
}
