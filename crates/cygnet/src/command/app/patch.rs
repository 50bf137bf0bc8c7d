//! `FIELD=VALUE` on a command line, as a change of an app. Pure.
//!
//! A dot goes into an object: `env.COLOUR=red` leaves the other variables alone, so the object is sent as it will be. A
//! value is JSON where it is JSON, and a text otherwise; what is a text in every definition stays one: `env.PORT=80`.
//! Nothing behind the `=` takes a name out of its object. A field itself cannot be taken away: to the API, what is not
//! sent is left alone.

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value, json};

/// The fields of `app` to send, and what they will be.
pub(super) fn from_fields(app: &Value, fields: &[String]) -> anyhow::Result<Value> {
    ensure!(!fields.is_empty(), "nothing to change: name fields, such as instances=3, or a --file");
    let mut patch = json!({});
    for field in fields {
        let (path, text) = field.split_once('=').with_context(|| format!("'{field}' is not FIELD=VALUE"))?;
        let (top, inner) = path.split_once('.').map_or((path, None), |(top, inner)| (top, Some(inner)));
        if patch.get(top).is_none() {
            patch[top] = app[top].clone();
        }
        set(&mut patch[top], inner, text, is_text(top)).with_context(|| format!("cannot set {path}"))?;
    }
    Ok(patch)
}

/// The fields whose values are texts, whatever they look like.
fn is_text(field: &str) -> bool {
    matches!(field, "env" | "labels" | "cmd" | "user" | "executor" | "role")
}

fn set(place: &mut Value, path: Option<&str>, text: &str, texts: bool) -> anyhow::Result<()> {
    let Some(path) = path else {
        // A whole object may be given, also of texts.
        ensure!(!text.is_empty(), "a field cannot be taken away; `cygnet app run` takes a whole definition");
        let whole = serde_json::from_str(text).ok().filter(|value: &Value| !texts || value.is_object());
        *place = whole.unwrap_or_else(|| json!(text));
        return Ok(());
    };
    if place.is_null() {
        *place = Value::Object(Map::new());
    }
    let Some(fields) = place.as_object_mut() else { bail!("it has no fields of its own") };
    // Names of labels have dots in them: `labels.org.example.owner` is one label.
    let (name, rest) =
        if texts { (path, None) } else { path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest))) };
    if rest.is_none() && text.is_empty() {
        fields.remove(name);
        return Ok(());
    }
    set(fields.entry(name).or_insert(Value::Null), rest, text, texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(fields: &[&str]) -> Value {
        let app = json!({"id": "/web", "instances": 1, "env": {"A": "1", "B": "2"}, "labels": {},
            "upgradeStrategy": {"minimumHealthCapacity": 1, "maximumOverCapacity": 1}});
        let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
        from_fields(&app, &fields).unwrap_or_else(|error| json!(format!("{error:#}")))
    }

    #[test]
    fn only_what_was_named_is_sent() {
        assert_eq!(patched(&["instances=3", "cmd=exec sleep 1"]), json!({"instances": 3, "cmd": "exec sleep 1"}));
        assert_eq!(
            patched(&["constraints=[[\"hostname\", \"UNIQUE\"]]"]),
            json!({"constraints": [["hostname", "UNIQUE"]]})
        );
    }

    #[test]
    fn what_stands_beside_a_field_stays() {
        assert_eq!(patched(&["env.A=3", "env.C=x=y"]), json!({"env": {"A": "3", "B": "2", "C": "x=y"}}));
        assert_eq!(patched(&["env.A="]), json!({"env": {"B": "2"}}));
        assert_eq!(
            patched(&["upgradeStrategy.minimumHealthCapacity=0.5"]),
            json!({"upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 1}})
        );
        assert_eq!(patched(&["labels.org.example=1"]), json!({"labels": {"org.example": "1"}}));
    }

    #[test]
    fn texts_stay_texts() {
        assert_eq!(patched(&["cmd=true"]), json!({"cmd": "true"}));
        assert_eq!(patched(&["env={\"A\": \"1\"}"]), json!({"env": {"A": "1"}}));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(patched(&["instances"]).as_str().unwrap().contains("FIELD=VALUE"));
        assert!(patched(&["instances.x=1"]).as_str().unwrap().contains("cannot set instances.x"));
        assert!(patched(&["cmd="]).as_str().unwrap().contains("cygnet app run"));
        assert!(patched(&[]).as_str().unwrap().contains("nothing to change"));
    }
}
