//! Definitions of apps, groups and pods: read from files, and submitted so that running them again changes nothing.

use std::io::Read;

use anyhow::{Context, bail};
use hyper::Method;
use serde_json::Value;

use super::kind::Kind;
use crate::api::{Api, Changed};

/// Reads all files. Each has one definition, or a list of them.
pub(crate) fn read(files: &[String]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for file in files {
        let text = text(file).with_context(|| format!("cannot read {file}"))?;
        match serde_json::from_str(&text).with_context(|| format!("{file} is not JSON"))? {
            Value::Array(several) => all.extend(several),
            one @ Value::Object(_) => all.push(one),
            _ => bail!("{file}: expected a definition, or a list of them"),
        }
    }
    Ok(all)
}

fn text(file: &str) -> std::io::Result<String> {
    if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
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
    let kind = Kind::of(definition);
    let id = definition["id"].as_str().unwrap_or_default().trim_matches('/');
    let at = kind.path(id);
    // The root group is always there.
    let exists = (kind == Kind::Group && id.is_empty()) || (!id.is_empty() && api.has(&at).await?);
    let canary = canary.map_or_else(String::new, |canary| format!("&canary={canary}"));
    let (method, path) = match (exists, kind) {
        (true, Kind::App) => (Method::PUT, format!("{at}?partialUpdate=false&force={force}{canary}")),
        (true, _) => (Method::PUT, format!("{at}?force={force}{canary}")),
        (false, _) => (Method::POST, format!("/v2/{}?force={force}", kind.plural())),
    };
    api.send(method, &path, Some(definition)).await.with_context(|| format!("{} was refused", kind.named(id)))
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
        assert_eq!(read_text(r#"[{"id": "a"}, {"id": "b"}]"#).unwrap().len(), 2);
        assert!(read_text("7").is_err() && read_text("{").is_err());
    }
}
