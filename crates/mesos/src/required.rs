//! Finds the required fields an encoded message lacks, which prost itself does not look for.
//! In: a message's bytes as they came. Out: the paths of the missing fields, as protobuf names them (`a.b[0].c`).

use std::borrow::Cow;

use prost::DecodeError;

use crate::{
    protowire::{Fields, Raw},
    schema::{Field, Kind, Label, Message, Schema},
};

/// Paths of all required fields that the message of this index lacks, at any depth.
pub(crate) fn missing(schema: &Schema, index: usize, message: &[u8]) -> Result<Vec<String>, DecodeError> {
    let mut found = Vec::new();
    Search { schema, found: &mut found }.message(index, message, "")?;
    Ok(found)
}

struct Search<'s> {
    schema: &'s Schema,
    found: &'s mut Vec<String>,
}

impl Search<'_> {
    fn message(&mut self, index: usize, bytes: &[u8], path: &str) -> Result<(), DecodeError> {
        let schema = self.schema;
        let message = schema.message(index);
        if !message.fields.iter().any(interesting) {
            return Ok(());
        }
        let values = collect(message, bytes)?;
        for (field, values) in message.fields.iter().zip(values) {
            if !interesting(field) {
                continue;
            }
            if field.label == Label::Required && !values.iter().any(|value| present(field, value)) {
                self.found.push(format!("{path}{}", field.name));
            } else if let Kind::Message(inner) = field.kind {
                self.inside(field, inner, &values, path)?;
            }
        }
        Ok(())
    }

    fn inside(&mut self, field: &Field, inner: usize, values: &[Raw<'_>], path: &str) -> Result<(), DecodeError> {
        match field.label {
            Label::Required | Label::Optional if values.is_empty() => Ok(()),
            Label::Required | Label::Optional => {
                self.message(inner, &merged(values), &format!("{path}{}.", field.name))
            }
            Label::Repeated => values.iter().enumerate().try_for_each(|(position, value)| {
                self.message(inner, delimited(value), &format!("{path}{}[{position}].", field.name))
            }),
            Label::Map => values.iter().try_for_each(|entry| self.entry(field, inner, delimited(entry), path)),
        }
    }

    fn entry(&mut self, field: &Field, inner: usize, entry: &[u8], path: &str) -> Result<(), DecodeError> {
        let (mut key, mut value) = (Cow::Borrowed(""), None::<Vec<u8>>);
        for part in Fields::new(entry) {
            match part? {
                (1, Raw::Delimited(bytes)) => key = String::from_utf8_lossy(bytes),
                (2, Raw::Delimited(bytes)) => value.get_or_insert_default().extend_from_slice(bytes),
                _ => {}
            }
        }
        // An entry without a value has one that is all zeros; prost writes them so.
        value.map_or(Ok(()), |value| self.message(inner, &value, &format!("{path}{}[{key}].", field.name)))
    }
}

fn interesting(field: &Field) -> bool {
    field.label == Label::Required || matches!(field.kind, Kind::Message(_))
}

/// The values of each field, in wire order.
fn collect<'a>(message: &Message, bytes: &'a [u8]) -> Result<Vec<Vec<Raw<'a>>>, DecodeError> {
    let mut values = vec![Vec::new(); message.fields.len()];
    for part in Fields::new(bytes) {
        let (number, raw) = part?;
        if let Some(index) = message.numbered(number) {
            values[index].push(raw);
        }
    }
    Ok(values)
}

/// A number that the enumeration does not know counts as absent.
fn present(field: &Field, value: &Raw<'_>) -> bool {
    match (&field.kind, value) {
        (Kind::Enum(names), Raw::Varint(number)) => names.name(*number as i32).is_some(),
        (_, Raw::Other) => false,
        _ => true,
    }
}

/// A singular message that occurs more than once is merged, and merging is concatenation.
fn merged<'a>(values: &[Raw<'a>]) -> Cow<'a, [u8]> {
    match values {
        [one] => Cow::Borrowed(delimited(one)),
        many => Cow::Owned(many.iter().flat_map(|value| delimited(value)).copied().collect()),
    }
}

fn delimited<'a>(value: &Raw<'a>) -> &'a [u8] {
    if let Raw::Delimited(bytes) = value { bytes } else { &[] }
}
