//! The reasons why instances are not up yet, in lines below the progress of a deployment. Pure: an app as the API has it
//! with `embed=apps.health` in. The words are the scheduler's; the times come beside them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::crashes::at;
use crate::command::table::{items, text};

/// The most lines for an app.
const MOST: usize = 3;

/// The indent of a reason, by which it is known.
pub(super) const INDENT: &str = "      ";

/// The grace period and the delay of a check that does not name them.
const DEFAULTS: [(&str, u64); 2] = [("gracePeriodSeconds", 300), ("delaySeconds", 15)];

/// The lines for an app: what is next for its instances that are not up, the most frequent first.
pub(super) fn reasons(app: &Value) -> Vec<String> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for next in nexts(app) {
        // A launch is among what the deployment says it waits for.
        if next["kind"] != "start" && !next["text"].is_null() {
            *counted.entry(format!("{}{}{}", text(&next["text"]), at(next), default_of(app, next))).or_default() += 1;
        }
    }
    let mut counted: Vec<(String, usize)> = counted.into_iter().collect();
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let lines = counted.into_iter().take(MOST).map(|(reason, count)| match count {
        1 => format!("{INDENT}{reason}"),
        count => format!("{INDENT}{count} times: {reason}"),
    });
    lines.collect()
}

fn nexts(app: &Value) -> impl Iterator<Item = &Value> {
    let checked = items(&app["tasks"]).iter().map(|task| &task["health"]);
    let unwell = checked.filter(|health| health["verdict"] != "healthy").map(|health| &health["nextAction"]);
    unwell.chain(items(&app["waiting"]).iter().map(|waiting| &waiting["nextAction"])).filter(|next| next.is_object())
}

/// The default that bites here, if it is one: people wait for it without having asked for it.
fn default_of(app: &Value, next: &Value) -> String {
    let (field, usual) = match text(&next["kind"]).as_str() {
        "grace" => DEFAULTS[0],
        "check" if !next["at"].is_null() => DEFAULTS[1],
        _ => return String::new(),
    };
    let is_default = items(&app["healthChecks"]).iter().any(|check| check[field].as_u64() == Some(usual));
    if is_default { format!(" ({field} {usual}, the default)") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_instance_waits_for_is_said_with_its_time_and_the_default_that_bites() {
        let next = |kind: &str, text: &str, at: Value| {
            json!({"health": {"verdict": "unknown",
            "nextAction": {"kind": kind, "text": text, "at": at}}})
        };
        let grace = next("grace", "3 failures so far, last: 503", json!("2026-01-02T00:05:00.000Z"));
        let check = next("check", "waits for its first health check", json!("2026-01-02T00:00:15.000Z"));
        let well = json!({"health": {"verdict": "healthy", "nextAction": null}});
        let app = json!({"healthChecks": [{"gracePeriodSeconds": 300, "delaySeconds": 15}], "waiting": [],
            "tasks": [check, grace.clone(), well, grace]});
        assert_eq!(
            reasons(&app),
            [
                "      2 times: 3 failures so far, last: 503, until 00:05:00 UTC (gracePeriodSeconds 300, the default)",
                "      waits for its first health check, at 00:00:15 UTC (delaySeconds 15, the default)"
            ]
        );
    }

    #[test]
    fn a_value_of_the_definitions_own_is_no_default() {
        let next = json!({"kind": "grace", "text": "x", "at": "2026-01-02T00:05:00.000Z"});
        let app = json!({"healthChecks": [{"gracePeriodSeconds": 10}], "waiting": [{"nextAction": next}]});
        assert_eq!(reasons(&app), ["      x, until 00:05:00 UTC"]);
        assert!(reasons(&Value::Null).is_empty());
    }
}
