//! Principals and their secrets, as the files of Mesos' flags have them, and HTTP's Basic authentication with them.
//!
//! Comes in: the text of such a file, the `Authorization` of a request. Goes out: what to send, and who somebody is.
//! Pure; whoever starts a process reads the file. Secrets are never printed.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde_json::Value;

/// A file of credentials that is none, and what it should look like.
#[derive(Debug, thiserror::Error)]
#[error("{fault}; expected {expected}")]
pub struct BadCredentials {
    fault: Fault,
    expected: &'static str,
}

/// The fault of a file of credentials.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// The parser's own message says where, but never what stands there.
    #[error("this is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("there is no list 'credentials'")]
    NoList,
    #[error("a '{0}' is missing")]
    Missing(&'static str),
    #[error("'{0}' is no principal: it must not be empty nor contain a colon")]
    Principal(String),
}

const ONE: &str = r#"{"principal": "NAME", "secret": "SECRET"}"#;
const SEVERAL: &str = r#"{"credentials": [{"principal": "NAME", "secret": "SECRET"}]}"#;

/// The principal a process says it is: `--credential` of Mesos' agents.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    principal: String,
    secret: String,
}

impl Credential {
    /// Reads `{"principal": "...", "secret": "..."}`.
    pub fn parse(json: &str) -> Result<Credential, BadCredentials> {
        let read = || one(&serde_json::from_str(json)?);
        read().map_err(|fault| BadCredentials { fault, expected: ONE })
    }

    /// The name.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The value to send as `Authorization`.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let encoded = STANDARD.encode(format!("{}:{}", self.principal, self.secret));
        let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// Everybody who is known: `--credentials` of Mesos' masters, `--http_credentials` of its agents.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    secrets: BTreeMap<String, String>,
}

impl Credentials {
    /// Reads `{"credentials": [{"principal": "...", "secret": "..."}]}`.
    pub fn parse(json: &str) -> Result<Credentials, BadCredentials> {
        let read = || {
            let parsed: Value = serde_json::from_str(json)?;
            let list = parsed["credentials"].as_array().ok_or(Fault::NoList)?;
            list.iter().map(|entry| one(entry).map(|of| (of.principal, of.secret))).collect::<Result<_, Fault>>()
        };
        let secrets = read().map_err(|fault| BadCredentials { fault, expected: SEVERAL })?;
        Ok(Credentials { secrets })
    }

    /// The principal whose name and secret an `Authorization` holds.
    pub fn principal(&self, authorization: &HeaderValue) -> Option<&str> {
        let encoded = authorization.to_str().ok()?.strip_prefix("Basic ")?;
        let decoded = STANDARD.decode(encoded.trim()).ok()?;
        let (name, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        let (known, expected) = self.secrets.get_key_value(name)?;
        is_same(expected.as_bytes(), secret.as_bytes()).then_some(known)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.secrets.keys()).finish()
    }
}

fn one(entry: &Value) -> Result<Credential, Fault> {
    let text = |name: &'static str| entry[name].as_str().map(str::to_owned).ok_or(Fault::Missing(name));
    let (principal, secret) = (text("principal")?, text("secret")?);
    if principal.is_empty() || principal.contains(':') {
        return Err(Fault::Principal(principal));
    }
    Ok(Credential { principal, secret })
}

/// Takes as long whichever byte is the first that differs.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"credentials": [{"principal": "ops", "secret": "s3:cret"},
        {"principal": "web", "secret": "x"}]}"#;

    #[test]
    fn whoever_knows_the_secret_is_who_they_say() {
        let known = Credentials::parse(FILE).unwrap();
        let says = |json: &str| Credential::parse(json).unwrap().authorization().unwrap();
        assert_eq!(known.principal(&says(r#"{"principal": "ops", "secret": "s3:cret"}"#)), Some("ops"));
        for wrong in [r#"{"principal": "ops", "secret": "s3:creT"}"#, r#"{"principal": "me", "secret": "x"}"#] {
            assert_eq!(known.principal(&says(wrong)), None);
        }
        for wrong in ["", "Basic", "Basic ", "Basic ?", "Basic b3Bz", "Bearer x", "basic b3BzOnMzOmNyZXQ="] {
            assert_eq!(known.principal(&HeaderValue::from_static(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let known = format!("{:?}", Credentials::parse(FILE).unwrap());
        let own = format!("{:?}", Credential::parse(r#"{"principal": "ops", "secret": "s3:cret"}"#).unwrap());
        assert!(known.contains("ops") && own.contains("ops"));
        assert!(!known.contains("s3") && !own.contains("s3"), "{known} {own}");
    }

    #[test]
    fn what_is_no_file_of_credentials_is_refused_with_what_is_one() {
        for (json, words) in [
            ("", "not JSON"),
            ("{}", "no list 'credentials'"),
            (r#"{"credentials": [{"principal": "a"}]}"#, "'secret' is missing"),
            (r#"{"credentials": [{"principal": "a:b", "secret": "x"}]}"#, "nor contain a colon"),
        ] {
            let refused = Credentials::parse(json).unwrap_err().to_string();
            assert!(refused.contains(words) && refused.ends_with(SEVERAL), "{refused}");
        }
        assert!(Credential::parse(FILE).unwrap_err().to_string().contains("'principal' is missing"));
    }
}
