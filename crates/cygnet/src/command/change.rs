//! A change that is made and followed to its end: drawn in place on a terminal, in lines elsewhere.
//!
//! In: the answer to the change, which names its deployment. Then, until the deployment is no longer listed: how far it is
//! and what it waits for; and from the event stream, how it ended. Out: what is shown, and an exit
//! code that is a failure where the deployment was one. [`follower`] follows, [`ends`] hears of ends, [`progress`] makes the
//! lines and [`waiting`] those with reasons, [`told`] knows which are new, [`settling`] looks on after the end for
//! [`crashes`], [`unchanged`] at what is there already, both by a [`look`]; [`outcome`] has the last words, and [`kills`]
//! waits until tasks have ended.

mod crashes;
mod ends;
mod follower;
pub(crate) mod kills;
mod look;
mod outcome;
pub(crate) mod progress;
mod settling;
pub(crate) mod told;
mod unchanged;
mod waiting;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hyper::Method;
use serde_json::Value;

pub(crate) use self::follower::Follower;
use super::table::text;
use super::{definitions, plan};
use crate::api::Api;

/// The list of deployments under way, with their progress as far as the scheduler knows it.
pub(crate) const DEPLOYMENTS: &str = "/v2/deployments?embed=deployments.progress";

/// The manner of a change.
#[derive(Debug, Args)]
pub(crate) struct Manner {
    /// Break into a deployment that is under way
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub following: Following,
}

impl Manner {
    /// The path, forced or not. Unforced is what the API says it is: removing an app breaks into anything.
    pub(crate) fn query(&self, path: &str) -> String {
        let sign = if path.contains('?') { '&' } else { '?' };
        if self.force { format!("{path}{sign}force=true") } else { path.to_owned() }
    }
}

/// The wait for the end.
#[derive(Debug, Args)]
pub(crate) struct Following {
    /// Do not wait until it is done
    #[arg(long, alias = "no-wait")]
    pub detach: bool,
    /// Stop waiting after this long, such as 90s or 5m, and fail if the deployment is not done; it goes on
    #[arg(long, value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,
    /// The time for which apps without health checks have to run to count as success; of others the checks decide
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration, env = "CYGNET_MIN_HEALTHY")]
    pub min_healthy: Duration,
}

/// Makes a change, and follows it.
pub(crate) async fn make(
    api: &Api,
    manner: &Manner,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<ExitCode> {
    let mut follower = Follower::listen(api, &manner.following).await?;
    let answer = api.send(method, &manner.query(path), body.as_ref()).await?;
    follower.answered(&answer).await
}

/// Definitions to run.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Files with a definition, or several; - is standard input
    #[arg(required = true)]
    files: Vec<String>,
    /// Change only so many instances of each app, and wait for `cygnet deployment continue` or `cancel`
    #[arg(long, value_name = "INSTANCES")]
    canary: Option<u32>,
    /// Change nothing, only show what would happen to how many instances, and what is different
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    manner: Manner,
}

/// Creates or changes the definitions of files: sends all of them, then follows each. The failure of one does not keep
/// the others back.
pub(crate) async fn run_files(api: &Api, run: &Run) -> anyhow::Result<ExitCode> {
    let (definitions, manner, canary) = (definitions::read(&run.files)?, &run.manner, run.canary);
    if run.dry_run {
        return plan::dry_run(api, &definitions, manner.force, canary).await;
    }
    if let [one] = &definitions[..] {
        return run_one(api, one, manner, canary).await;
    }
    let follower = Follower::listen(api, &manner.following).await?;
    let mut follower = follower.until_canary(canary).of_definitions(definitions.len());
    let mut sent = Vec::new();
    for definition in &definitions {
        let answer = definitions::submit(api, definition, manner.force, canary).await;
        sent.push((text(&definition["id"]), answer));
    }
    follower.all(sent).await
}

/// The same of one definition.
pub(crate) async fn run_one(
    api: &Api,
    definition: &Value,
    manner: &Manner,
    canary: Option<u32>,
) -> anyhow::Result<ExitCode> {
    let mut follower = Follower::listen(api, &manner.following).await?.until_canary(canary).of_definitions(1);
    let answer = definitions::submit(api, definition, manner.force, canary).await?;
    follower.answered_to(&text(&definition["id"]), &answer).await
}
