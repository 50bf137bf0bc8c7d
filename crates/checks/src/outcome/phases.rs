//! The time that the parts of an attempt took.

use std::time::Duration;

/// The times, after its start, at which an attempt reached its phases; nothing for those it never reached or its probe
/// does not have.
///
/// With redirects these are the phases of the last hop. They are as exact as the engine's loop: what was ready while it
/// was busy with others is seen a moment later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Phases {
    /// The command had been started.
    pub started: Option<Duration>,
    /// A connection was there.
    pub connected: Option<Duration>,
    /// TLS was agreed on.
    pub secured: Option<Duration>,
    /// The first byte of the answer, or of the command's output, was there.
    pub answered: Option<Duration>,
}
