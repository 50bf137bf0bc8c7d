//! What an answer's body must be like.

use super::{SpecError, require};

/// Something that must hold for a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// These bytes are in it.
    Contains(Vec<u8>),
    /// This regular expression matches somewhere in it.
    Matches(String),
    /// It is JSON, and this path (RFC 9535, such as `$.status`) finds this value somewhere.
    JsonPathEquals {
        /// The path.
        path: String,
        /// The value, as JSON: `"ok"`, `3`, `true`.
        value: String,
    },
}

/// Whether the text of an expectation is well formed, as far as can be said without compiling it.
pub(super) fn validate(expected: &Expectation, field: &'static str) -> Result<(), SpecError> {
    match expected {
        Expectation::Contains(bytes) => require(!bytes.is_empty(), field, "contains nothing"),
        expected => crate::probe::matcher::Matcher::compile(expected)
            .map(drop)
            .map_err(|problem| SpecError { field, problem: problem.to_string() }),
    }
}
