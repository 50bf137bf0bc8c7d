//! Credentials for registries, as Docker keeps them in `config.json` (and once in `.dockercfg`).
//!
//! Comes in: the text of such a file, of an operator or of an app. Goes out: the login for a repository. Pure but for
//! [`DockerConfig::of_flag`], which may read a file. Secrets are never printed.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use base64::Engine;
use base64::engine::DecodePaddingMode::Indifferent;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use crate::image::Reference;

/// The name of Docker Hub, which its file calls by others, too.
const HUB: &str = "docker.io";
/// The largest file that is read.
const MOST_BYTES: u64 = 1024 * 1024;
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(Indifferent));

/// The credentials of somebody, for all the registries he uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DockerConfig {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// As in references: `docker.io`, `localhost:5000`.
    registry: String,
    /// The first parts of the repositories it is for; empty for all.
    prefix: String,
    login: Login,
}

/// A proof of who asks.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Login {
    /// For Basic authentication, and for token servers.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// For token servers alone, instead of a password.
    IdentityToken(String),
}

/// Why credentials cannot be used; their author is at fault.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The system's words.
        source: io::Error,
    },
    /// The file is larger than any of its kind.
    #[error("{path} has more than {MOST_BYTES} bytes, so it is no config.json of Docker's")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// The text has another form. The parser's own words might repeat a secret.
    #[error(
        "the credentials are no config.json of Docker's: see line {line}, column {column}; expected \
         {{\"auths\": {{\"REGISTRY\": {{\"auth\": \"BASE64 OF USER:PASSWORD\"}}}}}}"
    )]
    Form {
        /// The line of the fault.
        line: usize,
        /// The column of the fault.
        column: usize,
    },
    /// An entry is no name and password.
    #[error("the credentials for '{0}' cannot be read: 'auth' is to be the base64 of USER:PASSWORD")]
    Auth(String),
    /// The password is somewhere else, where only a program of Docker's finds it.
    #[error(
        "'{field}' ({program}) is not supported: 'docker login' on a machine without it writes the password into \
         'auths', which is"
    )]
    Program {
        /// `credsStore` or `credHelpers`.
        field: &'static str,
        /// The program it names.
        program: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    auths: Option<BTreeMap<String, Auth>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

impl DockerConfig {
    /// Reads the value of `--docker_config`: the JSON itself, or the path of its file.
    pub fn of_flag(value: &str) -> Result<DockerConfig, ConfigError> {
        if value.trim_start().starts_with('{') {
            return DockerConfig::parse(value.as_bytes());
        }
        let path = value.strip_prefix("file://").unwrap_or(value);
        let cannot = |source| ConfigError::Read { path: path.to_owned(), source };
        let mut text = Vec::new();
        File::open(path).map_err(cannot)?.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(cannot)?;
        if text.len() as u64 > MOST_BYTES {
            return Err(ConfigError::TooLarge { path: path.to_owned() });
        }
        DockerConfig::parse(&text)
    }

    /// Reads the text of `config.json`, or of its predecessor, which had the registries without `auths` around them.
    pub fn parse(text: &[u8]) -> Result<DockerConfig, ConfigError> {
        let raw: Raw = serde_json::from_slice(text).map_err(form)?;
        let program = |field, program: &str| Err(ConfigError::Program { field, program: program.to_owned() });
        if let Some(name) = raw.creds_store.filter(|name| !name.is_empty()) {
            return program("credsStore", &name);
        }
        if let Some((registry, name)) = raw.cred_helpers.iter().flatten().next() {
            return program("credHelpers", &format!("{name} for {registry}"));
        }
        let auths = match raw.auths {
            Some(auths) => auths,
            None => old(text)?,
        };
        let entries = auths.into_iter().map(|(key, auth)| Ok(login(&key, auth)?.map(|login| Entry::of(&key, login))));
        Ok(DockerConfig { entries: entries.filter_map(Result::transpose).collect::<Result<_, _>>()? })
    }

    /// The login for an image: the one of its repository, if there is such a thing, else that of its registry.
    pub fn login(&self, image: &Reference) -> Option<&Login> {
        let fits = |entry: &&Entry| entry.registry == image.registry() && entry.has(image.repository());
        self.entries.iter().filter(fits).max_by_key(|entry| entry.prefix.len()).map(|entry| &entry.login)
    }
}

impl Entry {
    /// Keys are hosts, or URLs of a registry's API.
    fn of(key: &str, login: Login) -> Entry {
        let place = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
        let (host, path) = place.split_once('/').unwrap_or((place, ""));
        let path = path.trim_matches('/');
        let registry = if matches!(host, "index.docker.io" | "registry-1.docker.io") { HUB } else { host };
        let prefix = if matches!(path, "v1" | "v2") { "" } else { path };
        Entry { registry: registry.to_owned(), prefix: prefix.to_owned(), login }
    }

    fn has(&self, repository: &str) -> bool {
        let rest = repository.strip_prefix(&self.prefix);
        self.prefix.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Login {
    /// The name, if it has one.
    pub fn user(&self) -> Option<&str> {
        match self {
            Login::Password { user, .. } => Some(user),
            Login::IdentityToken(_) => None,
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.user().unwrap_or("an identity token"))
    }
}

fn form(error: serde_json::Error) -> ConfigError {
    ConfigError::Form { line: error.line(), column: error.column() }
}

/// Programs of Docker's write fields into `config.json` that are no registries; its predecessor had nothing else.
fn old(text: &[u8]) -> Result<BTreeMap<String, Auth>, ConfigError> {
    let fields: BTreeMap<String, serde_json::Value> = serde_json::from_slice(text).map_err(form)?;
    let is_login = |value: &serde_json::Value| value.get("auth").or_else(|| value.get("username")).is_some();
    let logins = fields.into_iter().filter(|(_, value)| is_login(value));
    let read = |(key, value)| match serde_json::from_value(value) {
        Ok(auth) => Ok((key, auth)),
        Err(_) => Err(ConfigError::Auth(key)),
    };
    logins.map(read).collect()
}

/// None if there is nothing in it, as after `docker logout`.
fn login(key: &str, auth: Auth) -> Result<Option<Login>, ConfigError> {
    let Auth { auth, username, password, identitytoken } = auth;
    if !identitytoken.is_empty() {
        return Ok(Some(Login::IdentityToken(identitytoken)));
    }
    if auth.is_empty() {
        return Ok((!username.is_empty()).then_some(Login::Password { user: username, password }));
    }
    let decoded = BASE64.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'));
    let (user, password) = pair.ok_or_else(|| ConfigError::Auth(key.to_owned()))?;
    Ok(Some(Login::Password { user: user.to_owned(), password: password.to_owned() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base64(text: &str) -> String {
        BASE64.encode(text)
    }

    #[test]
    fn every_way_to_write_a_registry_finds_its_images() {
        for (key, image, found) in [
            ("https://index.docker.io/v1/", "nginx", true),
            ("index.docker.io", "user/app", true),
            ("docker.io", "nginx", true),
            ("registry-1.docker.io/v2/", "nginx", true),
            ("https://index.docker.io/v1/", "quay.io/a/b", false),
            ("quay.io", "quay.io/a/b", true),
            ("https://quay.io", "quay.io/a/b", true),
            ("http://quay.io/v2/", "quay.io/a/b", true),
            ("quay.io/a", "quay.io/a/b", true),
            ("quay.io/a/b", "quay.io/a/b:x", true),
            ("quay.io/a", "quay.io/ab/c", false),
            ("localhost:5000", "localhost:5000/x", true),
            ("localhost", "localhost:5000/x", false),
        ] {
            let config = json!({"auths": {key: {"auth": base64("me:se:cret")}}}).to_string();
            let config = DockerConfig::parse(config.as_bytes()).unwrap();
            let login = Login::Password { user: "me".to_owned(), password: "se:cret".to_owned() };
            let expected = found.then_some(&login);
            assert_eq!(config.login(&image.parse().unwrap()), expected, "{key} {image}");
        }
    }

    #[test]
    fn a_repositorys_own_login_comes_first() {
        let auth = |user: &str| json!({"username": user, "password": "x"});
        let config = json!({"auths": {"a.b": auth("all"), "a.b/c": auth("c"), "a.b/c/d": auth("d"), "e.f": {}}});
        let config = DockerConfig::of_flag(&format!(" {config}")).unwrap();
        let user = |image: &str| config.login(&image.parse().unwrap()).and_then(Login::user);
        assert_eq!((user("a.b/x"), user("a.b/c/x"), user("a.b/c/d")), (Some("all"), Some("c"), Some("d")));
        assert_eq!(user("e.f/x"), None);
    }

    #[test]
    fn files_of_all_ages_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        let image = "a.b/c".parse().unwrap();
        for (text, user) in [
            (json!({"auths": {"a.b": {"auth": base64("me:x\0\0")}}, "HttpHeaders": {"a": "b"}}), Some("me")),
            (json!({"a.b": {"auth": base64("me:x"), "email": "me@a.b"}}), Some("me")),
            (json!({"auths": {"a.b": {"auth": base64("me:"), "identitytoken": "t"}}}), None),
            (json!({"auths": {"a.b": {"auth": base64("me:x")}}, "credsStore": "", "credHelpers": {}}), Some("me")),
        ] {
            std::fs::write(&path, text.to_string()).unwrap();
            for flag in [format!("file://{}", path.display()), path.display().to_string()] {
                let config = DockerConfig::of_flag(&flag).unwrap();
                assert_eq!(config.login(&image).unwrap().user(), user, "{text}");
            }
        }
        assert_eq!(DockerConfig::parse(b"{}").unwrap(), DockerConfig::default());
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name_and_without_its_secrets() {
        for (text, why) in [
            (json!({"credsStore": "desktop"}), "'credsStore' (desktop) is not supported"),
            (json!({"credHelpers": {"gcr.io": "gcloud"}}), "'credHelpers' (gcloud for gcr.io) is not supported"),
            (json!({"auths": {"a.b": {"auth": "sesame!"}}}), "the credentials for 'a.b' cannot be read"),
            (json!({"auths": {"a.b": {"auth": base64("sesame")}}}), "the credentials for 'a.b' cannot be read"),
            (json!({"auths": {"a.b": "sesame"}}), "see line 1, column"),
            (json!({"a.b": {"auth": ["sesame"]}}), "the credentials for 'a.b' cannot be read"),
            (json!(["sesame"]), "no config.json of Docker's"),
        ] {
            let error = DockerConfig::parse(text.to_string().as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("sesame"), "{text}: {error}");
        }
        let error = DockerConfig::of_flag("/nowhere/config.json").unwrap_err().to_string();
        assert!(error.starts_with("cannot read /nowhere/config.json: No such file"), "{error}");
        let login = Login::Password { user: "me".to_owned(), password: "sesame".to_owned() };
        assert_eq!(format!("{login:?} {:?}", Login::IdentityToken("x".into())), "Login(me) Login(an identity token)");
    }
}
