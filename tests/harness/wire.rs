//! The two forms of a message, written from a table of Mesos' fields (`schema.txt`) and without any of Cygnet's codecs:
//! an outside view must not share mistakes with what it looks at. In: JSON values as a test writes them. Out: bytes in
//! either form, and back.

use std::collections::HashMap;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The form of messages on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Json,
    /// Bytes.
    Protobuf,
}

impl Form {
    /// Both, for rows that hold in either.
    pub const ALL: [Form; 2] = [Form::Json, Form::Protobuf];

    /// The value of `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Form::Json => "application/json",
            Form::Protobuf => "application/x-protobuf",
        }
    }

    /// The word in the names of rows.
    pub fn name(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Protobuf => "protobuf",
        }
    }

    /// `value`, which is the message of this name (`scheduler.Call`), as bytes.
    pub fn encode(self, message: &str, value: &Value) -> Vec<u8> {
        match self {
            Form::Json => value.to_string().into_bytes(),
            Form::Protobuf => {
                let mut out = Vec::new();
                put_message(schema().message(message), value, &mut out);
                out
            }
        }
    }

    /// The message in these bytes. Fields the table does not know are left out.
    #[track_caller]
    pub fn decode(self, message: &str, bytes: &[u8]) -> Value {
        match self {
            Form::Json => serde_json::from_slice(bytes)
                .unwrap_or_else(|error| panic!("{error} in: {}", String::from_utf8_lossy(bytes))),
            Form::Protobuf => take_message(schema().message(message), bytes).expect("a protobuf message"),
        }
    }
}

struct Schema {
    messages: HashMap<&'static str, Vec<Field>>,
    enums: HashMap<&'static str, Vec<(&'static str, u64)>>,
}

struct Field {
    name: &'static str,
    number: u64,
    label: Label,
    kind: &'static str,
}

#[derive(PartialEq, Eq)]
enum Label {
    One,
    Many,
    Map,
}

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| Schema::read(include_str!("schema.txt")))
}

impl Schema {
    fn read(text: &'static str) -> Schema {
        let mut schema = Schema { messages: HashMap::new(), enums: HashMap::new() };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (head, entries) = line.split_once(": ").expect("what it is, and its entries");
            let words = entries.split(", ").map(|entry| entry.split(' ').collect::<Vec<_>>());
            match head.split_once(' ').expect("kind and name") {
                ("message", name) => {
                    drop(schema.messages.insert(name, words.map(|words| Field::read(&words)).collect()))
                }
                (_, name) => {
                    let values = words.map(|words| (words[0], words[1].parse().expect("a number")));
                    schema.enums.insert(name, values.collect());
                }
            }
        }
        schema
    }

    fn message(&self, name: &str) -> &[Field] {
        // A message without fields is not in the table.
        self.messages.get(name).map_or(&[], Vec::as_slice)
    }
}

impl Field {
    fn read(words: &[&'static str]) -> Field {
        let label = match words[2] {
            "rep" => Label::Many,
            "map" => Label::Map,
            _ => Label::One,
        };
        Field { name: words[0], number: words[1].parse().expect("a number"), label, kind: words[3] }
    }
}

fn put_message(fields: &[Field], value: &Value, out: &mut Vec<u8>) {
    for field in fields {
        match (&field.label, &value[field.name]) {
            (_, Value::Null) => {}
            (Label::Many, Value::Array(items)) => {
                items.iter().for_each(|item| put(field.number, field.kind, item, out))
            }
            (Label::Map, Value::Object(entries)) => {
                for (key, value) in entries {
                    let mut entry = Vec::new();
                    put(1, "string", &json!(key), &mut entry);
                    put(2, field.kind, value, &mut entry);
                    put_bytes(field.number, &entry, out);
                }
            }
            (_, value) => put(field.number, field.kind, value, out),
        }
    }
}

fn put(number: u64, kind: &str, value: &Value, out: &mut Vec<u8>) {
    match kind {
        "string" => put_bytes(number, value.as_str().expect("text").as_bytes(), out),
        "bytes" => put_bytes(number, &STANDARD.decode(value.as_str().expect("base64")).expect("base64"), out),
        "double" => {
            put_varint(number << 3 | 1, out);
            out.extend(value.as_f64().expect("a number").to_le_bytes());
        }
        "bool" => put_number(number, value.as_bool().expect("true or false").into(), out),
        "int32" | "int64" => put_number(number, value.as_i64().expect("a whole number") as u64, out),
        "uint32" | "uint64" => put_number(number, value.as_u64().expect("a whole number"), out),
        _ => match kind.strip_prefix("enum:") {
            Some(name) => put_number(number, enum_number(name, value), out),
            None => {
                let mut inner = Vec::new();
                put_message(schema().message(kind), value, &mut inner);
                put_bytes(number, &inner, out);
            }
        },
    }
}

/// A value's number; a number stands for itself, so that tests can send ones nobody knows.
fn enum_number(name: &str, value: &Value) -> u64 {
    let known = |text| schema().enums[name].iter().find(|(known, _)| *known == text).map(|(_, number)| *number);
    value.as_u64().or_else(|| known(value.as_str()?)).unwrap_or_else(|| panic!("{name} has no {value}"))
}

fn put_number(number: u64, value: u64, out: &mut Vec<u8>) {
    put_varint(number << 3, out);
    put_varint(value, out);
}

fn put_bytes(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    put_varint(number << 3 | 2, out);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_message(fields: &[Field], mut bytes: &[u8]) -> Option<Value> {
    let mut message = Map::new();
    while !bytes.is_empty() {
        let tag = take_varint(&mut bytes)?;
        let raw = take_raw(tag & 7, &mut bytes)?;
        let Some(field) = fields.iter().find(|field| field.number == tag >> 3) else { continue };
        match field.label {
            Label::One => drop(message.insert(field.name.to_owned(), value(field.kind, &raw)?)),
            Label::Many => {
                let items = message.entry(field.name).or_insert_with(|| json!([]));
                items.as_array_mut()?.push(value(field.kind, &raw)?);
            }
            Label::Map => {
                let entry = [
                    Field { name: "key", number: 1, label: Label::One, kind: "string" },
                    Field { name: "value", number: 2, label: Label::One, kind: field.kind },
                ];
                let entry = take_message(&entry, raw.bytes()?)?;
                let entries = message.entry(field.name).or_insert_with(|| json!({}));
                entries[entry["key"].as_str()?] = entry["value"].clone();
            }
        }
    }
    Some(Value::Object(message))
}

enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Raw<'a> {
    fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Raw::Bytes(bytes) => Some(bytes),
            Raw::Number(_) => None,
        }
    }
}

fn take_raw<'a>(wire: u64, bytes: &mut &'a [u8]) -> Option<Raw<'a>> {
    let fixed = |length: usize, bytes: &mut &'a [u8]| {
        let (head, tail) = bytes.split_at_checked(length)?;
        *bytes = tail;
        Some(head)
    };
    match wire {
        0 => take_varint(bytes).map(Raw::Number),
        1 => Some(Raw::Number(u64::from_le_bytes(fixed(8, bytes)?.try_into().ok()?))),
        2 => {
            let length = usize::try_from(take_varint(bytes)?).ok()?;
            fixed(length, bytes).map(Raw::Bytes)
        }
        5 => Some(Raw::Number(u32::from_le_bytes(fixed(4, bytes)?.try_into().ok()?).into())),
        _ => None,
    }
}

fn value(kind: &str, raw: &Raw<'_>) -> Option<Value> {
    Some(match (kind, raw) {
        ("string", Raw::Bytes(bytes)) => json!(std::str::from_utf8(bytes).ok()?),
        ("bytes", Raw::Bytes(bytes)) => json!(STANDARD.encode(bytes)),
        ("double", Raw::Number(bits)) => json!(f64::from_bits(*bits)),
        ("bool", Raw::Number(value)) => json!(*value != 0),
        ("int32" | "int64", Raw::Number(value)) => json!(*value as i64),
        ("uint32" | "uint64", Raw::Number(value)) => json!(value),
        (kind, Raw::Number(number)) => {
            let values = &schema().enums[kind.strip_prefix("enum:")?];
            json!(values.iter().find(|(_, known)| known == number)?.0)
        }
        (kind, Raw::Bytes(bytes)) => take_message(schema().message(kind), bytes)?,
    })
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
