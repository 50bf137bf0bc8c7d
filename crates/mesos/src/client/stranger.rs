//! The server that is there instead of the one we looked for: a server that does not know our path is asked for its
//! version. In: a call that failed. Out: the name of what was found, for a line in the log.

use std::fmt;

use http::StatusCode;
use serde_json::Value;

use super::{Client, ClientError};

/// A server that has other paths than the one it was called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// A master or an agent of Apache Mesos, of this version.
    Mesos(String),
    /// A part of Cygnet, of this version, but not the part we looked for.
    Cygnet(String),
    /// Some server that has nothing to do with either.
    Unknown,
}

impl Stranger {
    /// Asks the client's server, if the error says that it does not know the path. Nothing if it does not answer.
    pub async fn behind(client: &Client, error: &ClientError) -> Option<Stranger> {
        let unknown = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
        match error {
            ClientError::Refused { status, .. } if unknown.contains(status) => {}
            _ => return None,
        }
        let (status, body) = client.get("/version").await.ok()?;
        Some(if status.is_success() { Stranger::named_by(&body) } else { Stranger::Unknown })
    }

    fn named_by(version: &[u8]) -> Stranger {
        let Ok(version) = serde_json::from_slice::<Value>(version) else { return Stranger::Unknown };
        let text = |name: &str| version.get(name).and_then(Value::as_str).map(str::to_owned);
        let mesos = || text("version").map(Stranger::Mesos);
        text("cygnet_version").map(Stranger::Cygnet).or_else(mesos).unwrap_or(Stranger::Unknown)
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stranger::Mesos(version) => write!(f, "Apache Mesos {version:.32}"),
            Stranger::Cygnet(version) => write!(f, "Cygnet {version:.32}"),
            Stranger::Unknown => f.write_str("neither Cygnet nor Apache Mesos"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_what_it_says_of_its_version() {
        for (version, named) in [
            (r#"{"version": "1.11.0", "git_sha": "x"}"#, "Apache Mesos 1.11.0"),
            (r#"{"version": "1.11.0", "cygnet_version": "0.1.0"}"#, "Cygnet 0.1.0"),
            ("<html>", "neither Cygnet nor Apache Mesos"),
            ("[]", "neither Cygnet nor Apache Mesos"),
        ] {
            assert_eq!(Stranger::named_by(version.as_bytes()).to_string(), named);
        }
    }
}
