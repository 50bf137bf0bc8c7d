//! Answers for the outside: pure functions from a [`crate::core::Snapshot`] to the pieces of an answer.
//!
//! Comes in: snapshots. Goes out: [`pieces::Pieces`], written one by one as the reader takes them. Owns nothing.

pub(crate) mod legacy;
mod message;
pub(crate) mod operator;
pub(crate) mod pieces;
