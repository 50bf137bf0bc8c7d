//! Expectations, compiled once per check. Pure.
//!
//! In: an [`Expectation`]; later, bodies. Out: whether it holds, in words if not.

use memchr::memmem::find;
use regex::bytes::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::spec::Expectation;

/// How much of a body is looked at.
pub(crate) const KEPT: usize = 1024 * 1024;

/// An expectation, ready to be held against bodies.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    Contains(Box<[u8]>),
    Matches(Box<Regex>),
    JsonPathEquals { text: Box<str>, path: Box<JsonPath>, value: Box<Value> },
}

/// An expectation that makes no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadExpectation {
    #[error("is no regular expression: {0}")]
    Regex(#[from] regex::Error),
    #[error("is no JSONPath (RFC 9535): {0}")]
    JsonPath(#[from] serde_json_path::ParseError),
    #[error("has a value that is no JSON (text needs quotes): {0}")]
    Value(#[from] serde_json::Error),
}

impl Matcher {
    pub(crate) fn compile(expected: &Expectation) -> Result<Matcher, BadExpectation> {
        Ok(match expected {
            Expectation::Contains(bytes) => Matcher::Contains(bytes.as_slice().into()),
            Expectation::Matches(pattern) => Matcher::Matches(Box::new(Regex::new(pattern)?)),
            Expectation::JsonPathEquals { path, value } => Matcher::JsonPathEquals {
                text: path.as_str().into(),
                path: Box::new(JsonPath::parse(path)?),
                value: Box::new(serde_json::from_str(value)?),
            },
        })
    }

    /// What is wrong with this body.
    pub(crate) fn object(&self, body: &[u8]) -> Option<String> {
        match self {
            Matcher::Contains(bytes) if find(body, bytes).is_some() => None,
            Matcher::Contains(bytes) => {
                Some(format!("the answer does not contain {:?}", String::from_utf8_lossy(bytes)))
            }
            Matcher::Matches(pattern) if pattern.is_match(body) => None,
            Matcher::Matches(pattern) => Some(format!("the answer does not match {:?}", pattern.as_str())),
            Matcher::JsonPathEquals { text, path, value } => object_json(text, path, value, body),
        }
    }
}

fn object_json(text: &str, path: &JsonPath, value: &Value, body: &[u8]) -> Option<String> {
    let Ok(json) = serde_json::from_slice::<Value>(body) else { return Some("the answer is no JSON".to_owned()) };
    let found = path.query(&json).all();
    if found.contains(&value) {
        return None;
    }
    Some(match found.as_slice() {
        [] => format!("the answer has nothing at {text}"),
        [one] => format!("{text} is {}, not {value}", brief(one)),
        several => format!("none of the {} values at {text} is {value}", several.len()),
    })
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
    /// Which of the texts were found.
    found: Vec<bool>,
    looked: usize,
}

impl Search {
    /// Whether all of them hold now. Texts come first: they are cheap.
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
    fn texts_and_patterns() {
        let contains = Expectation::Contains(b"pong".to_vec());
        assert_eq!(object(&contains, "ping pong"), None);
        assert_eq!(object(&contains, "pon"), Some("the answer does not contain \"pong\"".to_owned()));
        let matches = Expectation::Matches("^(OK|ok)$".to_owned());
        assert_eq!(object(&matches, "ok"), None);
        assert_eq!(object(&matches, "not ok"), Some("the answer does not match \"^(OK|ok)$\"".to_owned()));
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
