//! `cygnet queue`: instances that wait to be launched, and why, through the v2 API.

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

use super::age::since;
use super::ids::Kind;
use super::table::{Table, items, joined, print, table, text};
use crate::api::{Api, Noun, path};
use crate::output::{json_line, line};

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
            let all = api.get("/v2/queue?embed=launching&embed=why").await?;
            match (items(&all["queue"]), items(&all["launching"])) {
                _ if api.json => json_line(all),
                ([], []) => line("nothing waits"),
                (waiting, launching) => print(&listed(waiting, launching)),
            }
        }
        Verb::Offers { id } => {
            let id = Kind::Waiting.find(&api, id).await?;
            let all = api.get("/v2/queue?embed=lastUnusedOffers&embed=why").await?;
            let item =
                items(&all["queue"]).iter().find(|item| text(whose(item)).trim_matches('/') == id.trim_matches('/'));
            let item = item.with_context(|| format!("nothing of {id} waits any more"))?;
            let offers = &item["lastUnusedOffers"];
            match items(offers) {
                _ if api.json => json_line(offers),
                [] => line("no offer was of no use yet"),
                offers => print(&offered(offers)),
            }
        }
        Verb::Reset { id } => {
            let id = Kind::Waiting.find(&api, id).await?;
            api.send(Method::DELETE, &(path("queue", &id) + "/delay"), None).await?;
            if !api.json {
                line(format!("{id} is launched as soon as an offer fits"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Instances that wait to be launched, and those launched that still wait for their image.
fn listed(waiting: &[Value], launching: &[Value]) -> Table {
    let mut table = table(&["app", "instances", "for", "why"]);
    for item in waiting {
        let of = whose(item);
        table.add_row([text(of), text(&item["count"]), since(&text(&item["since"])), why(item)]);
    }
    for one in launching {
        table.add_row([text(&one["id"]), "1".to_owned(), since(&text(&one["since"])), text(&one["message"])]);
    }
    table
}

/// The reason why instances wait: they are held back after failures, or what offers lacked, in the scheduler's words.
fn why(item: &Value) -> String {
    match (item["delay"]["timeLeftSeconds"].as_u64(), items(&item["why"])) {
        (Some(left @ 1..), _) => format!("held back for {left}s after failures"),
        (_, []) => "waits for an offer".to_owned(),
        (_, _) => joined(&item["why"]),
    }
}

/// The id of what waits.
fn whose(item: &Value) -> &Value {
    if item["app"].is_object() { &item["app"]["id"] } else { &item["pod"]["id"] }
}

fn offered(offers: &[Value]) -> Table {
    let mut table = table(&["host", "agent", "ago", "why", "cpus", "mem", "disk"]);
    for unused in offers {
        let offer = &unused["offer"];
        let amount = |name: &str| {
            let of = items(&offer["resources"]).iter().filter(|resource| resource["name"] == name);
            of.filter_map(|resource| resource["scalar"].as_f64()).sum::<f64>().to_string()
        };
        let [host, agent] = ["hostname", "agentId"].map(|name| text(&offer[name]));
        let ago = since(&text(&unused["timestamp"]));
        table.add_row([host, agent, ago, joined(&unused["why"]), amount("cpus"), amount("mem"), amount("disk")]);
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn why_it_waits_is_shown() {
        let item = json!({"app": {"id": "/web"}, "count": 3, "since": "", "delay": {"timeLeftSeconds": 0},
            "why": ["1 of the last 2 offers had too little memory left", "1 of the last 2 offers lacked ports that it needs"]});
        let held = json!({"app": {"id": "/held"}, "delay": {"timeLeftSeconds": 7}, "why": []});
        let launching = json!({"id": "/large", "message": "Pulling large:1: 1 of 3 layers"});
        let text = listed(&[item, held, json!({"pod": {"id": "/pod"}, "count": 1})], &[launching]).to_string();
        assert!(text.contains("too little memory left, 1 of the last 2 offers lacked ports"), "{text}");
        assert!(text.contains("held back for 7s after failures") && text.contains("waits for an offer"), "{text}");
        assert!(text.contains("/large") && text.contains("1 of 3 layers"), "{text}");
    }

    #[test]
    fn offers_that_were_of_no_use_say_what_they_lack() {
        let scalar = |name: &str, scalar: f64| json!({"name": name, "role": "*", "scalar": scalar});
        let resources = json!([scalar("cpus", 1.5), scalar("cpus", 0.5), scalar("mem", 64.0)]);
        let offer = json!({"hostname": "box", "agentId": "S0", "resources": resources});
        let text =
            offered(&[json!({"offer": offer, "why": ["had too few CPUs left", "had too little disk space left"]})])
                .to_string();
        assert!(
            text.contains("had too few CPUs left, had too little disk space left") && text.contains("box"),
            "{text}"
        );
        assert!(text.lines().last().unwrap().split_whitespace().any(|word| word == "2"), "{text}");
    }
}
