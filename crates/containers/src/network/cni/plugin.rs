//! One call of a plugin, by the specification: environment, input, output, exit status.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use processes::Ended;
use serde_json::{Map, Value};

use super::CniError;
use crate::network::program::{Finished, Program, told};

/// The command for a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Add,
    Check,
    Del,
}

/// The subject of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Invocation<'a> {
    pub(super) container: &'a str,
    pub(super) network: &'a str,
    pub(super) interface: &'a str,
    /// The handle of the container's namespace.
    pub(super) handle: &'a Path,
}

/// The plugins of the operator's directories.
#[derive(Clone, Debug)]
pub(super) struct Plugins {
    path: String,
    limit: Duration,
}

impl Command {
    fn name(self) -> &'static str {
        match self {
            Command::Add => "ADD",
            Command::Check => "CHECK",
            Command::Del => "DEL",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Command::Add => "attach",
            Command::Check => "check",
            Command::Del => "detach",
        }
    }

    /// The words between the container and the network.
    fn preposition(self) -> &'static str {
        match self {
            Command::Add => "to CNI",
            Command::Check => "in CNI",
            Command::Del => "from CNI",
        }
    }
}

impl Plugins {
    /// The plugins of a list of directories with colons, each of which may take this long.
    pub(super) fn new(path: String, limit: Duration) -> Plugins {
        Plugins { path, limit }
    }

    /// The lack of one of these, if there is any. To be asked before the first one adds: what that makes is removed by all.
    pub(super) fn are_there(&self, plugins: &[Map<String, Value>], call: &Invocation<'_>) -> Result<(), CniError> {
        plugins.iter().try_for_each(|plugin| self.program(Command::Add, plugin, call).map(|_program| ()))
    }

    /// Asks one to add; its result.
    pub(super) fn run_for_result(
        &self,
        plugin: &Map<String, Value>,
        call: &Invocation<'_>,
        input: &[u8],
    ) -> Result<Value, CniError> {
        let (plugin, output) = self.run(Command::Add, plugin, call, input)?;
        let unclear = |why: String| CniError::Output { plugin: plugin.clone(), why };
        let value: Value = serde_json::from_slice(&output).map_err(|error| unclear(error.to_string()))?;
        if value.is_object() { Ok(value) } else { Err(unclear("it is no JSON object".to_owned())) }
    }

    /// Asks one; its path, and its output.
    pub(super) fn run(
        &self,
        command: Command,
        plugin: &Map<String, Value>,
        call: &Invocation<'_>,
        input: &[u8],
    ) -> Result<(PathBuf, Vec<u8>), CniError> {
        let Invocation { container, network, interface, handle } = *call;
        let (owner, net) = (container.to_owned(), network.to_owned());
        let path = self.program(command, plugin, call)?;
        let program = Program::new(&path, &[])
            .with("CNI_COMMAND", command.name())
            .with("CNI_CONTAINERID", container)
            .with("CNI_IFNAME", interface)
            .with("CNI_NETNS", &handle.to_string_lossy())
            .with("CNI_PATH", &self.path)
            .reading(input);
        let failed = |source| CniError::Run { plugin: path.clone(), container: owner, network: net.clone(), source };
        let Finished { ended, output, errors } = program.run(self.limit).map_err(failed)?;
        if ended == Ended::Exited(0) {
            return Ok((path, output));
        }
        let action = format!("{} container {container} {}", command.verb(), command.preposition());
        let (stdout, stderr) = (told(&output), told(&errors));
        Err(CniError::Failed { plugin: path, action, network: net, stdout, stderr })
    }

    /// The program of one.
    fn program(
        &self,
        command: Command,
        plugin: &Map<String, Value>,
        call: &Invocation<'_>,
    ) -> Result<PathBuf, CniError> {
        let kind = plugin.get("type").and_then(Value::as_str).unwrap_or_default();
        self.find(kind).ok_or_else(|| CniError::NoPlugin {
            plugin: kind.to_owned(),
            action: command.verb(),
            container: call.container.to_owned(),
            network: call.network.to_owned(),
        })
    }

    fn find(&self, kind: &str) -> Option<PathBuf> {
        let directories = self.path.split(':').filter(|directory| !directory.is_empty());
        directories.map(|directory| Path::new(directory).join(kind)).find(|path| is_program(path))
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
