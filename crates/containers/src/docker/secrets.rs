//! The values of variables that are secrets: the daemon has to know them, nobody who asks it has to be told. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

/// The text in place of a value.
pub(super) const HIDDEN: &str = "<secret>";

/// Takes the values of variables with these names out of what the daemon tells: any text that begins with `NAME=`.
pub(super) fn hide(told: &mut Value, names: &BTreeSet<String>) {
    match told {
        Value::String(text) => {
            if let Some((name, _)) = text.split_once('=').filter(|(name, _)| names.contains(*name)) {
                *text = format!("{name}={HIDDEN}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, names)),
        Value::Object(members) => members.values_mut().for_each(|member| hide(member, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_told_names_secrets_and_has_none() {
        let mut told = json!({"Config": {"Env": ["A=b", "KEY=hunter2=", "KEYS=2", "KEY"]}, "Id": "KEY", "Pid": 1});
        hide(&mut told, &BTreeSet::from(["KEY".to_owned()]));
        let expected = json!({"Config": {"Env": ["A=b", "KEY=<secret>", "KEYS=2", "KEY"]}, "Id": "KEY", "Pid": 1});
        assert_eq!(told, expected);
    }
}
