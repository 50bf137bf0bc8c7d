//! `cygnet task`: tasks, through the v2 API, and their [`logs`], through the agent's. [`ids`] finds those meant by
//! short ids, [`checks`] says what checks are and found.

mod checks;
mod ids;
mod logs;
mod stream;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use comfy_table::Table;
use hyper::Method;
use serde_json::{Value, json};

pub(crate) use self::checks::{Checks, judged, named};
pub(crate) use self::ids::shown;
use super::age::since;
use super::change::{Follower, Manner, kills};
use super::credentials;
use super::table::{items, table, text};
use crate::api::{Api, Noun, encoded, path};
use crate::output::line;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List tasks, all or those of one app
    List {
        /// The app's id
        app: Option<String>,
        /// And the last one that failed, of each app
        #[arg(long, conflicts_with = "app")]
        all: bool,
    },
    /// Show one task, and what each of its checks found
    Show {
        /// The task's id
        id: String,
    },
    /// Kill tasks; others take their place
    Kill {
        /// The tasks' ids
        #[arg(required = true)]
        ids: Vec<String>,
        /// And be content with as many instances less
        #[arg(long)]
        scale: bool,
        /// And forget what they kept
        #[arg(long, conflicts_with = "scale")]
        wipe: bool,
        #[command(flatten)]
        manner: Manner,
    },
    /// Do not check a task's health, nor kill it for it
    Pause {
        /// The task's id
        id: String,
        /// For this long, such as 10m; if not told, until it is resumed
        #[arg(long = "for", value_parser = humantime::parse_duration)]
        time: Option<Duration>,
    },
    /// Check a task's health again
    Resume {
        /// The task's id
        id: String,
    },
    /// Print what a task wrote
    Logs {
        /// The task's id
        id: String,
        /// Go on as it writes more
        #[arg(short, long)]
        follow: bool,
        /// What it wrote to standard error
        #[arg(long)]
        stderr: bool,
        /// Who you are to a master and agents that ask: {"principal": "NAME", "secret": "SECRET"}
        #[arg(long, value_name = "FILE", env = "CYGNET_CREDENTIAL")]
        credential: Option<PathBuf>,
    },
}

/// Does it.
pub(crate) async fn run(task: Noun<Verb>) -> anyhow::Result<ExitCode> {
    let api = Api::of(&task.asking);
    match &task.verb {
        Verb::List { app, all } => list(&api, app.as_deref(), *all).await?,
        Verb::Show { id } => {
            let found = find(&api, id).await?;
            if api.json {
                line(found);
            } else {
                let checks = Checks::ask(&api).await?;
                line(tasks_table(std::slice::from_ref(&found), &checks));
                line(format!("version {}", text(&found["version"])));
                checks.lines(&found).iter().for_each(line);
            }
        }
        Verb::Kill { ids, scale, wipe, manner } => {
            let path = manner.query(&format!("/v2/tasks/delete?scale={scale}&wipe={wipe}"));
            return kill(&api, ids, *scale, manner, &path).await;
        }
        Verb::Pause { id, time } => {
            let seconds = time.map(|time| time.as_secs());
            checks(&api, id, &json!({"paused": true, "seconds": seconds}), "is not checked for now").await?;
        }
        Verb::Resume { id } => checks(&api, id, &json!({"paused": false}), "is checked again").await?,
        Verb::Logs { id, follow, stderr, credential } => {
            let credential = credentials::own(credential.as_deref())?;
            let file = if *stderr { "stderr" } else { "stdout" };
            let task = ids::known(&api, id).await?;
            let how = logs::How { file, follow: *follow };
            logs::print(&api, credential.as_ref(), &task, how).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(api: &Api, app: Option<&str>, all: bool) -> anyhow::Result<()> {
    let path = app.map_or_else(|| "/v2/tasks".into(), |id| path("apps", id) + "/tasks");
    let mut tasks = api.get(&path).await?;
    let failures = if all { ids::last_failures(api).await? } else { Vec::new() };
    if api.json {
        if all {
            tasks["lastFailures"] = json!(failures);
        }
        line(tasks);
        return Ok(());
    }
    let mut table = tasks_table(items(&tasks["tasks"]), &Checks::ask(api).await?);
    for failure in &failures {
        let [id, state, host, message] = ["taskId", "state", "host", "message"].map(|name| text(&failure[name]));
        let ago = format!("ended {} ago", since(&text(&failure["timestamp"])));
        table.add_row([id, state, "-".to_owned(), host, String::new(), ago, message]);
    }
    line(table);
    Ok(())
}

async fn checks(api: &Api, id: &str, wish: &Value, what: &str) -> anyhow::Result<()> {
    let id = ids::running(api, id).await?;
    let answer = api.send(Method::PUT, &format!("/v2/tasks/{}/checks", encoded(&id)), Some(wish)).await?;
    line(if api.json { answer.body.to_string() } else { format!("{id} {what}") });
    Ok(())
}

async fn kill(api: &Api, ids: &[String], scale: bool, manner: &Manner, path: &str) -> anyhow::Result<ExitCode> {
    // The API passes over what it does not know.
    let mut named = Vec::new();
    for id in ids {
        named.push(ids::running(api, id).await?);
    }
    let mut follower = Follower::listen(api, &manner.following).await?;
    let answer = api.send(Method::POST, path, Some(&json!({"ids": named}))).await?;
    if scale {
        return follower.answered(&answer).await;
    }
    kills::follow(api, &manner.following, &answer.body).await
}

async fn find(api: &Api, id: &str) -> anyhow::Result<Value> {
    let id = ids::running(api, id).await?;
    let tasks = api.get("/v2/tasks").await?;
    let found = items(&tasks["tasks"]).iter().find(|task| task["id"] == id.as_str());
    found.cloned().with_context(|| format!("there is no task {id}: `cygnet task list` lists them"))
}

/// Tasks, for people.
pub(crate) fn tasks_table(tasks: &[Value], checks: &Checks) -> Table {
    let mut table = table(&["task", "state", "health", "host", "ports", "up", "last failure"]);
    for task in tasks {
        let results = items(&task["healthCheckResults"]);
        table.add_row([
            text(&task["id"]),
            text(&task["state"]),
            checks.health(task).to_owned(),
            text(&task["host"]),
            ports(task),
            since(&text(&task["startedAt"])),
            progress(task).unwrap_or_else(|| causes(results)),
        ]);
    }
    table
}

/// How far the launch of a task is, while it is launched.
pub(crate) fn progress(task: &Value) -> Option<String> {
    task["message"].as_str().map(str::to_owned)
}

/// Why the last failures of a task's checks were failures.
pub(crate) fn causes(results: &[Value]) -> String {
    let causes = results.iter().filter_map(|result| result["lastFailureCause"].as_str());
    causes.collect::<Vec<_>>().join("; ")
}

/// The ports of a task.
pub(crate) fn ports(task: &Value) -> String {
    task["ports"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(",")
}
