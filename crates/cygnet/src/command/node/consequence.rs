//! The consequence of draining an agent, in words: which apps lose how many of how many, and how far it is. Pure.

use serde_json::Value;

use crate::command::table::{items, text};

/// States of tasks that are not over.
const OPEN: [&str; 5] = ["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_UNREACHABLE"];

/// The name of an agent for people.
pub(super) fn name(agent: &Value) -> String {
    format!("{} ({})", text(&agent["hostname"]), text(&agent["id"]))
}

/// The consequence of draining this one of all agents.
pub(super) fn lines(agents: &[Value], agent: &Value, moves_within: &str) -> Vec<String> {
    let apps = items(&agent["apps"]);
    let of_others = open_tasks(agent).saturating_sub(apps.iter().map(|app| count(&app["instances"])).sum());
    let mut lines: Vec<String> = apps.iter().map(loss).collect();
    if of_others > 0 {
        lines.push(format!("{of_others} {} of other frameworks or further containers end", tasks(of_others)));
    }
    if lines.is_empty() {
        return vec![format!("nothing runs on {}", name(agent))];
    }
    let others = agents.iter().filter(|other| other["id"] != agent["id"] && other["active"] == true).count();
    lines.push(match others {
        0 => format!("no other agent is in use: nothing can move, and after {moves_within} all of it ends"),
        _ => format!("what has not moved after {moves_within} ends all the same"),
    });
    lines
}

/// The progress of a drain.
pub(super) fn progress(agent: &Value) -> Vec<String> {
    match agent["drain"]["state"].as_str() {
        Some("MOVING") => {
            let left = |app: &Value| format!("{}: {} of {} still there", text(&app["id"]), app["instances"], app["of"]);
            let lines: Vec<_> = items(&agent["apps"]).iter().map(left).collect();
            if lines.is_empty() { vec!["all have moved".to_owned()] } else { lines }
        }
        Some("DRAINING") => {
            let left = open_tasks(agent);
            vec![format!("the master ends what is left: {left} {}", tasks(left))]
        }
        Some("DRAINED") => vec!["nothing runs there any more".to_owned()],
        _ => vec!["it is not being drained".to_owned()],
    }
}

fn loss(app: &Value) -> String {
    let (here, of, minimum) = (count(&app["instances"]), count(&app["of"]), count(&app["minimum"]));
    let moves = if here == 1 { "moves" } else { "move" };
    let stay = match minimum {
        0 => "none has to stay ready".to_owned(),
        minimum => format!("at least {minimum} stay ready"),
    };
    format!("{}: {here} of {of} {moves}; {stay}", text(&app["id"]))
}

fn open_tasks(agent: &Value) -> u64 {
    OPEN.iter().map(|state| count(&agent["tasks"][state])).sum()
}

fn tasks(count: u64) -> &'static str {
    if count == 1 { "task" } else { "tasks" }
}

/// The number; none if it is not there.
fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn agent(id: &str, apps: Value) -> Value {
        json!({"id": id, "hostname": "box", "active": true, "apps": apps, "tasks": {"TASK_RUNNING": 4, "TASK_FAILED": 9}})
    }

    #[test]
    fn who_loses_how_many_of_how_many_is_said() {
        let apps = json!([{"id": "/web", "instances": 2, "of": 3, "minimum": 3}, {"id": "/db", "instances": 1, "of": 1, "minimum": 0}]);
        let [one, other] = [agent("S0", apps), agent("S1", json!([]))];
        let told = lines(&[one.clone(), other], &one, "10m");
        let expected = [
            "/web: 2 of 3 move; at least 3 stay ready",
            "/db: 1 of 1 moves; none has to stay ready",
            "1 task of other frameworks or further containers end",
            "what has not moved after 10m ends all the same",
        ];
        assert_eq!(told, expected);
        assert!(lines(std::slice::from_ref(&one), &one, "10m")[3].contains("no other agent"));
        let empty = json!({"id": "S0", "hostname": "box", "apps": [], "tasks": {}});
        assert_eq!(lines(&[], &empty, "10m"), ["nothing runs on box (S0)"]);
    }

    #[test]
    fn how_far_it_is_is_said() {
        let mut agent = agent("S0", json!([{"id": "/web", "instances": 2, "of": 3}]));
        for (state, expected) in
            [("MOVING", "/web: 2 of 3 still there"), ("DRAINING", "the master ends what is left: 4 tasks")]
        {
            agent["drain"] = json!({"state": state});
            assert_eq!(progress(&agent), [expected]);
        }
    }
}
