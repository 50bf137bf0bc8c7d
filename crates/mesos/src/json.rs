//! Mesos' own JSON for protobuf messages, which is not the canonical proto3 mapping: proto names, declaration order,
//! defaults written out, numbers never as strings. In: messages or JSON. Out: JSON in one line, or messages.

mod read;
pub(crate) mod text;
mod write;

use serde_json::{Value, value::RawValue};

use crate::{
    codec::{DecodeError, Wire, from_protobuf},
    schema::Schema,
};

/// The message as one line of JSON.
pub fn to_vec<M: Wire>(message: &M) -> Vec<u8> {
    encoded_to_vec::<M>(&message.encode_to_vec())
}

/// A message that is kept in its protobuf form, as one line of JSON. The bytes are some that prost made; what they do
/// not make up a message with is left out.
pub fn encoded_to_vec<M: Wire>(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let schema = Schema::get();
    if let Some(index) = schema.index(&M::full_name()) {
        write::message(schema, index, bytes, &mut out);
    }
    out
}

/// The message as one line of JSON text.
pub fn to_string<M: Wire>(message: &M) -> String {
    String::from_utf8(to_vec(message)).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The message as a JSON value, for hand-written answers that contain it. Members come in alphabetical order.
pub fn to_value<M: Wire>(message: &M) -> Value {
    serde_json::from_slice(&to_vec(message)).unwrap_or_default()
}

/// The message as a piece of JSON that keeps the order of its members when it is serialized inside something else.
pub fn to_raw_value<M: Wire>(message: &M) -> Box<RawValue> {
    RawValue::from_string(to_string(message)).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Reads a message from JSON text.
pub fn from_slice<M: Wire>(bytes: &[u8]) -> Result<M, DecodeError> {
    let value = serde_json::from_slice(bytes).map_err(|error| DecodeError::Syntax(read::syntax(bytes, &error)))?;
    from_value(value)
}

/// Reads a message from a JSON value.
pub fn from_value<M: Wire>(value: Value) -> Result<M, DecodeError> {
    convert(&value).map_err(|reason| DecodeError::Convert { message: M::NAME, reason })
}

fn convert<M: Wire>(value: &Value) -> Result<M, String> {
    let schema = Schema::get();
    let index = schema.index(&M::full_name()).ok_or_else(|| format!("{} is not known", M::full_name()))?;
    let Value::Object(members) = value else {
        return Err("Expecting a JSON object".to_owned());
    };
    let mut bytes = Vec::new();
    read::message(schema, index, members, &mut bytes).map_err(|mismatch| mismatch.to_string())?;
    from_protobuf(&bytes)
}
