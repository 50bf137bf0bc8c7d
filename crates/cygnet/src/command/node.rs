//! `cygnet node`: agents, through the scheduler's API. [`show`] prints them, [`drain`] empties one, and
//! [`consequence`] says what that means.

mod consequence;
mod drain;
mod show;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::Value;

use super::ids::Kind;
use super::page::Page;
use super::table::{items, print, text};
use crate::api::{Api, Noun};
use crate::output::json_line;

const AGENTS: &str = "/v2/agents";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List all agents
    List,
    /// Show one agent: what it has, what of it is used, and what runs there
    Show {
        /// The agent: its id, or its host name
        agent: String,
    },
    /// Empty an agent: no more is launched there, instances move, and what is left is ended
    Drain(drain::Drain),
    /// Use an agent again that was drained
    Undrain {
        /// The agent: its id, or its host name
        agent: String,
    },
}

/// Does it.
pub(crate) async fn run(node: Noun<Verb>) -> anyhow::Result<ExitCode> {
    let api = Api::of(&node.asking);
    match node.verb {
        Verb::List => list(&api).await,
        Verb::Show { agent } => one(&api, &agent).await,
        Verb::Drain(how) => drain::run(&api, &how).await,
        Verb::Undrain { agent } => drain::undo(&api, &agent).await,
    }
}

async fn list(api: &Api) -> anyhow::Result<ExitCode> {
    let answer = api.get(AGENTS).await?;
    match api.json {
        true => json_line(answer),
        false => print(&show::listed(items(&answer["agents"]))),
    }
    Ok(ExitCode::SUCCESS)
}

async fn one(api: &Api, name: &str) -> anyhow::Result<ExitCode> {
    let agents = all(api).await?;
    let agent = find(&agents, name)?;
    match api.json {
        true => json_line(agent),
        false => show::shown(agent, Page::of_stdout()).print(),
    }
    Ok(ExitCode::SUCCESS)
}

/// All agents.
async fn all(api: &Api) -> anyhow::Result<Vec<Value>> {
    Ok(items(&api.get(AGENTS).await?["agents"]).to_vec())
}

/// The agent of this id, of an id that begins so, or of this host name.
fn find<'a>(agents: &'a [Value], name: &str) -> anyhow::Result<&'a Value> {
    if let Some(agent) = agents.iter().find(|agent| agent["id"] == name) {
        return Ok(agent);
    }
    let called: Vec<_> = agents.iter().filter(|agent| agent["hostname"] == name).collect();
    if called.len() > 1 {
        let ids: Vec<_> = called.iter().map(|agent| text(&agent["id"])).collect();
        bail!("{name} has {} agents: name one by its id: {}", ids.len(), ids.join(", "));
    }
    let ids: Vec<_> = agents.iter().map(|agent| text(&agent["id"])).collect();
    let meant = if called.is_empty() { Kind::Node.meant(&ids, name)? } else { None };
    let known = || agents.iter().map(|agent| format!("{} at {}", text(&agent["id"]), text(&agent["hostname"])));
    let found =
        called.first().copied().or_else(|| agents.iter().find(|agent| meant.as_deref() == agent["id"].as_str()));
    found.with_context(|| match agents {
        [] => format!("there is no node {name}, nor any other"),
        _ => format!("there is no node {name}; there are {}", known().collect::<Vec<_>>().join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_agent_is_found_by_its_id_or_by_the_name_of_its_host_if_that_has_one_only() {
        let agents =
            [("S0-1", "box"), ("S1", "twin"), ("S2", "twin")].map(|(id, host)| json!({"id": id, "hostname": host}));
        let found = |name: &str| find(&agents, name).map(|agent| text(&agent["id"])).map_err(|error| error.to_string());
        assert_eq!((found("S1"), found("box"), found("S0")), (Ok("S1".into()), Ok("S0-1".into()), Ok("S0-1".into())));
        assert!(found("twin").unwrap_err().contains("S1, S2"));
        assert!(found("S").unwrap_err().contains("may be any of these nodes"));
        assert!(found("none").unwrap_err().contains("S0-1 at box"));
    }
}
