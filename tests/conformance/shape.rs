//! The shapes of answers: names and kinds of fields, derived from what Apache Mesos answered (`golden/`). In: a shape
//! and a value. Out: what is missing, unknown or of another kind, by path.

use std::sync::OnceLock;

use serde_json::{Map, Value};

/// Fields that Cygnet adds where Mesos has none; its description of the wire names them.
const ADDED: &[&str] = &["cygnet_version", "health", "check", "checks", "last_heard_time", "main_pid"];

/// The shape of that name in `golden/`, for a file of `rows/`.
macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../golden/", $name, ".json"))
    };
}
pub(crate) use golden;

/// Fails, and says where, unless the value has the shape.
#[track_caller]
pub(crate) fn has_shape(shape: &str, value: &Value) {
    let shape: Value = serde_json::from_str(shape).expect("a golden shape is JSON");
    let mut faults = Vec::new();
    compare(&shape, value, "", &mut faults);
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n  "));
}

fn compare(shape: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    match (shape, value) {
        (Value::String(name), value) if name.starts_with(char::is_uppercase) => {
            compare(part(name), value, path, faults)
        }
        (Value::String(kind), value) if kind == "any" || kind == kind_of(value) => {}
        (Value::Array(items), Value::Array(values)) => {
            if let Some(item) = items.first() {
                values.iter().for_each(|value| compare(item, value, &format!("{path}[]"), faults));
            }
        }
        (Value::Object(fields), Value::Object(_)) if fields.is_empty() => {}
        (Value::Object(fields), Value::Object(values)) => {
            declared(fields, values, path, faults);
            undeclared(fields, values, path, faults);
        }
        (shape, value) => {
            let wanted = shape.as_str().unwrap_or_else(|| kind_of(shape));
            faults.push(format!("{path} is {}, not {wanted}", kind_of(value)));
        }
    }
}

/// The shape that others name, since it is part of several.
fn part(name: &str) -> &'static Value {
    static PARTS: OnceLock<Value> = OnceLock::new();
    let parts = PARTS.get_or_init(|| serde_json::from_str(include_str!("golden/parts.json")).expect("JSON"));
    parts.get(name).unwrap_or_else(|| panic!("parts.json has no {name}"))
}

fn declared(fields: &Map<String, Value>, values: &Map<String, Value>, path: &str, faults: &mut Vec<String>) {
    for (name, shape) in fields.iter().filter(|(name, _)| *name != "*") {
        let plain = name.trim_end_matches('?');
        match values.get(plain) {
            Some(value) => compare(shape, value, &format!("{path}.{plain}"), faults),
            None if plain != name => {}
            None => faults.push(format!("{path}.{plain} is missing")),
        }
    }
}

fn undeclared(fields: &Map<String, Value>, values: &Map<String, Value>, path: &str, faults: &mut Vec<String>) {
    let is_declared = |name: &str| fields.keys().any(|declared| declared.trim_end_matches('?') == name);
    for (name, value) in values.iter().filter(|(name, _)| !is_declared(name) && !ADDED.contains(&name.as_str())) {
        match fields.get("*") {
            Some(shape) => compare(shape, value, &format!("{path}.{name}"), faults),
            None => faults.push(format!("{path}.{name} is nothing Mesos has")),
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
