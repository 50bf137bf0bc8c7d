//! `cygnet group`: groups of apps that depend on each other, through the v2 API.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::change::{self, Manner};
use super::definitions;
use super::ids;
use super::kind::Kind;
use super::plan;
use super::table::{Table, items, joined, print, table, text};
use crate::api::{Api, Noun};
use crate::output::json_line;

/// Shows what is in groups, too.
const EMBED: &str = "?embed=group.groups&embed=group.apps&embed=group.pods&embed=group.apps.counts";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create or change the group of a file, and wait until its apps run
    Run {
        /// A file with a definition; - is standard input
        file: String,
        /// Change nothing, only show what would happen to how many instances, and what is different
        #[arg(long)]
        dry_run: bool,
        /// Change only so many instances of each app, and wait for `cygnet deployment continue` or `cancel`
        #[arg(long, value_name = "INSTANCES")]
        canary: Option<u32>,
        #[command(flatten)]
        manner: Manner,
    },
    /// Compare files with what there is: exit code 0 if nothing differs, 1 if something does, 2 if that cannot be told
    Diff(plan::Diff),
    /// List all groups
    List,
    /// Show one group and what is in it
    Show {
        /// The group's id
        id: String,
    },
    /// Multiply the instances of all its apps
    Scale {
        /// The group's id
        id: String,
        /// By how much, such as 2 or 0.5
        by: f64,
        #[command(flatten)]
        manner: Manner,
    },
    /// List the versions of a group
    Versions {
        /// The group's id
        id: String,
    },
    /// Go back to a version
    Rollback {
        /// The group's id
        id: String,
        /// One of `cygnet group versions`
        #[arg(value_name = "VERSION")]
        to: String,
        #[command(flatten)]
        manner: Manner,
    },
    /// Remove a group and stop all that is in it
    #[command(alias = "remove", alias = "delete")]
    Rm {
        /// The group's id
        id: String,
        #[command(flatten)]
        manner: Manner,
    },
}

impl Verb {
    /// The id that a beginning is enough for. What is removed has to be named in full.
    fn id(&mut self) -> Option<&mut String> {
        match self {
            Verb::Show { id } | Verb::Scale { id, .. } | Verb::Versions { id } | Verb::Rollback { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// Does it.
pub(crate) async fn run(mut group: Noun<Verb>) -> anyhow::Result<ExitCode> {
    let api = Api::of(&group.asking);
    if let Some(id) = group.verb.id() {
        *id = ids::Kind::Group.find(&api, id).await?;
    }
    match group.verb {
        Verb::List => show(&api, "/v2/groups").await,
        Verb::Show { id } => show(&api, &Kind::Group.path(&id)).await,
        Verb::Versions { id } => Kind::Group.show_versions(&api, &id).await,
        Verb::Diff(wanted) => Ok(plan::diff(&api, &wanted).await),
        Verb::Run { file, dry_run: true, canary, manner } => {
            plan::dry_run(&api, &[definitions::one(&file)?], manner.force, canary).await
        }
        Verb::Run { file, dry_run: false, canary, manner } => {
            change::run_one(&api, &definitions::one(&file)?, &manner, canary).await
        }
        Verb::Scale { id, by, manner } => Kind::Group.put(&api, &id, &manner, json!({"scaleBy": by})).await,
        Verb::Rollback { id, to, manner } => Kind::Group.put(&api, &id, &manner, json!({"version": to})).await,
        Verb::Rm { id, manner } => Kind::Group.remove(&api, &id, &manner).await,
    }
}

async fn show(api: &Api, path: &str) -> anyhow::Result<ExitCode> {
    let group = api.get(&format!("{path}{EMBED}")).await?;
    match api.json {
        true => json_line(group),
        false => print(&tree(&group)),
    }
    Ok(ExitCode::SUCCESS)
}

/// A group and all below it, one line each.
fn tree(group: &Value) -> Table {
    let mut table = table(&["id", "kind", "instances", "running", "healthy", "depends on"]);
    rows(group, 0, &mut table);
    table
}

fn rows(group: &Value, depth: usize, table: &mut Table) {
    let indent = |value: &Value, depth: usize| format!("{}{}", "  ".repeat(depth), text(value));
    let nothing = String::new;
    table.add_row([
        indent(&group["id"], depth),
        "group".to_owned(),
        nothing(),
        nothing(),
        nothing(),
        joined(&group["dependencies"]),
    ]);
    for app in items(&group["apps"]) {
        let healthy = if items(&app["healthChecks"]).is_empty() { "-".to_owned() } else { text(&app["tasksHealthy"]) };
        let counts = [text(&app["instances"]), text(&app["tasksRunning"]), healthy];
        let [instances, running, healthy] = counts;
        let depends = joined(&app["dependencies"]);
        table.add_row([indent(&app["id"], depth + 1), "app".to_owned(), instances, running, healthy, depends]);
    }
    for pod in items(&group["pods"]) {
        let instances = text(&pod["scaling"]["instances"]);
        let row = [indent(&pod["id"], depth + 1), "pod".to_owned(), instances, nothing(), nothing(), nothing()];
        table.add_row(row);
    }
    items(&group["groups"]).iter().for_each(|inner| rows(inner, depth + 1, table));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_shown_with_all_below_it() {
        let group = json!({"id": "/", "apps": [], "pods": [], "groups": [{"id": "/shop", "dependencies": ["/db"],
            "apps": [{"id": "/shop/web", "instances": 3, "tasksRunning": 2, "dependencies": ["/shop/api", "/db"]}],
            "pods": [{"id": "/shop/pod", "scaling": {"instances": 1}}], "groups": []}]});
        let text = tree(&group).to_string();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert!(lines[1].contains("  /shop ") && lines[1].contains("/db"), "{text}");
        assert!(lines[2].contains("    /shop/web") && lines[2].contains("/shop/api, /db"), "{text}");
        assert!(lines[3].contains("/shop/pod") && lines[3].contains("pod"), "{text}");
    }
}
