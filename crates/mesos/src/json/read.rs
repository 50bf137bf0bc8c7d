//! Reads JSON as leniently as Mesos does, writing the protobuf bytes of the message it stands for.
//! In: JSON values. Out: protobuf bytes, or the reason why the JSON is refused, naming the field.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    literals,
    protowire::{put_delimited, put_double, put_varint},
    schema::{Field, Kind, Label, Schema},
};

/// The part of a bad line that an error quotes.
const QUOTE: usize = 80;

/// Why a value is refused, and where it stands.
pub(super) struct Mismatch {
    /// Names of members, from the innermost out.
    path: Vec<String>,
    reason: Refused,
}

/// The fault of a value, in Mesos' words.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("Not expecting a JSON {0}")]
    Unexpected(&'static str),
    #[error("Failed to base64 decode bytes")]
    Base64,
    #[error("Not a number: '{0}'")]
    NotANumber(String),
    #[error("Number {0} is out of range")]
    OutOfRange(i128),
}

impl Mismatch {
    fn within(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }
}

impl From<Refused> for Mismatch {
    fn from(reason: Refused) -> Self {
        Self { path: Vec::new(), reason }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<_> = self.path.iter().rev().map(String::as_str).collect();
        write!(f, "{} for field '{}'", self.reason, path.join("."))
    }
}

/// Appends the message of this index. Unknown members are ignored, `null` is the same as unset.
pub(super) fn message(
    schema: &Schema,
    index: usize,
    members: &Map<String, Value>,
    out: &mut Vec<u8>,
) -> Result<(), Mismatch> {
    let message = schema.message(index);
    for (name, value) in members {
        if let Some(declared) = message.named(name) {
            field(schema, declared, value, out).map_err(|mismatch| mismatch.within(name))?;
        }
    }
    Ok(())
}

/// Says where a JSON text stops being one, the way Mesos words it.
pub(super) fn syntax(bytes: &[u8], error: &serde_json::Error) -> String {
    if let Some(rest) = trailing(bytes) {
        return format!("Parsed JSON included non-whitespace trailing characters: {}", quoted(rest));
    }
    let line = bytes.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    // Columns count from one; at the end of the text nothing is near.
    let near = if error.is_eof() { None } else { line.get(error.column().saturating_sub(1)..) };
    format!("syntax error at line {} near: {}", error.line(), quoted(near.unwrap_or_default()))
}

/// The token after a whole value, if one is there.
fn trailing(bytes: &[u8]) -> Option<&[u8]> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    values.next()?.ok()?;
    bytes.get(values.byte_offset()..)
}

fn quoted(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(QUOTE).collect()
}

fn field(schema: &Schema, field: &Field, value: &Value, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    match (field.label, value) {
        (_, Value::Null) => Ok(()),
        (Label::Map, Value::Object(members)) => {
            members.iter().try_for_each(|(key, value)| entry(schema, field, key, value, out))
        }
        (Label::Map, other) => Err(unexpected(other).into()),
        (Label::Repeated, Value::Array(items)) => {
            items.iter().try_for_each(|item| single(schema, &field.kind, field.number, item, out))
        }
        (_, value) => single(schema, &field.kind, field.number, value, out),
    }
}

fn entry(schema: &Schema, field: &Field, key: &str, value: &Value, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    if value.is_null() {
        return Ok(());
    }
    let mut entry = Vec::new();
    put_delimited(1, key.as_bytes(), &mut entry);
    single(schema, &field.kind, 2, value, &mut entry).map_err(|mismatch| mismatch.within(key))?;
    put_delimited(field.number, &entry, out);
    Ok(())
}

fn single(schema: &Schema, kind: &Kind, number: u32, value: &Value, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    match (kind, value) {
        (_, Value::Null) => {}
        (Kind::Message(index), Value::Object(members)) => {
            let mut inner = Vec::new();
            message(schema, *index, members, &mut inner)?;
            put_delimited(number, &inner, out);
        }
        (Kind::String, Value::String(text)) => put_delimited(number, text.as_bytes(), out),
        (Kind::Bytes, Value::String(text)) => {
            let bytes = literals::parse_bytes(text).ok_or(Refused::Base64)?;
            put_delimited(number, &bytes, out);
        }
        // A name nobody knows is unset, which is an error only where the field is required.
        (Kind::Enum(names), Value::String(name)) => {
            if let Some(value) = names.number(name) {
                put_varint(number, value as i64 as u64, out);
            }
        }
        (Kind::Bool, value) => put_varint(number, boolean(value)?.into(), out),
        (Kind::Double, value) => put_double(number, double(value)?, out),
        (Kind::Int32, value) => put_varint(number, integer(value, i32::MIN.into(), i32::MAX.into())?, out),
        (Kind::Int64, value) => put_varint(number, integer(value, i64::MIN.into(), i64::MAX.into())?, out),
        (Kind::Uint32, value) => put_varint(number, integer(value, 0, u32::MAX.into())?, out),
        (Kind::Uint64, value) => put_varint(number, integer(value, 0, u64::MAX.into())?, out),
        (Kind::Message(_) | Kind::String | Kind::Bytes | Kind::Enum(_), other) => return Err(unexpected(other).into()),
    }
    Ok(())
}

fn boolean(value: &Value) -> Result<bool, Refused> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(unexpected(other)),
    }
}

fn double(value: &Value) -> Result<f64, Refused> {
    match value {
        Value::Number(number) => number.as_f64().ok_or_else(|| unexpected(value)),
        Value::String(text) => literals::parse_double(text).ok_or_else(|| Refused::NotANumber(text.clone())),
        other => Err(unexpected(other)),
    }
}

/// An integer within the bounds, as the bits of a varint. Fractions are cut off.
fn integer(value: &Value, least: i128, most: i128) -> Result<u64, Refused> {
    let whole = match value {
        Value::Number(number) => number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)),
        Value::String(text) => text.parse().ok(),
        other => return Err(unexpected(other)),
    };
    let whole = match whole {
        Some(whole) => whole,
        // `as` saturates, and what saturates is out of bounds.
        None => double(value)?.trunc() as i128,
    };
    if (least..=most).contains(&whole) { Ok(whole as u64) } else { Err(Refused::OutOfRange(whole)) }
}

fn unexpected(value: &Value) -> Refused {
    Refused::Unexpected(match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}
