//! The facts of every message that the JSON codec and the check for required fields need, derived once from the
//! descriptor set that the build put into the binary. In: descriptors. Out: tables of fields in declaration order.

use std::{collections::HashMap, sync::LazyLock};

use prost::Name;
use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, MessageDescriptor};

use crate::literals;

/// All messages of the crate.
pub(crate) struct Schema {
    messages: Vec<Message>,
    by_name: HashMap<String, usize>,
}

/// One message: its fields as declared.
pub(crate) struct Message {
    pub(crate) fields: Vec<Field>,
    by_number: Vec<Option<usize>>,
    by_name: HashMap<String, usize>,
}

/// One field of a message.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) label: Label,
    /// For a map: the kind of its values; keys are always strings.
    pub(crate) kind: Kind,
    /// The text that the JSON output shows when the field is unset: its explicit default, unless it is deprecated; or
    /// an empty list, where Mesos writes one.
    pub(crate) default: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Required,
    Optional,
    Repeated,
    Map,
}

pub(crate) enum Kind {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Double,
    String,
    Bytes,
    Enum(Enumeration),
    /// Index of the message in the schema.
    Message(usize),
}

/// Names and numbers of an enumeration.
pub(crate) struct Enumeration {
    values: Vec<(String, i32)>,
}

impl Schema {
    /// The schema of this crate's messages.
    pub(crate) fn get() -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::of_this_crate);
        &SCHEMA
    }

    /// Index of a message.
    pub(crate) fn of<M: Name>(&self) -> usize {
        *self.by_name.get(&M::full_name()).expect("the build describes every message")
    }

    pub(crate) fn message(&self, index: usize) -> &Message {
        &self.messages[index]
    }

    fn of_this_crate() -> Schema {
        let pool = DescriptorPool::decode(include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin")).as_slice())
            .expect("the build wrote valid descriptors");
        let by_name: HashMap<_, _> =
            pool.all_messages().enumerate().map(|(index, message)| (message.full_name().to_owned(), index)).collect();
        let messages = pool.all_messages().map(|message| Message::new(&message, &by_name)).collect();
        Schema { messages, by_name }
    }
}

/// The number of a message's field, for what is written to the wire piece by piece.
pub fn field_number<M: Name>(name: &str) -> u32 {
    let schema = Schema::get();
    schema.message(schema.of::<M>()).named(name).expect("a field of the message").number
}

impl Message {
    fn new(descriptor: &MessageDescriptor, indices: &HashMap<String, usize>) -> Message {
        let declared = descriptor.descriptor_proto().field.iter();
        let fields: Vec<_> = declared
            .filter_map(|field| descriptor.get_field(u32::try_from(field.number()).ok()?))
            .map(|field| Field::new(&field, indices))
            .collect();
        let mut by_number = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let number = field.number as usize;
            by_number.resize(by_number.len().max(number + 1), None);
            by_number[number] = Some(index);
        }
        let by_name = fields.iter().enumerate().map(|(index, field)| (field.name.clone(), index)).collect();
        Message { fields, by_number, by_name }
    }

    /// Index of a field by its number.
    pub(crate) fn numbered(&self, number: u32) -> Option<usize> {
        *self.by_number.get(usize::try_from(number).ok()?)?
    }

    /// A field by its name.
    pub(crate) fn named(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|&index| &self.fields[index])
    }
}

impl Field {
    fn new(descriptor: &FieldDescriptor, indices: &HashMap<String, usize>) -> Field {
        let (label, kind) = if descriptor.is_map() {
            let entry = descriptor.kind();
            let entry = entry.as_message().expect("a map is a list of entry messages");
            (Label::Map, Kind::new(&entry.map_entry_value_field(), indices))
        } else {
            (Label::new(descriptor.cardinality()), Kind::new(descriptor, indices))
        };
        let default = explicit_default(descriptor, &kind).or_else(|| empty_list(descriptor));
        Field { name: descriptor.name().to_owned(), number: descriptor.number(), label, kind, default }
    }
}

impl Label {
    fn new(cardinality: Cardinality) -> Label {
        match cardinality {
            Cardinality::Required => Label::Required,
            Cardinality::Optional => Label::Optional,
            Cardinality::Repeated => Label::Repeated,
        }
    }
}

impl Kind {
    fn new(descriptor: &FieldDescriptor, indices: &HashMap<String, usize>) -> Kind {
        use prost_reflect::Kind as K;
        match descriptor.kind() {
            K::Bool => Kind::Bool,
            K::Int32 => Kind::Int32,
            K::Int64 => Kind::Int64,
            K::Uint32 => Kind::Uint32,
            K::Uint64 => Kind::Uint64,
            K::Double => Kind::Double,
            K::String => Kind::String,
            K::Bytes => Kind::Bytes,
            K::Enum(descriptor) => Kind::Enum(Enumeration {
                values: descriptor.values().map(|value| (value.name().to_owned(), value.number())).collect(),
            }),
            K::Message(message) => Kind::Message(indices[message.full_name()]),
            other => panic!("{} is a {other:?}, which no Mesos message uses", descriptor.full_name()),
        }
    }
}

impl Enumeration {
    pub(crate) fn name(&self, number: i32) -> Option<&str> {
        self.values.iter().find(|(_, value)| *value == number).map(|(name, _)| name.as_str())
    }

    pub(crate) fn number(&self, name: &str) -> Option<i32> {
        self.values.iter().find(|(value, _)| value == name).map(|(_, number)| *number)
    }
}

/// The answers that Mesos writes by hand, with every list in them. Elsewhere empty lists are left out.
const WHOLE: [(&str, &[&str]); 7] = [
    (
        "mesos.v1.agent.Response.GetTasks",
        &["pending_tasks", "queued_tasks", "launched_tasks", "terminated_tasks", "completed_tasks"],
    ),
    ("mesos.v1.agent.Response.GetExecutors", &["executors", "completed_executors"]),
    ("mesos.v1.agent.Response.GetFrameworks", &["frameworks", "completed_frameworks"]),
    ("mesos.v1.master.Response.GetTasks", &["tasks", "unreachable_tasks", "completed_tasks"]),
    ("mesos.v1.master.Response.GetExecutors", &["executors"]),
    ("mesos.v1.master.Response.GetFrameworks", &["frameworks", "completed_frameworks"]),
    ("mesos.v1.master.Response.GetAgents", &["agents", "recovered_agents"]),
];

fn empty_list(descriptor: &FieldDescriptor) -> Option<Vec<u8>> {
    let message = descriptor.parent_message();
    let (_, lists) = WHOLE.iter().find(|(name, _)| *name == message.full_name())?;
    lists.contains(&descriptor.name()).then(|| b"[]".to_vec())
}

fn explicit_default(descriptor: &FieldDescriptor, kind: &Kind) -> Option<Vec<u8>> {
    let proto = descriptor.field_descriptor_proto();
    let default = proto.default_value.as_deref()?;
    if proto.options.as_ref().is_some_and(|options| options.deprecated()) {
        return None;
    }
    let mut out = Vec::new();
    match kind {
        Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => {
            out.extend_from_slice(default.as_bytes())
        }
        Kind::Double => literals::double(default.parse().expect("a default of the field's type"), &mut out),
        _ => literals::string(default, &mut out),
    }
    Some(out)
}
