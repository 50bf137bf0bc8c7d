//! `cygnet queue`: instances that wait to be launched, and why, through the v2 API.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::Value;

use super::age::since;
use super::change::progress::waits;
use super::table::{items, table, text};
use crate::api::{Api, Asking, path};
use crate::output::line;

/// What to do with the queue.
#[derive(Debug, Args)]
pub(crate) struct Queue {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what waits, and for what
    List,
    /// Launch again at once, however often it failed before
    Reset {
        /// The id of the app or pod
        id: String,
    },
}

/// Does it.
pub(crate) async fn run(queue: Queue) -> anyhow::Result<ExitCode> {
    let (api, json) = (Api::new(&queue.asking.api), queue.asking.json);
    match &queue.verb {
        Verb::List => {
            let all = api.get("/v2/queue").await?;
            line(if json { all.to_string() } else { listed(items(&all["queue"])) });
        }
        Verb::Reset { id } => {
            api.send(Method::DELETE, &(path("queue", id) + "/delay"), None).await?;
            if !json {
                line(format!("{id} is launched as soon as an offer fits"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(waiting: &[Value]) -> String {
    if waiting.is_empty() {
        return "nothing waits".to_owned();
    }
    let mut table = table(&["app", "instances", "for", "why"]);
    for item in waiting {
        let of = if item["app"].is_object() { &item["app"]["id"] } else { &item["pod"]["id"] };
        let why = waits(item).unwrap_or_else(|| "no offer yet".to_owned());
        table.add_row([text(of), text(&item["count"]), since(&text(&item["since"])), why]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn why_it_waits_is_shown() {
        let item = json!({"app": {"id": "/web"}, "count": 3, "since": "", "delay": {"timeLeftSeconds": 0},
            "processedOffersSummary": {"rejectSummaryLastOffers": [{"reason": "InsufficientMemory", "declined": 1, "processed": 1}]}});
        let text = listed(&[item, json!({"pod": {"id": "/pod"}, "count": 1})]);
        assert!(text.contains("InsufficientMemory (1 of 1 offers)") && text.contains("no offer yet"), "{text}");
        assert_eq!(listed(&[]), "nothing waits");
    }
}
