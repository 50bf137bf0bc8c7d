//! The value of a variable as a client writes it: text, or a reference to a secret.

use serde::{Deserialize, Serialize};

/// The refusal of a reference to a secret.
pub(super) const NO_SECRETS: &str =
    "use of secret-references in the environment requires the secrets feature to be enabled";

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "error.expected.jsstring")]
pub(crate) enum EnvValue {
    /// As it is.
    Text(String),
    /// `{"secret": name}`, which is not supported.
    Secret {},
}
