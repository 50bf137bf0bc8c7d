//! Messages of the operator API whose long lists are written item by item, in both codecs.
//!
//! Comes in: the fields of a message, by their names and in the order JSON has them. Goes out: [`Pieces`]. In JSON, empty
//! lists are there, as Mesos has it for these calls. In protobuf a message within a message begins with its length, so
//! lengths are added up first.

use std::sync::Arc;

use mesos::{Codec, Wire};
use prost::encoding::{self, WireType};

use super::pieces::{Object, Pieces};
use crate::core::task::Task;

/// A message that is being put together.
pub(crate) struct Message {
    number_of: fn(&str) -> u32,
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    number: u32,
    value: Value,
}

enum Value {
    Enumeration(&'static str, i32),
    Double(f64),
    Message(Message),
    List(Box<dyn Iterator<Item = Item> + Send>),
}

/// A message in a list.
enum Item {
    Task(Arc<Task>),
    /// In protobuf, with what makes JSON of it.
    Encoded(Vec<u8>, fn(&[u8]) -> Vec<u8>),
}

impl Message {
    /// A message of this type, with nothing in it.
    pub(crate) fn of<M: Wire>() -> Self {
        Message { number_of: mesos::field_number::<M>, fields: Vec::new() }
    }

    /// A field that is a value of an enumeration: its name and its number.
    pub(crate) fn enumeration(self, name: &'static str, (text, number): (&'static str, i32)) -> Self {
        self.with(name, Value::Enumeration(text, number))
    }

    pub(crate) fn double(self, name: &'static str, value: f64) -> Self {
        self.with(name, Value::Double(value))
    }

    pub(crate) fn message(self, name: &'static str, message: Message) -> Self {
        self.with(name, Value::Message(message))
    }

    pub(crate) fn tasks(self, name: &'static str, tasks: Vec<Arc<Task>>) -> Self {
        self.with(name, Value::List(Box::new(tasks.into_iter().map(Item::Task))))
    }

    /// A list of what `wire` makes of these, one when it is its turn.
    pub(crate) fn list<T: Send + 'static, M: Wire>(self, name: &'static str, list: Vec<T>, wire: fn(&T) -> M) -> Self {
        let item = move |of| Item::Encoded(wire(&of).encode_to_vec(), mesos::json::encoded_to_vec::<M>);
        self.with(name, Value::List(Box::new(list.into_iter().map(item))))
    }

    fn with(mut self, name: &'static str, value: Value) -> Self {
        self.fields.push(Field { name, number: (self.number_of)(name), value });
        self
    }

    pub(crate) fn pieces(self, codec: Codec) -> Pieces {
        match codec {
            Codec::Json => self.json().into_pieces(),
            Codec::Protobuf => Box::new(self.parts().into_iter().map(Part::into_bytes)),
        }
    }

    fn json(self) -> Object {
        self.fields.into_iter().fold(Object::new(), |object, Field { name, value, .. }| match value {
            Value::Enumeration(text, _) => object.member(name, &text),
            Value::Double(number) => object.member(name, &number),
            Value::Message(message) => object.object(name, message.json()),
            Value::List(items) => object.list(name, items.map(Item::json)),
        })
    }

    fn parts(self) -> Vec<Part> {
        self.fields.into_iter().flat_map(|field| field.value.parts(field.number)).collect()
    }
}

impl Value {
    fn parts(self, field: u32) -> Vec<Part> {
        let mut bytes = Vec::new();
        match self {
            Value::Enumeration(_, value) => encoding::int32::encode(field, &value, &mut bytes),
            Value::Double(value) => encoding::double::encode(field, &value, &mut bytes),
            Value::List(items) => return items.map(|item| item.part(field)).collect(),
            Value::Message(message) => {
                let parts = message.parts();
                start(field, parts.iter().map(Part::len).sum(), &mut bytes);
                return std::iter::once(Part::Fields(bytes)).chain(parts).collect();
            }
        }
        vec![Part::Fields(bytes)]
    }
}

impl Item {
    fn json(self) -> Vec<u8> {
        match self {
            Item::Encoded(bytes, json) => json(&bytes),
            Item::Task(task) => {
                let mut bytes = Vec::with_capacity(task.encoded_len());
                task.encode(&mut bytes);
                mesos::json::encoded_to_vec::<mesos::v1::Task>(&bytes)
            }
        }
    }

    fn part(self, field: u32) -> Part {
        match self {
            Item::Task(task) => Part::Task(field, task),
            Item::Encoded(message, _) => {
                let mut bytes = Vec::new();
                start(field, message.len(), &mut bytes);
                Part::Fields([bytes, message].concat())
            }
        }
    }
}

/// Part of a message in protobuf. Tasks are written when it is their turn.
enum Part {
    Fields(Vec<u8>),
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
                let mut bytes = Vec::new();
                start(field, task.encoded_len(), &mut bytes);
                task.encode(&mut bytes);
                bytes
            }
        }
    }
}

/// The key of a field and the length of what follows.
fn start(field: u32, length: usize, out: &mut Vec<u8>) {
    encoding::encode_key(field, WireType::LengthDelimited, out);
    encoding::encode_varint(length as u64, out);
}
