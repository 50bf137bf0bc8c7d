//! The ends of instances that a change started and nobody asked to end. Pure: an app as the API has it with
//! `embed=apps.health` in, what is to be said of it out.

use serde_json::{Value, json};

use crate::command::table::{items, state, text};
use crate::command::why::{Style, next};
use crate::output::one_line;

/// The number of ends after which something that is still being started counts as crashed.
const TOO_MANY: usize = 3;

/// The lines of standard error that are shown of a crash.
const LINES: usize = 5;

/// The states in which a task is over by itself. One that is lost with its agent did not crash.
const OWN_ENDS: [&str; 3] = ["TASK_FAILED", "TASK_FINISHED", "TASK_ERROR"];

/// A crash.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Crash {
    /// The end, and what is done next, for people.
    pub text: String,
    /// The same for scripts.
    pub json: Value,
}

/// The last end of an instance that was launched since this moment, if there is any.
pub(super) fn first(app: &Value, since: &str) -> Option<Crash> {
    own_ends(app, since).next().map(|ended| crash(app, ended))
}

/// The same, once so many ended that the next one may be expected to as well.
pub(super) fn repeated(app: &Value, since: &str) -> Option<Crash> {
    let is_so = own_ends(app, since).count() >= TOO_MANY;
    is_so.then(|| first(app, since)).flatten()
}

/// The last first.
fn own_ends<'a>(app: &'a Value, since: &str) -> impl Iterator<Item = &'a Value> {
    items(&app["ended"]).iter().filter(move |ended| {
        let launched_since = ended["stagedAt"].as_str().is_some_and(|staged| staged >= since);
        let by_itself = OWN_ENDS.iter().any(|state| ended["state"] == *state) && ended["killedForHealth"] != true;
        launched_since && by_itself
    })
}

fn crash(app: &Value, ended: &Value) -> Crash {
    let next = items(&app["waiting"]).iter().map(|waiting| &waiting["nextAction"]).find(|next| !next.is_null());
    Crash {
        text: words(app, ended, next),
        json: json!({"app": app["id"], "ended": ended, "nextAction": next.unwrap_or(&Value::Null)}),
    }
}

fn words(app: &Value, ended: &Value, action: Option<&Value>) -> String {
    let [id, task] = [&app["id"], &ended["taskId"]].map(text);
    let mut lines = vec![format!("{id} started and does not stay: {task} {}", reason(ended))];
    let errors = text(&ended["lastErrors"]);
    let errors: Vec<&str> = errors.lines().filter(|line| !line.trim().is_empty()).collect();
    if !errors.is_empty() {
        lines.push("  its last words on standard error:".to_owned());
        lines.extend(errors[errors.len().saturating_sub(LINES)..].iter().map(|line| format!("  | {}", one_line(line))));
    }
    lines.push(match action {
        Some(action) => format!("  next: {}", next(action, Style::Clock)),
        None => "  next: it is launched again".to_owned(),
    });
    let kind = if app["isPod"] == true { "pod" } else { "app" };
    lines.push(format!(
        "  `cygnet {kind} show {id}` says more, `cygnet task logs {task} --stderr` prints what it wrote, `cygnet {kind} rm {id}` removes it"
    ));
    lines.join("\n")
}

/// The way it ended: what was said of it, or else the signal or status.
fn reason(ended: &Value) -> String {
    let state = state(&ended["state"]);
    let message = text(&ended["message"]);
    let message = message.trim().lines().next().unwrap_or_default();
    match (message.is_empty(), ended["signal"].as_u64(), ended["exitStatus"].as_i64()) {
        (false, ..) => format!("{state}: {}", one_line(message)),
        (true, Some(signal), _) => format!("{state}: ended by signal {signal}"),
        (true, None, Some(status)) => format!("{state}: exited with status {status}"),
        (true, None, None) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: &str = "2026-01-02T00:00:00.000Z";

    fn ended(staged: &str, state: &str) -> Value {
        json!({"taskId": "a.1", "state": state, "stagedAt": staged, "killedForHealth": false, "exitStatus": 3,
            "message": "Command exited with status 3\n\nSTATISTICS", "lastErrors": "one\n\ntwo\x1b[2J\n"})
    }

    fn app(ended: &[Value]) -> Value {
        json!({"id": "/a", "ended": ended, "waiting": [{"nextAction": {"kind": "launch",
            "text": "is launched again after 1 failure", "at": "2026-01-02T00:00:05.123Z"}}]})
    }

    #[test]
    fn a_crash_says_how_it_ended_its_last_words_and_what_is_next() {
        let crash = first(&app(&[ended(SINCE, "TASK_FAILED")]), SINCE).unwrap();
        let lines: Vec<&str> = crash.text.lines().collect();
        assert_eq!(lines[0], "/a started and does not stay: a.1 failed: Command exited with status 3");
        assert_eq!(lines[1..4], ["  its last words on standard error:", "  | one", "  | two [2J"]);
        assert_eq!(lines[4], "  next: is launched again after 1 failure, at 00:00:05 UTC");
        assert!(lines[5].contains("cygnet app show /a"), "{}", crash.text);
        assert_eq!(crash.json["ended"]["exitStatus"], 3);
    }

    #[test]
    fn only_what_the_change_started_and_ended_by_itself_crashed() {
        let before = "2026-01-01T23:59:59.999Z";
        let mut killed = ended(SINCE, "TASK_FAILED");
        killed["killedForHealth"] = json!(true);
        for other in [ended(before, "TASK_FAILED"), ended(SINCE, "TASK_LOST"), killed] {
            assert_eq!(first(&app(&[other]), SINCE), None);
        }
        assert!(first(&app(&[ended(SINCE, "TASK_FINISHED")]), SINCE).is_some(), "also with status 0");
        assert_eq!(first(&json!(null), SINCE), None);
    }

    #[test]
    fn what_is_still_being_started_may_fail_twice() {
        let failed = || ended(SINCE, "TASK_FAILED");
        assert_eq!(repeated(&app(&[failed(), failed()]), SINCE), None);
        assert!(repeated(&app(&[failed(), failed(), failed()]), SINCE).is_some());
    }

    #[test]
    fn without_a_message_the_signal_or_the_status_is_said() {
        for (ended, said) in [
            (json!({"state": "TASK_FAILED", "signal": 9}), "failed: ended by signal 9"),
            (json!({"state": "TASK_FAILED", "exitStatus": 2}), "failed: exited with status 2"),
            (json!({"state": "TASK_ERROR"}), "error"),
        ] {
            assert_eq!(reason(&ended), said);
        }
    }
}
