//! JSON that is no app definition: the path of the field at fault, and Marathon's code for what is wrong there.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeError {
    /// No body.
    Empty,
    /// Not JSON at all: HTTP 400.
    Syntax(String),
    /// JSON of another shape: HTTP 422.
    Shape {
        /// Such as `/healthChecks(0)/protocol`.
        path: String,
        /// Such as `error.expected.jsnumber`.
        error: String,
    },
}

/// Reads a value from a body.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ShapeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ShapeError::Empty);
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| ShapeError::Syntax(error.to_string()))?;
    from_value(value)
}

/// Reads a value from JSON. A field that is `null` is an absent one, also where nobody knows the field: clients send all
/// that they have a place for.
pub fn from_value<T: DeserializeOwned>(mut value: Value) -> Result<T, ShapeError> {
    drop_nulls(&mut value);
    serde_path_to_error::deserialize(value).map_err(|error| {
        let message = error.inner().to_string();
        let mut path = marathon_path(error.path());
        if let Some(field) = quoted(&message, "missing field `") {
            path = format!("{}/{field}", path.trim_end_matches('/'));
        }
        if let Some(field) = quoted(&message, "unknown field `")
            && !path.ends_with(&format!("/{field}"))
        {
            path = format!("{}/{field}", path.trim_end_matches('/'));
        }
        ShapeError::Shape { path, error: code(&message) }
    })
}

impl ShapeError {
    /// The status and the body of the answer.
    #[must_use]
    pub fn answer(&self) -> (u16, Value) {
        match self {
            ShapeError::Empty => (400, json!({"message": "Please specify data in JSON format"})),
            ShapeError::Syntax(details) => (400, json!({"message": "Invalid JSON", "details": details})),
            ShapeError::Shape { path, error } => {
                (422, json!({"message": "Invalid JSON", "details": [{"path": path, "errors": [error]}]}))
            }
        }
    }
}

/// The names that users give, of variables and of labels, are no fields: what is wrong there is theirs to know.
const NAMED_BY_USERS: [&str; 3] = ["env", "environment", "labels"];

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            let fields = fields.iter_mut().filter(|(name, _)| !NAMED_BY_USERS.contains(&name.as_str()));
            fields.for_each(|(_, field)| drop_nulls(field));
        }
        _ => {}
    }
}

fn marathon_path(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("({index})")),
            Segment::Map { key } => text.push_str(&format!("/{key}")),
            Segment::Enum { variant } => text.push_str(&format!("/{variant}")),
            Segment::Unknown => {}
        }
    }
    if text.is_empty() { "/".into() } else { text }
}

fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    message.split_once(before)?.1.split_once('`').map(|(name, _)| name)
}

/// Marathon's words for what serde says.
fn code(message: &str) -> String {
    if message.starts_with("unknown variant") {
        return "error.unknown.enum.literal".into();
    }
    if message.starts_with("missing field") {
        return "error.path.missing".into();
    }
    if let Some(field) = quoted(message, "unknown field `") {
        return format!("unknown field {field}");
    }
    let Some((_, expected)) = message.rsplit_once("expected ") else { return message.into() };
    let kinds = [
        ("a string", "jsstring"),
        ("a boolean", "jsboolean"),
        ("a sequence", "jsarray"),
        ("a map", "jsobject"),
        ("struct", "jsobject"),
        ("string or map", "jsobject"),
    ];
    let numbers = ["u16", "u32", "u64", "i64", "f64"];
    if numbers.iter().any(|number| expected.starts_with(number)) {
        return "error.expected.jsnumber".into();
    }
    kinds
        .iter()
        .find(|(text, _)| expected.starts_with(text))
        .map_or_else(|| message.to_owned(), |(_, kind)| format!("error.expected.{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::AppUpdate;

    fn fault(json: Value) -> (String, String) {
        match from_value::<AppUpdate>(json) {
            Err(ShapeError::Shape { path, error }) => (path, error),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn paths_and_codes_are_marathons() {
        for (json, path, error) in [
            (json!({"id": 7}), "/id", "error.expected.jsstring"),
            (json!({"instances": "x"}), "/instances", "error.expected.jsnumber"),
            (json!({"env": []}), "/env", "error.expected.jsobject"),
            (json!({"requirePorts": "x"}), "/requirePorts", "error.expected.jsboolean"),
            (json!({"healthChecks": {}}), "/healthChecks", "error.expected.jsarray"),
            (json!({"healthChecks": [{"protocol": "X"}]}), "/healthChecks(0)/protocol", "error.unknown.enum.literal"),
            (
                json!({"healthChecks": [{"intervalSeconds": "x"}]}),
                "/healthChecks(0)/intervalSeconds",
                "error.expected.jsnumber",
            ),
            (json!({"healthChecks": [{"command": {}}]}), "/healthChecks(0)/command/value", "error.path.missing"),
            (json!({"noSuch": 1}), "/noSuch", "unknown field noSuch"),
        ] {
            assert_eq!(fault(json.clone()), (path.to_owned(), error.to_owned()), "{json}");
        }
    }

    #[test]
    fn null_is_absent() {
        let json = json!({"id": "/a", "taskRateLimit": null, "unreachableStrategy": {"inactiveAfterSeconds": 1, "noSuch": null},
            "healthChecks": [{"command": null, "protocol": "HTTP"}]});
        let update: AppUpdate = from_value(json).unwrap();
        assert_eq!((update.id.as_deref(), update.health_checks.map(|checks| checks.len())), (Some("/a"), Some(1)));
        assert_eq!(fault(json!({"labels": {"a": null}})).0, "/labels/a");
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        assert_eq!(read::<AppUpdate>(b" ").unwrap_err(), ShapeError::Empty);
        assert!(matches!(read::<AppUpdate>(b"{"), Err(ShapeError::Syntax(_))));
    }
}
