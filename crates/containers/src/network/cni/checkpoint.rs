//! The files about one interface of a container: enough to have it removed by whoever comes later.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::CniError;
use super::config::ConfigList;
use crate::network::NetworkError;
use crate::network::namespaces::remember;

const CONFIGURATION: &str = "network.conf";
const RESULT: &str = "network.info";

/// The files of one interface.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// `<container>/<network>`.
    directory: PathBuf,
    network: String,
    interface: String,
}

impl Checkpoint {
    /// Everything to remove the interface is on file from now on.
    pub(super) fn begin(container: &Path, interface: &str, list: &ConfigList) -> Result<Checkpoint, CniError> {
        let (directory, network) = (container.join(list.name()), list.name().to_owned());
        let checkpoint = Checkpoint { directory, network, interface: interface.to_owned() };
        let folder = checkpoint.directory.join(interface);
        fs::create_dir_all(&folder).map_err(|source| CniError::Checkpoint { path: folder, source })?;
        write(&checkpoint.directory.join(CONFIGURATION), &list.text())?;
        Ok(checkpoint)
    }

    /// The result is on file, too.
    pub(super) fn finish(&self, result: &Value) -> Result<(), CniError> {
        let path = self.result_file();
        let content = serde_json::to_vec(result);
        let content = content.map_err(|error| CniError::Checkpoint { path: path.clone(), source: error.into() })?;
        write(&path, &content)
    }

    /// All of a container's.
    pub(super) fn all(container: &Path) -> Result<Vec<Checkpoint>, CniError> {
        let mut found = Vec::new();
        for directory in folders(container)? {
            let network = name(&directory);
            let interfaces = folders(&directory)?;
            // A kill before the configuration was written: no plugin was asked.
            if !directory.join(CONFIGURATION).exists() {
                continue;
            }
            found.extend(interfaces.iter().map(|interface| Checkpoint {
                directory: directory.clone(),
                network: network.clone(),
                interface: name(interface),
            }));
        }
        Ok(found)
    }

    pub(super) fn network(&self) -> &str {
        &self.network
    }

    pub(super) fn interface(&self) -> &str {
        &self.interface
    }

    /// The configuration as it was used.
    pub(super) fn configuration(&self) -> Result<ConfigList, CniError> {
        let path = self.directory.join(CONFIGURATION);
        let content = fs::read(&path).map_err(|source| CniError::Read { path: path.clone(), source })?;
        ConfigList::read(&path, &content)
    }

    /// The result, if there is one.
    pub(super) fn result(&self) -> Option<Value> {
        fs::read(self.result_file()).ok().and_then(|content| serde_json::from_slice(&content).ok())
    }

    /// Nothing is left to remove. The interface goes before the configuration, which is of use until then.
    pub(super) fn forget(&self) -> Result<(), CniError> {
        [self.directory.join(&self.interface), self.directory.clone()].iter().try_for_each(|path| {
            match processes::remove_tree(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                removed => removed.map_err(|source| CniError::Checkpoint { path: path.clone(), source }),
            }
        })
    }

    fn result_file(&self) -> PathBuf {
        self.directory.join(&self.interface).join(RESULT)
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), CniError> {
    remember(path, content).map_err(|error| match error {
        NetworkError::File { path, source } => CniError::Checkpoint { path, source },
        other => CniError::Checkpoint { path: path.to_owned(), source: std::io::Error::other(other) },
    })
}

fn folders(of: &Path) -> Result<Vec<PathBuf>, CniError> {
    let failed = |source| CniError::Checkpoint { path: of.to_owned(), source };
    let entries = match fs::read_dir(of) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.retain(|path| path.is_dir());
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
