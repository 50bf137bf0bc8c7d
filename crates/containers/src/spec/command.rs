//! The command of a task with an image, by Mesos' rules.
//!
//! | `shell` | `value` | what runs |
//! |---|---|---|
//! | true | yes | `/bin/sh -c value`; the entry point of the image counts for nothing |
//! | false | yes | the value, with the arguments of the task, the zeroth included |
//! | false | no | the image's entry point, or the first word of its command, with the task's arguments or the rest of its own |

use std::path::PathBuf;

use mesos::v1::CommandInfo;

use super::SpecError;
use crate::image::ImageConfig;

/// The file to execute, and all arguments, the zeroth included.
pub fn program(command: Option<&CommandInfo>, image: &ImageConfig) -> Result<(PathBuf, Vec<String>), SpecError> {
    let value = command.and_then(|command| command.value.clone()).filter(|value| !value.is_empty());
    let given = command.map(|command| command.arguments.clone()).unwrap_or_default();
    let (path, arguments) = match (command.is_some_and(CommandInfo::shell), value) {
        (true, Some(script)) => ("/bin/sh".to_owned(), vec!["sh".to_owned(), "-c".to_owned(), script]),
        (true, None) => return Err(SpecError::NoScript),
        (false, Some(value)) if given.is_empty() => (value.clone(), vec![value]),
        (false, Some(value)) => (value, given),
        (false, None) => of_image(image, given)?,
    };
    match path.contains('\0') || arguments.iter().any(|argument| argument.contains('\0')) {
        true => Err(SpecError::Nul),
        false => Ok((path.into(), arguments)),
    }
}

fn of_image(image: &ImageConfig, given: Vec<String>) -> Result<(String, Vec<String>), SpecError> {
    let (first, own) = match (image.entrypoint.as_slice(), image.command.as_slice()) {
        ([], []) => return Err(SpecError::NoExecutable),
        ([], [first, rest @ ..]) => (vec![first.clone()], rest),
        (entrypoint, command) => (entrypoint.to_vec(), command),
    };
    let path = first.first().cloned().ok_or(SpecError::NoExecutable)?;
    let rest = if given.is_empty() { own.to_vec() } else { given };
    Ok((path, first.into_iter().chain(rest).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn image(entrypoint: &str, command: &str) -> ImageConfig {
        let image = ImageConfig::parse(b"{}").unwrap();
        ImageConfig { entrypoint: words(entrypoint), command: words(command), ..image }
    }

    fn command(shell: bool, value: &str, arguments: &str) -> CommandInfo {
        let value = (!value.is_empty()).then(|| value.to_owned());
        CommandInfo { shell: Some(shell), value, arguments: words(arguments), ..CommandInfo::default() }
    }

    #[test]
    fn what_runs_is_as_mesos_has_it() {
        for (shell, value, given, entrypoint, cmd, path, arguments) in [
            (true, "echo", "x y", "/entry", "cmd", "/bin/sh", "sh -c echo"),
            (false, "/app", "app -v", "/entry", "cmd", "/app", "app -v"),
            (false, "/app", "", "/entry", "cmd", "/app", "/app"),
            (false, "", "", "/entry -e", "cmd arg", "/entry", "/entry -e cmd arg"),
            (false, "", "a b", "/entry -e", "cmd arg", "/entry", "/entry -e a b"),
            (false, "", "", "", "cmd arg", "cmd", "cmd arg"),
            (false, "", "a b", "", "cmd arg", "cmd", "cmd a b"),
        ] {
            let found = program(Some(&command(shell, value, given)), &image(entrypoint, cmd)).unwrap();
            assert_eq!(found, (path.into(), words(arguments)), "{shell} '{value}' '{given}' '{entrypoint}' '{cmd}'");
        }
        assert_eq!(program(None, &image("", "cmd")).unwrap().0, PathBuf::from("cmd"));
    }

    #[test]
    fn what_cannot_run_says_why_in_mesos_words() {
        let said = |command: CommandInfo| program(Some(&command), &image("", "")).unwrap_err().to_string();
        assert_eq!(said(command(false, "", "a")), "No executable is found");
        assert_eq!(said(command(true, "", "")), "Shell specified but no command value provided");
        assert!(said(command(false, "a\0b", "")).contains("NUL"));
    }
}
