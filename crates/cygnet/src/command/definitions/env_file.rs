//! Variables from files, `env_file`, as Docker Compose has it: a file or a list of them, beside the definition's own. Before
//! a definition is sent its variables take the place of the field.
//!
//! A line is `NAME=VALUE`, `export` may stand before it. Behind a value without quotes ` #` begins a comment; in single
//! quotes everything is what it is, in double quotes `\n`, `\r`, `\t`, `\"` and `\\` are what they are elsewhere. `$` is a
//! letter like any other: nothing is taken from the variables of who sends the definition. Later files win over earlier ones,
//! and what the definition says itself wins over all.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value};

use super::text_of_file;

/// The field, of apps, pods and containers of pods.
const FIELD: &str = "env_file";

/// Puts the variables of files into a definition and all that is in it. Names of files are relative to `directory`.
pub(super) fn put_in(definition: &mut Value, directory: &Path) -> anyhow::Result<()> {
    let Some(fields) = definition.as_object_mut() else { return Ok(()) };
    if let Some(files) = fields.remove(FIELD) {
        let mut all = Map::new();
        for file in names(&files)? {
            let path = directory.join(file).display().to_string();
            all.extend(variables(&text_of_file(&path)?).with_context(|| path.clone())?);
        }
        let own = fields.entry(variables_field(fields)).or_insert_with(|| Value::Object(Map::new()));
        let Some(own) = own.as_object_mut() else { bail!("{FIELD} needs variables that are an object") };
        all.append(own);
        *own = all;
    }
    for list in ["apps", "pods", "groups", "containers"] {
        for inner in fields.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            put_in(inner, directory)?;
        }
    }
    Ok(())
}

/// The name that the variables have: pods and their containers have another one.
fn variables_field(fields: &Map<String, Value>) -> &'static str {
    let is_of_pod = ["containers", "environment", "exec", "resources"].iter().any(|name| fields.contains_key(*name));
    if is_of_pod { "environment" } else { "env" }
}

fn names(files: &Value) -> anyhow::Result<Vec<&str>> {
    let names = match files {
        Value::String(one) => Some(vec![one.as_str()]),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        _ => None,
    };
    names.with_context(|| format!("{FIELD} is the name of a file, or a list of them"))
}

/// The variables of a file.
fn variables(text: &str) -> anyhow::Result<Map<String, Value>> {
    let mut all = Map::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = variable(line).with_context(|| format!("line {number}"))?;
        all.insert(name.to_owned(), Value::String(value));
    }
    Ok(all)
}

fn variable(line: &str) -> anyhow::Result<(&str, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').context("expected NAME=VALUE")?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = !name.is_empty() && !name.starts_with(|letter: char| letter.is_ascii_digit());
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    ensure!(is_name && name.chars().all(letters), "{name:?} is no name of a variable");
    let value = match value.chars().next() {
        Some('\'') => value[1..].split_once('\'').map(|(inner, rest)| (inner.to_owned(), rest)),
        Some('"') => double_quoted(&value[1..]),
        _ => Some((unquoted(value).to_owned(), "")),
    };
    let (value, rest) = value.context("a quote has no end on its line")?;
    ensure!(rest.trim().is_empty() || rest.trim().starts_with('#'), "something stands behind the quote: {rest:?}");
    Ok((name, value))
}

fn unquoted(value: &str) -> &str {
    if value.starts_with('#') {
        return "";
    }
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

/// The text up to the quote, and what is behind that.
fn double_quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                other @ ('"' | '\\') => value.push(other),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_read_as_compose_reads_them() {
        let text = "# colours\n\nA=1\nexport B = two words # not this\nC='a $b # \\n'\nD=\"a\\tb\\\"\\x\" # c\nE=\nF=a#b=c\nA=3\n";
        assert_eq!(
            Value::Object(variables(text).unwrap()),
            json!({"A": "3", "B": "two words", "C": "a $b # \\n", "D": "a\tb\"\\x", "E": "", "F": "a#b=c"})
        );
        for (text, told) in [
            ("A=1\nB", "line 2: expected NAME=VALUE"),
            ("1A=1", "line 1: \"1A\" is no name of a variable"),
            ("A='b", "line 1: a quote has no end on its line"),
            ("A='b' c", "line 1: something stands behind the quote: \" c\""),
        ] {
            assert_eq!(format!("{:#}", variables(text).unwrap_err()), told);
        }
    }

    #[test]
    fn variables_of_files_go_below_those_of_the_definition_wherever_it_names_some() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("one"), "A=1\nB=1\nC=1").unwrap();
        std::fs::write(directory.path().join("two"), "B=2\nC=2").unwrap();
        let put = |mut definition: Value| put_in(&mut definition, directory.path()).map(|()| definition);
        let app = json!({"id": "a", "env_file": ["one", "two"], "env": {"C": "3", "D": {"secret": "s"}}});
        let env = json!({"A": "1", "B": "2", "C": "3", "D": {"secret": "s"}});
        assert_eq!(put(json!({"id": "g", "apps": [app]})).unwrap()["apps"][0], json!({"id": "a", "env": env}));
        let pod =
            json!({"id": "p", "env_file": "two", "containers": [{"name": "c", "env_file": "two", "resources": {}}]});
        let pod = put(pod).unwrap();
        let two = json!({"B": "2", "C": "2"});
        assert_eq!((&pod["environment"], &pod["containers"][0]["environment"]), (&two, &two));
        assert!(format!("{:#}", put(json!({"env_file": "no"})).unwrap_err()).contains("cannot read"));
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        for (file, said) in [("pipe", "pipe is no regular file"), ("/dev/zero", "/dev/zero is no regular file")] {
            assert!(put(json!({"env_file": file})).unwrap_err().to_string().ends_with(said), "{file}");
        }
        assert!(put(json!({"env_file": 7})).is_err() && put(json!({"env_file": "one", "env": 7})).is_err());
    }
}
