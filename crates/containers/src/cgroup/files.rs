//! The small files of a cgroup's directory: numbers, and lines of a key and a number.

use std::fs;
use std::path::{Path, PathBuf};

use super::CgroupError;

pub(super) fn read(path: &Path) -> Result<String, CgroupError> {
    fs::read_to_string(path).map_err(|source| CgroupError::Read { path: path.to_owned(), source })
}

pub(super) fn write(path: &Path, value: impl ToString) -> Result<(), CgroupError> {
    let value = value.to_string();
    // The files of a cgroup exist; to make others is not possible, and in a tree of a test it would hide a mistake.
    let written = fs::OpenOptions::new().write(true).truncate(true).open(path);
    let written = written.and_then(|mut file| std::io::Write::write_all(&mut file, value.as_bytes()));
    written.map_err(|source| CgroupError::Write { path: path.to_owned(), value, source })
}

/// The number that a file holds.
pub(super) fn number(path: &Path) -> Result<u64, CgroupError> {
    let parsed = read(path)?.trim().parse();
    parsed.map_err(|_| CgroupError::Malformed { path: path.to_owned(), key: "" })
}

/// A file of lines like `anon 4096`.
#[derive(Debug)]
pub(super) struct Keyed {
    path: PathBuf,
    text: String,
}

impl Keyed {
    pub(super) fn read(path: &Path) -> Result<Keyed, CgroupError> {
        Ok(Keyed { path: path.to_owned(), text: read(path)? })
    }

    /// The number of a key that kernels may lack.
    pub(super) fn get(&self, key: &str) -> Option<u64> {
        let words = self.text.lines().filter_map(|line| line.split_once(' '));
        words.filter(|(name, _)| *name == key).find_map(|(_, number)| number.trim().parse().ok())
    }

    /// The number of a key that every kernel has.
    pub(super) fn number(&self, key: &'static str) -> Result<u64, CgroupError> {
        self.get(key).ok_or_else(|| CgroupError::Malformed { path: self.path.clone(), key })
    }
}

/// The cgroups right below this one; none if it is not there.
pub(super) fn children(directory: &Path) -> Result<Vec<String>, CgroupError> {
    let failed = |source| CgroupError::Read { path: directory.to_owned(), source };
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

/// The numbers of a file that has one on each line.
pub(super) fn lines(path: &Path) -> Result<Vec<i32>, CgroupError> {
    Ok(read(path)?.lines().filter_map(|line| line.parse().ok()).collect())
}
