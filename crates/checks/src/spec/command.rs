//! A command whose exit status is the answer.

use std::path::PathBuf;

use processes::{Birthplace, Confinement, Credentials};

use super::{SpecError, require};

/// A command whose exit status is the answer. Its standard input is empty; the last 3 KiB of its output are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct CommandProbe {
    /// The program, or the text for a shell.
    pub command: Command,
    /// The whole environment; nothing is inherited.
    #[cfg_attr(feature = "serde", serde(default))]
    pub environment: Vec<(String, String)>,
    /// The directory to run in; the engine's own directory if absent, or the root of the task's file system.
    pub working_directory: Option<PathBuf>,
    /// The directory to run in once that one does not exist; without this the check fails then.
    pub fallback_directory: Option<PathBuf>,
    /// The user to run as; the engine's user if absent.
    pub user: Option<Credentials>,
    /// The cgroup it is charged to; the engine's own if absent.
    #[cfg_attr(feature = "serde", serde(default))]
    pub birthplace: Option<Birthplace>,
    /// The bounds within which it runs: its task's, so that it may do no more than that.
    #[cfg_attr(feature = "serde", serde(default))]
    pub confinement: Option<Confinement>,
}

/// The program, or the text for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Command {
    /// `sh -c` with this text.
    Shell(String),
    /// A program.
    Exec {
        /// Looked up in the `PATH` of the environment if it has no `/`.
        path: String,
        /// The arguments, the first of which is the name the program sees as its own.
        argv: Vec<String>,
    },
}

impl CommandProbe {
    /// Without an environment, in the engine's directory, as its user.
    pub fn new(command: Command) -> CommandProbe {
        CommandProbe {
            command,
            environment: Vec::new(),
            working_directory: None,
            fallback_directory: None,
            user: None,
            birthplace: None,
            confinement: None,
        }
    }

    pub(super) fn validate(&self) -> Result<(), SpecError> {
        self.command.validate()?;
        let mut variables = self.environment.iter().flat_map(|(name, value)| [name, value]);
        variables.try_for_each(|text| require_text(text, "probe.command.environment"))
    }
}

impl Command {
    fn validate(&self) -> Result<(), SpecError> {
        match self {
            Command::Shell(value) => {
                require(!value.trim().is_empty(), "probe.command.value", NOTHING)?;
                require_text(value, "probe.command.value")
            }
            Command::Exec { path, argv } => {
                require(!path.trim().is_empty(), "probe.command.path", "is empty")?;
                require(!argv.is_empty(), "probe.command.argv", "is empty")?;
                require_text(path, "probe.command.path")?;
                argv.iter().try_for_each(|argument| require_text(argument, "probe.command.argv"))
            }
        }
    }
}

const NOTHING: &str = "is empty: a shell that is told nothing succeeds, always";

fn require_text(text: &str, field: &'static str) -> Result<(), SpecError> {
    require(!text.contains('\0'), field, "has a NUL byte")
}
