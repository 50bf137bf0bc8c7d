//! The options of `docker run` that a task may have as `parameters`, by their long names or their letters. Pure.

mod own;
mod table;

use serde_json::{Map, Value, json};

use self::table::Kind::{Bytes, Item, Number, Pair, Switch, Text};
use self::table::Target::{Config, Host, Own, Refused};
use self::table::{Kind, LETTERS, PARAMETERS, UNKNOWN};
use super::definition::{Body, DefinitionError};

/// Does as the option says.
pub(super) fn apply(body: &mut Body, key: &str, value: &str) -> Result<(), DefinitionError> {
    let long = LETTERS.iter().find_map(|(letter, long)| (*letter == key).then_some(*long)).unwrap_or(key);
    let target = PARAMETERS.iter().find_map(|(name, target)| (*name == long).then_some(target));
    let done = match target.unwrap_or(&Refused(UNKNOWN)) {
        Config(member, kind) => put(&mut body.config, member, *kind, value),
        Host(member, kind) => put(&mut body.host, member, *kind, value),
        Own(apply) => apply(body, value),
        Refused("") => return Err(DefinitionError::Name),
        Refused(why) => return Err(DefinitionError::Parameter { key: key.to_owned(), why }),
    };
    done.ok_or_else(|| DefinitionError::Value { key: key.to_owned(), value: value.to_owned() })
}

fn put(into: &mut Map<String, Value>, member: &str, kind: Kind, text: &str) -> Option<()> {
    let value = match kind {
        Text => json!(text),
        Switch => json!(switch(text)?),
        Number => json!(text.parse::<i64>().ok()?),
        Bytes => json!(bytes(text)?),
        Item => return push(into, member, json!(text)),
        Pair => {
            let (name, value) = text.split_once('=')?;
            return set(into, member, name, json!(value));
        }
    };
    into.insert(member.to_owned(), value);
    Some(())
}

fn push(into: &mut Map<String, Value>, member: &str, value: Value) -> Option<()> {
    into.entry(member).or_insert_with(|| json!([])).as_array_mut()?.push(value);
    Some(())
}

fn set(into: &mut Map<String, Value>, member: &str, name: &str, value: Value) -> Option<()> {
    into.entry(member).or_insert_with(|| json!({})).as_object_mut()?.insert(name.to_owned(), value);
    Some(())
}

/// An option without a value is switched on.
fn switch(text: &str) -> Option<bool> {
    match text {
        "" | "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// `64m`, `1g`, `1024`; `-1` for no bound.
fn bytes(text: &str) -> Option<i64> {
    if text == "-1" {
        return Some(-1);
    }
    let text = text.to_ascii_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor: i64 = match text.get(digits.len()..)? {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return None,
    };
    digits.parse::<i64>().ok().filter(|number| *number >= 0)?.checked_mul(factor)
}

#[cfg(test)]
mod tests;
