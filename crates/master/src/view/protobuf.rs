//! Protobuf messages whose tasks are written when it is their turn. A message within a message begins with its length,
//! so lengths are added up first.
//!
//! Comes in: [`Part`]s of a message, in any order the protocol allows. Goes out: [`Pieces`].

use std::sync::Arc;

use mesos::Wire;
use prost::encoding::{self, WireType};

use super::pieces::Pieces;
use crate::core::task::Task;

/// Part of a message.
pub(crate) enum Part {
    /// Fields, encoded.
    Fields(Vec<u8>),
    /// A field of this number that is a task.
    Task(u32, Arc<Task>),
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Part::Fields(bytes) => bytes.len(),
            Part::Task(field, task) => {
                let length = task.encoded_len();
                encoding::key_len(*field) + encoding::encoded_len_varint(length as u64) + length
            }
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Part::Fields(bytes) => bytes,
            Part::Task(field, task) => {
                let mut bytes = start(field, task.encoded_len());
                task.encode(&mut bytes);
                bytes
            }
        }
    }
}

/// The key of a field and the length of what follows.
fn start(field: u32, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoding::encode_key(field, WireType::LengthDelimited, &mut bytes);
    encoding::encode_varint(length as u64, &mut bytes);
    bytes
}

/// A field that is a message made of these parts.
pub(crate) fn message(field: u32, parts: Vec<Part>) -> Vec<Part> {
    let length = parts.iter().map(Part::len).sum();
    std::iter::once(Part::Fields(start(field, length))).chain(parts).collect()
}

/// A field that is a whole message.
pub(crate) fn whole(field: u32, message: &impl Wire) -> Vec<Part> {
    let bytes = message.encode_to_vec();
    vec![Part::Fields(start(field, bytes.len())), Part::Fields(bytes)]
}

/// A field that is a value of an enumeration.
pub(crate) fn enumeration(field: u32, value: i32) -> Vec<Part> {
    let mut bytes = Vec::new();
    encoding::int32::encode(field, &value, &mut bytes);
    vec![Part::Fields(bytes)]
}

/// A field that is a number.
pub(crate) fn double(field: u32, value: f64) -> Vec<Part> {
    let mut bytes = Vec::new();
    encoding::double::encode(field, &value, &mut bytes);
    vec![Part::Fields(bytes)]
}

pub(crate) fn pieces(parts: Vec<Part>) -> Pieces {
    Box::new(parts.into_iter().map(Part::into_bytes))
}
