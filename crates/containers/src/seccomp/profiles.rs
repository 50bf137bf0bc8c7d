//! The profiles of an agent, by name; each is compiled once for each set of capabilities.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mesos::v1::linux_info::SeccompInfo;
use processes::{CapabilitySet, Filter};

use super::json::{self, MOST_BYTES};
use super::numbers::{self, Machine};
use super::profile::{Kernel, Profile, Subject};
use super::{ProfileError, SeccompError};

/// The compiled filters that are kept; then all are forgotten.
const KEPT: usize = 256;

/// The profiles of an agent.
#[derive(Debug)]
pub struct Profiles {
    directory: Option<PathBuf>,
    default: Option<String>,
    kernel: Kernel,
    compiled: HashMap<(Option<Source>, CapabilitySet), Filter>,
}

/// A file as it was when it was read; nothing is the built-in profile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Source {
    path: PathBuf,
    modified: Option<SystemTime>,
    length: u64,
}

impl Profiles {
    /// The profiles in this directory (Mesos' `--seccomp_config_dir`), and, for containers that name none, the one of
    /// this name (`--seccomp_profile_name`) or the built-in one.
    pub fn new(directory: Option<PathBuf>, default: Option<String>) -> Profiles {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let kernel = json::kernel(&release).unwrap_or_default();
        Profiles { directory, default, kernel, compiled: HashMap::new() }
    }

    /// The filter of a container with this bounding set of capabilities; nothing if it wants none. Reads a file.
    pub fn filter(
        &mut self,
        info: Option<&SeccompInfo>,
        capabilities: CapabilitySet,
    ) -> Result<Option<Filter>, SeccompError> {
        let name = match info.map(|info| (info.unconfined(), info.profile_name.clone())) {
            Some((true, Some(_))) => return Err(SeccompError::Contradiction),
            Some((true, None)) => return Ok(None),
            Some((false, None)) => return Err(SeccompError::NoName),
            Some((false, name)) => name,
            None => self.default.clone(),
        };
        let source = name.map(|name| self.source(name)).transpose()?;
        let key = (source, capabilities);
        if let Some(filter) = self.compiled.get(&key) {
            return Ok(Some(filter.clone()));
        }
        let filter = self.compile(key.0.as_ref(), capabilities)?;
        if self.compiled.len() >= KEPT {
            self.compiled.clear();
        }
        self.compiled.insert(key, filter.clone());
        Ok(Some(filter))
    }

    fn source(&self, name: String) -> Result<Source, SeccompError> {
        let Some(directory) = &self.directory else { return Err(SeccompError::NoDirectory(name)) };
        if Path::new(&name).file_name().is_none_or(|file| *file != *name) {
            return Err(SeccompError::Name(name));
        }
        let path = directory.join(name);
        match path.metadata() {
            Ok(metadata) if !metadata.is_file() => {
                Err(SeccompError::Read { path, source: std::io::ErrorKind::InvalidInput.into() })
            }
            Ok(metadata) => Ok(Source { path, modified: metadata.modified().ok(), length: metadata.len() }),
            Err(source) => Err(SeccompError::Read { path, source }),
        }
    }

    fn compile(&self, source: Option<&Source>, capabilities: CapabilitySet) -> Result<Filter, SeccompError> {
        let machine = numbers::machine(std::env::consts::ARCH);
        let machine: Machine = machine.ok_or(SeccompError::Machine(std::env::consts::ARCH))?;
        let architecture = machine.first().map_or("", |own| own.0.go);
        let subject = Subject { capabilities, architecture, kernel: self.kernel };
        let path = source.map(|source| source.path.clone()).unwrap_or_default();
        let profile = source.map_or_else(|| Ok(Profile::builtin()), |source| read(&source.path))?;
        profile.compile(machine, &subject).map_err(|source| SeccompError::Profile { path, source })
    }
}

fn read(path: &Path) -> Result<Profile, SeccompError> {
    let mut text = Vec::new();
    let file = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut text));
    file.map_err(|source| SeccompError::Read { path: path.to_owned(), source })?;
    Profile::parse(&text).map_err(|source: ProfileError| SeccompError::Profile { path: path.to_owned(), source })
}
