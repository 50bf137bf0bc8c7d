//! What a server answered, word for word, for checks that want it told.

/// An answer over HTTP, whatever was found by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What the body is, if that was said.
    pub content_type: Option<String>,
    /// The body, or the beginning of a long one.
    pub body: Vec<u8>,
}

impl Said {
    /// So much of a body is told, in bytes.
    pub const LIMIT: usize = 16 * 1024;

    pub(crate) fn of(content_type: Option<&str>, body: &[u8]) -> Said {
        let body = body.get(..body.len().min(Said::LIMIT)).unwrap_or_default();
        Said { content_type: content_type.map(str::to_owned), body: body.to_vec() }
    }
}
