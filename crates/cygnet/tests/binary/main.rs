//! The real binary: what needs no cluster.

mod check;
mod demo;
mod support;
mod version;
