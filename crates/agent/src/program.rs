//! From a command to the program and the arguments it means. Pure.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mesos::v1::CommandInfo;

/// The file to execute, and all arguments, its own name first.
pub(crate) fn program(command: &CommandInfo) -> (PathBuf, Vec<String>) {
    let value = command.value.clone().unwrap_or_default();
    if command.shell() {
        return (PathBuf::from("/bin/sh"), vec!["sh".to_owned(), "-c".to_owned(), value]);
    }
    let arguments = if command.arguments.is_empty() { vec![value.clone()] } else { command.arguments.clone() };
    (PathBuf::from(value), arguments)
}

/// The variables of a command, none of which is a secret.
pub(crate) fn variables(command: &CommandInfo) -> BTreeMap<String, String> {
    let variables = command.environment.iter().flat_map(|environment| &environment.variables);
    variables.filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_arguments_is_told_its_own_name() {
        let command = |shell, value: &str, arguments: &[&str]| CommandInfo {
            shell: Some(shell),
            value: Some(value.to_owned()),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            ..CommandInfo::default()
        };
        let words = |command| {
            let (path, arguments) = program(&command);
            (path.display().to_string(), arguments.join(" "))
        };
        assert_eq!(words(command(true, "a b", &[])), ("/bin/sh".to_owned(), "sh -c a b".to_owned()));
        assert_eq!(words(command(false, "cat", &[])), ("cat".to_owned(), "cat".to_owned()));
        assert_eq!(words(command(false, "cat", &["dog", "x"])), ("cat".to_owned(), "dog x".to_owned()));
    }
}
