//! One thing that is not well, in a few lines: how it is and since when, why, what is done next and when, and what was
//! before. Pure.

use serde_json::Value;

use crate::command::age::{since, when};
use crate::command::ids::shown;
use crate::command::page::Page;
use crate::command::table::{items, joined, text};
use crate::command::why::{Style, next};

pub(super) fn show(entry: &Value, page: &mut Page) {
    let since = since(&text(&entry["since"]));
    let lasting = if since.is_empty() { since } else { format!(" for {since}") };
    page.text(&format!("{} {}{lasting}{}", whose(entry), text(&entry["text"]), details(entry)));
    page.fact(1, "why", &why(entry));
    page.fact(1, "next", &next(&entry["nextAction"], Style::Left));
    page.fact(1, "before", &before(&entry["before"]));
}

/// The app and the instance, by which `cygnet task` finds it, of a pod with a container of it; or the deployment, or the
/// agent.
fn whose(entry: &Value) -> String {
    if let Some(deployment) = entry["deployment"].as_str() {
        let (count, named) = (entry["appCount"].as_u64().unwrap_or(0), items(&entry["apps"]).len() as u64);
        let more = if count > named { format!(" and {} more", count - named) } else { String::new() };
        return format!("deployment {deployment} of {}{more}", joined(&entry["apps"]));
    }
    if entry["agent"].is_string() {
        return format!("agent {}", text(&entry["agent"]));
    }
    if entry["instance"].is_null() {
        return text(&entry["app"]);
    }
    let without_a_task = || format!("{}._app.{}", text(&entry["instance"]), entry["incarnation"]);
    let task = entry["task"].as_str().map_or_else(without_a_task, str::to_owned);
    format!("{} {}", text(&entry["app"]), shown(&task))
}

fn details(entry: &Value) -> String {
    let host = entry["host"].as_str().map(|host| format!("at {host}"));
    let restarts = match entry["restarts"].as_u64() {
        None | Some(0) => None,
        Some(1) => Some("restarted once".to_owned()),
        Some(times) => Some(format!("restarted {times} times")),
    };
    let step = entry["step"].as_u64().map(|step| format!("step {step} of {}", entry["steps"]));
    let all: Vec<String> = [host, restarts, step].into_iter().flatten().collect();
    if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) }
}

fn why(entry: &Value) -> String {
    match entry["check"]["name"].as_str() {
        Some(check) => format!("{check}: {}", text(&entry["why"])),
        None => text(&entry["why"]),
    }
}

fn before(before: &Value) -> String {
    if before.is_null() {
        return String::new();
    }
    let cause = before["cause"].as_str().map_or_else(String::new, |cause| format!(" ({cause})"));
    format!("{}{cause}, {}", text(&before["text"]), when(&text(&before["at"])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(entry: &Value) -> Vec<String> {
        let mut page = Page::of_width(None);
        show(entry, &mut page);
        page.into_lines()
    }

    #[test]
    fn an_instance_answers_five_questions() {
        let entry = json!({"kind": "unhealthy", "text": "is unhealthy", "app": "/web", "restarts": 1, "host": "box",
            "instance": "web.instance-0123456789", "incarnation": 2, "since": "", "check": {"index": 0, "name": "front"},
            "why": "connection refused", "nextAction": {"kind": "kill", "text": "is killed at failure 3 (1 so far)", "at": null},
            "before": {"kind": "verdict", "text": "became healthy", "at": "2000-01-01T00:00:00Z", "cause": null}});
        let lines = self::lines(&entry);
        assert_eq!(lines[0], "/web 01234567.2 is unhealthy (at box, restarted once)");
        assert_eq!(lines[1], "  why       front: connection refused");
        assert_eq!(lines[2], "  next      is killed at failure 3 (1 so far)");
        assert!(lines[3].starts_with("  before    became healthy, ") && lines[3].ends_with(" ago"), "{lines:?}");
        let mut of_a_pod = entry;
        of_a_pod["task"] = json!("web.instance-0123456789.front.2");
        assert!(self::lines(&of_a_pod)[0].starts_with("/web 01234567.front.2 "));
    }

    #[test]
    fn an_app_that_nobody_leads_on_is_told_of_as_a_whole() {
        let entry = json!({"kind": "halted", "text": "is left on its way", "app": "/web", "since": "", "why": "it was stopped",
            "nextAction": {"kind": "word", "text": "stays so", "at": null}, "before": null});
        assert_eq!(lines(&entry), ["/web is left on its way", "  why       it was stopped", "  next      stays so"]);
    }

    #[test]
    fn an_agent_that_does_not_tell_is_told_of_with_its_host() {
        let entry = json!({"kind": "untelling", "text": "does not tell whether its tasks are checked", "agent": "S1", "host": "box",
            "since": "", "why": "it did not answer within 3s", "nextAction": null, "before": null});
        let expected = [
            "agent S1 does not tell whether its tasks are checked (at box)",
            "  why       it did not answer within 3s",
        ];
        assert_eq!(lines(&entry), expected);
    }

    #[test]
    fn a_deployment_says_what_it_waits_for() {
        let entry = json!({"kind": "deployment", "text": "is under way and waits", "deployment": "d", "apps": ["/a", "/b"],
            "appCount": 12, "step": 1, "steps": 2, "since": "", "why": "/a: 1 instance starts", "before": null,
            "nextAction": {"kind": "step", "text": "goes on once its step is done", "at": null}});
        let lines = lines(&entry);
        assert_eq!(lines[0], "deployment d of /a, /b and 10 more is under way and waits (step 1 of 2)");
        assert_eq!(lines[1..], ["  why       /a: 1 instance starts", "  next      goes on once its step is done"]);
    }
}
