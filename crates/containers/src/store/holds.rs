//! The needs of containers and pulls, each in a file of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{At, StoreError};
use super::paths::list;
use crate::image::Digest;

/// The needs of a container or a pull.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hold {
    /// The container's id, or the name of the image that is pulled.
    pub(super) holder: String,
    /// Not known of one whose image has another meaning by now.
    pub(super) config: Option<Digest>,
    pub(super) layers: Vec<Digest>,
}

/// All that is needed.
#[derive(Debug, Default)]
pub(super) struct Holds {
    pub(super) configs: BTreeSet<Digest>,
    pub(super) layers: BTreeSet<Digest>,
}

impl Hold {
    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        let content = serde_json::to_vec(self).map_err(io::Error::from).at("write", path)?;
        ::store::replace_file(path, &content, 0o600).at("write", path)
    }

    /// None if it has gone meanwhile.
    pub(super) fn read(path: &Path) -> Result<Option<Hold>, StoreError> {
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            content => match serde_json::from_slice(&content.at("read", path)?) {
                Ok(hold) => Ok(Some(hold)),
                Err(error) => Err(StoreError::Damaged { path: path.to_owned(), why: error.to_string() }),
            },
        }
    }
}

impl Holds {
    /// The needs in the files of these directories. One that cannot be read might need anything, so it is an error.
    pub(super) fn read(directories: &[PathBuf]) -> Result<Holds, StoreError> {
        let mut holds = Holds::default();
        for directory in directories {
            for path in list(directory)? {
                if let Some(hold) = Hold::read(&path)? {
                    holds.configs.extend(hold.config);
                    holds.layers.extend(hold.layers);
                }
            }
        }
        Ok(holds)
    }
}
