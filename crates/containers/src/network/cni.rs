//! Networks by name, made by other people's plugins: the Container Network Interface, versions 0.1 to 1.1.
//!
//! In: the operator's configurations (lists, and Mesos' single ones), read anew for each container. Out: addresses and
//! resolvers. Before a plugin is asked to add, its configuration is on file, and afterwards its result, so that whoever
//! comes later can have it removed, with the namespace still held:
//!
//! ```text
//!   <container>/<network>/network.conf              the configuration, as it was used
//!   <container>/<network>/<interface>/network.info  the result
//! ```
//!
//! Plugins are programs that may hang, fail or say anything; see `program`. [`Cni`] keeps nothing in memory, so any number
//! of threads may use it, one per container.

mod checkpoint;
mod config;
mod directory;
mod error;
mod plugin;
mod result;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mesos::v1::NetworkInfo;
use serde_json::{Map, Value};

use self::checkpoint::Checkpoint;
use self::config::ConfigList;
use self::directory::Directory;
pub use self::error::CniError;
use self::plugin::{Command, Invocation, Plugins};
pub use self::result::CniResult;
use super::namespaces::{Made, Namespaces};

/// The operator's settings of networks by name.
#[derive(Clone, Debug)]
pub struct CniSettings {
    /// The directory of configurations: `--network_cni_config_dir`.
    pub configurations: PathBuf,
    /// The directories of plugins: `--network_cni_plugins_dir`, a list with colons.
    pub plugins: String,
    /// The time that a plugin may take.
    pub limit: Duration,
}

/// The networks of an agent's, and what its containers have in them.
#[derive(Clone, Debug)]
pub struct Cni {
    directory: Directory,
    plugins: Plugins,
    namespaces: Namespaces,
}

impl Cni {
    /// The networks of these settings; without, there is none.
    pub fn new(settings: Option<CniSettings>, namespaces: Namespaces) -> Cni {
        let (configurations, plugins, limit) = match settings {
            Some(CniSettings { configurations, plugins, limit }) => (Some(configurations), plugins, limit),
            None => Default::default(),
        };
        Cni { directory: Directory::new(configurations), plugins: Plugins::new(plugins, limit), namespaces }
    }

    /// True if there is a network of this name; to be asked before anything is made for a container.
    pub fn check_name(&self, network: &str) -> Result<(), CniError> {
        self.directory.find(network).map(|_found| ())
    }

    /// Joins a container to the network that `info` names, by a link of the name `interface`.
    ///
    /// # Errors
    ///
    /// The plugins have been asked to remove again what they had made. What they did not, is on file for
    /// [`Cni::detach`].
    pub fn attach(&self, made: &Made, interface: &str, info: &NetworkInfo) -> Result<CniResult, CniError> {
        let network = info.name();
        let list = self.directory.find(network)?.for_container(info)?;
        let handle = made.handle();
        let call = Invocation { container: made.container(), network: list.name(), interface, handle: &handle };
        self.plugins.are_there(list.plugins(), &call)?;
        let checkpoint = Checkpoint::begin(made.directory(), interface, &list)?;
        let added = self.add(&call, &list).and_then(|value| {
            let result = CniResult::read(&value)?;
            checkpoint.finish(&value)?;
            Ok(result)
        });
        added.inspect_err(|_first_error_counts| {
            let removed = self.remove(made.container(), made.directory(), &checkpoint);
            let _tried_again_later = removed.inspect_err(|error| tracing::warn!("{error}"));
        })
    }

    /// Parts a container from all networks it joined by plugins, also by an agent before this one. All are tried; the
    /// first failure is told, and what failed is still on file.
    pub fn detach(&self, container: &str) -> Result<(), CniError> {
        let directory = self.namespaces.directory(container);
        let all = Checkpoint::all(&directory)?;
        let results: Vec<_> = all.iter().map(|one| self.remove(container, &directory, one)).collect();
        results.into_iter().collect()
    }

    /// Asks all plugins of a container whether what they made is still there.
    pub fn check(&self, container: &str) -> Result<(), CniError> {
        let directory = self.namespaces.directory(container);
        for checkpoint in Checkpoint::all(&directory)? {
            let (list, result) = (checkpoint.configuration()?, checkpoint.result());
            if !list.can_check() {
                continue;
            }
            for plugin in list.plugins() {
                let input = list.input(plugin, result.as_ref());
                let handle = self.namespaces.handle(container);
                let call =
                    Invocation { container, network: list.name(), interface: checkpoint.interface(), handle: &handle };
                self.plugins.run(Command::Check, plugin, &call, &input)?;
            }
        }
        Ok(())
    }

    /// The results of what a container has joined, by network.
    pub fn results(&self, container: &str) -> Result<Vec<(String, CniResult)>, CniError> {
        let all = Checkpoint::all(&self.namespaces.directory(container))?;
        let read = |one: &Checkpoint| Some((one.network().to_owned(), CniResult::read(&one.result()?).ok()?));
        Ok(all.iter().filter_map(read).collect())
    }

    /// The plugins of a list, one after the other; each is given what the one before it made.
    fn add(&self, call: &Invocation<'_>, list: &ConfigList) -> Result<Value, CniError> {
        let mut result = None;
        for plugin in list.plugins() {
            let input = list.input(plugin, result.as_ref());
            result = Some(self.plugins.run_for_result(plugin, call, &input)?);
        }
        Ok(result.unwrap_or_else(|| Value::Object(Map::new())))
    }

    /// The plugins of a list, the last one first.
    fn remove(&self, container: &str, directory: &Path, checkpoint: &Checkpoint) -> Result<(), CniError> {
        let list = checkpoint.configuration()?;
        let result = checkpoint.result().filter(|_| list.knows_check());
        let handle = Namespaces::handle_in(directory);
        let call = Invocation { container, network: list.name(), interface: checkpoint.interface(), handle: &handle };
        for plugin in list.plugins().iter().rev() {
            let input = list.input(plugin, result.as_ref());
            self.plugins.run(Command::Del, plugin, &call, &input)?;
        }
        checkpoint.forget()
    }
}
