//! `cygnet task`: tasks, through the v2 API, and their [`logs`]. [`list`] and [`show`] print them, [`ids`] finds those meant
//! by short ids, [`members`] those of an app or pod, [`pods`] has containers as tasks, [`checks`] says what checks are; [`whereabouts`] finds the agents and containers of those that [`exec`]
//! enters and [`stats`] measures; [`check`] has their checks made.

mod check;
mod checks;
mod exec;
mod ids;
mod list;
mod logs;
mod members;
mod pods;
mod show;
mod stats;
mod whereabouts;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

pub(crate) use self::checks::{judged, named};
pub(crate) use self::list::{ports, progress, tasks_table};
use self::whereabouts::Whereabouts;
use super::change::{Follower, Manner, kills};
use super::credentials;
use crate::api::{Api, Noun, encoded};
use crate::output::{json_line, line};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List tasks, all or those of one app or pod
    List {
        /// The id of the app or pod
        app: Option<String>,
        /// And the last ones that ended though nobody asked for it, of each app and pod
        #[arg(long)]
        all: bool,
    },
    /// Show one task, also one that ended: what each of its checks is and found, and what is done next
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
    /// Make all health checks of a task now, and show what they find; a failure counts
    Check {
        /// The task's id
        id: String,
        /// The longest to wait for what they find
        #[arg(long, value_parser = humantime::parse_duration, default_value = "60s")]
        timeout: Duration,
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
    /// Print what a task wrote, or all tasks of an app or pod
    Logs(logs::Logs),
    /// Run a command beside a task, in its container: the exit code is the command's
    Exec {
        /// The task's id
        id: String,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
        /// Your credential, for a master and agents that ask: {"principal": "NAME", "secret": "SECRET"}
        #[arg(long, value_name = "FILE", env = "CYGNET_CREDENTIAL")]
        credential: Option<PathBuf>,
    },
    /// Show what tasks use: processors, memory, threads, network
    Stats {
        /// The ids of tasks, or of apps or pods, of all their tasks then; if none is named, all
        ids: Vec<String>,
        /// Again and again
        #[arg(short, long)]
        watch: bool,
        /// Your credential, for a master and agents that ask: {"principal": "NAME", "secret": "SECRET"}
        #[arg(long, value_name = "FILE", env = "CYGNET_CREDENTIAL")]
        credential: Option<PathBuf>,
    },
}

/// Does it.
pub(crate) async fn run(task: Noun<Verb>) -> anyhow::Result<ExitCode> {
    let api = Api::of(&task.asking);
    match &task.verb {
        Verb::List { app, all } => list::list(&api, app.as_deref(), *all).await?,
        Verb::Show { id } => show::show(&api, id).await?,
        Verb::Kill { ids, scale, wipe, manner } => {
            let path = manner.query(&format!("/v2/tasks/delete?scale={scale}&wipe={wipe}"));
            return kill(&api, ids, *scale, manner, &path).await;
        }
        Verb::Check { id, timeout } => return check::run(&api, id, *timeout).await,
        Verb::Pause { id, time } => {
            let seconds = time.map(|time| time.as_secs());
            checks(&api, id, &json!({"paused": true, "seconds": seconds}), "is not checked for now").await?;
        }
        Verb::Resume { id } => checks(&api, id, &json!({"paused": false}), "is checked again").await?,
        Verb::Logs(wanted) => logs::print(&api, wanted).await?,
        Verb::Exec { id, command, credential } => {
            return Ok(exec::run(place(&api, credential.as_deref(), id), command).await);
        }
        Verb::Stats { ids, watch, credential } => {
            let tasks = members::of_all(&api, ids).await?;
            let credential = credentials::own(credential.as_deref())?;
            let places = whereabouts::of_all(&api, credential.as_ref(), &tasks).await?;
            stats::show(&places, stats::How { json: api.json, watch: *watch }).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The place of the task that is meant.
async fn place(api: &Api, credential: Option<&Path>, id: &str) -> anyhow::Result<Whereabouts> {
    let credential = credentials::own(credential)?;
    whereabouts::of(api, credential.as_ref(), &ids::known(api, id).await?).await
}

async fn checks(api: &Api, id: &str, wish: &Value, what: &str) -> anyhow::Result<()> {
    let id = ids::running(api, id).await?;
    let answer = api.send(Method::PUT, &format!("/v2/tasks/{}/checks", encoded(&id)), Some(wish)).await?;
    if api.json {
        json_line(answer.body)
    } else {
        line(format!("{id} {what}"))
    }
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

/// Why the last failures of a task's checks were failures.
pub(crate) fn causes(results: &[Value]) -> String {
    let causes = results.iter().filter_map(|result| result["lastFailureCause"].as_str());
    causes.collect::<Vec<_>>().join("; ")
}
