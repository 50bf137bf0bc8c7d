//! The value of a variable: text, or a reference to a secret.

use serde::{Deserialize, Serialize};

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "error.expected.jsstring")]
pub(crate) enum EnvValue {
    /// As it is.
    Text(String),
    /// The value of a secret, by its name in the definition.
    Secret { secret: String },
}

impl EnvValue {
    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            EnvValue::Text(text) => Some(text),
            EnvValue::Secret { .. } => None,
        }
    }

    /// The name of the secret, if it is one.
    pub(crate) fn secret(&self) -> Option<&str> {
        match self {
            EnvValue::Text(_) => None,
            EnvValue::Secret { secret } => Some(secret),
        }
    }

    /// The number of bytes that are known of it: those of its text.
    pub(super) fn length(&self) -> usize {
        self.text().map_or(0, str::len)
    }
}

impl From<String> for EnvValue {
    fn from(text: String) -> Self {
        EnvValue::Text(text)
    }
}
