//! `cygnet pod`: pods, through the v2 API. [`show`] prints them.

mod show;

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use hyper::Method;
use serde_json::json;

use super::change::{self, Manner};
use super::ids;
use super::kind::Kind;
use super::plan;
use super::table::{items, text};
use crate::api::{Api, Noun};
use crate::output::{json_line, line};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create or change the pods, apps and groups of files, and wait until they run
    Run(change::Run),
    /// Compare files with what there is: exit code 0 if nothing differs, 1 if something does, 2 if that cannot be told
    Diff(plan::Diff),
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

impl Verb {
    /// The id that a beginning is enough for. What is removed has to be named in full.
    fn id(&mut self) -> Option<&mut String> {
        match self {
            Verb::Show { id, .. }
            | Verb::Scale { id, .. }
            | Verb::Versions { id }
            | Verb::Rollback { id, .. }
            | Verb::Kill { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// Does it.
pub(crate) async fn run(mut pod: Noun<Verb>) -> anyhow::Result<ExitCode> {
    let api = Api::of(&pod.asking);
    if let Some(id) = pod.verb.id() {
        *id = ids::Kind::Pod.find(&api, id).await?;
    }
    match pod.verb {
        Verb::Run(run) => change::run_files(&api, &run).await,
        Verb::Diff(wanted) => Ok(plan::diff(&api, &wanted).await),
        Verb::List => show::list(&api).await,
        Verb::Show { id, at } => show::one(&api, &id, at.as_deref()).await,
        Verb::Versions { id } => Kind::Pod.show_versions(&api, &id).await,
        Verb::Scale { id, instances, manner } => {
            let mut pod = api.get(&Kind::Pod.path(&id)).await?;
            pod["scaling"] = json!({"kind": "fixed", "instances": instances});
            Kind::Pod.put(&api, &id, &manner, pod).await
        }
        Verb::Rollback { id, to, manner } => {
            let version = match to {
                Some(version) => version,
                None => Kind::Pod.version_before(&api, &id).await?,
            };
            let pod = Kind::Pod.version(&api, &id, &version).await?;
            Kind::Pod.put(&api, &id, &manner, pod).await
        }
        Verb::Kill { id, instances, all, wipe } => {
            let instances = if all { instances_of(&api, &id).await? } else { instances };
            kill(&api, &id, &instances, wipe).await
        }
        Verb::Rm { id, manner } => Kind::Pod.remove(&api, &id, &manner).await,
    }
}

async fn instances_of(api: &Api, id: &str) -> anyhow::Result<Vec<String>> {
    let status = api.get(&(Kind::Pod.path(id) + "::status")).await?;
    Ok(items(&status["instances"]).iter().map(|instance| text(&instance["id"])).collect())
}

async fn kill(api: &Api, id: &str, instances: &[String], wipe: bool) -> anyhow::Result<ExitCode> {
    let path = format!("{}::instances?wipe={wipe}", Kind::Pod.path(id));
    let killed = api.send(Method::DELETE, &path, Some(&json!(instances))).await?.body;
    let names: Vec<_> = items(&killed).iter().map(|instance| text(&instance["id"])).collect();
    if api.json {
        json_line(killed);
    } else {
        names.iter().for_each(|name| line(format!("{name} is being killed")));
    }
    if let Some(missing) = instances.iter().find(|wanted| !names.contains(wanted)) {
        bail!("{id} has no instance {missing}: `cygnet pod show {id}` names them");
    }
    Ok(ExitCode::SUCCESS)
}
