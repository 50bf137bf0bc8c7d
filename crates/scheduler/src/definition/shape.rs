//! JSON that is no app definition: the path of the field at fault, and Marathon's code for what is wrong there.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::literals;
use super::strict::Strict;

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShapeError {
    #[error("Please specify data in JSON format")]
    Empty,
    #[error("Invalid JSON")]
    Syntax(String),
    #[error("Invalid JSON")]
    Shape {
        /// Such as `/healthChecks(0)/protocol`.
        path: String,
        /// Such as `error.expected.jsnumber`.
        error: String,
    },
}

/// Reads an object from a body.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ShapeError> {
    let value = json(body)?;
    if value.is_object() { from_value(value) } else { Err(no_object("/")) }
}

/// Reads a list from a body.
pub(crate) fn read_list<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, ShapeError> {
    from_value(json(body)?)
}

fn json(body: &[u8]) -> Result<Value, ShapeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ShapeError::Empty);
    }
    serde_json::from_slice(body).map_err(|error| ShapeError::Syntax(error.to_string()))
}

fn no_object(path: &str) -> ShapeError {
    ShapeError::Shape { path: path.into(), error: "error.expected.jsobject".into() }
}

/// Reads a value from JSON. A field that is `null` is an absent one, also where nobody knows the field: clients send all
/// that they have a place for. Words of which only a few are known may be in letters of any case.
pub(crate) fn from_value<T: DeserializeOwned>(mut value: Value) -> Result<T, ShapeError> {
    tidy(&mut value, "");
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let mut path = marathon_path(error.path());
        let error = error.into_inner();
        if let Some(field) = error.field().filter(|field| !path.ends_with(&format!("/{field}"))) {
            path = format!("{}/{field}", path.trim_end_matches('/'));
        }
        ShapeError::Shape { path, error: error.to_string() }
    })
}

/// The names that users give, of variables and of labels, are no fields: what is wrong there is theirs to know.
const NAMED_BY_USERS: [&str; 3] = ["env", "environment", "labels"];

/// Drops what is `null`, and spells out words, in what is called `within`.
fn tidy(value: &mut Value, within: &str) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| tidy(item, within)),
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            for (name, field) in fields.iter_mut().filter(|(name, _)| !NAMED_BY_USERS.contains(&name.as_str())) {
                literals::spell(within, name, field);
                tidy(field, name);
            }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::definition::AppUpdate;

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
            (json!({"env": {"A": 7}}), "/env/A", "error.expected.jsstring"),
            (json!({"instances": 1.5}), "/instances", "error.expected.jsnumber"),
            (json!({"killSelection": 7}), "/killSelection", "error.expected.jsobject"),
            (json!({"healthChecks": [{"port": 70000}]}), "/healthChecks(0)/port", "error.expected.jsnumber"),
            (
                json!({"healthChecks": [{"intervalSeconds": -1}]}),
                "/healthChecks(0)/intervalSeconds",
                "error.min: got -1, expected 0 or more",
            ),
            (json!({"healthCheck": {"protocol": "icmp"}}), "/healthCheck", "error.unknown.enum.literal"),
            (json!({"healthCheck": {"command": {}}}), "/healthCheck/value", "error.path.missing"),
            (json!({"healthCheck": {"noSuch": 1}}), "/healthCheck/noSuch", "unknown field noSuch"),
            (json!({"constraints": [7]}), "/constraints(0)", "error.expected.jsarray"),
            (json!({"container": "x"}), "/container", "error.expected.jsobject"),
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
    fn a_list_is_no_object_although_its_items_might_be_the_fields() {
        for (json, path) in [
            (json!({"id": "/a", "upgradeStrategy": [0.5, 0.5]}), "/upgradeStrategy"),
            (json!({"id": "/a", "portDefinitions": [{"port": 1}, [80]]}), "/portDefinitions(1)"),
            (
                json!({"id": "/a", "healthChecks": [{"protocol": "COMMAND", "command": ["true"]}]}),
                "/healthChecks(0)/command",
            ),
        ] {
            assert_eq!(fault(json), (path.to_owned(), "error.expected.jsobject".to_owned()));
        }
        let list = br#"["/a", "sleep"]"#;
        assert_eq!(read::<AppUpdate>(list), Err(no_object("/")));
        assert!(read_list::<AppUpdate>(b"[[\"/a\"]]").is_err());
        assert_eq!(read_list::<String>(list).unwrap().len(), 2);
        assert!(
            from_value::<AppUpdate>(json!({"id": "/a", "constraints": [["hostname", "UNIQUE"]], "args": ["x"]}))
                .is_ok()
        );
    }

    #[test]
    fn words_may_be_in_letters_of_any_case() {
        let json = json!({"id": "/a", "killSelection": "oldest_first", "unreachableStrategy": "DISABLED",
            "networks": [{"mode": "HOST"}], "portDefinitions": [{"protocol": "TCP"}], "labels": {"killSelection": "x"},
            "healthChecks": [{"protocol": "mesos_http", "ipProtocol": "ipv4"}], "readinessChecks": [{"protocol": "https"}],
            "check": {"http": {"scheme": "http"}}, "container": {"type": "mesos"}});
        let update: AppUpdate = from_value(json).unwrap();
        let app = update.create(crate::ids::AppId::new("/a"), crate::time::Timestamp::from_millis(0));
        let faults = app.expect_err("nothing to run, and no port for readiness");
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["/", "/readinessChecks(0)/portName"]);
    }

    #[test]
    fn an_unreachable_strategy_that_is_none_is_told_what_it_may_be() {
        for json in [json!("enabled"), json!({"inactiveAfterSeconds": "x"})] {
            let (path, error) = fault(json!({"id": "/a", "unreachableStrategy": json}));
            assert!(path == "/unreachableStrategy" && error.starts_with("must be \"disabled\""), "{path} {error}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        assert_eq!(read::<AppUpdate>(b" ").unwrap_err(), ShapeError::Empty);
        assert!(matches!(read::<AppUpdate>(b"{"), Err(ShapeError::Syntax(_))));
    }
}
