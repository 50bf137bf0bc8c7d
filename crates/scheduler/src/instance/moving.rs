//! The move of an instance away from an agent that is emptied. Pure, and stored with the instance.
//!
//! Invariant: it is over with the task that the instance has there, since the next may be anywhere else.

use serde::Serialize;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Moving {
    /// True if its task is to end once enough others do what it does.
    moves: bool,
}

impl Moving {
    /// Its agent is emptied.
    pub(crate) fn begin(&mut self) {
        self.moves = true;
    }

    /// It may stay.
    pub(crate) fn end(&mut self) {
        self.moves = false;
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.moves
    }

    /// Of a record.
    pub(super) fn recorded(moves: bool) -> Moving {
        Moving { moves }
    }
}
