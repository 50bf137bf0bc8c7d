//! Logs that are rotated while they are read.
//!
//! In: [`Files`], wherever they are. Out: their bytes in order, from where somebody wants them on ([`begin`]) or was before
//! ([`mark`]), cut into lines where these are wanted ([`lines`]), with the mark of the place behind each ([`trail`]).
//! Without a socket; owns no task.

mod begin;
mod lines;
mod mark;
mod position;
mod stream;
mod trail;
#[cfg(test)]
mod world;

pub(crate) use begin::Begin;
pub(crate) use lines::{Line, Lines};
pub(crate) use mark::Mark;
pub(crate) use stream::{File, Files, Stream};
pub(crate) use trail::Trail;
