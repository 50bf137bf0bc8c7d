//! The difference of two definitions: each value that is another one, is new, or is gone, by its JSON pointer (RFC 6901).
//! Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::definition::RunSpec;

/// Fields that differ from version to version because it is another version.
const OF_THE_VERSION: [&str; 2] = ["version", "versionInfo"];

/// The differences of two definitions of an app or a pod. One that is not there has no fields.
pub(crate) fn of_specs(before: Option<&RunSpec>, after: Option<&RunSpec>) -> Vec<Value> {
    let shown = |app: Option<&RunSpec>| {
        let mut json = app.map_or_else(|| json!({}), |app| app.pod_json().unwrap_or_else(|| json!(app)));
        if let Some(fields) = json.as_object_mut() {
            fields.retain(|name, _| !OF_THE_VERSION.contains(&name.as_str()));
        }
        json
    };
    let mut found = Vec::new();
    compare("", &shown(before), &shown(after), &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Value>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => compare_objects(path, before, after, found),
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                step(&format!("{path}/{index}"), before.get(index), after.get(index), found);
            }
        }
        (before, after) if before != after => found.push(json!({"path": path, "before": before, "after": after})),
        _ => {}
    }
}

fn compare_objects(path: &str, before: &Map<String, Value>, after: &Map<String, Value>, found: &mut Vec<Value>) {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for name in names {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        step(&format!("{path}/{escaped}"), before.get(name), after.get(name), found);
    }
}

/// A value that is on one side only has no other side.
fn step(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Value>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(path, before, after, found),
        (Some(before), None) => found.push(json!({"path": path, "before": before})),
        (None, Some(after)) => found.push(json!({"path": path, "after": after})),
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(before: &Value, after: &Value) -> Vec<Value> {
        let mut found = Vec::new();
        compare("", before, after, &mut found);
        found
    }

    #[test]
    fn values_that_differ_are_told_by_their_paths() {
        let rows = [
            (json!({"a": 1}), json!({"a": 1}), json!([])),
            (json!({"a": 1}), json!({"a": 2}), json!([{"path": "/a", "before": 1, "after": 2}])),
            (json!({"a": {"b/c~": 1}}), json!({"a": {}}), json!([{"path": "/a/b~1c~0", "before": 1}])),
            (
                json!({"a": [1, 2]}),
                json!({"a": [1, 3, 4]}),
                json!([
                {"path": "/a/1", "before": 2, "after": 3}, {"path": "/a/2", "after": 4}]),
            ),
            (json!({"a": null}), json!({"a": {"b": 1}}), json!([{"path": "/a", "before": null, "after": {"b": 1}}])),
        ];
        for (before, after, expected) in rows {
            assert_eq!(json!(differences(&before, &after)), expected, "{before} {after}");
        }
    }
}
