//! Definitions in YAML 1.2, its core schema. In: the text of a file. Out: its documents as JSON, or where it is wrong: line,
//! column, and the field.
//!
//! Invariants: no more values than [`MOST_VALUES`], those that aliases repeat counted and long texts as several, and none
//! deeper than [`DEEPEST`]. A name stands once in an object, as numbers no JSON can hold stand nowhere.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};

/// The most values of a file.
const MOST_VALUES: usize = 100_000;

/// The bytes of a text that count as one more value.
const TEXT_BYTES: usize = 256;

/// The deepest nesting.
const DEEPEST: usize = 64;

/// A file that is no YAML, or none that can be a definition.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("line {line}, column {column}{}: {fault}", if field.is_empty() { String::new() } else { format!(" (at {field})") })]
pub(super) struct YamlError {
    line: usize,
    column: usize,
    /// The JSON pointer of what is wrong; empty where the file is.
    field: String,
    fault: Fault,
}

#[derive(Debug, thiserror::Error, PartialEq)]
enum Fault {
    #[error("{0}")]
    Syntax(String),
    #[error("the name {0:?} is there twice")]
    Twice(String),
    #[error("names have to be texts")]
    Name,
    #[error("an alias of nothing that was complete before it")]
    Alias,
    #[error("tags are not known here: {0}")]
    Tag(String),
    #[error("merge keys (<<) are not known here: write the fields out, or repeat a whole value with an alias")]
    Merge,
    #[error("a number that JSON does not have: put a text in quotes")]
    Number,
    #[error("nested deeper than {DEEPEST}")]
    Deep,
    #[error("more than {MOST_VALUES} values, those of aliases counted, and long texts as several")]
    Large,
    #[error("the file ends too early")]
    End,
}

/// A value, and the number of values that it is made of.
#[derive(Debug, Clone)]
struct Counted {
    value: Value,
    count: usize,
}

/// All documents of a file that are not empty.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, YamlError> {
    let mut reader = Reader { events: Parser::new_from_str(text), anchors: HashMap::new(), path: Vec::new(), count: 0 };
    let mut documents = Vec::new();
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::DocumentStart(_), _) => {
                let (event, span) = reader.next()?;
                documents.extend(Some(reader.value(event, span)?.value).filter(|value| !value.is_null()));
            }
            _ => reader.anchors.clear(),
        }
    }
}

/// The number of values that an event counts for itself.
fn weight(event: &Event<'_>) -> usize {
    match event {
        Event::Scalar(text, ..) => 1 + text.len() / TEXT_BYTES,
        _ => 1,
    }
}

struct Reader<'input> {
    events: Parser<'input, StrInput<'input>>,
    /// The values that may be repeated.
    anchors: HashMap<usize, Counted>,
    /// The names of what is being read.
    path: Vec<String>,
    count: usize,
}

impl<'input> Reader<'input> {
    fn next(&mut self) -> Result<(Event<'input>, Span), YamlError> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.fault(error.marker(), Fault::Syntax(error.info().to_owned()))),
            None => Err(self.fault(&Marker::default(), Fault::End)),
        }
    }

    fn fault(&self, at: &Marker, fault: Fault) -> YamlError {
        let field = self.path.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect();
        YamlError { line: at.line(), column: at.col() + 1, field, fault }
    }

    fn value(&mut self, event: Event<'input>, span: Span) -> Result<Counted, YamlError> {
        let before = self.count;
        self.more(weight(&event), &span)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (self.scalar(&text, style, tag.as_deref(), &span)?, anchor),
            Event::SequenceStart(anchor, tag) => (self.list(tag.as_deref(), &span)?, anchor),
            Event::MappingStart(anchor, tag) => (self.object(tag.as_deref(), &span)?, anchor),
            Event::Alias(anchor) => return self.repeated(anchor, &span),
            _ => return Err(self.fault(&span.start, Fault::End)),
        };
        let counted = Counted { value, count: self.count - before };
        if anchor > 0 {
            self.more(counted.count, &span)?;
            self.anchors.insert(anchor, counted.clone());
        }
        Ok(counted)
    }

    fn more(&mut self, count: usize, span: &Span) -> Result<(), YamlError> {
        self.count = self.count.saturating_add(count);
        if self.count > MOST_VALUES { Err(self.fault(&span.start, Fault::Large)) } else { Ok(()) }
    }

    fn repeated(&mut self, anchor: usize, span: &Span) -> Result<Counted, YamlError> {
        let found = self.anchors.get(&anchor).map(|counted| counted.count);
        let count = found.ok_or_else(|| self.fault(&span.start, Fault::Alias))?;
        self.more(count, span)?;
        self.anchors.get(&anchor).cloned().ok_or_else(|| self.fault(&span.start, Fault::Alias))
    }

    fn enter(&mut self, name: String, span: &Span) -> Result<(), YamlError> {
        self.path.push(name);
        if self.path.len() > DEEPEST { Err(self.fault(&span.start, Fault::Deep)) } else { Ok(()) }
    }

    fn list(&mut self, tag: Option<&Tag>, span: &Span) -> Result<Value, YamlError> {
        self.untagged(tag, "seq", span)?;
        let mut list = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Array(list));
            }
            self.enter(list.len().to_string(), &span)?;
            list.push(self.value(event, span)?.value);
            self.path.pop();
        }
    }

    fn object(&mut self, tag: Option<&Tag>, span: &Span) -> Result<Value, YamlError> {
        self.untagged(tag, "map", span)?;
        let mut fields = Map::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Object(fields));
            }
            let name = self.name(event, &at)?;
            self.enter(name.clone(), &at)?;
            if fields.contains_key(&name) {
                return Err(self.fault(&at.start, Fault::Twice(name)));
            }
            let (event, span) = self.next()?;
            let value = self.value(event, span)?.value;
            fields.insert(name, value);
            self.path.pop();
        }
    }

    fn name(&self, event: Event<'input>, span: &Span) -> Result<String, YamlError> {
        match event {
            Event::Scalar(name, ScalarStyle::Plain, ..) if name == "<<" => Err(self.fault(&span.start, Fault::Merge)),
            Event::Scalar(name, ..) => Ok(name.into_owned()),
            _ => Err(self.fault(&span.start, Fault::Name)),
        }
    }

    /// Fails on a tag that is not the one such a value has anyway.
    fn untagged(&self, tag: Option<&Tag>, usual: &str, span: &Span) -> Result<(), YamlError> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == usual) => {
                Err(self.fault(&span.start, Fault::Tag(tag.to_string())))
            }
            _ => Ok(()),
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Result<Value, YamlError> {
        self.untagged(tag, "str", span)?;
        if style != ScalarStyle::Plain || tag.is_some() {
            return Ok(Value::String(text.to_owned()));
        }
        plain(text).ok_or_else(|| self.fault(&span.start, Fault::Number))
    }
}

/// A scalar without quotes, by the core schema; nothing if it is a number that JSON does not have.
fn plain(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(&digits) {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) =
            text.strip_prefix(prefix).filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)))
            && !digits.is_empty()
        {
            return u64::from_str_radix(digits, radix).ok().map(Value::from);
        }
    }
    if !is_number(digits) {
        return Some(Value::String(text.to_owned()));
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let whole = text.parse::<u64>().map(Value::from).or_else(|_| text.parse::<i64>().map(Value::from));
    whole.ok().or_else(|| Number::from_f64(text.parse().ok()?).map(Value::Number))
}

/// True for digits with at most one point between or beside them, and an exponent if any.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(left, right)| (left, Some(right)));
    let are_digits = |text: &str| text.chars().all(|letter| letter.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let has_digits = !whole.is_empty() || !part.is_empty();
    has_digits
        && are_digits(whole)
        && are_digits(part)
        && exponent.is_none_or(|text| !text.is_empty() && are_digits(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Value {
        documents(text).unwrap_or_else(|error| panic!("{error} in {text}")).remove(0)
    }

    fn wrong(text: &str) -> String {
        documents(text).map(|value| panic!("{value:?}")).unwrap_or_else(|error: YamlError| error.to_string())
    }

    #[test]
    fn a_definition_with_comments_is_what_it_would_be_in_json() {
        let text = "# The shop's front.\nid: /web\ncmd: exec httpd -p $PORT0  # in the foreground\ncpus: 0.1\n\
                    env:\n  PORT: \"80\"\n  ON: yes\nconstraints:\n- [hostname, UNIQUE]\nlabels: {}\nuser: ~\n";
        assert_eq!(
            one(text),
            json!({"id": "/web", "cmd": "exec httpd -p $PORT0", "cpus": 0.1, "env": {"PORT": "80", "ON": "yes"},
                "constraints": [["hostname", "UNIQUE"]], "labels": {}, "user": null})
        );
        assert_eq!(one("cmd: |\n  a\n  b\n"), json!({"cmd": "a\nb\n"}));
    }

    #[test]
    fn scalars_are_those_of_the_core_schema() {
        for (text, value) in [
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("+3", json!(3)),
            ("0o17", json!(15)),
            ("0xff", json!(255)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.2.3", json!("1.2.3")),
            ("12:30", json!("12:30")),
            ("no", json!("no")),
            ("'true'", json!("true")),
            ("!!str 7", json!("7")),
            ("-a", json!("-a")),
            ("", json!(null)),
        ] {
            assert_eq!(one(&format!("a: {text}"))["a"], value, "{text}");
        }
    }

    #[test]
    fn several_documents_and_aliases_are_read() {
        let all =
            documents("---\nid: a\nhealthChecks: [&check {protocol: MESOS_TCP}, *check]\n---\n---\nid: b\n").unwrap();
        assert_eq!(all.len(), 2, "an empty one is none");
        assert_eq!(all[0]["healthChecks"], json!([{"protocol": "MESOS_TCP"}, {"protocol": "MESOS_TCP"}]));
    }

    #[test]
    fn mistakes_are_told_by_line_column_and_field() {
        for (text, told) in [
            ("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4, column 3 (at /b/c): the name \"c\" is there twice"),
            ("a:\n- x: .inf\n", "line 2, column 6 (at /a/0/x): a number that JSON does not have: put a text in quotes"),
            ("a: !secret x\n", "line 1, column 4 (at /a): tags are not known here: !secret"),
            ("a: *b\n", "line 1, column 4 (at /a): "),
            ("a: &a [*a]\n", "line 1, column 8 (at /a/0): an alias of nothing that was complete before it"),
            ("<<: {a: 1}\n", "line 1, column 1: merge keys"),
            ("[a]: 1\n", "line 1, column 1: names have to be texts"),
            ("a: [1, 2\nb: 1\n", "line 2, "),
            ("a: 1\n\tb: 2\n", "line 1, column 4 (at /a): while scanning a plain scalar, found a tab"),
        ] {
            let error = wrong(text);
            assert!(error.starts_with(told), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_bomb_of_aliases_is_refused_before_it_is_made() {
        let lines =
            (1..40).map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(",")));
        let text: String = std::iter::once("a0: &a0 [x]\n".to_owned()).chain(lines).collect();
        assert!(wrong(&text).contains("more than 100000 values, those of aliases counted"));
    }

    #[test]
    fn a_long_text_is_not_repeated_until_memory_is_full() {
        let long = "x".repeat(1 << 20);
        let repeated = format!("a: &a {long}\nb: [{}]\n", vec!["*a"; 50_000].join(","));
        assert!(wrong(&repeated).contains("long texts as several"));
        let kept: String = (0..60).map(|level| format!("&a{level} [")).collect();
        assert!(wrong(&(kept + &long + &"]".repeat(60))).contains("long texts as several"));
        assert_eq!(one(&format!("a: {long}"))["a"], json!(long), "once it is as long as a file may be");
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        assert!(wrong(&("[".repeat(70) + &"]".repeat(70))).contains("deeper than 64"));
        assert!(documents(&"[".repeat(100_000)).is_err());
        assert!(wrong(&"- ".repeat(10_000)).contains("deeper than 64"));
    }
}
