//! Expectations of the body of an answer; [`matcher`] holds them against one.

pub(crate) mod matcher;

use super::{SpecError, require};

/// Something that must hold for a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
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

impl Expectation {
    /// The number of them that a check may have.
    pub const MOST: usize = 32;

    /// The fault of it, in words that follow its name, such as `is no JSONPath`. Bounded, however it is written.
    pub fn objection(&self) -> Option<String> {
        match self {
            Expectation::Contains(bytes) if bytes.is_empty() => Some("contains nothing".to_owned()),
            Expectation::Matches(pattern) if pattern.is_empty() => {
                Some("is empty, which matches everything".to_owned())
            }
            expected => matcher::Matcher::compile(expected).err().map(|problem| problem.to_string()),
        }
    }
}

/// Checks that all expectations of a check make sense.
pub(super) fn validate(expected: &[Expectation], field: &'static str) -> Result<(), SpecError> {
    let most = Expectation::MOST;
    require(expected.len() <= most, field, format!("has more than {most} expectations"))?;
    let objection = expected.iter().find_map(Expectation::objection);
    objection.map_or(Ok(()), |problem| Err(SpecError { field, problem }))
}
