//! Hostile targets: whatever the protocols offer to hold up those who ask. For tests, fuzzers and benchmarks.
//!
//! [`all`] are the kinds there are, [`Ask`] says how a check asks them, a [`Script`] what they do with each connection. A
//! [`Server`] is all of them on one thread; between two turns of an engine's loop they are stepped by `fuzzing`.

mod ask;
mod bytes;
mod connection;
mod kinds;
mod script;
mod scripts;
mod server;

pub use ask::Ask;
pub use bytes::{SETTINGS, frame};
pub(crate) use connection::{Connection, answer};
pub use kinds::{Kind, Manner, all};
pub use script::{End, Piece, Script};
pub use server::Server;
