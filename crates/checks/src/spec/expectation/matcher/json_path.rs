//! A JSONPath (RFC 9535) that can neither be parsed nor be followed for ever. Pure.
//!
//! In: the text of a path; later, JSON. Out: what it finds. The parser is recursive, and tries a filter within a filter
//! twice at each level; and a path may visit everything once for everything it has visited. So the text is measured
//! before it is parsed, and the JSON before it is searched.

use serde_json::Value;
use serde_json_path::JsonPath;

/// The length of the longest path, in bytes.
const LENGTH: usize = 1024;

/// The deepest nesting of brackets and parentheses, in one another.
const DEPTH: usize = 6;

/// The deepest nesting of filters.
const FILTERS: usize = 2;

/// The number of values that may be visited: two to the power of this.
const VISITS: u32 = 22;

/// A path that is not followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadPath {
    #[error("is longer than {LENGTH} bytes")]
    TooLong,
    #[error("is nested deeper than {DEPTH} brackets and parentheses, or {FILTERS} filters")]
    TooDeep,
    #[error("is no JSONPath (RFC 9535): {0}")]
    Malformed(#[from] serde_json_path::ParseError),
}

#[derive(Clone, Debug)]
pub(crate) struct Path {
    text: Box<str>,
    path: Box<JsonPath>,
    sweeps: u32,
}

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Path, BadPath> {
        let sweeps = Measure::of(text)?.sweeps();
        Ok(Path { text: text.into(), path: Box::new(JsonPath::parse(text)?), sweeps })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// All that is found, or nothing if that might take too long in so much JSON.
    pub(crate) fn find<'a>(&self, json: &'a Value) -> Option<Vec<&'a Value>> {
        let most = 1 << (VISITS / self.sweeps);
        (count(json, most) <= most).then(|| self.path.query(json).all())
    }
}

/// The number of values there are, as far as that matters.
fn count(json: &Value, most: usize) -> usize {
    let inner: &mut dyn Iterator<Item = &Value> = match json {
        Value::Array(values) => &mut values.iter(),
        Value::Object(fields) => &mut fields.values(),
        _ => return 1,
    };
    let mut sum = 1;
    for value in inner {
        if sum > most {
            break;
        }
        sum += count(value, most - sum);
    }
    sum
}

/// The measurements of a path before it is parsed.
#[derive(Debug, Default)]
struct Measure {
    /// The open brackets, of filters or not, and parentheses.
    open: Vec<Open>,
    /// The number of times `..` stands there.
    descents: u32,
    /// The other parts that may visit everything for each value that was visited.
    repeats: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Plain,
    Filter,
}

impl Measure {
    fn of(text: &str) -> Result<Measure, BadPath> {
        if text.len() > LENGTH {
            return Err(BadPath::TooLong);
        }
        let mut measure = Measure::default();
        let mut letters = text.chars().peekable();
        letters.next_if_eq(&'$');
        while let Some(letter) = letters.next() {
            match letter {
                '\'' | '"' => skip_text(&mut letters, letter),
                '.' if letters.next_if_eq(&'.').is_some() => measure.descents += 1,
                letter => measure.take(letter)?,
            }
        }
        Ok(measure)
    }

    fn take(&mut self, letter: char) -> Result<(), BadPath> {
        match letter {
            '[' | '(' => self.open.push(Open::Plain),
            ']' | ')' => drop(self.open.pop()),
            '?' => {
                self.repeats += u32::from(self.filters() > 0);
                self.open.last_mut().into_iter().for_each(|open| *open = Open::Filter);
            }
            // Several selectors find a value several times; a filter looks again at what it finds, or at everything.
            ',' => self.repeats += 1,
            '*' | '$' if self.filters() > 0 => self.repeats += 1,
            _ => {}
        }
        let fits = self.open.len() <= DEPTH && self.filters() <= FILTERS;
        if fits { Ok(()) } else { Err(BadPath::TooDeep) }
    }

    /// As which power of the number of values the visits may grow. To go through all of them once takes one.
    fn sweeps(&self) -> u32 {
        1 + self.descents.saturating_sub(1) + self.repeats
    }

    fn filters(&self) -> usize {
        self.open.iter().filter(|open| **open == Open::Filter).count()
    }
}

fn skip_text(letters: &mut impl Iterator<Item = char>, quote: char) {
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            letter if letter == quote => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_take_for_ever_to_parse_is_not_parsed() {
        let nested =
            |open: &str, close: &str, times: usize| format!("${}@.a{}", open.repeat(times), close.repeat(times));
        let deep = [
            nested("[?@", "]", 22),
            nested("[?@", "]", 3),
            format!("$[?{}@.a{}]", "(".repeat(500), ")".repeat(500)),
            format!("$[?{}@.a{}]", "!(".repeat(20), ")".repeat(20)),
            format!("$[?{}@.a{} == 1]", "length(".repeat(20), ")".repeat(20)),
        ];
        for text in deep {
            assert!(matches!(Path::parse(&text), Err(BadPath::TooDeep)), "{text}");
        }
        assert!(matches!(Path::parse(&"$.a".repeat(1000)), Err(BadPath::TooLong)));
    }

    #[test]
    fn what_people_write_is_followed() {
        let paths = [
            "$.status",
            "$.checks[*].status",
            "$..status",
            "$['a[?(']['b\\'..']",
            "$.checks[?@.name == 'db' && (@.up == true || @.level > 3)].status",
            "$.checks[?length(@.name) > 2].parts[?@.up == true]",
            "$[?@.parts[?@.up == true]]",
        ];
        for text in paths {
            assert!(Path::parse(text).is_ok(), "{text}: {:?}", Path::parse(text));
        }
    }

    #[test]
    fn what_visits_everything_for_everything_is_for_small_answers() {
        let numbers = |count: usize| Value::from((0..count).collect::<Vec<_>>());
        let [small, large] = [numbers(50), numbers(200_000)];
        for text in ["$..[?@..a]", "$[?$..a]", "$[*,*]", "$..*..*", "$[?count($[*]) > 3]", "$[?@[?@.a]]"] {
            let path = Path::parse(text).unwrap();
            assert!(path.find(&small).is_some() && path.find(&large).is_none(), "{text}");
        }
        for text in ["$[*]", "$..a", "$[?@.a == 1]", "$[3]"] {
            assert!(Path::parse(text).unwrap().find(&large).is_some(), "{text}");
        }
    }
}
