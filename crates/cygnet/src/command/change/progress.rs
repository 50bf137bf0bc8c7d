//! How far a deployment is, in lines: one for each thing its step does, and below it what that waits for. Pure: a deployment
//! as the API lists it in, lines out.

use serde_json::Value;

use crate::command::table::{items, text};

/// Of a bar, in characters.
const WIDTH: u64 = 20;

/// The lines for a deployment.
pub(super) fn lines(deployment: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let (step, steps) = (&deployment["currentStep"], &deployment["totalSteps"]);
    if steps.as_u64().is_some_and(|steps| steps > 1) {
        lines.push(format!("step {step} of {steps}"));
    }
    for action in items(&deployment["currentActions"]) {
        lines.push(line(action));
        lines.extend(items(&action["waitsFor"]).iter().map(|reason| format!("    {}", text(reason))));
    }
    lines
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

/// Why instances wait: what was missing in the offers, or that they are held back after failures.
pub(crate) fn waits(item: &Value) -> Option<String> {
    if let Some(left) = item["delay"]["timeLeftSeconds"].as_u64().filter(|&left| left > 0) {
        return Some(format!("held back for {left}s after failures"));
    }
    let summary = items(&item["processedOffersSummary"]["rejectSummaryLastOffers"]);
    let declined = summary.iter().filter(|reason| reason["declined"].as_u64().is_some_and(|count| count > 0));
    let reasons: Vec<_> = declined
        .map(|reason| format!("{} ({} of {} offers)", text(&reason["reason"]), reason["declined"], reason["processed"]))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_upgrade_shows_what_is_there_and_what_is_to_go() {
        let deployment = json!({"currentStep": 1, "totalSteps": 1, "currentActions": [{"action": "RestartApplication",
            "app": "/web", "readinessCheckResults": [{"ready": true}, {"ready": false}],
            "progress": {"instances": 4, "ready": 2, "old": 1, "leaving": 1}, "waitsFor": ["1 instance is not healthy yet"]}]});
        assert_eq!(
            lines(&deployment),
            [
                "RestartApplication /web ██████████░░░░░░░░░░ 2 of 4 ready, 2 to go, 1 of 2 readiness checks pass",
                "    1 instance is not healthy yet",
            ]
        );
    }

    #[test]
    fn a_scheduler_that_tells_no_progress_is_understood() {
        let deployment = json!({"currentStep": 1, "totalSteps": 2, "currentActions": [
            {"action": "StopApplication", "app": "/gone"}, {"action": "StartPod", "pod": "/pod"}]});
        assert_eq!(lines(&deployment), ["step 1 of 2", "StopApplication /gone", "StartPod /pod"]);
    }

    #[test]
    fn why_an_app_waits_is_said() {
        let item = json!({"delay": {"timeLeftSeconds": 0}, "processedOffersSummary": {"rejectSummaryLastOffers": [
            {"reason": "InsufficientCpus", "declined": 2, "processed": 3},
            {"reason": "InsufficientPorts", "declined": 0, "processed": 1}]}});
        assert_eq!(waits(&item).unwrap(), "InsufficientCpus (2 of 3 offers)");
        assert_eq!(waits(&json!({"delay": {"timeLeftSeconds": 7}})).unwrap(), "held back for 7s after failures");
        assert_eq!(waits(&json!({})), None);
    }

    #[test]
    fn bars_never_break() {
        for (done, of, full) in [(0, 0, 20), (9, 3, 20), (1, 3, 6), (0, 3, 0)] {
            assert_eq!(bar(done, of).chars().filter(|&letter| letter == '█').count(), full);
        }
    }
}
