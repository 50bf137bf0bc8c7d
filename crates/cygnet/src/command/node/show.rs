//! Agents, as people read them: all in a table, one with what it has and what runs there. Pure.

use serde_json::Value;

use crate::command::age::when;
use crate::command::page::Page;
use crate::command::table::{Table, items, state, table, text};

/// One line for each agent.
pub(super) fn listed(agents: &[Value]) -> Table {
    let columns = ["node", "host", "state", "heard", "tasks", "cpus", "mem"];
    let mut table = table(&columns).sparing(&["heard", "tasks"]);
    for agent in agents {
        let [id, host] = ["id", "hostname"].map(|name| text(&agent[name]));
        let tasks = agent["tasks"]["TASK_RUNNING"].as_u64().unwrap_or(0).to_string();
        let heard = when(&text(&agent["lastHeardAt"]));
        table.add_row([id, host, standing(agent), heard, tasks, used(agent, "cpus"), used(agent, "mem")]);
    }
    table
}

/// All of one agent.
pub(super) fn shown(agent: &Value, mut page: Page) -> Page {
    page.text(&format!("{} at {}: {}", text(&agent["id"]), text(&agent["hostname"]), standing(agent)));
    if let Some(why) = agent["drain"]["why"].as_str() {
        page.fact(1, "why", why);
    }
    page.fact(1, "heard", &when(&text(&agent["lastHeardAt"])));
    page.fact(1, "known", &when(&text(&agent["registeredAt"])));
    for name in ["cpus", "mem", "disk"] {
        page.fact(1, name, &used(agent, name));
    }
    let states = agent["tasks"].as_object().into_iter().flatten();
    let states = states.map(|(name, count)| format!("{count} {}", state(&Value::String(name.clone()))));
    page.fact(1, "tasks", &states.collect::<Vec<_>>().join(", "));
    for app in items(&agent["apps"]) {
        let [id, here, of] = ["id", "instances", "of"].map(|name| text(&app[name]));
        page.fact(1, "app", &format!("{id}: {here} of {of} instances, {} ready", text(&app["ready"])));
    }
    page
}

/// The use that is made of it, in the scheduler's words.
fn standing(agent: &Value) -> String {
    text(&agent["standing"]["text"])
}

fn used(agent: &Value, name: &str) -> String {
    let [used, total] = ["used", "total"].map(|of| agent["resources"][of][name].as_f64().unwrap_or(0.0));
    format!("{used} of {total}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_agent_is_shown_with_its_use_and_what_runs_there() {
        let agent = json!({"id": "S0", "hostname": "box", "standing": {"kind": "inUse", "text": "in use"}, "drain": null,
            "resources": {"total": {"cpus": 8.0, "mem": 8192.0}, "used": {"cpus": 0.5, "mem": 64.0}},
            "tasks": {"TASK_RUNNING": 3}, "apps": [{"id": "/web", "instances": 2, "ready": 1, "of": 4}]});
        let lines = shown(&agent, Page::of_width(None)).into_lines();
        assert_eq!(lines[..2], ["S0 at box: in use", "  cpus      0.5 of 8"]);
        assert_eq!(lines[4..], ["  tasks     3 running", "  app       /web: 2 of 4 instances, 1 ready"]);
        let draining = json!({"id": "S1", "standing": {"kind": "moving", "text": "instances move away"}});
        let table = listed(&[agent, draining]).to_string();
        for word in ["in use", "instances move away", "0.5 of 8"] {
            assert!(table.contains(word), "{word}: {table}");
        }
    }
}
