//! `cygnet deployment`: changes of apps that are under way, through the v2 API.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::Value;

use super::app::text;
use super::table::table;
use crate::api::{Api, Asking};
use crate::output::line;

/// What to do with deployments.
#[derive(Debug, Args)]
pub(crate) struct Deployment {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what is under way
    List,
    /// Go back to what was before
    Cancel {
        /// The deployment's id
        id: String,
        /// Do not go back, only let go of the app
        #[arg(long)]
        force: bool,
    },
}

/// Does it.
pub(crate) async fn run(deployment: Deployment) -> anyhow::Result<ExitCode> {
    let api = Api::new(&deployment.asking.api);
    match &deployment.verb {
        Verb::List => {
            let all = api.get("/v2/deployments").await?;
            line(if deployment.asking.json { all.to_string() } else { shown(&all) });
        }
        Verb::Cancel { id, force } => {
            let answer = api.send(Method::DELETE, &format!("/v2/deployments/{id}?force={force}"), None).await?;
            if deployment.asking.json {
                line(answer);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(deployments: &Value) -> String {
    let mut table = table(&["deployment", "app", "action", "since"]);
    for deployment in deployments.as_array().into_iter().flatten() {
        let action = &deployment["currentActions"][0]["action"];
        table.add_row([&deployment["id"], &deployment["affectedApps"][0], action, &deployment["version"]].map(text));
    }
    table.to_string()
}
