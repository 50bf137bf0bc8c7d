//! The expectations of an answer, from what was typed. Pure.

use anyhow::{Context, ensure};
use checks::spec::Expectation;

use super::options::Expect;

/// All of it must hold.
pub(super) fn expectations(expect: &Expect) -> anyhow::Result<Vec<Expectation>> {
    let contains = expect.contains.iter().map(|text| Ok(Expectation::Contains(text.clone().into_bytes())));
    let matches = expect.matches.iter().map(|pattern| Ok(Expectation::Matches(pattern.clone())));
    let json_path = expect.json_path.iter().map(|text| json_path(text));
    contains.chain(matches).chain(json_path).collect()
}

fn json_path(text: &str) -> anyhow::Result<Expectation> {
    let split = end_of_path(text).and_then(|end| Some((text.get(..end)?.trim(), text.get(end + 1..)?.trim())));
    let (path, value) = split.with_context(|| format!("--json-path '{text}': write PATH=VALUE"))?;
    ensure!(!value.starts_with('='), "--json-path '{text}': write one '=' between PATH and VALUE");
    Ok(Expectation::JsonPathEquals { path: path.to_owned(), value: value.to_owned() })
}

/// The position of the first `=` that is neither within brackets nor within the quotes there: a path has others, in
/// names and filters, a value may have any.
fn end_of_path(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (at, letter) in text.char_indices() {
        match (letter, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', Some(_)) => is_escaped = true,
            (letter, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(letter),
            ('[' | '(', None) => depth += 1,
            (']' | ')', None) => depth = depth.saturating_sub(1),
            ('=', None) if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_brackets_decide_where_a_json_path_ends() {
        for (text, path, value) in [
            (r#"$.checks[?@.name=="db"].up=true"#, r#"$.checks[?@.name=="db"].up"#, "true"),
            (r#"$.t="b=c""#, "$.t", r#""b=c""#),
            ("$.t=b=c", "$.t", "b=c"),
            ("$.t = [1, 2]", "$.t", "[1, 2]"),
            (r#"$['a=b']="c=d""#, "$['a=b']", r#""c=d""#),
            (r#"$["a\"]=b"]=c"#, r#"$["a\"]=b"]"#, "c"),
            (r#"$[?@.x=="]" && (@.y==1)].z={"a":"b=]"}"#, r#"$[?@.x=="]" && (@.y==1)].z"#, r#"{"a":"b=]"}"#),
            ("$.t=", "$.t", ""),
        ] {
            let expected = Expectation::JsonPathEquals { path: path.to_owned(), value: value.to_owned() };
            assert_eq!(json_path(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_json_path_without_a_value_is_refused() {
        for text in ["$.t", "$[?@.a==1]", "$['a=b'", "$.t==up", ""] {
            assert!(json_path(text).is_err(), "{text}");
        }
    }
}
