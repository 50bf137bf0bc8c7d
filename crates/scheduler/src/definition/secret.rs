//! Secrets that a definition names: where each comes from, and what may refer to them. Their values are nowhere here: the
//! agent finds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::env::EnvValue;
use super::validate::Faults;

/// Secrets by the names that a definition has for them.
pub(crate) type Secrets = BTreeMap<String, SecretDef>;

/// The place of a secret in the store of the agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretDef {
    pub(crate) source: String,
}

/// The refusal of a volume whose secret is not declared.
pub(super) const VOLUME: &str = "volume.secret must refer to an existing secret";

/// The refusal of an image whose credentials are not declared.
pub(super) const PULL_CONFIG: &str = "pullConfig.secret must refer to an existing secret";

/// Adds secrets without a name or a source.
pub(super) fn validate(secrets: &Secrets, faults: &mut Faults) {
    for (name, secret) in secrets {
        faults.require(!name.is_empty(), "/secrets", "must not be empty");
        faults.require(!secret.source.is_empty(), format!("/secrets/{name}/source"), "must not be empty");
        let legal = !secret.source.contains('\0');
        faults.require(legal, format!("/secrets/{name}/source"), "must not contain a NUL character");
    }
}

/// Adds variables whose secrets are not declared.
pub(super) fn references(variables: &BTreeMap<String, EnvValue>, secrets: &Secrets, at: &str, faults: &mut Faults) {
    for (name, value) in variables {
        let declared = value.secret().is_none_or(|secret| secrets.contains_key(secret));
        faults.require(declared, format!("{at}/{name}/secret"), "references an undefined secret");
    }
}
