//! The operator's configurations, read each time one is wanted: whoever edits one need not restart an agent.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::CniError;
use super::config::ConfigList;

/// The most that a configuration may have.
const MOST_BYTES: u64 = 1024 * 1024;

/// A directory of configurations, if the operator named one.
#[derive(Clone, Debug)]
pub(super) struct Directory(Option<PathBuf>);

impl Directory {
    pub(super) fn new(path: Option<PathBuf>) -> Directory {
        Directory(path)
    }

    /// The configuration of a network: the first one of that name, in the order of the files' names. Files that are none
    /// are warned about and passed over.
    pub(super) fn find(&self, network: &str) -> Result<ConfigList, CniError> {
        let unknown = || CniError::Unknown { network: network.to_owned(), directory: self.0.clone() };
        let directory = self.0.as_ref().ok_or_else(unknown)?;
        let failed = |source| CniError::Directory { path: directory.clone(), source };
        let entries = fs::read_dir(directory).map_err(failed)?;
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>().map_err(failed)?;
        paths.retain(|path| path.is_file());
        paths.sort();
        let read = paths.iter().filter_map(|path| {
            read(path).inspect_err(|error| tracing::warn!("A CNI network configuration is passed over: {error}")).ok()
        });
        let mut found = read.filter(|list| list.name() == network);
        let first = found.next().ok_or_else(unknown)?;
        if found.next().is_some() {
            tracing::warn!("Several CNI network configurations have the name '{network}'; the first one counts");
        }
        Ok(first)
    }
}

fn read(path: &Path) -> Result<ConfigList, CniError> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut content));
    read.map_err(|source| CniError::Read { path: path.to_owned(), source })?;
    ConfigList::read(path, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_when_they_are_wanted_and_bad_ones_passed_over() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::new(Some(place.path().to_owned()));
        let write = |file: &str, text: &str| fs::write(place.path().join(file), text).unwrap();
        fs::create_dir(place.path().join("00-directory")).unwrap();
        write("10-bad.conf", "{");
        write("20-blue.conflist", r#"{"name": "blue", "plugins": [{"type": "first"}]}"#);
        write("30-blue.conf", r#"{"name": "blue", "type": "second"}"#);
        assert_eq!(directory.find("blue").unwrap().plugins()[0]["type"], "first");
        let red = directory.find("red").unwrap_err().to_string();
        let place_name = place.path().display();
        assert_eq!(red, format!("Unknown CNI network 'red': no configuration in {place_name} has this name"));
        write("40-red.json", r#"{"name": "red", "type": "third"}"#);
        assert_eq!(directory.find("red").unwrap().plugins()[0]["type"], "third");
        write("20-blue.conflist", "");
        assert_eq!(directory.find("blue").unwrap().plugins()[0]["type"], "second");
        let gone = Directory::new(Some(place.path().join("nowhere"))).find("blue").unwrap_err().to_string();
        assert!(matches!(Directory::new(None).find("blue"), Err(CniError::Unknown { .. })));
        assert!(gone.starts_with("Unable to list the CNI network configuration directory"), "{gone}");
    }
}
