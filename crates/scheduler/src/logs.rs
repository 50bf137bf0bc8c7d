//! Logs that are rotated while they are read.
//!
//! In: [`Files`], wherever they are. Out: their bytes in order, from where somebody wants them on ([`begin`]), cut into
//! lines where these are wanted ([`lines`]). Without a socket; owns no task.

mod begin;
mod lines;
mod stream;

pub(crate) use begin::Begin;
pub(crate) use lines::{Line, Lines};
pub(crate) use stream::{File, Files, Stream};
