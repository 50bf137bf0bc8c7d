//! The Mesos v1 wire, for every part of Cygnet that talks or is talked to.
//!
//! - [`v1`]: the messages, generated from `proto/`: the shared ones, the scheduler, executor and operator APIs, and
//!   [`v1::cygnet`], our own protocols in the same manner.
//! - [`Codec`] and [`json`]: the two forms of a message. JSON is Mesos' own dialect, driven by descriptors; required
//!   fields are insisted on in both forms.
//! - [`Union`]: a message of several types as an enum that carries the part of its type.
//! - [`recordio`]: how a stream of messages is cut into records.
//! - [`client`]: the calling half. One kept connection for calls, one for each subscription.
//! - [`server`]: the answering half, for axum: codecs, refusals in Mesos' words, event streams, Mesos' routing.
//! - [`command`]: what a command and its container mean, one for all who run commands.
//! - [`credentials`]: who somebody is, for both halves.
//! - [`validate`]: what is wrong with a call, a task or a check, in Mesos' words.
//! - [`resources`]: what an agent has and tasks use, as a calculus.
//! - [`build`]: which build of the program answers.
//! - [`framework_error`]: the errors that end a framework's subscription.
//! - [`states`], [`duration`], [`checksum`]: what task states mean, how durations and checksums are spelled.
//!
//! Nothing here knows a master, an agent or a scheduler; whoever owns a connection or a stream decides what it means.

pub mod build;
pub mod checksum;
pub mod client;
mod codec;
pub mod command;
pub mod credentials;
pub mod duration;
pub mod framework_error;
#[cfg(any(feature = "fuzzing", test))]
#[doc(hidden)]
pub mod fuzzing;
pub mod json;
mod literals;
mod protowire;
pub mod recordio;
mod required;
pub mod resources;
mod schema;
pub mod server;
pub mod states;
mod union;
pub mod v1;
pub mod validate;
mod wire;

pub use crate::codec::Codec;
pub use crate::schema::field_number;
pub use crate::union::Union;
pub use crate::wire::{DecodeError, MissingPart, Unreadable, Wire};
