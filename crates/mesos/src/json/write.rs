//! Writes an encoded message as JSON, walking its bytes by descriptor. In: a message's protobuf bytes. Out: JSON text.

use std::io::Write;

use crate::{
    literals,
    protowire::{Fields, Raw},
    schema::{Field, Kind, Label, Message, Schema},
};

/// Appends the message of this index. The bytes are prost's own, so whatever does not fit the descriptor is left out.
pub(super) fn message(schema: &Schema, index: usize, bytes: &[u8], out: &mut Vec<u8>) {
    let message = schema.message(index);
    let values = by_declaration(message, bytes);
    let mut values = values.as_slice();
    let start = out.len();
    out.push(b'{');
    for (position, declared) in message.fields.iter().enumerate() {
        let split = values.iter().position(|(other, _)| *other != position).unwrap_or(values.len());
        let (own, rest) = values.split_at(split);
        values = rest;
        field(schema, declared, own, out, start);
    }
    out.push(b'}');
}

/// The contents of the message, each with the position of its field in the declaration, in that order.
fn by_declaration<'a>(message: &Message, bytes: &'a [u8]) -> Vec<(usize, Raw<'a>)> {
    let mut values: Vec<_> = Fields::new(bytes)
        .map_while(Result::ok)
        .filter_map(|(number, raw)| Some((message.numbered(number)?, raw)))
        .collect();
    values.sort_by_key(|(position, _)| *position);
    values
}

fn field(schema: &Schema, field: &Field, values: &[(usize, Raw<'_>)], out: &mut Vec<u8>, start: usize) {
    let before = out.len();
    if before > start + 1 {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(field.name.as_bytes());
    out.extend_from_slice(b"\":");
    if !content(schema, field, values, out) {
        out.truncate(before);
    }
}

/// True if there was anything to write.
fn content(schema: &Schema, field: &Field, values: &[(usize, Raw<'_>)], out: &mut Vec<u8>) -> bool {
    match (field.label, values) {
        (Label::Repeated, []) | (Label::Map, []) => {
            out.extend_from_slice(field.default.as_deref().unwrap_or_default());
            field.default.is_some()
        }
        (Label::Repeated, values) => {
            list(values, out, (b'[', b']'), |raw, out| value(schema, &field.kind, raw, out));
            true
        }
        (Label::Map, values) => {
            list(values, out, (b'{', b'}'), |raw, out| entry(schema, &field.kind, raw, out));
            true
        }
        (_, [.., (_, last)]) if value(schema, &field.kind, *last, out) => true,
        // Only a value of a map lacks required fields: prost leaves out one that is all zeros.
        (Label::Required, []) => value(schema, &field.kind, zero(&field.kind), out),
        _ => {
            out.extend_from_slice(field.default.as_deref().unwrap_or_default());
            field.default.is_some()
        }
    }
}

fn list(
    values: &[(usize, Raw<'_>)],
    out: &mut Vec<u8>,
    (open, close): (u8, u8),
    mut item: impl FnMut(Raw<'_>, &mut Vec<u8>) -> bool,
) {
    out.push(open);
    let first = out.len();
    for (_, raw) in values {
        let before = out.len();
        if before > first {
            out.push(b',');
        }
        if !item(*raw, out) {
            out.truncate(before);
        }
    }
    out.push(close);
}

fn entry(schema: &Schema, kind: &Kind, raw: Raw<'_>, out: &mut Vec<u8>) -> bool {
    let Raw::Delimited(entry) = raw else { return false };
    let (mut key, mut content) = (None, None);
    for (number, raw) in Fields::new(entry).map_while(Result::ok) {
        match number {
            1 => key = Some(raw),
            2 => content = Some(raw),
            _ => {}
        }
    }
    if !value(schema, &Kind::String, key.unwrap_or(Raw::Delimited(&[])), out) {
        return false;
    }
    out.push(b':');
    value(schema, kind, content.unwrap_or(Raw::Delimited(&[])), out)
}

/// True if the value fits its kind and was written; a number that the enumeration does not know does not.
fn value(schema: &Schema, kind: &Kind, raw: Raw<'_>, out: &mut Vec<u8>) -> bool {
    match (kind, raw) {
        (Kind::Bool, Raw::Varint(value)) => out.extend_from_slice(if value == 0 { b"false" } else { b"true" }),
        (Kind::Int32, Raw::Varint(value)) => return write!(out, "{}", value as i32).is_ok(),
        (Kind::Int64, Raw::Varint(value)) => return write!(out, "{}", value as i64).is_ok(),
        (Kind::Uint32, Raw::Varint(value)) => return write!(out, "{}", value as u32).is_ok(),
        (Kind::Uint64, Raw::Varint(value)) => return write!(out, "{value}").is_ok(),
        (Kind::Double, Raw::Fixed64(value)) => literals::double(f64::from_bits(value), out),
        (Kind::String, Raw::Delimited(value)) => literals::string(&String::from_utf8_lossy(value), out),
        (Kind::Bytes, Raw::Delimited(value)) => literals::bytes(value, out),
        (Kind::Message(index), Raw::Delimited(value)) => message(schema, *index, value, out),
        (Kind::Enum(names), Raw::Varint(value)) => {
            let Some(name) = names.name(value as i32) else { return false };
            literals::string(name, out);
        }
        _ => return false,
    }
    true
}

fn zero(kind: &Kind) -> Raw<'static> {
    match kind {
        Kind::Double => Raw::Fixed64(0),
        Kind::String | Kind::Bytes | Kind::Message(_) => Raw::Delimited(&[]),
        Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Enum(_) => Raw::Varint(0),
    }
}
