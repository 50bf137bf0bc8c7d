//! Expectations, compiled once per check. Pure.
//!
//! In: an [`Expectation`]; later, bodies. Out: whether it holds, in words if not. Expectations are written by users, so
//! all of them are bounded, before they are compiled.

mod json_path;
mod pattern;

use memchr::memmem::find;
use serde_json::Value;

use super::Expectation;
use json_path::{BadPath, Path};
use pattern::{BadPattern, Pattern, TooCostly};

/// The part of a body that is looked at.
pub(crate) const KEPT: usize = 1024 * 1024;

/// The longest text or value of an expectation, in bytes.
const LENGTH: usize = 4096;

/// An expectation, ready to be held against bodies.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    Contains(Box<[u8]>),
    Matches(Pattern),
    JsonPathEquals { path: Path, value: Box<Value> },
}

/// An expectation that makes no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadExpectation {
    #[error("is longer than {LENGTH} bytes")]
    TooLong,
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    #[error(transparent)]
    JsonPath(#[from] BadPath),
    #[error("has a value that is no JSON (text needs quotes): {0}")]
    Value(#[from] serde_json::Error),
}

impl Matcher {
    pub(crate) fn compile(expected: &Expectation) -> Result<Matcher, BadExpectation> {
        Ok(match expected {
            Expectation::Contains(bytes) => Matcher::Contains(short(bytes)?.into()),
            Expectation::Matches(pattern) => Matcher::Matches(Pattern::compile(pattern)?),
            Expectation::JsonPathEquals { path, value } => Matcher::JsonPathEquals {
                path: Path::parse(path)?,
                value: Box::new(serde_json::from_slice(short(value.as_bytes())?)?),
            },
        })
    }

    /// The fault of this body, if it does not meet the expectation.
    pub(crate) fn object(&self, body: &[u8]) -> Option<String> {
        match self {
            Matcher::Contains(bytes) if find(body, bytes).is_some() => None,
            Matcher::Contains(bytes) => {
                Some(format!("the answer does not contain {:?}", String::from_utf8_lossy(bytes)))
            }
            Matcher::Matches(pattern) => match pattern.is_in(body) {
                Ok(true) => None,
                Ok(false) => Some(format!("the answer does not match {:?}", pattern.text())),
                Err(TooCostly) => Some(format!("the answer is too large for {:?}", pattern.text())),
            },
            Matcher::JsonPathEquals { path, value } => object_json(path, value, body),
        }
    }
}

fn short(bytes: &[u8]) -> Result<&[u8], BadExpectation> {
    if bytes.len() > LENGTH { Err(BadExpectation::TooLong) } else { Ok(bytes) }
}

fn object_json(path: &Path, value: &Value, body: &[u8]) -> Option<String> {
    let text = path.text();
    let Ok(json) = serde_json::from_slice::<Value>(body) else { return Some("the answer is no JSON".to_owned()) };
    let Some(found) = path.find(&json) else { return Some(format!("the answer is too large for {text}")) };
    if found.iter().any(|found| is_same(found, value)) {
        return None;
    }
    Some(match found.as_slice() {
        [] => format!("the answer has nothing at {text}"),
        [one] => format!("{text} is {}, not {value}", brief(one)),
        several => format!("none of the {} values at {text} is {value}", several.len()),
    })
}

/// True if two values are the same; numbers are, if they are worth the same: 1 and 1.0.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let both_whole = (one.is_i64() || one.is_u64()) && (other.is_i64() || other.is_u64());
            one == other || !both_whole && one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has_same =
                |(name, value): (&String, &Value)| other.get(name).is_some_and(|there| is_same(value, there));
            one.len() == other.len() && one.iter().all(has_same)
        }
        _ => one == other,
    }
}

fn brief(value: &Value) -> String {
    const LONGEST: usize = 100;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The first objection to a body, if there is one.
pub(crate) fn first_objection(matchers: &[Matcher], body: &[u8]) -> Option<String> {
    matchers.iter().find_map(|matcher| matcher.object(body))
}

/// Expectations held against a body that grows: texts are not looked for twice in the same place.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// True for each of the texts that was found.
    found: Vec<bool>,
    looked: usize,
}

impl Search {
    /// True if all of them hold now. Texts come first: they are cheap.
    pub(crate) fn holds(&mut self, matchers: &[Matcher], body: &[u8]) -> bool {
        self.found.resize(matchers.len(), false);
        for (matcher, found) in matchers.iter().zip(&mut self.found) {
            if let (Matcher::Contains(text), false) = (matcher, &found) {
                let overlap = text.len().saturating_sub(1);
                let new = body.get(self.looked.saturating_sub(overlap)..).unwrap_or_default();
                *found = find(new, text).is_some();
            }
        }
        self.looked = body.len();
        let mut pairs = matchers.iter().zip(&self.found);
        let texts_hold = pairs.clone().all(|(matcher, found)| *found || !matches!(matcher, Matcher::Contains(_)));
        texts_hold && pairs.all(|(matcher, found)| *found || matcher.object(body).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(expected: &Expectation, body: &str) -> Option<String> {
        Matcher::compile(expected).unwrap().object(body.as_bytes())
    }

    #[test]
    fn numbers_are_compared_by_what_they_are_worth() {
        let same = |one: &str, other: &str| {
            is_same(&serde_json::from_str(one).unwrap(), &serde_json::from_str(other).unwrap())
        };
        assert!(same("1.0", "1") && same("1e2", "100") && same("-0.5", "-0.5"));
        assert!(same(r#"{"a": [1.0, null]}"#, r#"{"a": [1, null]}"#) && !same("[1]", "[1, 1]"));
        assert!(!same(r#"{"a": 1}"#, r#"{"a": 1, "b": 1}"#) && !same(r#"{"a": 1}"#, r#"{"b": 1.0}"#));
        assert!(!same("1", "2") && !same("9007199254740993", "9007199254740992") && !same("1", "\"1\""));
    }

    #[test]
    fn texts_and_patterns() {
        let contains = Expectation::Contains(b"pong".to_vec());
        assert_eq!(object(&contains, "ping pong"), None);
        assert_eq!(object(&contains, "pon"), Some("the answer does not contain \"pong\"".to_owned()));
        let matches = Expectation::Matches("^(OK|ok)$".to_owned());
        assert_eq!(object(&matches, "ok"), None);
        assert_eq!(object(&matches, "not ok"), Some("the answer does not match \"^(OK|ok)$\"".to_owned()));
    }

    #[test]
    fn what_users_write_is_bounded() {
        let refused = [
            Expectation::Contains(vec![b'x'; LENGTH + 1]),
            Expectation::Matches("x".repeat(LENGTH + 1)),
            Expectation::Matches(format!("{}x{}", "(".repeat(100), ")".repeat(100))),
            Expectation::Matches("(?:x{1,1000}){1,1000}".to_owned()),
            Expectation::JsonPathEquals { path: "$.a".to_owned(), value: format!("\"{}\"", "x".repeat(LENGTH)) },
            Expectation::JsonPathEquals {
                path: "$.a".to_owned(),
                value: format!("{}{}", "[".repeat(500), "]".repeat(500)),
            },
            Expectation::JsonPathEquals { path: "$[?@".repeat(22), value: "1".to_owned() },
            // The patterns of these would be compiled, and searched for, once for each value of the answer.
            Expectation::JsonPathEquals {
                path: "$..[?search(@.a, '(?:a|b)*a(?:a|b){1000}c')]".to_owned(),
                value: "1".to_owned(),
            },
            Expectation::JsonPathEquals { path: "$..[?match(@.a, $.b)]".to_owned(), value: "1".to_owned() },
        ];
        for expected in refused {
            assert!(Matcher::compile(&expected).is_err(), "{expected:?}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let path = Expectation::JsonPathEquals { path: "$..a".to_owned(), value: "1".to_owned() };
        assert_eq!(object(&path, &deep), Some("the answer is no JSON".to_owned()));
    }

    #[test]
    fn a_growing_body_is_looked_through_once() {
        let matchers = ["one", "two"].map(|text| Matcher::compile(&Expectation::Contains(text.into())).unwrap());
        let (mut search, body) = (Search::default(), b"..two.one.".as_slice());
        let held: Vec<bool> = (1..=body.len()).map(|length| search.holds(&matchers, &body[..length])).collect();
        assert_eq!(held.iter().position(|holds| *holds), Some(8), "across pieces, in any order");
        assert!(held[8..].iter().all(|holds| *holds), "what was found stays found");
    }

    #[test]
    fn json_paths() {
        let up = Expectation::JsonPathEquals { path: "$.checks[*].status".to_owned(), value: "\"up\"".to_owned() };
        assert_eq!(object(&up, r#"{"checks": [{"status": "down"}, {"status": "up"}]}"#), None);
        let said = |body| object(&up, body).unwrap();
        assert_eq!(said(r#"{"checks": [{"status": "down"}]}"#), "$.checks[*].status is \"down\", not \"up\"");
        assert_eq!(said("{}"), "the answer has nothing at $.checks[*].status");
        assert_eq!(said("<html>"), "the answer is no JSON");
        let two = r#"{"checks": [{"status": 1}, {"status": 2}]}"#;
        assert_eq!(said(two), "none of the 2 values at $.checks[*].status is \"up\"");
    }
}
