//! JSONP: answers as a call of a function that the request names, for pages from before there was a better way. In: a
//! request's parameters. Out: the function, if its name is one; what else would be anybody's script.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Refusal;

/// The longest name a function may have, in characters.
const LONGEST: usize = 128;

/// The parameter `jsonp`.
pub fn jsonp(parameters: &BTreeMap<String, String>) -> Result<Option<&str>, Refusal> {
    let Some(name) = parameters.get("jsonp") else { return Ok(None) };
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(is_part) {
        return Err(Refusal::bad_request("'jsonp' is not the name of a function"));
    }
    Ok(Some(name))
}

/// JSON, or JSON wrapped into a call of the function that the request names. The value is plain data with text keys: there
/// is nothing in it that JSON cannot hold.
pub fn json(parameters: &BTreeMap<String, String>, value: &impl Serialize) -> Result<Response, Refusal> {
    let json = serde_json::to_string(value).expect("plain data: JSON can hold it");
    let (kind, text) = match jsonp(parameters)? {
        Some(function) => ("text/javascript", format!("{function}({json})")),
        None => ("application/json", json),
    };
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_functions_are_called() {
        let asked = |name: &str| jsonp(&BTreeMap::from([("jsonp".to_owned(), name.to_owned())])).map(|_| ());
        for good in ["f", "jQuery_1.callback", "$._x9"] {
            assert_eq!(asked(good), Ok(()), "{good}");
        }
        for bad in ["", "alert(1);f", "<script>", "f\0", "f\n", "a b", &"f".repeat(LONGEST + 1)] {
            assert!(asked(bad).is_err(), "{bad}");
        }
        assert_eq!(jsonp(&BTreeMap::new()), Ok(None));
    }
}
