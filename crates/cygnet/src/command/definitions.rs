//! Definitions of apps, groups and pods: read from files, and submitted so that running them again changes nothing.
//! A file is JSON, or [`yaml`], also of several documents; [`syntax`] shows where it is no JSON, and [`env_file`] puts in
//! the variables of other files.

mod env_file;
mod syntax;
mod yaml;

use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use hyper::Method;
use serde_json::Value;

use super::kind::Kind;
use crate::api::{Api, Changed};

/// The largest file that is read.
const LARGEST: u64 = 16 << 20;

/// Reads all files. Each has one definition, or a list of them, or documents that are such.
pub(crate) fn read(files: &[String]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for file in files {
        let directory = Path::new(file).parent().unwrap_or_else(|| Path::new(""));
        for mut definition in definitions(file, &text_of(file)?)? {
            env_file::put_in(&mut definition, directory).with_context(|| format!("{file} cannot be used"))?;
            all.push(definition);
        }
    }
    Ok(all)
}

/// The definitions in a file's text.
fn definitions(file: &str, text: &str) -> anyhow::Result<Vec<Value>> {
    let documents = if is_yaml(file, text) {
        yaml::documents(text).with_context(|| format!("{file} is not YAML that can be a definition"))?
    } else {
        let parsed = serde_json::from_str(text);
        vec![parsed.map_err(|error| anyhow!("{file} is not JSON: {}", syntax::shown(text, &error)))?]
    };
    let mut all = Vec::new();
    for document in documents {
        match document {
            Value::Array(several) => all.extend(several),
            one @ Value::Object(_) => all.push(one),
            _ => bail!("{file}: expected a definition, or a list of them"),
        }
    }
    ensure!(all.iter().all(Value::is_object), "{file}: expected a definition, or a list of them");
    Ok(all)
}

/// True by its name, or else by how it begins.
fn is_yaml(file: &str, text: &str) -> bool {
    match Path::new(file).extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml") => true,
        Some("json") => false,
        _ => !text.trim_start().starts_with(['{', '[']),
    }
}

/// The text of a file, or of standard input.
fn text_of(file: &str) -> anyhow::Result<String> {
    let read = || -> std::io::Result<String> {
        let source: Box<dyn Read> =
            if file == "-" { Box::new(std::io::stdin()) } else { Box::new(std::fs::File::open(file)?) };
        let mut text = String::new();
        source.take(LARGEST + 1).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().with_context(|| format!("cannot read {file}"))?;
    ensure!(text.len() as u64 <= LARGEST, "{file} is larger than {} MiB", LARGEST >> 20);
    Ok(text)
}

/// The text of a file that definitions name. A pipe or a device may never end, nor begin.
fn text_of_file(file: &str) -> anyhow::Result<String> {
    let kind = std::fs::metadata(file).with_context(|| format!("cannot read {file}"))?.file_type();
    ensure!(kind.is_file(), "{file} is no regular file");
    text_of(file)
}

/// Reads a file that has one definition in it.
pub(crate) fn one(file: &str) -> anyhow::Result<Value> {
    let mut all = read(&[file.to_owned()])?;
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => bail!("{file}: expected one definition"),
    }
}

/// Creates what is defined, or makes what exists as the definition says, at first in so many instances only if a number is
/// given. What is unchanged is left alone.
pub(crate) async fn submit(api: &Api, definition: &Value, force: bool, canary: Option<u32>) -> anyhow::Result<Changed> {
    let (method, path) = request(api, definition, force, canary).await?;
    send(api, method, &path, definition).await
}

/// The consequences of the same, without them.
pub(crate) async fn try_out(api: &Api, definition: &Value, force: bool, canary: Option<u32>) -> anyhow::Result<Value> {
    let (method, path) = match Kind::of(definition) {
        // Also one that is not there yet: it is Marathon's way to ask.
        kind @ Kind::Group => {
            let at = kind.path(&text_of_id(definition));
            (Method::PUT, format!("{at}?force={force}{}", asks_for(canary)))
        }
        Kind::App | Kind::Pod => request(api, definition, force, canary).await?,
    };
    Ok(send(api, method, &format!("{path}&dryRun=true&embed=plan"), definition).await?.body)
}

async fn send(api: &Api, method: Method, path: &str, definition: &Value) -> anyhow::Result<Changed> {
    let sent = api.send(method, path, Some(definition)).await;
    sent.with_context(|| format!("{} was refused", Kind::of(definition).named(&text_of_id(definition))))
}

fn asks_for(canary: Option<u32>) -> String {
    canary.map_or_else(String::new, |canary| format!("&canary={canary}"))
}

/// The request that changes what there is into what is defined.
async fn request(api: &Api, definition: &Value, force: bool, canary: Option<u32>) -> anyhow::Result<(Method, String)> {
    let (kind, id) = (Kind::of(definition), text_of_id(definition));
    let at = kind.path(&id);
    // The root group is always there.
    let exists = (kind == Kind::Group && id.is_empty()) || (!id.is_empty() && api.has(&at).await?);
    let canary = asks_for(canary);
    Ok(match (exists, kind) {
        (true, Kind::App) => (Method::PUT, format!("{at}?partialUpdate=false&force={force}{canary}")),
        (true, _) => (Method::PUT, format!("{at}?force={force}{canary}")),
        (false, _) => (Method::POST, format!("/v2/{}?force={force}", kind.plural())),
    })
}

fn text_of_id(definition: &Value) -> String {
    definition["id"].as_str().unwrap_or_default().trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_several_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let read_text = |text: &str| {
            let path = directory.path().join("app.json");
            std::fs::write(&path, text).unwrap();
            read(&[path.display().to_string()])
        };
        assert_eq!(read_text(r#"{"id": "a"}"#).unwrap().len(), 1);
        assert!(read_text(r#"[{"id": "a"}, 7]"#).is_err());
        assert_eq!(read_text(r#"[{"id": "a"}, {"id": "b"}]"#).unwrap().len(), 2);
        assert!(read_text("7").is_err() && read_text("{").is_err());
    }

    #[test]
    fn files_without_a_telling_name_are_read_by_how_they_begin() {
        for (file, text, ids) in [
            ("-", "# one\nid: a\n", 1),
            ("-", "  {\"id\": \"a\"}", 1),
            ("x.yml", "{id: a}", 1),
            ("x.yaml", "id: a\n---\n- id: b\n- id: c\n", 3),
        ] {
            assert_eq!(definitions(file, text).unwrap().len(), ids, "{text}");
        }
        let error = definitions("x.yaml", "id: a\nid: b\n").unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "x.yaml is not YAML that can be a definition: line 2, column 1 (at /id): the name \"id\" is there twice"
        );
        assert!(definitions("x.json", "id: a").is_err());
    }
}
