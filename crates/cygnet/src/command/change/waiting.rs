//! The reasons why instances are not up yet, in lines below the progress of a deployment. Pure: an app as the API has it
//! with `embed=apps.health` in. The words are the scheduler's; the times come beside them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::command::table::items;
use crate::command::why::{Style, next};

/// The most lines for an app.
const MOST: usize = 3;

/// The indent of a reason, by which it is known.
pub(super) const INDENT: &str = "      ";

/// The lines for an app: what is next for its instances that are not up, the most frequent first.
pub(super) fn reasons(app: &Value) -> Vec<String> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for (health, action) in nexts(app) {
        // A launch is among what the deployment says it waits for.
        if action["kind"] != "start" && !action["text"].is_null() {
            let reason = next(action, Style::Clock) + &by_field(app, health, action);
            *counted.entry(reason).or_default() += 1;
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

/// The next step for instances that are not well, each beside its health as far as known; nothing is before they run.
fn nexts(app: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let checked = items(&app["tasks"]).iter().map(|task| &task["health"]);
    let unwell = checked.filter(|health| health["verdict"] != "healthy").map(|health| (health, &health["nextAction"]));
    let waiting = items(&app["waiting"]).iter().map(|waiting| (&Value::Null, &waiting["nextAction"]));
    unwell.chain(waiting).filter(|(_, action)| action.is_object())
}

/// The field of the definition that makes it wait, of the check that has no verdict yet: people may never have set it.
fn by_field(app: &Value, health: &Value, action: &Value) -> String {
    let field = match action["kind"].as_str() {
        Some("grace") => "gracePeriodSeconds",
        Some("check") if !action["at"].is_null() => "delaySeconds",
        _ => return String::new(),
    };
    let awaited = items(&health["checks"]).iter().find(|check| check["verdict"] == "unknown");
    let index = awaited.and_then(|check| usize::try_from(check["index"].as_u64()?).ok());
    let value = index.and_then(|index| items(&app["healthChecks"]).get(index)?.get(field));
    value.map_or_else(String::new, |value| format!(" ({field} {value})"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_instance_waits_for_is_said_with_its_time_and_the_field_that_makes_it_wait() {
        let of = |kind: &str, text: &str, at: &str, link: &str| {
            let checks = json!([{"index": 0, "verdict": "healthy"}, {"index": 1, "verdict": "unknown"}]);
            json!({"health": {"verdict": "unknown", "checks": checks,
                "nextAction": {"kind": kind, "text": text, "at": at, "link": link}}})
        };
        let text = "failures count after its grace period (3 failures so far, last: 503)";
        let grace = of("grace", text, "2026-01-02T00:05:00.000Z", "from");
        let check = of("check", "waits for its first health check", "2026-01-02T00:00:15.000Z", "at");
        let well = json!({"health": {"verdict": "healthy", "nextAction": null}});
        let app = json!({"waiting": [], "tasks": [check, grace.clone(), well, grace], "healthChecks": [
            {"gracePeriodSeconds": 300, "delaySeconds": 15}, {"gracePeriodSeconds": 20, "delaySeconds": 5}]});
        assert_eq!(
            reasons(&app),
            [
                format!("      2 times: {text}, from 00:05:00 UTC (gracePeriodSeconds 20)"),
                "      waits for its first health check, at 00:00:15 UTC (delaySeconds 5)".to_owned()
            ]
        );
    }

    #[test]
    fn an_instance_that_does_not_run_waits_for_no_check() {
        let next = json!({"kind": "launch", "text": "x", "at": "2026-01-02T00:05:00.000Z", "link": "at"});
        let app = json!({"healthChecks": [{"gracePeriodSeconds": 300}], "waiting": [{"nextAction": next}]});
        assert_eq!(reasons(&app), ["      x, at 00:05:00 UTC"]);
        assert!(reasons(&Value::Null).is_empty());
    }
}
