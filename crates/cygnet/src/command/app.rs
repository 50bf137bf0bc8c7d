//! `cygnet app`: apps, through the v2 API.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::dev::definitions;
use super::table::table;
use crate::api::{Api, Asking};
use crate::output::line;

/// What to do with apps.
#[derive(Debug, Args)]
pub(crate) struct App {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Create or change the apps of a file, and wait until they run
    Run {
        /// A file with a definition, or several; - is standard input
        file: String,
        #[command(flatten)]
        change: Change,
    },
    /// List all apps
    List,
    /// Show one app and its tasks
    Show {
        /// The app's id
        id: String,
    },
    /// Change the number of instances
    Scale {
        /// The app's id
        id: String,
        /// How many
        instances: u32,
        #[command(flatten)]
        change: Change,
    },
    /// Replace all instances by new ones
    Restart {
        /// The app's id
        id: String,
        #[command(flatten)]
        change: Change,
    },
    /// Remove an app and stop its instances
    Rm {
        /// The app's id
        id: String,
        #[command(flatten)]
        change: Change,
    },
}

/// How to change.
#[derive(Debug, Args)]
struct Change {
    /// Break into a deployment that is under way
    #[arg(long)]
    force: bool,
    /// Do not wait until it is done
    #[arg(long)]
    no_wait: bool,
}

/// Does it.
pub(crate) async fn run(app: App) -> anyhow::Result<ExitCode> {
    let api = Api::new(&app.asking.api);
    match &app.verb {
        Verb::Run { file, change } => {
            for definition in definitions::read(std::slice::from_ref(file))? {
                let answer = definitions::submit(&api, &definition, change.force).await?;
                finish(&api, &app, change, &answer).await?;
            }
        }
        Verb::List => list(&api, app.asking.json).await?,
        Verb::Show { id } => show(&api, id, app.asking.json).await?,
        Verb::Scale { id, instances, change } => {
            let body = json!({"instances": instances});
            exists(&api, id).await?;
            let answer = api.send(Method::PUT, &path(id, "", change), Some(&body)).await?;
            finish(&api, &app, change, &answer).await?;
        }
        Verb::Restart { id, change } => {
            let answer = api.send(Method::POST, &path(id, "/restart", change), None).await?;
            finish(&api, &app, change, &answer).await?;
        }
        Verb::Rm { id, change } => {
            let answer = api.send(Method::DELETE, &path(id, "", change), None).await?;
            finish(&api, &app, change, &answer).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn path(id: &str, verb: &str, change: &Change) -> String {
    // Unforced is what the API says it is: removing an app breaks into anything.
    let force = if change.force { "?force=true" } else { "" };
    format!("/v2/apps/{}{verb}{force}", id.trim_matches('/'))
}

async fn exists(api: &Api, id: &str) -> anyhow::Result<()> {
    api.get(&format!("/v2/apps/{}", id.trim_matches('/'))).await.map(drop)
}

async fn list(api: &Api, json: bool) -> anyhow::Result<()> {
    let apps = api.get("/v2/apps").await?;
    if json {
        line(apps);
        return Ok(());
    }
    let mut table = table(&["app", "wanted", "running", "healthy", "unhealthy", "deploying", "command"]);
    for app in apps["apps"].as_array().into_iter().flatten() {
        let deploying = app["deployments"].as_array().is_some_and(|all| !all.is_empty());
        table.add_row([
            text(&app["id"]),
            text(&app["instances"]),
            text(&app["tasksRunning"]),
            text(&app["tasksHealthy"]),
            text(&app["tasksUnhealthy"]),
            if deploying { "yes".into() } else { String::new() },
            text(&app["cmd"]),
        ]);
    }
    line(table);
    Ok(())
}

async fn show(api: &Api, id: &str, json: bool) -> anyhow::Result<()> {
    let app = api.get(&format!("/v2/apps/{}", id.trim_matches('/'))).await?["app"].take();
    if json {
        line(app);
        return Ok(());
    }
    line(format!("{} version {}", text(&app["id"]), text(&app["version"])));
    let count = |name: &str| text(&app[name]);
    line(format!("{} of {} running, {} healthy", count("tasksRunning"), count("instances"), count("tasksHealthy")));
    if app["lastTaskFailure"].is_object() {
        let failure = &app["lastTaskFailure"];
        let [state, message, at] = ["state", "message", "timestamp"].map(|name| text(&failure[name]));
        line(format!("last failure: {state}: {message}, at {at}"));
    }
    line(super::task::tasks_table(app["tasks"].as_array().map_or(&[], Vec::as_slice)));
    Ok(())
}

/// Prints what was begun, and waits for its end unless told not to.
async fn finish(api: &Api, app: &App, change: &Change, answer: &Value) -> anyhow::Result<()> {
    if app.asking.json {
        line(answer);
    }
    let id = answer["deploymentId"].as_str().or_else(|| answer["deployments"][0]["id"].as_str());
    let (Some(id), false) = (id, change.no_wait) else { return Ok(()) };
    let mut told = String::new();
    loop {
        let all = api.get("/v2/deployments").await?;
        let Some(deployment) = all.as_array().into_iter().flatten().find(|deployment| deployment["id"] == id) else {
            if !app.asking.json {
                line("done");
            }
            return Ok(());
        };
        let progress = progress(api, deployment).await?;
        if progress != told && !app.asking.json {
            line(&progress);
        }
        told = progress;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn progress(api: &Api, deployment: &Value) -> anyhow::Result<String> {
    let (action, id) = (&deployment["currentActions"][0]["action"], &deployment["affectedApps"][0]);
    let Some(id) = id.as_str() else { bail!("the scheduler told of a deployment without an app: {deployment}") };
    let Ok(app) = api.ask(Method::GET, &format!("/v2/apps{id}"), None).await? else {
        return Ok(format!("{} {id}", text(action)));
    };
    let app = &app["app"];
    let [running, healthy, wanted] = ["tasksRunning", "tasksHealthy", "instances"].map(|name| text(&app[name]));
    Ok(format!("{} {id}: {running} of {wanted} running, {healthy} healthy", text(action)))
}

/// A value as people write it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
