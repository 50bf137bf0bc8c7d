//! The reason why an instance is not well, in a few words: the check that fails, by its name, and what is next. Pure: a task
//! as the API has it with `embed=apps.health` in. What is next is in the scheduler's words; the times come beside them.

use serde_json::Value;

use crate::command::table::{items, text};
use crate::command::task::progress;
use crate::command::why::{Style, cause, clock, failures, next};

/// The kinds of what is next that say all there is to say.
const WHOLE: [&str; 5] = ["paused", "held", "agent", "end", "ready"];

/// The reason, and what is next; nothing for what is well.
pub(super) fn of_task(task: &Value) -> String {
    let (health, action) = (&task["health"], &task["health"]["nextAction"]);
    if let Some(progress) = progress(task) {
        return progress;
    }
    let failing: Vec<String> = items(&health["checks"]).iter().filter_map(failing).collect();
    let kind = action["kind"].as_str().unwrap_or_default();
    let what_is_next = action.is_object().then(|| next(action, Style::Clock));
    match (failing.is_empty(), kind) {
        // Its end of grace is with the check.
        (false, "grace") => failing.join("; "),
        (false, kind) if !WHOLE.contains(&kind) => {
            failing.into_iter().chain(what_is_next).collect::<Vec<_>>().join("; ")
        }
        (false, _) => what_is_next.into_iter().chain(failing).collect::<Vec<_>>().join("; "),
        (true, "start") => String::new(),
        (true, _) => what_is_next.unwrap_or_default(),
    }
}

/// A check that fails, also while that does not count.
fn failing(check: &Value) -> Option<String> {
    let name = text(&check["name"]);
    let grace = &check["grace"];
    if grace["failures"].as_u64().is_some_and(|failures| failures > 0) {
        let (until, cause) = (clock(&grace["until"]).unwrap_or_default(), text(&check["lastAttempt"]["cause"]));
        let forgiven = failures(&grace["failures"]);
        return Some(format!("{name}: {cause}; within grace until {until}, {forgiven} so far"));
    }
    (check["verdict"] == "unhealthy").then(|| format!("{name}: {}", cause(check)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::command::why::causes;

    const AT: &str = "2026-01-02T10:20:30.123Z";

    fn task(checks: Value, next: Value) -> Value {
        json!({"health": {"checks": checks, "nextAction": next}})
    }

    #[test]
    fn a_check_that_fails_is_named_also_within_its_grace() {
        let next = |kind: &str, text: &str| json!({"kind": kind, "text": text, "at": AT, "link": "at"});
        let grace = json!([{"name": "ready", "verdict": "healthy"}, {"name": "front", "verdict": "unknown",
            "grace": {"until": AT, "failures": 12}, "lastAttempt": {"cause": "503 Service Unavailable"}}]);
        let grace = task(grace, next("grace", "failures count after its grace period"));
        let within = "front: 503 Service Unavailable; within grace until 10:20:30 UTC, 12 failures so far";
        assert_eq!(of_task(&grace), within);
        assert_eq!(causes(&grace), "front: 503 Service Unavailable, within grace");
        let failing = json!([{"name": "front", "verdict": "unhealthy", "lastFailureCause": "refused"}]);
        let killed = task(failing.clone(), next("kill", "is killed at failure 3 (1 so far)"));
        assert_eq!(of_task(&killed), "front: refused; is killed at failure 3 (1 so far), at 10:20:30 UTC");
        let held = task(failing.clone(), next("held", "is held by the brake; it admits the next kill"));
        assert_eq!(of_task(&held), "is held by the brake; it admits the next kill, at 10:20:30 UTC; front: refused");
        assert_eq!(causes(&held), "front: refused");
    }

    #[test]
    fn what_else_it_waits_for_is_said_and_what_is_well_says_nothing() {
        assert_eq!(
            of_task(&task(json!([]), json!({"kind": "check", "text": "waits", "at": AT}))),
            "waits, at 10:20:30 UTC"
        );
        let paused =
            json!({"kind": "paused", "text": "is not checked: its checks are paused", "at": AT, "link": "until"});
        assert_eq!(of_task(&task(json!([]), paused)), "is not checked: its checks are paused, until 10:20:30 UTC");
        assert_eq!(of_task(&task(json!([{"name": "a", "verdict": "healthy"}]), Value::Null)), "");
        assert_eq!(of_task(&json!({"message": "Pulling"})), "Pulling");
        assert_eq!(of_task(&Value::Null), "");
    }
}
