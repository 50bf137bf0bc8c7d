//! The progress of a deployment, in lines: one for each thing its step does, and below it what that waits for. Pure:
//! one as the API lists it in, lines out.

use std::time::Duration;

use serde_json::{Value, json};

use super::ends::Done;
use crate::command::table::{items, text};

/// Of a bar, in characters.
const WIDTH: u64 = 20;

/// The lines for a deployment, with the reasons why an app is not ready yet.
pub(super) fn lines(deployment: &Value, reasons: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut lines = Vec::new();
    let (step, steps) = (&deployment["currentStep"], &deployment["totalSteps"]);
    if steps.as_u64().is_some_and(|steps| steps > 1) {
        lines.push(format!("step {step} of {steps}"));
    }
    for action in items(&deployment["currentActions"]) {
        lines.push(line(action));
        lines.extend(items(&action["waitsFor"]).iter().map(|reason| format!("    {}", text(reason))));
        lines.extend(action["app"].as_str().map(&reasons).unwrap_or_default());
    }
    lines
}

/// The apps that are not as many as wanted yet.
pub(super) fn unready(deployment: &Value) -> impl Iterator<Item = &str> {
    let is_unready = |action: &&Value| action["progress"]["ready"].as_u64() < action["progress"]["instances"].as_u64();
    items(&deployment["currentActions"])
        .iter()
        .filter(is_unready)
        .filter_map(|action| action["app"].as_str().or_else(|| action["pod"].as_str()))
}

/// The apps that a deployment is about, and when it began.
pub(super) fn affected(deployment: &Value) -> Done {
    let affected = ["affectedApps", "affectedPods"].into_iter().flat_map(|kind| items(&deployment[kind]));
    Done { version: text(&deployment["version"]), apps: affected.map(text).collect() }
}

/// The line while apps without checks are looked at for so long.
pub(super) fn settling<'a>(apps: impl Iterator<Item = &'a String>, time: Duration) -> String {
    let apps: Vec<&str> = apps.map(String::as_str).collect();
    format!("no health checks: running for {time:?} counts as well (--min-healthy): {}", apps.join(", "))
}

/// The lines for one that succeeded, by how it was seen last.
pub(super) fn completed(deployment: &Value) -> Vec<String> {
    let done = |action: &Value| {
        let wanted = &action["progress"]["instances"];
        let progress = if wanted.is_null() { Value::Null } else { json!({"instances": wanted, "ready": wanted}) };
        line(&json!({"action": action["action"], "app": action["app"], "pod": action["pod"], "progress": progress}))
    };
    items(&deployment["currentActions"]).iter().map(done).collect()
}

/// True if all canaries are up, and wait to be continued or cancelled.
pub(super) fn canary_is_up(deployment: &Value) -> bool {
    let canaries = || items(&deployment["currentActions"]).iter().map(|action| &action["progress"]["canary"]);
    canaries().any(Value::is_object)
        && canaries().filter(|canary| canary.is_object()).all(|canary| canary["isUp"] == true)
}

fn line(action: &Value) -> String {
    let whose = if action["app"].is_null() { &action["pod"] } else { &action["app"] };
    let mut line = format!("{} {}", text(&action["action"]), text(whose));
    let progress = &action["progress"];
    if progress.is_object() {
        let number = |name: &str| progress[name].as_u64().unwrap_or(0);
        let (ready, wanted, old) = (number("ready"), number("instances"), number("old") + number("leaving"));
        line.push_str(&format!(" {} {ready} of {wanted} ready", bar(ready, wanted)));
        if old > 0 {
            line.push_str(&format!(", {old} to go"));
        }
    }
    let results = items(&action["readinessCheckResults"]);
    if !results.is_empty() {
        let ready = results.iter().filter(|result| result["ready"] == true).count();
        line.push_str(&format!(", {ready} of {} readiness checks pass", results.len()));
    }
    line
}

fn bar(done: u64, of: u64) -> String {
    let full = (WIDTH * done.min(of)).checked_div(of).unwrap_or(WIDTH);
    (0..WIDTH).map(|place| if place < full { '█' } else { '░' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_shows_what_is_there_and_what_is_to_go() {
        let deployment = json!({"currentStep": 1, "totalSteps": 1, "currentActions": [{"action": "RestartApplication",
            "app": "/web", "readinessCheckResults": [{"ready": true}, {"ready": false}],
            "progress": {"instances": 4, "ready": 2, "old": 1, "leaving": 1}, "waitsFor": ["1 instance is not healthy yet"]}]});
        assert_eq!(
            lines(&deployment, |id| vec![format!("      why of {id}")]),
            [
                "RestartApplication /web ██████████░░░░░░░░░░ 2 of 4 ready, 2 to go, 1 of 2 readiness checks pass",
                "    1 instance is not healthy yet",
                "      why of /web",
            ]
        );
    }

    #[test]
    fn the_last_frame_of_a_success_agrees_with_it() {
        let deployment = json!({"currentStep": 1, "totalSteps": 2, "currentActions": [
            {"action": "ScaleApplication", "app": "/web", "waitsFor": ["1 instance starts"],
                "progress": {"instances": 3, "ready": 2, "old": 1}}, {"action": "StartPod", "pod": "/p"}]});
        assert_eq!(completed(&deployment), ["ScaleApplication /web ████████████████████ 3 of 3 ready", "StartPod /p"]);
        assert!(completed(&Value::Null).is_empty());
    }

    #[test]
    fn canaries_are_up_when_all_are() {
        let of = |canaries: &[Value]| {
            let actions: Vec<_> = canaries.iter().map(|canary| json!({"progress": {"canary": canary}})).collect();
            canary_is_up(&json!({"currentActions": actions}))
        };
        let [up, not_yet] = [true, false].map(|is_up| json!({"instances": 1, "isUp": is_up}));
        assert!(of(std::slice::from_ref(&up)) && of(&[up.clone(), Value::Null]));
        assert!(!of(&[]) && !of(&[Value::Null]) && !of(&[up, not_yet]));
    }

    #[test]
    fn a_scheduler_that_tells_no_progress_is_understood() {
        let deployment = json!({"currentStep": 1, "totalSteps": 2, "currentActions": [
            {"action": "StopApplication", "app": "/gone"}, {"action": "StartPod", "pod": "/pod"}]});
        assert_eq!(lines(&deployment, |_| Vec::new()), ["step 1 of 2", "StopApplication /gone", "StartPod /pod"]);
    }

    #[test]
    fn bars_never_break() {
        for (done, of, full) in [(0, 0, 20), (9, 3, 20), (1, 3, 6), (0, 3, 0)] {
            assert_eq!(bar(done, of).chars().filter(|&letter| letter == '█').count(), full);
        }
    }
}
