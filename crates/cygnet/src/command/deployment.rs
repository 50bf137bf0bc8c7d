//! `cygnet deployment`: changes that are under way, through the v2 API.

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

use super::age::since;
use super::change::{DEPLOYMENTS, Follower, Following};
use super::ids::{Kind, each};
use super::table::{Table, action, items, joined, print, table, text};
use crate::api::{Api, Noun, encoded};
use crate::output::{json_line, line};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List what is under way
    List,
    /// Show one deployment, step by step
    Show {
        /// The deployment's id
        id: String,
    },
    /// Follow deployments to their ends
    Watch {
        /// The deployments' ids; if none is named, all that are under way
        ids: Vec<String>,
        #[command(flatten)]
        following: Following,
    },
    /// Let the rest follow the canaries
    Continue {
        /// The deployment's id
        id: String,
        #[command(flatten)]
        following: Following,
    },
    /// Go back to what was before
    #[command(alias = "rollback")]
    Cancel {
        /// The deployment's id
        id: String,
        /// Do not go back, only let go of the app
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        following: Following,
    },
}

/// Does it.
pub(crate) async fn run(deployment: Noun<Verb>) -> anyhow::Result<ExitCode> {
    let api = Api::of(&deployment.asking);
    match &deployment.verb {
        Verb::List => {
            let all = api.get("/v2/deployments").await?;
            match items(&all) {
                _ if api.json => json_line(all),
                [] => line("no deployment is under way"),
                some => print(&listed(some)),
            }
        }
        Verb::Show { id } => {
            let found = find(&api, &Kind::Deployment.find(&api, id).await?).await?;
            if api.json { json_line(found) } else { shown(&found).iter().for_each(line) }
        }
        Verb::Watch { ids, following } => return watch(&api, ids, following).await,
        Verb::Continue { id, following } => {
            let id = &Kind::Deployment.find(&api, id).await?;
            let mut follower = Follower::listen(&api, following).await?;
            let path = format!("/v2/deployments/{}/continue", encoded(id));
            let answer = api.send(Method::POST, &path, None).await?;
            return follower.answered(&answer).await;
        }
        Verb::Cancel { id, force, following } => {
            let id = &Kind::Deployment.find(&api, id).await?;
            let mut follower = Follower::listen(&api, following).await?;
            let path = format!("/v2/deployments/{}?force={force}", encoded(id));
            let answer = api.send(Method::DELETE, &path, None).await?;
            return if *force { let_go(id, &api) } else { follower.answered(&answer).await };
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn let_go(id: &str, api: &Api) -> anyhow::Result<ExitCode> {
    if !api.json {
        line(format!("{id} is over; its apps stay as they are now"));
    }
    Ok(ExitCode::SUCCESS)
}

/// One after the other: what ended meanwhile has ended.
async fn watch(api: &Api, ids: &[String], how: &Following) -> anyhow::Result<ExitCode> {
    let mut follower = Follower::listen(api, how).await?;
    let under_way = each(&api.get("/v2/deployments").await?, "id");
    let meant = |id: &String| Ok(Kind::Deployment.meant(&under_way, id)?.unwrap_or_else(|| id.clone()));
    let named: Vec<String> = ids.iter().map(meant).collect::<anyhow::Result<_>>()?;
    if let [one] = &named[..] {
        return follower.watch(one).await;
    }
    let all = if named.is_empty() { under_way } else { named };
    if all.is_empty() && !api.json {
        line("no deployment is under way");
    }
    for id in all {
        follower.follow(&id).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(api: &Api, id: &str) -> anyhow::Result<Value> {
    let all = api.get(DEPLOYMENTS).await?;
    let found = items(&all).iter().find(|deployment| deployment["id"] == id);
    found.cloned().with_context(|| format!("no deployment {id} is under way: `cygnet deployment list` lists them"))
}

fn listed(deployments: &[Value]) -> Table {
    let mut table = table(&["deployment", "of", "step", "now", "for"]);
    for deployment in deployments {
        table.add_row([
            text(&deployment["id"]),
            affected(deployment),
            format!("{} of {}", deployment["currentStep"], deployment["totalSteps"]),
            actions(&deployment["currentActions"]),
            since(&text(&deployment["version"])),
        ]);
    }
    table
}

fn affected(deployment: &Value) -> String {
    let both = ["affectedApps", "affectedPods"].map(|name| joined(&deployment[name]));
    both.into_iter().filter(|names| !names.is_empty()).collect::<Vec<_>>().join(", ")
}

fn actions(actions: &Value) -> String {
    items(actions).iter().map(action).collect::<Vec<_>>().join(", ")
}

fn shown(deployment: &Value) -> Vec<String> {
    let mut lines = vec![format!(
        "{} of {}, for {}",
        text(&deployment["id"]),
        affected(deployment),
        since(&text(&deployment["version"]))
    )];
    let now = deployment["currentStep"].as_u64().unwrap_or(0);
    for (number, step) in (1..).zip(items(&deployment["steps"])) {
        let mark = if number < now {
            "done"
        } else if number == now {
            "now"
        } else {
            "then"
        };
        lines.push(format!("{mark:>5}  {}", actions(&step["actions"])));
        if number == now {
            let reasons = items(&deployment["currentActions"]).iter().flat_map(|action| items(&action["waitsFor"]));
            lines.extend(reasons.map(|reason| format!("       {}", text(reason))));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_are_done_under_way_or_to_come() {
        let step = |app: &str| json!({"actions": [{"action": "StartApplication", "app": app}]});
        let deployment = json!({"id": "d", "affectedApps": ["/a", "/b"], "affectedPods": [], "currentStep": 2,
            "currentActions": [{"app": "/b", "waitsFor": ["1 instance starts"]}], "totalSteps": 3, "version": "", "steps": [step("/a"), step("/b"), {"actions": [{"action": "StartPod", "pod": "/p"}]}]});
        let lines = shown(&deployment);
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        assert_eq!(
            lines[1..],
            ["done  StartApplication /a", "now  StartApplication /b", "1 instance starts", "then  StartPod /p"]
        );
        assert!(listed(&[deployment]).to_string().contains("2 of 3"));
    }
}
