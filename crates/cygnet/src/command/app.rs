//! `cygnet app`: apps, through the v2 API. [`show`] prints them, [`patch`] reads what is to be changed of one.

mod patch;
mod show;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::change::{self, Follower, Manner, kills};
use super::definitions;
use super::table::{items, text};
use crate::api::{Api, Asking, encoded, path};
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
    /// Create or change the apps, groups and pods of files, and wait until they run
    Run {
        /// Files with a definition, or several; - is standard input
        #[arg(required = true)]
        files: Vec<String>,
        /// Change only so many instances of each app, and wait for `cygnet deployment continue` or `cancel`
        #[arg(long, value_name = "INSTANCES")]
        canary: Option<u32>,
        #[command(flatten)]
        manner: Manner,
    },
    /// List all apps, or some
    List {
        /// Only those whose id contains this
        id: Option<String>,
        /// Only those with these labels, such as "tier==front" or "tier in (front,back)"
        #[arg(long)]
        label: Option<String>,
    },
    /// Show one app and its tasks
    Show {
        /// The app's id
        id: String,
        /// The definition as it was then: one of `cygnet app versions`
        #[arg(long, value_name = "VERSION")]
        at: Option<String>,
    },
    /// Change fields of an app
    Update(Update),
    /// Change the number of instances
    Scale {
        /// The app's id
        id: String,
        /// How many
        instances: u32,
        #[command(flatten)]
        manner: Manner,
    },
    /// Replace all instances by new ones
    Restart {
        /// The app's id
        id: String,
        #[command(flatten)]
        manner: Manner,
    },
    /// List the versions of an app, the newest first
    Versions {
        /// The app's id
        id: String,
    },
    /// Go back to a version
    Rollback {
        /// The app's id
        id: String,
        /// One of `cygnet app versions`; if none is named, the one before the present one
        #[arg(value_name = "VERSION")]
        to: Option<String>,
        #[command(flatten)]
        manner: Manner,
    },
    /// Kill the tasks of an app; others take their place
    Kill(Kill),
    /// Remove an app and stop its instances
    #[command(alias = "remove", alias = "delete")]
    Rm {
        /// The app's id
        id: String,
        #[command(flatten)]
        manner: Manner,
    },
}

#[derive(Debug, Args)]
struct Update {
    /// The app's id
    id: String,
    /// What to set, such as instances=3, cpus=0.5, env.COLOUR=red or healthChecks='[...]'; env.COLOUR= takes it out
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// A file with the fields to change, as JSON; - is standard input
    #[arg(long, short, conflicts_with = "fields")]
    file: Option<String>,
    /// Change only so many instances, and wait for `cygnet deployment continue` or `cancel`
    #[arg(long, value_name = "INSTANCES")]
    canary: Option<u32>,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Args)]
struct Kill {
    /// The app's id
    id: String,
    /// Only those on this host
    #[arg(long)]
    host: Option<String>,
    /// And be content with fewer instances
    #[arg(long)]
    scale: bool,
    /// And forget what they kept
    #[arg(long, conflicts_with = "scale")]
    wipe: bool,
    #[command(flatten)]
    manner: Manner,
}

/// Does it.
pub(crate) async fn run(app: App) -> anyhow::Result<ExitCode> {
    let (api, asking) = (Api::new(&app.asking.api), &app.asking);
    match app.verb {
        Verb::List { id, label } => show::list(&api, id.as_deref(), label.as_deref(), asking.json).await,
        Verb::Show { id, at } => show::one(&api, &id, at.as_deref(), asking.json).await,
        Verb::Versions { id } => versions(&api, &id, asking.json).await,
        Verb::Run { files, canary, manner } => change::run_files(&api, asking, &files, &manner, canary).await,
        Verb::Update(wanted) => update(&api, asking, wanted).await,
        Verb::Kill(kill) => kill_tasks(&api, asking, &kill).await,
        Verb::Scale { id, instances, manner } => {
            // A PUT would create it.
            let body = Some(json!({"instances": instances}));
            change::make(&api, asking, &manner, Method::PATCH, &path("apps", &id), body).await
        }
        Verb::Restart { id, manner } => {
            change::make(&api, asking, &manner, Method::POST, &(path("apps", &id) + "/restart"), None).await
        }
        Verb::Rollback { id, to, manner } => {
            let version = match to {
                Some(version) => version,
                None => version_before(&api, &id).await?,
            };
            let body = Some(json!({"version": version}));
            change::make(&api, asking, &manner, Method::PUT, &path("apps", &id), body).await
        }
        Verb::Rm { id, manner } => change::make(&api, asking, &manner, Method::DELETE, &path("apps", &id), None).await,
    }
}

async fn update(api: &Api, asking: &Asking, wanted: Update) -> anyhow::Result<ExitCode> {
    let path = path("apps", &wanted.id);
    let body = match &wanted.file {
        Some(file) => definitions::one(file)?,
        None => {
            let app = api.get(&path).await?["app"].take();
            patch::from_fields(&app, &wanted.fields)?
        }
    };
    let canary = wanted.canary.map_or_else(String::new, |canary| format!("?canary={canary}"));
    let mut follower = Follower::listen(api, asking, &wanted.manner.following).await?.until_canary(wanted.canary);
    let path = wanted.manner.query(&format!("{path}{canary}"));
    let answer = api.send(Method::PATCH, &path, Some(&body)).await?;
    follower.answered(&answer).await
}

async fn kill_tasks(api: &Api, asking: &Asking, kill: &Kill) -> anyhow::Result<ExitCode> {
    let host = kill.host.as_ref().map_or_else(String::new, |host| format!("&host={}", encoded(host)));
    let path = format!("{}/tasks?scale={}&wipe={}{host}", path("apps", &kill.id), kill.scale, kill.wipe);
    let mut follower = Follower::listen(api, asking, &kill.manner.following).await?;
    let answer = api.send(Method::DELETE, &kill.manner.query(&path), None).await?;
    if kill.scale {
        return follower.answered(&answer).await;
    }
    kills::follow(api, asking, &kill.manner.following, &answer.body).await
}

async fn versions(api: &Api, id: &str, json: bool) -> anyhow::Result<ExitCode> {
    let answer = api.get(&(path("apps", id) + "/versions")).await?;
    if json {
        line(answer);
    } else {
        newest_first(&answer).iter().for_each(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// The versions of an app are moments: whoever keeps them may tell them in any order.
fn newest_first(answer: &Value) -> Vec<String> {
    let mut versions: Vec<String> = items(&answer["versions"]).iter().map(text).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions
}

async fn version_before(api: &Api, id: &str) -> anyhow::Result<String> {
    let now = text(&api.get(&path("apps", id)).await?["app"]["version"]);
    let answer = api.get(&(path("apps", id) + "/versions")).await?;
    let before = newest_first(&answer).into_iter().find(|version| *version < now);
    before.with_context(|| format!("there is no version of {id} before {now}"))
}
