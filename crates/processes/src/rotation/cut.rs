//! The part of a log that has to go. Pure.

use crate::log_bounds::Rotation;

/// The beginning of a log that is too long, in the order in which it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// The bytes that no file has room for.
    pub(super) dropped: u64,
    /// The files to be made of what follows.
    pub(super) files: u64,
    /// The length of each.
    pub(super) file_bytes: u64,
}

impl Cut {
    /// The cut of a log of this size on a disk with blocks of that size. Something always stays.
    pub(super) fn of(size: u64, block: u64, bound: Rotation) -> Cut {
        let block = block.max(1);
        let file_bytes = (bound.bytes / block).max(1) * block;
        let whole = size.saturating_sub(1) / file_bytes;
        let files = whole.min(bound.files.into());
        Cut { dropped: (whole - files) * file_bytes, files, file_bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_blocks_go_and_something_stays() {
        let bound = Rotation { bytes: 10_000, files: 2 };
        let cut = |size| Cut::of(size, 4096, bound);
        let expected = |dropped, files| Cut { dropped, files, file_bytes: 8192 };
        assert_eq!(cut(0), expected(0, 0));
        assert_eq!(cut(8192), expected(0, 0));
        assert_eq!(cut(8193), expected(0, 1));
        assert_eq!(cut(16_385), expected(0, 2));
        assert_eq!(cut(5 * 8192), expected(2 * 8192, 2));
        assert_eq!(Cut::of(u64::MAX, 0, Rotation { bytes: 0, files: 0 }).files, 0);
        assert_eq!(Cut::of(4097, 4096, Rotation { bytes: 1, files: 0 }).dropped, 4096);
    }
}
