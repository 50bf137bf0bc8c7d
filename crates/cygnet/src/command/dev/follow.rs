//! `--watch`: the files of `cygnet dev`, read again and again. What changes in a definition is submitted, and told field by
//! field; a file that is broken changes nothing.
//!
//! In: the files, and those that they name. Out: definitions to the API, and what is done to standard error, or as JSON. Runs
//! until it is dropped.

use std::convert::Infallible;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::Api;
use crate::command::table::text;
use crate::command::{definitions, plan};
use crate::output::json_line;
use crate::screen;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// The files as they were seen last.
#[derive(Debug)]
pub(super) struct Files {
    names: Vec<String>,
    known: Vec<Value>,
    /// The mistake that was there at the last look, and whether it was told: one that is gone at the next was a file half
    /// written.
    mistake: Option<(String, bool)>,
}

/// Something about the files that is new.
#[derive(Debug, PartialEq)]
enum News {
    /// To be submitted.
    Changed(Value),
    /// In no file any more.
    Gone(String),
    Broken(String),
    Mended,
}

impl Files {
    pub(super) fn new(names: Vec<String>, known: Vec<Value>) -> Files {
        Files { names, known, mistake: None }
    }

    /// Submits what changes.
    pub(super) async fn follow(mut self, api: &Api, json: bool) -> Infallible {
        loop {
            tokio::time::sleep(LOOK).await;
            let names = self.names.clone();
            let Ok(read) = tokio::task::spawn_blocking(move || definitions::read(&names)).await else { continue };
            for news in self.news(read.map_err(|error| format!("{error:#}"))) {
                tell(&news.done(api).await, json);
            }
        }
    }

    /// The news, now that the files are like this.
    fn news(&mut self, now: Result<Vec<Value>, String>) -> Vec<News> {
        let now = match now {
            Ok(now) => now,
            Err(mistake) => return self.broken(mistake).into_iter().collect(),
        };
        let mended = self.mistake.take().filter(|(_, told)| *told).map(|_| News::Mended);
        let changed = now.iter().filter(|one| !self.known.contains(one)).cloned().map(News::Changed);
        let is_gone = |old: &&Value| now.iter().all(|one| one["id"] != old["id"]);
        let gone = self.known.iter().filter(is_gone).map(|old| News::Gone(text(&old["id"])));
        let news = mended.into_iter().chain(changed).chain(gone).collect();
        self.known = now;
        news
    }

    fn broken(&mut self, mistake: String) -> Option<News> {
        let told = match &self.mistake {
            Some((known, told)) if *known == mistake => Some(*told),
            _ => None,
        };
        self.mistake = Some((mistake.clone(), told.is_some()));
        (told == Some(false)).then_some(News::Broken(mistake))
    }
}

impl News {
    /// Does what is to be done, and says it: the words, and the kind and the app for scripts.
    async fn done(&self, api: &Api) -> (&'static str, String, String) {
        match self {
            News::Changed(definition) => {
                let id = text(&definition["id"]);
                let (kind, words) = match submitted(api, definition).await {
                    Ok(changes) => ("changed", format!("{id} changed:\n{changes}")),
                    Err(error) => ("refused", format!("{error:#}; what runs stays")),
                };
                (kind, id, words)
            }
            News::Gone(id) => {
                ("left", id.clone(), format!("{id} is in no file any more and stays: `cygnet app rm {id}` removes it"))
            }
            News::Broken(mistake) => ("broken", String::new(), format!("{mistake}\nwhat runs stays as it is")),
            News::Mended => ("mended", String::new(), "the files can be read again".to_owned()),
        }
    }
}

/// The changes that were submitted, a line each.
async fn submitted(api: &Api, definition: &Value) -> anyhow::Result<String> {
    let plan = definitions::try_out(api, definition, true, None).await?;
    definitions::submit(api, definition, true, None).await?;
    let changes = plan::changes(&plan);
    Ok(if changes.is_empty() { "  nothing that the scheduler does not have".to_owned() } else { changes.join("\n") })
}

fn tell((kind, app, words): &(&'static str, String, String), as_json: bool) {
    if as_json {
        json_line(json!({"event": "files", "kind": kind, "app": app, "text": words}));
    } else {
        screen::complaint(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(id: &str, instances: u32) -> Value {
        json!({"id": id, "instances": instances})
    }

    #[test]
    fn what_changed_is_submitted_and_what_is_gone_is_left_alone() {
        let mut files = Files::new(Vec::new(), vec![app("a", 1), app("b", 1)]);
        assert_eq!(files.news(Ok(vec![app("a", 1), app("b", 1)])), []);
        let news = files.news(Ok(vec![app("a", 2), app("c", 1)]));
        assert_eq!(news, [News::Changed(app("a", 2)), News::Changed(app("c", 1)), News::Gone("b".into())]);
        assert_eq!(files.news(Ok(vec![app("a", 2), app("c", 1)])), [], "once");
    }

    #[test]
    fn a_broken_file_is_told_once_and_not_while_it_is_written() {
        let mut files = Files::new(Vec::new(), vec![app("a", 1)]);
        let broken = || Err("line 3".to_owned());
        assert_eq!(files.news(broken()), []);
        assert_eq!(files.news(Ok(vec![app("a", 1)])), [], "it was half written");
        assert_eq!(files.news(broken()), []);
        assert_eq!(files.news(broken()), [News::Broken("line 3".into())]);
        assert_eq!(files.news(broken()), []);
        let news = files.news(Ok(vec![app("a", 2)]));
        assert_eq!(news, [News::Mended, News::Changed(app("a", 2))]);
    }
}
