//! Marathon's codes for what is wrong with a field, in words: what was sent, and what would be right. Pure.

use serde_json::Value;

use super::Asked;
use super::field::{Schema, Step, sent, steps};
use crate::nearest::nearest;

/// More names than this are no help.
const LISTED: usize = 16;

/// The longest value that is repeated.
const LONGEST: usize = 60;

/// The error at this path, in words.
pub(super) fn said(asked: &Asked<'_>, path: &str, error: &str) -> String {
    let value = sent(asked.sent, path);
    let whole = Schema::of_body(asked.document, asked.path);
    let steps = steps(path);
    let schema = || steps.iter().fold(whole, |schema, step| schema.at(*step));
    if let Some(kind) = error.strip_prefix("error.expected.") {
        return format!("expected {}{}", expected(kind, value, &schema()), got(value));
    }
    if let Some(bounds) = error.strip_prefix("error.min: ") {
        return bounds.to_owned();
    }
    match error {
        "error.path.missing" => "is missing".to_owned(),
        "error.unknown.enum.literal" => literal(value, &schema().literals()),
        _ if error.starts_with("unknown field ") => unknown(asked, &steps),
        _ => pattern(value, error).unwrap_or_else(|| error.to_owned()),
    }
}

/// The thing that a code asks for.
fn expected(kind: &str, value: &Value, schema: &Schema<'_>) -> &'static str {
    match kind {
        "jsnumber" if value.is_i64() || value.is_u64() => "a number that is not so large or small",
        "jsnumber" if value.is_number() || schema.is_whole() => "a whole number",
        "jsnumber" => "a number",
        "jsstring" => "a text in quotes",
        "jsboolean" => "true or false",
        "jsarray" => "a list in []",
        "timestamp" => "a time such as 2026-01-31T12:00:00.000Z",
        _ => "an object in {}",
    }
}

fn got(value: &Value) -> String {
    if value.is_null() { String::new() } else { format!(", got {}", short(value)) }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

/// A word that is none of those it may be.
fn literal(value: &Value, known: &[&str]) -> String {
    let word = if value.is_null() { "this".to_owned() } else { short(value) };
    match (value.as_str().and_then(|word| nearest(word, known.iter().copied())), known) {
        (Some(meant), _) => format!("{word} is not known; did you mean \"{meant}\"?"),
        (None, []) => format!("{word} is not known"),
        (None, known) => format!("{word} is none of {}", known.join(", ")),
    }
}

/// A field that nobody knows, which is the last step.
fn unknown(asked: &Asked<'_>, steps: &[Step<'_>]) -> String {
    let Some((Step::Field(name), before)) = steps.split_last() else { return "is not known".to_owned() };
    let whole = Schema::of_body(asked.document, asked.path);
    let known = before.iter().fold(whole, |schema, step| schema.at(*step)).fields();
    match (nearest(name, known.iter().copied()), known.len()) {
        (Some(meant), _) => format!("there is no such field; did you mean {meant}?"),
        (None, 1..=LISTED) => format!("there is no such field; there are {}", known.join(", ")),
        (None, _) => "there is no such field".to_owned(),
    }
}

/// The beginnings of the regular expressions that are told, and what they stand for.
const PATTERNS: [(&str, &str); 3] = [
    (
        "'^(([a-z0-9]|",
        "an id is names with slashes between them, such as /shop/web: each of lower-case letters, digits, - and ., with a \
         letter or digit first and last",
    ),
    (
        "'^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'",
        "a name has lower-case letters, digits and -, with a letter or digit first and last",
    ),
    ("'^(//cmd)|", "//cmd, or the path of a program"),
];

/// A text that is not of the form it has to have.
fn pattern(value: &Value, error: &str) -> Option<String> {
    let regex = error.strip_prefix("must fully match regular expression ")?;
    let (_, meaning) = PATTERNS.into_iter().find(|(beginning, _)| regex.starts_with(beginning))?;
    Some(if value.is_null() { meaning.to_owned() } else { format!("{} will not do: {meaning}", short(value)) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(path: &str, error: &str) -> String {
        let (number, whole) = (json!({"type": "number"}), json!({"type": "integer"}));
        let check = json!({"protocol": {"enum": ["HTTP", "HTTPS", "TCP"]}, "path": {"type": "string"}, "port": whole});
        let app = json!({"id": {"type": "string"}, "cpus": number, "instances": whole, "env": {"type": "object"},
            "healthChecks": {"items": {"properties": check}}, "killSelection": {"enum": ["YOUNGEST_FIRST", "OLDEST_FIRST"]}});
        let document = json!({"components": {"schemas": {"AppUpdate": {"properties": app}}}});
        let app = json!({"id": "/My_App", "instances": 1.5, "cpus": "x", "helthChecks": [], "zzz": 1,
            "healthChecks": [{"protocol": "htpp", "port": 70000, "pth": "/"}], "killSelection": "random"});
        said(&Asked { path: "/v2/apps", sent: &app, document: &document, meant: None }, path, error)
    }

    #[test]
    fn codes_are_told_with_what_was_sent_and_what_would_be_right() {
        for (path, error, said) in [
            ("/instances", "error.expected.jsnumber", "expected a whole number, got 1.5"),
            ("/cpus", "error.expected.jsnumber", "expected a number, got \"x\""),
            (
                "/healthChecks(0)/port",
                "error.expected.jsnumber",
                "expected a number that is not so large or small, got 70000",
            ),
            ("/env", "error.expected.jsobject", "expected an object in {}"),
            ("/helthChecks", "unknown field helthChecks", "there is no such field; did you mean healthChecks?"),
            ("/healthChecks(0)/pth", "unknown field pth", "there is no such field; did you mean path?"),
            (
                "/zzz",
                "unknown field zzz",
                "there is no such field; there are cpus, env, healthChecks, id, instances, killSelection",
            ),
            (
                "/healthChecks(0)/protocol",
                "error.unknown.enum.literal",
                "\"htpp\" is not known; did you mean \"HTTP\"?",
            ),
            ("/killSelection", "error.unknown.enum.literal", "\"random\" is none of YOUNGEST_FIRST, OLDEST_FIRST"),
            ("/healthCheck/value", "error.path.missing", "is missing"),
            ("/cpus", "error.min: got -1, expected 0 or more", "got -1, expected 0 or more"),
            ("/cpus", "got 0, expected 0.001 or more", "got 0, expected 0.001 or more"),
        ] {
            assert_eq!(words(path, error), said);
        }
    }

    #[test]
    fn no_regular_expression_is_shown_that_has_a_meaning() {
        let segment =
            "^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$";
        let text = words("/id", &format!("must fully match regular expression '{segment}'"));
        assert!(
            text.starts_with("\"/My_App\" will not do: an id is names with slashes") && !text.contains('['),
            "{text}"
        );
        let other = "must fully match regular expression '^x$'";
        assert_eq!(words("/id", other), other);
    }
}
