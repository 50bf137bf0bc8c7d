//! `cygnet task`: tasks, through the v2 API, and their logs, through the agent's.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use comfy_table::Table;
use hyper::Method;
use serde_json::{Value, json};

use super::app::text;
use super::table::table;
use crate::api::Api;

/// How often to look for more of a log.
const FOLLOW: Duration = Duration::from_millis(500);

/// How much of a log to ask for at once, in bytes.
const PIECE: u64 = 64 * 1024;

/// What to do with tasks.
#[derive(Debug, Args)]
pub(crate) struct Task {
    /// Where the scheduler is
    #[arg(long, global = true, default_value = "127.0.0.1:8080", env = "CYGNET_API")]
    api: String,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
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
    let api = Api::new(&task.api);
    match &task.verb {
        Verb::List { app } => {
            let path = app.as_ref().map_or("/v2/tasks".into(), |id| format!("/v2/apps/{}/tasks", id.trim_matches('/')));
            let tasks = api.get(&path).await?;
            if task.json {
                println!("{tasks}");
            } else {
                println!("{}", tasks_table(tasks["tasks"].as_array().map_or(&[], Vec::as_slice)));
            }
        }
        Verb::Kill { id, scale } => kill(&api, id, *scale, task.json).await?,
        Verb::Logs { id, follow, stderr } => logs(&api, id, *follow, if *stderr { "stderr" } else { "stdout" }).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn kill(api: &Api, id: &str, scale: bool, json: bool) -> anyhow::Result<()> {
    find(api, id).await?;
    let path = format!("/v2/tasks/delete?scale={scale}");
    let answer = api.send(Method::POST, &path, Some(&json!({"ids": [id]}))).await?;
    println!("{}", if json { answer.to_string() } else { format!("{id} is being killed") });
    Ok(())
}

async fn find(api: &Api, id: &str) -> anyhow::Result<Value> {
    let tasks = api.get("/v2/tasks").await?;
    let found = tasks["tasks"].as_array().into_iter().flatten().find(|task| task["id"] == id);
    found.cloned().with_context(|| format!("there is no task {id}: `cygnet task list` lists them"))
}

/// Reads the sandbox of a task through the agent's files endpoint.
async fn logs(api: &Api, id: &str, follow: bool, name: &str) -> anyhow::Result<()> {
    let task = find(api, id).await?;
    let agent = agent_of(api, &task).await?;
    let path = format!("{}/{name}", sandbox(&agent, id).await?);
    let mut offset = 0;
    loop {
        let piece = agent.get(&format!("/files/read?path={path}&offset={offset}&length={PIECE}")).await?;
        let data = piece["data"].as_str().unwrap_or_default();
        print!("{data}");
        offset += data.len() as u64;
        if data.is_empty() {
            if !follow {
                return Ok(());
            }
            tokio::time::sleep(FOLLOW).await;
        }
    }
}

/// The scheduler knows its master, the master its agents.
async fn agent_of(api: &Api, task: &Value) -> anyhow::Result<Api> {
    let info = api.get("/v2/info").await?;
    let master = Api::new(info["marathon_config"]["master"].as_str().context("the scheduler names no master")?);
    let slaves = master.get("/slaves").await?;
    let agent = slaves["slaves"].as_array().into_iter().flatten().find(|slave| slave["id"] == task["slaveId"]);
    let pid = agent.and_then(|agent| agent["pid"].as_str()).context("the master does not know the task's agent")?;
    let (_, address) = pid.split_once('@').context("the agent's pid names no address")?;
    Ok(Api::new(address))
}

async fn sandbox(agent: &Api, task: &str) -> anyhow::Result<String> {
    let state = agent.get("/state").await?;
    let frameworks = state["frameworks"].as_array().into_iter().flatten();
    let executors = frameworks.flat_map(|framework| framework["executors"].as_array().into_iter().flatten());
    let has = |executor: &&Value| executor["tasks"].as_array().into_iter().flatten().any(|found| found["id"] == task);
    for executor in executors {
        if has(&executor) {
            return executor["directory"].as_str().map(str::to_owned).context("the agent names no sandbox");
        }
    }
    bail!("the agent does not know the task {task}")
}

/// Tasks, for people.
pub(crate) fn tasks_table(tasks: &[Value]) -> Table {
    let mut table = table(&["task", "state", "health", "host", "ports", "started", "last failure"]);
    for task in tasks {
        let results = task["healthCheckResults"].as_array().map_or(&[][..], Vec::as_slice);
        let ports = task["ports"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(",");
        table.add_row([
            text(&task["id"]),
            text(&task["state"]),
            health(results).to_owned(),
            text(&task["host"]),
            ports,
            text(&task["startedAt"]),
            results.iter().map(|result| text(&result["lastFailureCause"])).collect::<Vec<_>>().join(" "),
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
