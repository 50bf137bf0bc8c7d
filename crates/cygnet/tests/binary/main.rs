//! The real binary: what needs no cluster.

mod check;
mod completion;
mod demo;
mod exit_codes;
mod sealed;
mod support;
mod version;
