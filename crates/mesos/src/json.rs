//! Mesos' own JSON for protobuf messages, which is not the canonical proto3 mapping: proto names, declaration order,
//! defaults written out, numbers never as strings. In: messages or JSON. Out: JSON in one line, or messages.

mod read;
mod write;

use serde_json::{Value, value::RawValue};

use crate::{
    schema::Schema,
    wire::{DecodeError, Wire, from_protobuf},
};

/// The message as one line of JSON.
pub fn to_vec<M: Wire>(message: &M) -> Vec<u8> {
    encoded_to_vec::<M>(&message.encode_to_vec())
}

/// A message that is kept in its protobuf form, as one line of JSON. The bytes are some that prost made; what they do
/// not make up a message with is left out.
pub fn encoded_to_vec<M: Wire>(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    write::message(Schema::get(), Schema::get().of::<M>(), bytes, &mut out);
    out
}

/// The message as one line of JSON text.
pub fn to_string<M: Wire>(message: &M) -> String {
    String::from_utf8(to_vec(message)).expect("JSON is text")
}

/// The message as a JSON value, for hand-written answers that contain it. Members come in alphabetical order.
pub fn to_value<M: Wire>(message: &M) -> Value {
    serde_json::from_slice(&to_vec(message)).expect("a message is written as JSON")
}

/// The message as a piece of JSON that keeps the order of its members when it is serialized inside something else.
pub fn to_raw_value<M: Wire>(message: &M) -> Box<RawValue> {
    RawValue::from_string(to_string(message)).expect("a message is written as JSON")
}

/// Reads a message from JSON text.
pub fn from_slice<M: Wire>(bytes: &[u8]) -> Result<M, DecodeError> {
    let value = serde_json::from_slice(bytes).map_err(|error| DecodeError::Syntax(read::syntax(bytes, &error)))?;
    from_value(value)
}

/// Reads a message from a JSON value.
pub fn from_value<M: Wire>(value: Value) -> Result<M, DecodeError> {
    let refused = |reason: String| DecodeError::Convert { message: M::NAME, reason };
    let Value::Object(members) = value else {
        return Err(refused("Expecting a JSON object".to_owned()));
    };
    let mut bytes = Vec::new();
    read::message(Schema::get(), Schema::get().of::<M>(), &members, &mut bytes)
        .map_err(|mismatch| refused(mismatch.to_string()))?;
    from_protobuf(&bytes).map_err(|unreadable| refused(unreadable.to_string()))
}
