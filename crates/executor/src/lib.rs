//! partial
#![allow(dead_code)]
mod clock;
mod lifecycle;
mod status;
mod tree;
mod updates;
mod user;
