//! `cygnet pod`: pods, through the v2 API. [`show`] prints them.

mod show;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::change::{self, Manner};
use super::table::{items, text};
use crate::api::{Api, Asking, path};
use crate::output::line;

/// What to do with pods.
#[derive(Debug, Args)]
pub(crate) struct Pod {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Create or change the pods, apps and groups of files, and wait until they run
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
    /// List all pods
    List,
    /// Show one pod, its instances and their containers
    #[command(alias = "status")]
    Show {
        /// The pod's id
        id: String,
        /// The definition as it was then: one of `cygnet pod versions`
        #[arg(long, value_name = "VERSION")]
        at: Option<String>,
    },
    /// Change the number of instances
    Scale {
        /// The pod's id
        id: String,
        /// How many
        instances: u32,
        #[command(flatten)]
        manner: Manner,
    },
    /// List the versions of a pod, the newest first
    Versions {
        /// The pod's id
        id: String,
    },
    /// Go back to a version
    Rollback {
        /// The pod's id
        id: String,
        /// One of `cygnet pod versions`; if none is named, the one before the present one
        #[arg(value_name = "VERSION")]
        to: Option<String>,
        #[command(flatten)]
        manner: Manner,
    },
    /// Kill instances of a pod; others take their place
    Kill {
        /// The pod's id
        id: String,
        /// Instances, as `cygnet pod show` names them
        #[arg(required_unless_present = "all")]
        instances: Vec<String>,
        /// All of them
        #[arg(long, conflicts_with = "instances")]
        all: bool,
        /// And forget what they kept
        #[arg(long)]
        wipe: bool,
    },
    /// Remove a pod and stop its instances
    #[command(alias = "remove", alias = "delete")]
    Rm {
        /// The pod's id
        id: String,
        #[command(flatten)]
        manner: Manner,
    },
}

/// Does it.
pub(crate) async fn run(pod: Pod) -> anyhow::Result<ExitCode> {
    let (api, asking) = (Api::new(&pod.asking.api), &pod.asking);
    match pod.verb {
        Verb::Run { files, canary, manner } => change::run_files(&api, asking, &files, &manner, canary).await,
        Verb::List => show::list(&api, asking.json).await,
        Verb::Show { id, at } => show::one(&api, &id, at.as_deref(), asking.json).await,
        Verb::Versions { id } => versions(&api, &id, asking.json).await,
        Verb::Scale { id, instances, manner } => {
            let mut pod = api.get(&path("pods", &id)).await?;
            pod["scaling"] = json!({"kind": "fixed", "instances": instances});
            change::make(&api, asking, &manner, Method::PUT, &path("pods", &id), Some(pod)).await
        }
        Verb::Rollback { id, to, manner } => {
            let pod = version(&api, &id, to).await?;
            change::make(&api, asking, &manner, Method::PUT, &path("pods", &id), Some(pod)).await
        }
        Verb::Kill { id, instances, all, wipe } => {
            let instances = if all { instances_of(&api, &id).await? } else { instances };
            kill(&api, &id, &instances, wipe, asking.json).await
        }
        Verb::Rm { id, manner } => change::make(&api, asking, &manner, Method::DELETE, &path("pods", &id), None).await,
    }
}

async fn versions(api: &Api, id: &str, json: bool) -> anyhow::Result<ExitCode> {
    let versions = api.get(&(path("pods", id) + "::versions")).await?;
    if json {
        line(versions);
    } else {
        newest_first(&versions).iter().for_each(line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Versions are moments; nobody says in which order they are listed.
fn newest_first(versions: &Value) -> Vec<String> {
    let mut versions: Vec<String> = items(versions).iter().map(text).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions
}

/// The definition of a version; of the one before the present one if none is named.
async fn version(api: &Api, id: &str, named: Option<String>) -> anyhow::Result<Value> {
    let version = match named {
        Some(version) => version,
        None => {
            let now = text(&api.get(&path("pods", id)).await?["version"]);
            let versions = newest_first(&api.get(&(path("pods", id) + "::versions")).await?);
            let before = versions.into_iter().find(|version| *version < now);
            before.with_context(|| format!("there is no version of {id} before {now}"))?
        }
    };
    api.get(&show::version_path(id, &version)).await
}

async fn instances_of(api: &Api, id: &str) -> anyhow::Result<Vec<String>> {
    let status = api.get(&(path("pods", id) + "::status")).await?;
    Ok(items(&status["instances"]).iter().map(|instance| text(&instance["id"])).collect())
}

async fn kill(api: &Api, id: &str, instances: &[String], wipe: bool, json: bool) -> anyhow::Result<ExitCode> {
    let path = format!("{}::instances?wipe={wipe}", path("pods", id));
    let killed = api.send(Method::DELETE, &path, Some(&json!(instances))).await?.body;
    let names: Vec<_> = items(&killed).iter().map(|instance| text(&instance["id"])).collect();
    if json {
        line(killed);
    } else {
        names.iter().for_each(|name| line(format!("{name} is being killed")));
    }
    if let Some(missing) = instances.iter().find(|wanted| !names.contains(wanted)) {
        bail!("{id} has no instance {missing}: `cygnet pod show {id}` names them");
    }
    Ok(ExitCode::SUCCESS)
}
