//! Looking at all tasks through the API, and telling what changed.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use serde_json::{Value, json};

use super::live::Live;
use super::parts::Addresses;
use crate::api::Api;
use crate::command::app::text;
use crate::command::task::health;

/// How often to look.
const LOOK: Duration = Duration::from_millis(250);

/// How to show things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// A table, drawn again in place.
    Table,
    /// A line for each change.
    Lines,
    /// A JSON object for each change.
    Json,
}

impl Show {
    /// A table on a terminal, lines elsewhere, JSON when asked for.
    pub(super) fn choose(json: bool) -> Show {
        match (json, std::io::stdout().is_terminal()) {
            (true, _) => Show::Json,
            (false, true) => Show::Table,
            (false, false) => Show::Lines,
        }
    }

    pub(super) fn started(self, at: &Addresses) {
        let Addresses { master, agent, api } = at;
        if self == Show::Json {
            let at = json!({"api": api.to_string(), "master": master.to_string(), "agent": agent.to_string()});
            return println!("{}", json!({"event": "started", "at": at}));
        }
        println!("Marathon API http://{api}   Mesos master http://{master}   agent http://{agent}");
        println!("Try: cygnet app list --api {api}, or curl -s http://{api}/v2/apps/web/tasks. Ctrl-C stops.");
    }

    pub(super) fn stopping(self, keep: bool) {
        match (self, keep) {
            (Show::Json, _) => println!("{}", json!({"event": "stopping", "keep": keep})),
            (_, true) => println!("\nStopping; the tasks go on."),
            (_, false) => println!("\nStopping the tasks; Ctrl-C again to leave at once."),
        }
    }

    pub(super) fn forced(self) {
        if self != Show::Json {
            println!("Left at once: tasks may still run. The next `cygnet dev` here finds them.");
        }
    }

    pub(super) fn stopped(self, keep: bool) {
        if self == Show::Json {
            println!("{}", json!({"event": "stopped", "keep": keep}));
        } else if !keep {
            println!("Stopped.");
        }
    }
}

/// One task, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub app: String,
    pub task: String,
    pub state: String,
    pub health: &'static str,
    /// How many of its checks pass, of how many.
    pub checks: (usize, usize),
    pub last_failure: String,
    pub ports: String,
    pub started_at: String,
}

impl Row {
    fn of(app: &Value, task: &Value) -> Row {
        let results = task["healthCheckResults"].as_array().map_or(&[][..], Vec::as_slice);
        let defined = app["healthChecks"].as_array().map_or(0, Vec::len);
        let passing = results.iter().filter(|result| result["alive"] == true).count();
        let causes = results.iter().filter(|result| result["lastFailureCause"].is_string());
        Row {
            app: text(&app["id"]),
            task: text(&task["id"]),
            state: text(&task["state"]).trim_start_matches("TASK_").to_lowercase(),
            health: if defined > 0 && results.is_empty() { "unknown" } else { health(results) },
            checks: (passing, defined),
            last_failure: causes.map(|result| text(&result["lastFailureCause"])).collect::<Vec<_>>().join(" "),
            ports: task["ports"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(","),
            started_at: text(&task["startedAt"]),
        }
    }

    fn json(&self) -> Value {
        json!({"event": "task", "app": self.app, "task": self.task, "state": self.state, "health": self.health,
            "checksPassing": self.checks.0, "checks": self.checks.1, "lastFailure": self.last_failure,
            "ports": self.ports, "startedAt": self.started_at})
    }
}

/// Looks until dropped; an error only if the API is gone.
pub(super) async fn forever(api: &Api, show: Show) -> anyhow::Result<()> {
    let mut known: BTreeMap<String, Row> = BTreeMap::new();
    let mut live = Live::default();
    loop {
        let rows = look(api).await?;
        match show {
            Show::Table => live.draw(&rows),
            Show::Lines => tell(&known, &rows, |row| line(row), |row| format!("{} is gone", row.task)),
            Show::Json => {
                let gone = |row: &Row| json!({"event": "gone", "app": row.app, "task": row.task}).to_string();
                tell(&known, &rows, |row| row.json().to_string(), gone);
            }
        }
        known = rows.into_iter().map(|row| (row.task.clone(), row)).collect();
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(api: &Api) -> anyhow::Result<Vec<Row>> {
    let apps = api.get("/v2/apps?embed=apps.tasks").await?;
    let apps = apps["apps"].as_array().cloned().unwrap_or_default();
    let rows =
        |app: &Value| app["tasks"].as_array().into_iter().flatten().map(|task| Row::of(app, task)).collect::<Vec<_>>();
    Ok(apps.iter().flat_map(rows).collect())
}

fn tell(known: &BTreeMap<String, Row>, rows: &[Row], show: impl Fn(&Row) -> String, gone: impl Fn(&Row) -> String) {
    for row in rows.iter().filter(|row| known.get(&row.task) != Some(row)) {
        println!("{}", show(row));
    }
    for row in known.values().filter(|old| !rows.iter().any(|row| row.task == old.task)) {
        println!("{}", gone(row));
    }
}

fn line(row: &Row) -> String {
    let failure =
        if row.last_failure.is_empty() { String::new() } else { format!(", last failure: {}", row.last_failure) };
    format!(
        "{} {} on port {}, {} ({} of {} checks){failure}",
        row.task, row.state, row.ports, row.health, row.checks.0, row.checks.1
    )
}
