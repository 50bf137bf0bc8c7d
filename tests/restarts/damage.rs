//! The damage that is done to a file, as power cuts, full disks and restored backups do it.

use std::fs::{self, File};
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    Empty,
    Half,
    Absent,
    /// A copy from before.
    Older,
}

impl Damage {
    pub(crate) const ALL: [Damage; 4] = [Damage::Empty, Damage::Half, Damage::Absent, Damage::Older];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Damage::Empty => "empty",
            Damage::Half => "cut in half",
            Damage::Absent => "absent",
            Damage::Older => "older",
        }
    }

    /// Does it. Returns whether there is something else on file than before: what was empty is as good if it is absent, and
    /// some files have not changed since the older copies were made.
    pub(crate) fn strike(self, file: &Path, older: &Path) -> bool {
        let before = fs::read(file).expect("the file is there");
        match self {
            Damage::Empty => resize(file, 0),
            Damage::Half => resize(file, before.len() / 2),
            Damage::Absent => fs::remove_file(file).expect("it can be removed"),
            Damage::Older if older.exists() => drop(fs::copy(older, file).expect("it can be written")),
            Damage::Older => {}
        }
        fs::read(file).unwrap_or_default() != before
    }
}

fn resize(file: &Path, length: usize) {
    File::options().write(true).open(file).and_then(|file| file.set_len(length as u64)).expect("it can be cut");
}
