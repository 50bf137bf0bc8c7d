//! The bounds of a container's logs, in the words of Mesos' logger that runs logrotate. Pure.
//!
//! In: the agent's options, and variables of a task that override them. Out: [`Rotations`], which its shim keeps.

use processes::{Rotation, Rotations};

/// The length of logs: Mesos' default.
pub const BYTES: &str = "10MB";

/// The configuration of logrotate for nine older files beside each log.
pub const OPTIONS: &str = "rotate 9";

/// Units of Mesos, each 1,024 times the one before.
const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];

/// The least length: Mesos' own, a page.
const LEAST_BYTES: u64 = 4096;

/// The most older files, each of which takes time to be renamed.
const MOST_FILES: u32 = 1000;

/// A bound that makes no sense; whoever wrote it is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// No length.
    #[error("'{0}' is no size of a log such as 10MB, of 4KB at least")]
    Size(String),
    /// No number of files.
    #[error("'{0}' is no number of older logs to keep, of 1000 at most")]
    Files(String),
}

/// A bound that a variable of a task has asked for, and that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The variable '{variable}': {error}")]
pub struct VariableError {
    variable: String,
    #[source]
    error: LogError,
}

/// The bound of this size and by these lines of a logrotate configuration.
///
/// # Errors
///
/// One of them makes no sense.
pub fn rotation(size: &str, options: &str) -> Result<Rotation, LogError> {
    Ok(Rotation { bytes: bytes(size)?, files: files(options)? })
}

/// The bounds of a task with these variables, where the agent has those.
///
/// # Errors
///
/// A variable makes no sense.
pub fn of_task(agents: Rotations, variables: &[(String, String)]) -> Result<Rotations, VariableError> {
    let of = |bound: Option<Rotation>, stream| bound.map(|bound| of_stream(bound, stream, variables)).transpose();
    Ok(Rotations { stdout: of(agents.stdout, "STDOUT")?, stderr: of(agents.stderr, "STDERR")? })
}

fn of_stream(agents: Rotation, stream: &str, variables: &[(String, String)]) -> Result<Rotation, VariableError> {
    let size = overridden(variables, format!("CONTAINER_LOGGER_MAX_{stream}_SIZE"), bytes)?;
    let files = overridden(variables, format!("CONTAINER_LOGGER_LOGROTATE_{stream}_OPTIONS"), files)?;
    Ok(Rotation { bytes: size.unwrap_or(agents.bytes), files: files.unwrap_or(agents.files) })
}

fn overridden<T>(
    variables: &[(String, String)],
    variable: String,
    read: impl Fn(&str) -> Result<T, LogError>,
) -> Result<Option<T>, VariableError> {
    let read = variables.iter().rfind(|(name, _)| *name == variable).map(|(_, value)| read(value)).transpose();
    read.map_err(|error| VariableError { variable, error })
}

/// A size as Mesos writes it.
fn bytes(text: &str) -> Result<u64, LogError> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit = UNITS.iter().position(|known| *known == unit).and_then(|power| u32::try_from(power).ok());
    let bytes =
        number.parse::<u64>().ok().zip(unit).and_then(|(number, power)| number.checked_mul(1024_u64.pow(power)));
    bytes.filter(|bytes| *bytes >= LEAST_BYTES).ok_or_else(|| LogError::Size(text.to_owned()))
}

/// The number in the last line `rotate`; as for logrotate, none without one. The other lines are about what is not done
/// here, or about the size, which has an option of its own.
fn files(options: &str) -> Result<u32, LogError> {
    let lines = options.lines().filter_map(|line| line.trim().strip_prefix("rotate"));
    let mut numbers = lines.filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    let Some(number) = numbers.next_back() else { return Ok(0) };
    let files = number.trim().parse().ok().filter(|files| *files <= MOST_FILES);
    files.ok_or_else(|| LogError::Files(number.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_mesos_and_logrotate() {
        assert_eq!(rotation(BYTES, OPTIONS), Ok(Rotation { bytes: 10 << 20, files: 9 }));
        assert_eq!(rotation("4096B", "compress\n  rotate 3\nsize 2k\n"), Ok(Rotation { bytes: 4096, files: 3 }));
        assert_eq!(rotation("1TB", "missingok"), Ok(Rotation { bytes: 1 << 40, files: 0 }));
        for size in ["", "10", "MB", "1.5MB", "10mb", "-1MB", "4095B", "99999999TB", "10 MB", "10XB"] {
            assert_eq!(rotation(size, OPTIONS), Err(LogError::Size(size.to_owned())));
        }
        for (options, number) in [("rotate", ""), ("rotate -1", "-1"), ("rotate 1001", "1001"), ("rotate\tx", "x")] {
            assert_eq!(rotation(BYTES, options), Err(LogError::Files(number.to_owned())));
        }
    }

    #[test]
    fn a_task_overrides_what_there_is() {
        let variables = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let bound = Rotation { bytes: 10 << 20, files: 9 };
        let agents = Rotations { stdout: Some(bound), stderr: Some(bound) };
        let asked = variables(&[
            ("CONTAINER_LOGGER_MAX_STDOUT_SIZE", "1MB"),
            ("CONTAINER_LOGGER_LOGROTATE_STDERR_OPTIONS", "rotate 2"),
        ]);
        let expected = Rotations {
            stdout: Some(Rotation { bytes: 1 << 20, files: 9 }),
            stderr: Some(Rotation { bytes: 10 << 20, files: 2 }),
        };
        assert_eq!(of_task(agents, &asked), Ok(expected));
        assert_eq!(of_task(Rotations::default(), &asked), Ok(Rotations::default()), "the operator wants none");
        let wrong = of_task(agents, &variables(&[("CONTAINER_LOGGER_MAX_STDERR_SIZE", "big")])).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "The variable 'CONTAINER_LOGGER_MAX_STDERR_SIZE': 'big' is no size of a log such as 10MB, of 4KB at least"
        );
    }
}
