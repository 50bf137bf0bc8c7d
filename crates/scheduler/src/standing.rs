//! The standing of the scheduler: it acts, or there is a reason why it does not. Pure.
//!
//! While it does not, it serves what it knows, which is what is on disk, and refuses changes.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It launches, kills, and takes changes.
    Acting,
    /// The store takes nothing: the disk is full, or broken. It acts again once it does.
    StoreFails,
    /// Another scheduler has subscribed under the same framework id. To subscribe again would only begin a fight.
    Superseded,
}

impl Standing {
    pub(crate) fn is_acting(self) -> bool {
        self == Standing::Acting
    }

    /// The refusal of changes, if they are refused: the HTTP status, and the words.
    pub(crate) fn refusal(self) -> Option<(u16, &'static str)> {
        match self {
            Standing::Acting => None,
            Standing::StoreFails => Some((
                507,
                "The scheduler's store cannot be written, is the disk full? Nothing was changed; changes are taken again \
                 as soon as there is room.",
            )),
            Standing::Superseded => Some((
                503,
                "Another scheduler has subscribed under this framework id, so this one does not act any more, and takes no \
                 changes. Ask the other one, or stop it and start this one again.",
            )),
        }
    }
}
