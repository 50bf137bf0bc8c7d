//! Secrets: by value, or by the name of a file in a directory of the operator's.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use mesos::command::{plain_variables, secret_variables};
use mesos::v1::environment::Variable;
use mesos::v1::secret::{Reference, Type};
use mesos::v1::{Environment, Secret};
use processes::read_file;
use processes::rootfs::Content;

/// The most that a secret may have which is read as a whole: a variable, or credentials.
const MOST_BYTES: u64 = 1 << 20;

/// A secret that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It says neither what it is nor where.
    #[error("A secret has neither a 'value' nor a 'reference'")]
    Nothing,
    /// The same of a variable.
    #[error("The variable '{0}' is a secret that has neither a 'value' nor a 'reference'")]
    Variable(String),
    /// The operator has given none.
    #[error("The secret '{0}' cannot be found: the agent has no directory of secrets")]
    NoDirectory(String),
    /// A name that leaves the directory.
    #[error("The secret '{0}' cannot be found: its name and key are to be those of files")]
    Name(String),
    /// The file cannot be read.
    #[error("The secret '{name}' cannot be read from {}: {source}", path.display())]
    Read {
        /// Its name.
        name: String,
        /// Its file.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Something that no environment can hold.
    #[error("The variable '{0}' cannot hold its secret, which is no text, or too long")]
    NoText(String),
}

/// The place of a secret.
enum Place<'a> {
    /// In the message itself.
    Here(&'a [u8]),
    /// In a file of the operator's, by its name.
    File(&'a str, PathBuf),
}

impl Place<'_> {
    fn of<'a>(secret: &'a Secret, directory: Option<&Path>) -> Result<Place<'a>, SecretError> {
        match (secret.r#type(), &secret.value, &secret.reference) {
            (Type::Value, Some(value), _) => Ok(Place::Here(&value.data)),
            (Type::Reference, _, Some(reference)) => Ok(Place::File(&reference.name, path(reference, directory)?)),
            _ => Err(SecretError::Nothing),
        }
    }
}

/// The content of a file with the secret, in memory. The file it comes from is read when the container is made.
pub(super) fn content(secret: &Secret, directory: Option<&Path>) -> Result<Content, SecretError> {
    Ok(match Place::of(secret, directory)? {
        Place::Here(data) => Content::Bytes(data.to_owned()),
        Place::File(_, path) => Content::Of(path),
    })
}

/// The secret. Reads its file.
pub fn secret(secret: &Secret, directory: Option<&Path>) -> Result<Vec<u8>, SecretError> {
    match Place::of(secret, directory)? {
        Place::Here(data) => Ok(data.to_owned()),
        Place::File(name, path) => {
            read_file(&path, MOST_BYTES).map_err(|source| SecretError::Read { name: name.to_owned(), path, source })
        }
    }
}

/// The value of a variable that is a secret. Reads its file.
fn variable(variable: &Variable, directory: Option<&Path>) -> Result<String, SecretError> {
    let given = variable.secret.as_ref().ok_or_else(|| SecretError::Variable(variable.name.clone()))?;
    let is_text = |text: &String| !text.contains('\0');
    let text = String::from_utf8(secret(given, directory)?).ok().filter(is_text);
    text.filter(|text| text.len() as u64 <= MOST_BYTES).ok_or_else(|| SecretError::NoText(variable.name.clone()))
}

/// Variables, with those that are secrets. Reads their files.
pub fn variables(
    environment: Option<&Environment>,
    directory: Option<&Path>,
) -> Result<BTreeMap<String, String>, SecretError> {
    let mut variables = plain_variables(environment);
    variables.extend(secret_values(environment, directory)?);
    Ok(variables)
}

/// The values of variables that are secrets, by their names. Reads their files.
pub fn secret_values(
    environment: Option<&Environment>,
    directory: Option<&Path>,
) -> Result<BTreeMap<String, String>, SecretError> {
    secret_variables(environment).map(|secret| Ok((secret.name.clone(), variable(secret, directory)?))).collect()
}

/// The file: the name below the directory, and the key, if there is one, below that.
fn path(reference: &Reference, directory: Option<&Path>) -> Result<PathBuf, SecretError> {
    let name = &reference.name;
    let directory = directory.ok_or_else(|| SecretError::NoDirectory(name.clone()))?;
    let below = Path::new(name.trim_start_matches('/')).join(reference.key());
    let is_plain = below.components().all(|part| matches!(part, Component::Normal(_)));
    match is_plain && !name.is_empty() && !reference.key().starts_with('/') && !name.contains('\0') {
        true => Ok(directory.join(below.components().collect::<PathBuf>())),
        false => Err(SecretError::Name(name.clone())),
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::secret::Value;

    use super::*;

    fn referring(name: &str, key: Option<&str>) -> Variable {
        let reference = Some(Reference { name: name.to_owned(), key: key.map(str::to_owned) });
        let secret = Some(Secret { r#type: Some(Type::Reference.into()), reference, value: None });
        Variable { name: "V".to_owned(), secret, ..Variable::default() }
    }

    fn holding(data: &[u8]) -> Variable {
        let value = Some(Value { data: data.to_owned() });
        let secret = Some(Secret { r#type: Some(Type::Value.into()), reference: None, value });
        Variable { name: "V".to_owned(), secret, ..Variable::default() }
    }

    #[test]
    fn a_secret_is_a_file_in_the_operators_directory_or_is_said() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("app")).unwrap();
        std::fs::write(directory.path().join("app/password"), "hunter2").unwrap();
        let of = |name, key| variable(&referring(name, key), Some(directory.path())).map_err(|error| error.to_string());
        for (name, key) in [("app/password", None), ("/app/password", None), ("app", Some("password"))] {
            assert_eq!(of(name, key), Ok("hunter2".to_owned()), "{name}");
        }
        assert_eq!(variable(&holding(b"open"), None).unwrap(), "open");
        let named = "The secret 'NAME' cannot be found: its name and key are to be those of files";
        for (name, key) in [("../x", None), ("", None), ("app", Some("../../x")), ("app", Some("/x")), ("a\0", None)] {
            assert_eq!(of(name, key), Err(named.replace("NAME", name)), "{name}");
        }
        let unread = |name: &str, why: &str| {
            let path = directory.path().join(name);
            format!("The secret '{name}' cannot be read from {}: {why}", path.display())
        };
        assert_eq!(of("app", None), Err(unread("app", "it is no file")));
        std::fs::write(directory.path().join("large"), vec![b'x'; (1 << 20) + 1]).unwrap();
        assert_eq!(of("large", None), Err(unread("large", "it is larger than 1048576 bytes")));
        assert!(of("none", None).unwrap_err().starts_with(&unread("none", "No such file")));
    }

    #[test]
    fn what_no_variable_can_hold_is_said() {
        for data in [b"a\0b".as_slice(), b"\xff", &vec![b'x'; 2 << 20]] {
            assert!(matches!(variable(&holding(data), None), Err(SecretError::NoText(_))));
        }
        let nowhere = variable(&referring("x", None), None).unwrap_err().to_string();
        assert_eq!(nowhere, "The secret 'x' cannot be found: the agent has no directory of secrets");
        assert!(matches!(variable(&Variable::default(), None), Err(SecretError::Variable(_))));
    }
}
