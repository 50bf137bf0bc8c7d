//! App definitions: read from files, and submitted so that running them again changes nothing.

use std::io::Read;

use anyhow::{Context, bail};
use hyper::Method;
use serde_json::Value;

use crate::api::Api;

/// Reads all files. Each has one definition, or a list of them.
pub(crate) fn read(files: &[String]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for file in files {
        let text = text(file).with_context(|| format!("cannot read {file}"))?;
        match serde_json::from_str(&text).with_context(|| format!("{file} is not JSON"))? {
            Value::Array(several) => all.extend(several),
            one @ Value::Object(_) => all.push(one),
            _ => bail!("{file}: expected an app definition, or a list of them"),
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

/// Creates the app, or makes an existing one as the definition says. An unchanged one is left alone.
pub(crate) async fn submit(api: &Api, definition: &Value, force: bool) -> anyhow::Result<Value> {
    let id = definition["id"].as_str().unwrap_or_default().trim_matches('/').to_owned();
    let exists = !id.is_empty() && api.ask(Method::GET, &format!("/v2/apps/{id}"), None).await?.is_ok();
    let (method, path) = if exists {
        (Method::PUT, format!("/v2/apps/{id}?partialUpdate=false&force={force}"))
    } else {
        (Method::POST, format!("/v2/apps?force={force}"))
    };
    let name = if id.is_empty() { "an app".to_owned() } else { format!("the app /{id}") };
    api.send(method, &path, Some(definition)).await.with_context(|| format!("{name} was refused"))
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
