//! `cygnet queue`: instances that wait to be launched, and why, through the v2 API.

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

use super::age::since;
use super::change::progress::waits;
use super::table::{items, joined, table, text};
use crate::api::{Api, Noun, path};
use crate::output::line;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List what waits, and for what
    List,
    /// List the last offers that were of no use to an app or pod, and what they lacked
    Offers {
        /// The id of the app or pod
        id: String,
    },
    /// Launch again at once, however often it failed before
    Reset {
        /// The id of the app or pod
        id: String,
    },
}

/// Does it.
pub(crate) async fn run(queue: Noun<Verb>) -> anyhow::Result<ExitCode> {
    let api = Api::of(&queue.asking);
    match &queue.verb {
        Verb::List => {
            let all = api.get("/v2/queue?embed=launching").await?;
            line(if api.json { all.to_string() } else { listed(items(&all["queue"]), items(&all["launching"])) });
        }
        Verb::Offers { id } => {
            let all = api.get("/v2/queue?embed=lastUnusedOffers").await?;
            let wanted = format!("/{}", id.trim_matches('/'));
            let item = items(&all["queue"]).iter().find(|item| text(whose(item)) == wanted);
            let item =
                item.with_context(|| format!("nothing of {wanted} waits: `cygnet queue list` lists what does"))?;
            let offers = &item["lastUnusedOffers"];
            line(if api.json { offers.to_string() } else { offered(items(offers)) });
        }
        Verb::Reset { id } => {
            api.send(Method::DELETE, &(path("queue", id) + "/delay"), None).await?;
            if !api.json {
                line(format!("{id} is launched as soon as an offer fits"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What waits to be launched, and what was launched and still waits for its image.
fn listed(waiting: &[Value], launching: &[Value]) -> String {
    if waiting.is_empty() && launching.is_empty() {
        return "nothing waits".to_owned();
    }
    let mut table = table(&["app", "instances", "for", "why"]);
    for item in waiting {
        let of = whose(item);
        let why = waits(item).unwrap_or_else(|| "no offer yet".to_owned());
        table.add_row([text(of), text(&item["count"]), since(&text(&item["since"])), why]);
    }
    for one in launching {
        table.add_row([text(&one["id"]), "1".to_owned(), since(&text(&one["since"])), text(&one["message"])]);
    }
    table.to_string()
}

/// The id of what waits.
fn whose(item: &Value) -> &Value {
    if item["app"].is_object() { &item["app"]["id"] } else { &item["pod"]["id"] }
}

fn offered(offers: &[Value]) -> String {
    if offers.is_empty() {
        return "no offer was of no use yet".to_owned();
    }
    let mut table = table(&["host", "agent", "ago", "lacks", "cpus", "mem", "disk"]);
    for unused in offers {
        let offer = &unused["offer"];
        let amount = |name: &str| {
            let of = items(&offer["resources"]).iter().filter(|resource| resource["name"] == name);
            of.filter_map(|resource| resource["scalar"].as_f64()).sum::<f64>().to_string()
        };
        let [host, agent] = ["hostname", "agentId"].map(|name| text(&offer[name]));
        let ago = since(&text(&unused["timestamp"]));
        table.add_row([host, agent, ago, joined(&unused["reason"]), amount("cpus"), amount("mem"), amount("disk")]);
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
        let launching = json!({"id": "/large", "message": "Pulling large:1: 1 of 3 layers"});
        let text = listed(&[item, json!({"pod": {"id": "/pod"}, "count": 1})], &[launching]);
        assert!(text.contains("InsufficientMemory (1 of 1 offers)") && text.contains("no offer yet"), "{text}");
        assert!(text.contains("/large") && text.contains("1 of 3 layers"), "{text}");
        assert_eq!(listed(&[], &[]), "nothing waits");
    }

    #[test]
    fn offers_that_were_of_no_use_say_what_they_lack() {
        let scalar = |name: &str, scalar: f64| json!({"name": name, "role": "*", "scalar": scalar});
        let resources = json!([scalar("cpus", 1.5), scalar("cpus", 0.5), scalar("mem", 64.0)]);
        let offer = json!({"hostname": "box", "agentId": "S0", "resources": resources});
        let text = offered(&[json!({"offer": offer, "reason": ["InsufficientCpus", "InsufficientDisk"]})]);
        assert!(text.contains("InsufficientCpus, InsufficientDisk") && text.contains("box"), "{text}");
        assert!(text.lines().last().unwrap().split_whitespace().any(|word| word == "2"), "{text}");
    }
}
