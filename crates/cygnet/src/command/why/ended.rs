//! An instance's task that ended, or each container of a pod's: how, and what it said last.

use serde_json::{Map, Value};

use crate::command::age::{between, since};
use crate::command::page::Page;
use crate::command::table::{items, state, text};

/// One line: how it ended, and what it was killed for.
pub(crate) fn how_it_ended(ended: &Value) -> String {
    let message = text(&ended["message"]);
    let said = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let status = ended["exitStatus"].as_i64().map(|status| format!("exit status {status}"));
    let signal = ended["signal"].as_u64().map(|signal| format!("signal {signal}"));
    // Its message may say so already.
    let news = |told: &String| !said.contains(told.trim_start_matches("exit "));
    let by_name = |_: &String| !said.contains("with signal ");
    let said_of_it = Some(said.to_owned()).filter(|said| !said.is_empty());
    let all = [for_health(ended), said_of_it, status.filter(news), signal.filter(news).filter(by_name)];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The health it was killed for, if it was.
fn for_health(ended: &Value) -> Option<String> {
    let cause = ended["unhealthyCause"].as_str().map_or_else(String::new, |cause| format!(": {cause}"));
    (ended["killedForHealth"] == true).then(|| format!("killed because it was unhealthy{cause}"))
}

/// The parts of an end that each of a pod's containers has of its own.
const OWN: [&str; 10] = [
    "taskId",
    "endedAt",
    "state",
    "message",
    "killedForHealth",
    "unhealthyCause",
    "exitStatus",
    "signal",
    "lastErrors",
    "checks",
];

/// The ends of all containers of a pod's instance, each in the shape of the end of an app's, first the one that tells how
/// the instance ended; itself, if it is an app's.
pub(crate) fn each_end(ended: &Value) -> Vec<Value> {
    let (containers, Some(whole)) = (items(&ended["containers"]), ended.as_object()) else { return Vec::new() };
    if containers.is_empty() {
        return vec![ended.clone()];
    }
    let shared = || whole.iter().filter(|(name, _)| !OWN.contains(&name.as_str()) && *name != "containers");
    let own = |container: &Value| container.as_object().cloned().unwrap_or_default();
    let merged =
        |container| Map::from_iter(shared().map(|(name, value)| (name.clone(), value.clone())).chain(own(container)));
    let mut ends: Vec<Value> = containers.iter().map(|container| Value::Object(merged(container))).collect();
    ends.sort_by_key(|end| end["taskId"] != ended["taskId"]);
    ends
}

/// The whole of it: how it ended, when, after how long, and the last lines of its standard error.
pub(crate) fn show_end(name: &str, ended: &Value, page: &mut Page) {
    let [at, started] = ["endedAt", "startedAt"].map(|name| text(&ended[name]));
    let host = ended["host"].as_str().map_or_else(String::new, |host| format!(" at {host}"));
    let life = between(&started, &at);
    let life = if life.is_empty() { "before it ran".to_owned() } else { format!("after {life}") };
    page.text(&format!("{name} {} {} ago, {life}{host}: {}", state(&ended["state"]), since(&at), how_it_ended(ended)));
    page.quote(1, ended["lastErrors"].as_str().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_end_is_told_with_what_was_said_last() {
        let ended = json!({"message": "Command exited with status 3", "exitStatus": 3, "killedForHealth": false,
            "state": "TASK_FAILED", "endedAt": "2000-01-01T00:00:05Z", "startedAt": "2000-01-01T00:00:00Z", "host": "box",
            "lastErrors": "one\ntwo"});
        assert_eq!(how_it_ended(&ended), "Command exited with status 3");
        let mut page = Page::of_width(None);
        show_end("0123.1", &ended, &mut page);
        let lines = page.into_lines();
        assert!(
            lines[0].starts_with("0123.1 failed ")
                && lines[0].ends_with(" ago, after 5s at box: Command exited with status 3")
        );
        assert_eq!(lines[1..], ["  | one", "  | two"]);
    }

    #[test]
    fn a_kill_for_health_is_none_of_its_own() {
        let ended = json!({"message": "", "exitStatus": 0, "signal": 9, "killedForHealth": true});
        assert_eq!(how_it_ended(&ended), "killed because it was unhealthy; exit status 0; signal 9");
        let ended = json!({"message": "Command terminated with signal Terminated", "signal": 15, "killedForHealth": true,
            "unhealthyCause": "404 Not Found"});
        assert_eq!(
            how_it_ended(&ended),
            "killed because it was unhealthy: 404 Not Found; Command terminated with signal Terminated"
        );
    }
}
