//! `cygnet task`: tasks, through the v2 API, and their [`logs`], through the agent's.

mod logs;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use comfy_table::Table;
use hyper::Method;
use serde_json::{Value, json};

use super::app::text;
use super::table::table;
use crate::api::{Api, Asking};
use crate::output::line;

/// What to do with tasks.
#[derive(Debug, Args)]
pub(crate) struct Task {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List tasks, all or those of one app
    List {
        /// The app's id
        app: Option<String>,
    },
    /// Kill a task; another one takes its place
    Kill {
        /// The task's id
        id: String,
        /// And be content with one instance less
        #[arg(long)]
        scale: bool,
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
    },
}

/// Does it.
pub(crate) async fn run(task: Task) -> anyhow::Result<ExitCode> {
    let api = Api::new(&task.asking.api);
    match &task.verb {
        Verb::List { app } => {
            let path = app
                .as_ref()
                .map_or_else(|| "/v2/tasks".into(), |id| format!("/v2/apps/{}/tasks", id.trim_matches('/')));
            let tasks = api.get(&path).await?;
            if task.asking.json {
                line(tasks);
            } else {
                line(tasks_table(tasks["tasks"].as_array().map_or(&[], Vec::as_slice)));
            }
        }
        Verb::Kill { id, scale } => kill(&api, id, *scale, task.asking.json).await?,
        Verb::Logs { id, follow, stderr } => {
            logs::print(&api, id, if *stderr { "stderr" } else { "stdout" }, *follow).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn kill(api: &Api, id: &str, scale: bool, json: bool) -> anyhow::Result<()> {
    find(api, id).await?;
    let path = format!("/v2/tasks/delete?scale={scale}");
    let answer = api.send(Method::POST, &path, Some(&json!({"ids": [id]}))).await?;
    line(if json { answer.to_string() } else { format!("{id} is being killed") });
    Ok(())
}

async fn find(api: &Api, id: &str) -> anyhow::Result<Value> {
    let tasks = api.get("/v2/tasks").await?;
    let found = tasks["tasks"].as_array().into_iter().flatten().find(|task| task["id"] == id);
    found.cloned().with_context(|| format!("there is no task {id}: `cygnet task list` lists them"))
}

/// Tasks, for people.
pub(crate) fn tasks_table(tasks: &[Value]) -> Table {
    let mut table = table(&["task", "state", "health", "host", "ports", "started", "last failure"]);
    for task in tasks {
        let results = task["healthCheckResults"].as_array().map_or(&[][..], Vec::as_slice);
        table.add_row([
            text(&task["id"]),
            text(&task["state"]),
            health(results).to_owned(),
            text(&task["host"]),
            ports(task),
            text(&task["startedAt"]),
            causes(results),
        ]);
    }
    table
}

/// One word for what a task's checks found.
pub(crate) fn health(results: &[Value]) -> &'static str {
    match results {
        [] => "-",
        results if results.iter().all(|result| result["alive"] == true) => "healthy",
        _ => "unhealthy",
    }
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
