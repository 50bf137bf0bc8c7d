//! The answer to a probe, word for word: of each failure, and for checks that always want it reported.

use std::borrow::Cow;

/// An answer, or as much of it as has come: the body over HTTP, the message of a refusal over gRPC, the bytes of an
/// exchange. What a peer said instead of an answer is one, too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Said {
    /// The type of the body, if the answer names it.
    pub content_type: Option<String>,
    /// The body, or the beginning of a long one.
    pub body: Vec<u8>,
}

impl Said {
    /// The longest body that is reported where that is wanted, in bytes.
    pub const LIMIT: usize = 16 * 1024;

    /// The same of a failure where it is not.
    pub const OF_FAILURE: usize = 1024;

    /// This body, or the beginning of one that is longer than the limit.
    pub fn of(content_type: Option<&str>, body: &[u8], limit: usize) -> Said {
        let body = body.get(..body.len().min(limit)).unwrap_or_default();
        Said { content_type: content_type.map(str::to_owned), body: body.to_vec() }
    }

    /// Of a failure; nothing if nothing was said.
    pub(crate) fn of_failure(content_type: Option<&str>, body: &[u8]) -> Option<Box<Said>> {
        (!body.is_empty()).then(|| Box::new(Said::of(content_type, body, Said::OF_FAILURE)))
    }

    /// The body as text; what is none is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}
