//! `cygnet app`: apps, through the v2 API. [`show`] prints them, [`patch`] reads the fields to change of one.

mod definition;
mod patch;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::json;

use super::change::{self, Follower, Manner, kills};
use super::definitions;
use super::ids;
use super::kind::Kind;
use super::plan;
use crate::api::{Api, Noun, encoded};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create or change the apps, groups and pods of files, and wait until they run
    Run(change::Run),
    /// Compare files with what there is: exit code 0 if nothing differs, 1 if something does, 2 if that cannot be told
    Diff(plan::Diff),
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
pub(crate) struct Update {
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
pub(crate) struct Kill {
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

impl Verb {
    /// The id that a beginning is enough for. What is removed has to be named in full.
    fn id(&mut self) -> Option<&mut String> {
        match self {
            Verb::Show { id, .. }
            | Verb::Scale { id, .. }
            | Verb::Restart { id, .. }
            | Verb::Versions { id }
            | Verb::Rollback { id, .. }
            | Verb::Update(Update { id, .. })
            | Verb::Kill(Kill { id, .. }) => Some(id),
            _ => None,
        }
    }
}

/// Does it.
pub(crate) async fn run(mut app: Noun<Verb>) -> anyhow::Result<ExitCode> {
    let api = Api::of(&app.asking);
    if let Some(id) = app.verb.id() {
        *id = ids::Kind::App.find(&api, id).await?;
    }
    match app.verb {
        Verb::List { id, label } => show::list(&api, id.as_deref(), label.as_deref()).await,
        Verb::Show { id, at } => show::one(&api, &id, at.as_deref()).await,
        Verb::Versions { id } => Kind::App.show_versions(&api, &id).await,
        Verb::Run(run) => change::run_files(&api, &run).await,
        Verb::Diff(wanted) => Ok(plan::diff(&api, &wanted).await),
        Verb::Update(wanted) => update(&api, wanted).await,
        Verb::Kill(kill) => kill_tasks(&api, &kill).await,
        Verb::Scale { id, instances, manner } => {
            // A PUT would create it.
            let body = Some(json!({"instances": instances}));
            change::make(&api, &manner, Method::PATCH, &Kind::App.path(&id), body).await
        }
        Verb::Restart { id, manner } => {
            change::make(&api, &manner, Method::POST, &(Kind::App.path(&id) + "/restart"), None).await
        }
        Verb::Rollback { id, to, manner } => {
            let version = match to {
                Some(version) => version,
                None => Kind::App.version_before(&api, &id).await?,
            };
            Kind::App.put(&api, &id, &manner, json!({"version": version})).await
        }
        Verb::Rm { id, manner } => Kind::App.remove(&api, &id, &manner).await,
    }
}

async fn update(api: &Api, wanted: Update) -> anyhow::Result<ExitCode> {
    let path = Kind::App.path(&wanted.id);
    let body = match &wanted.file {
        Some(file) => definitions::one(file)?,
        None => {
            let app = api.get(&path).await?["app"].take();
            patch::from_fields(&app, &wanted.fields)?
        }
    };
    let canary = wanted.canary.map_or_else(String::new, |canary| format!("?canary={canary}"));
    let mut follower = Follower::listen(api, &wanted.manner.following).await?.until_canary(wanted.canary);
    let path = wanted.manner.query(&format!("{path}{canary}"));
    let answer = api.send(Method::PATCH, &path, Some(&body)).await?;
    follower.answered(&answer).await
}

async fn kill_tasks(api: &Api, kill: &Kill) -> anyhow::Result<ExitCode> {
    let host = kill.host.as_ref().map_or_else(String::new, |host| format!("&host={}", encoded(host)));
    let path = format!("{}/tasks?scale={}&wipe={}{host}", Kind::App.path(&kill.id), kill.scale, kill.wipe);
    let mut follower = Follower::listen(api, &kill.manner.following).await?;
    let answer = api.send(Method::DELETE, &kill.manner.query(&path), None).await?;
    if kill.scale {
        return follower.answered(&answer).await;
    }
    kills::follow(api, &kill.manner.following, &answer.body).await
}
