//! An instance and why it is not well: its checks by name, and what is done next.

use serde_json::Value;

use super::check::{attempt, found};
use super::{Style, next};
use crate::command::age::since;
use crate::command::page::Page;
use crate::command::table::{items, state, text};
use crate::command::task::judged;

/// One word for the health of a task, as the scheduler sees it: of an app with so many checks, where that does not tell.
pub(crate) fn health(task: &Value, checks: usize) -> &str {
    let told = &task["health"];
    if !told["checksPausedUntil"].is_null() {
        return "paused";
    }
    match told["verdict"].as_str() {
        Some(_) if items(&told["checks"]).is_empty() => "-",
        Some(_) if told["nextAction"]["kind"] == "held" => "unhealthy, held",
        Some("healthy") if told["unchecked"].is_object() => "healthy, not checked",
        Some(verdict) => verdict,
        None => judged(items(&task["healthCheckResults"]), checks),
    }
}

/// True if there is more to say of a task than that it is well.
pub(crate) fn needs_words(task: &Value) -> bool {
    let told = &task["health"];
    let is_told_of = |name: &str| !told[name].is_null();
    told["verdict"] == "unhealthy" || ["nextAction", "checksPausedUntil", "unchecked"].into_iter().any(is_told_of)
}

/// An instance with its task: how it is, each check that has not passed, and what is done next.
pub(crate) fn show_instance(name: &str, task: &Value, page: &mut Page) {
    let told = &task["health"];
    let checks = items(&told["checks"]);
    let word = match health(task, checks.len()) {
        "-" => String::new(),
        word => format!(", {word}"),
    };
    let host = task["host"].as_str().map_or_else(String::new, |host| format!(" at {host}"));
    let lasting = format!(" for {}", since(&text(&told["since"])));
    page.text(&format!("{name} {}{word}{lasting}{host}{}", state(&task["state"]), restarts(told)));
    for check in checks.iter().filter(|check| check["verdict"] != "healthy") {
        show_check(check, page);
    }
    page.fact(1, "checker", &unchecked(told));
    page.fact(1, "next", &next(&told["nextAction"], Style::Left));
}

/// For how long nobody checks it, and why; nothing of one that is checked.
pub(crate) fn unchecked(told: &Value) -> String {
    let unchecked = &told["unchecked"];
    match unchecked["since"].as_str() {
        Some(at) => format!("no check for {}, since {at}: {}", since(at), text(&unchecked["why"])),
        None => String::new(),
    }
}

fn show_check(check: &Value, page: &mut Page) {
    let [name, asks] = ["name", "asks"].map(|name| text(&check[name]));
    let question = if name == asks { String::new() } else { format!(" ({asks})") };
    page.fact(1, "check", &format!("{name}{question}: {}", found(check)));
    if check["lastAttempt"]["kind"].as_str().is_some_and(|kind| kind != "success") {
        page.fact(1, "attempt", &attempt(check));
        page.quote(6, check["lastAttempt"]["excerpt"].as_str().unwrap_or_default());
    }
}

/// An instance without a task.
pub(crate) fn show_waiting(name: &str, waiting: &Value, page: &mut Page) {
    page.text(&format!("{name} has no task for {}{}", since(&text(&waiting["since"])), restarts(waiting)));
    page.fact(1, "why", &text(&waiting["why"]));
    page.fact(1, "next", &next(&waiting["nextAction"], Style::Left));
}

fn restarts(told: &Value) -> String {
    match told["restarts"].as_u64() {
        None | Some(0) => String::new(),
        Some(1) => ", restarted once".to_owned(),
        Some(times) => format!(", restarted {times} times"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn task() -> Value {
        let attempt = json!({"at": "2000-01-01T00:00:00Z", "kind": "exit-code", "cause": "exit status 4", "excerpt": "no such luck\nat all"});
        json!({"state": "TASK_RUNNING", "host": "box", "health": {"verdict": "unhealthy", "since": "2000-01-01T00:00:00Z",
            "restarts": 2, "checksPausedUntil": null, "checks": [
                {"name": "front", "asks": "GET / at port 1", "verdict": "healthy"},
                {"name": "luck", "asks": "run `luck --today --for somebody`", "verdict": "unhealthy", "consecutiveFailures": 2, "lastAttempt": attempt}],
            "nextAction": {"kind": "kill", "text": "is killed at failure 3 (2 so far)", "at": null}}})
    }

    fn lines(room: Option<usize>) -> Vec<String> {
        let mut page = Page::of_width(room);
        show_instance("0123.3", &task(), &mut page);
        page.into_lines()
    }

    #[test]
    fn an_instance_that_is_not_well_says_which_check_fails_and_what_follows() {
        let lines = lines(None);
        assert!(
            lines[0].starts_with("0123.3 running, unhealthy for ") && lines[0].ends_with(" at box, restarted 2 times"),
            "{lines:#?}"
        );
        assert_eq!(
            lines[1],
            "  check     luck (run `luck --today --for somebody`): unhealthy, 2 failures in a row: exit status 4"
        );
        assert!(lines[2].starts_with("  attempt   exit status 4, "), "{lines:#?}");
        assert_eq!(
            lines[3..],
            ["            | no such luck", "            | at all", "  next      is killed at failure 3 (2 so far)"]
        );
    }

    #[test]
    fn a_healthy_instance_that_nobody_checks_says_so() {
        let mut task = task();
        task["health"]["verdict"] = json!("healthy");
        task["health"]["nextAction"] = json!(null);
        assert!(!needs_words(&task) && super::unchecked(&task["health"]).is_empty());
        task["health"]["unchecked"] = json!({"since": "2000-01-01T00:00:00Z", "why": "its checker answers nothing"});
        assert!(needs_words(&task));
        assert_eq!(health(&task, 2), "healthy, not checked");
        let told = super::unchecked(&task["health"]);
        assert!(
            told.starts_with("no check for ")
                && told.ends_with(", since 2000-01-01T00:00:00Z: its checker answers nothing"),
            "{told}"
        );
    }

    #[test]
    fn no_line_of_it_is_wider_than_a_terminal() {
        for room in [60, 80, 120] {
            assert!(lines(Some(room)).iter().all(|line| line.width() <= room), "{:#?}", lines(Some(room)));
        }
    }

    #[test]
    fn one_word_for_health_is_the_schedulers() {
        let told = |field: &str, value: Value| {
            let mut task = task();
            task["health"][field] = value;
            health(&task, 2).to_owned()
        };
        assert_eq!(told("verdict", json!("unknown")), "unknown", "one of two has answered");
        assert_eq!(told("checksPausedUntil", json!("resumed")), "paused");
        assert_eq!(told("nextAction", json!({"kind": "held"})), "unhealthy, held");
        assert_eq!(told("checks", json!([])), "-");
        assert_eq!(told("unchecked", json!({})), "unhealthy", "that is worse");
        assert_eq!(health(&json!({"healthCheckResults": [{"alive": true}]}), 2), "unknown");
    }
}
