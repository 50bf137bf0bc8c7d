//! The place where a task runs: its agent, and the container that it has there. The scheduler knows the agent and its master,
//! the master where the agent is, and that the container. Of a task that the scheduler does not know all agents are asked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow, bail, ensure};
use hyper::StatusCode;
use mesos::Codec;
use mesos::client::Client;
use mesos::credentials::Credential;
use mesos::v1::ContainerId;
use mesos::v1::agent::{Call, Response, call};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::api::{Api, encoded};
use crate::command::ids::Kind;
use crate::command::table::{items, text};
use crate::server::Server;

/// The most agents that are asked at the same time.
const AT_ONCE: usize = 32;

/// The place of a task that runs.
pub(super) struct Whereabouts {
    pub task: String,
    pub agent: Client,
    /// The name and secret that it knows us by.
    pub credential: Option<Credential>,
    pub container: ContainerId,
    /// On the agent's machine.
    pub sandbox: String,
}

impl Whereabouts {
    /// The place in a line, for people.
    pub(super) async fn line(&self) -> String {
        let outer = self.container.parent.as_ref().map_or_else(String::new, |outer| format!("{}.", outer.value));
        let pid = self.pid().await.map_or_else(String::new, |pid| format!(", process {pid}"));
        format!(
            "at {} in the container {outer}{}, sandbox {}{pid}",
            self.agent.authority(),
            self.container.value,
            self.sandbox
        )
    }

    /// The first process of its container, as the agent's machine counts them, where the agent tells.
    async fn pid(&self) -> Option<u64> {
        if self.container.parent.is_none() {
            let path = format!("/containers?container_id={}", encoded(&self.container.value));
            return look(&self.agent, &path).await.ok()?[0]["main_pid"].as_u64();
        }
        let nested = call::GetContainers { show_nested: Some(true), show_standalone: None };
        let answer: Response = self.agent.ask("/api/v1", &Call::get_containers(Some(nested))).await.ok()?;
        let mut all = answer.get_containers?.containers.into_iter();
        all.find(|one| one.container_id == self.container)?.container_status?.executor_pid.map(u64::from)
    }
}

/// The place of one task.
pub(super) async fn of(api: &Api, credential: Option<&Credential>, task: &str) -> anyhow::Result<Whereabouts> {
    let mut found = of_all(api, credential, &[task.to_owned()]).await?;
    found.pop().with_context(|| missing(task))
}

/// The place of a task on a known agent.
pub(super) async fn at_agent(api: &Api, task: &str, agent: &str) -> anyhow::Result<Whereabouts> {
    let mut found = on(api, None, &[task.to_owned()], Some(&BTreeSet::from([agent.to_owned()]))).await?;
    found.pop().with_context(|| missing(task))
}

fn missing(task: &str) -> String {
    format!("no agent runs the task {task}: `cygnet task list` lists those that run")
}

/// The places of those of these tasks that run, by their ids.
pub(super) async fn of_all(
    api: &Api,
    credential: Option<&Credential>,
    tasks: &[String],
) -> anyhow::Result<Vec<Whereabouts>> {
    let agents = agents_of(api, tasks).await?;
    on(api, credential, tasks, agents.as_ref()).await
}

/// The agents of these tasks. None if one of them is not the scheduler's: it may be anywhere.
async fn agents_of(api: &Api, tasks: &[String]) -> anyhow::Result<Option<BTreeSet<String>>> {
    let mut agents = of_apps(&api.get(Kind::Task.path()).await?);
    if !tasks.iter().all(|task| agents.contains_key(task)) {
        agents.extend(of_pods(&api.get("/v2/pods::status").await?));
    }
    Ok(tasks.iter().map(|task| agents.get(task).cloned()).collect())
}

fn of_apps(tasks: &Value) -> BTreeMap<String, String> {
    items(&tasks["tasks"]).iter().map(|task| (text(&task["id"]), text(&task["slaveId"]))).collect()
}

fn of_pods(statuses: &Value) -> BTreeMap<String, String> {
    let instances = items(statuses).iter().flat_map(|pod| items(&pod["instances"]));
    let containers = instances.flat_map(|one| items(&one["containers"]).iter().map(move |container| (container, one)));
    containers.map(|(container, one)| (text(&container["containerId"]), text(&one["agentId"]))).collect()
}

/// The places of these tasks on these agents, or on any.
async fn on(
    api: &Api,
    credential: Option<&Credential>,
    tasks: &[String],
    only: Option<&BTreeSet<String>>,
) -> anyhow::Result<Vec<Whereabouts>> {
    let client = |authority: &str| Client::new(authority, Codec::Protobuf).with_credential(credential);
    let info = api.get("/v2/info").await?;
    let master = info["marathon_config"]["master"].as_str().context("the scheduler names no master")?;
    let slaves = slaves(master, client).await?;
    let is_wanted = |slave: &&Value| only.is_none_or(|only| only.contains(&text(&slave["id"])));
    let address = |slave: &Value| Some(client(slave["pid"].as_str()?.split_once('@')?.1));
    let agents: Vec<Client> = items(&slaves["slaves"]).iter().filter(is_wanted).filter_map(address).collect();
    let (mut found, mut silent): (Vec<Whereabouts>, _) = (Vec::new(), None);
    for some in agents.chunks(AT_ONCE) {
        if found.len() == tasks.len() {
            break;
        }
        for (agent, state) in states(some).await {
            match state {
                Ok(state) => found.extend(tasks.iter().filter_map(|task| at(&state, task, &agent, credential))),
                // The tasks may be elsewhere.
                Err(error) => silent = silent.or(Some(error)),
            }
        }
    }
    found.sort_by(|one, other| one.task.cmp(&other.task));
    match silent {
        Some(error) if found.len() < tasks.len() => Err(error),
        _ => Ok(found),
    }
}

/// The agents with what they run, asked at the same time.
async fn states(agents: &[Client]) -> Vec<(Client, anyhow::Result<Value>)> {
    let mut asked = JoinSet::new();
    for agent in agents.iter().cloned() {
        asked.spawn(async move {
            let state = look(&agent, "/state").await;
            (agent, state)
        });
    }
    asked.join_all().await
}

/// The agents, as the first master that answers tells of them.
async fn slaves(masters: &str, client: impl Fn(&str) -> Client) -> anyhow::Result<Value> {
    let mut refused = None;
    for master in masters.split(',') {
        let server: Server = master.parse().with_context(|| format!("the scheduler's master '{master}'"))?;
        match look(&client(server.authority()), "/slaves").await {
            Ok(slaves) => return Ok(slaves),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| anyhow!("the scheduler names no master")))
}

/// The JSON that a master or an agent shows at a path.
async fn look(server: &Client, path: &str) -> anyhow::Result<Value> {
    let (status, body) = server.get(path).await?;
    if status == StatusCode::UNAUTHORIZED {
        bail!("{} lets only known principals in: say who you are with --credential FILE", server.authority());
    }
    ensure!(status.is_success(), "{}{path} answered {status}", server.authority());
    serde_json::from_slice(&body).with_context(|| format!("{}{path} is no JSON", server.authority()))
}

/// The place of a task at the agent with this state, if it runs there.
fn at(state: &Value, task: &str, agent: &Client, credential: Option<&Credential>) -> Option<Whereabouts> {
    let executors = items(&state["frameworks"]).iter().flat_map(|framework| items(&framework["executors"]));
    let mut all = executors.flat_map(|executor| items(&executor["tasks"]).iter().map(move |task| (executor, task)));
    let (executor, known) = all.find(|(_, known)| known["id"] == task)?;
    let last = items(&known["statuses"]).last()?;
    let directory = text(&executor["directory"]);
    // The tasks of a group have sandboxes of their own.
    let sandbox = if executor["type"] == "DEFAULT" { format!("{directory}/tasks/{task}") } else { directory };
    Some(Whereabouts {
        task: task.to_owned(),
        agent: agent.clone(),
        credential: credential.cloned(),
        container: container(&last["container_status"]["container_id"])?,
        sandbox,
    })
}

/// A container's id, with those it is nested in.
fn container(id: &Value) -> Option<ContainerId> {
    let value = id["value"].as_str()?.to_owned();
    Some(ContainerId { value, parent: container(&id["parent"]).map(Box::new) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_found_with_its_container_and_its_sandbox() {
        let task = |id: &str, container: Value| json!({"id": id, "statuses": [{}, {"container_status": {"container_id": container}}]});
        let state = json!({"frameworks": [{"executors": [
            {"directory": "/box/a", "tasks": [task("a", json!({"value": "A"}))]},
            {"directory": "/box/p", "type": "DEFAULT",
                "tasks": [task("p.one", json!({"value": "ONE", "parent": {"value": "P"}}))]}]}]});
        let agent = Client::new("127.0.0.1:1", Codec::Protobuf);
        let found = |id: &str| at(&state, id, &agent, None).map(|found| (found.container, found.sandbox));
        let id = |value: &str, parent| ContainerId { value: value.to_owned(), parent };
        assert_eq!(found("a"), Some((id("A", None), "/box/a".to_owned())));
        let parent = Some(Box::new(id("P", None)));
        assert_eq!(found("p.one"), Some((id("ONE", parent), "/box/p/tasks/p.one".to_owned())));
        assert_eq!(found("none"), None);
    }

    #[test]
    fn the_scheduler_knows_the_agents_of_its_tasks() {
        let tasks = of_apps(&json!({"tasks": [{"id": "web.1", "slaveId": "S1"}]}));
        assert_eq!(tasks.get("web.1").map(String::as_str), Some("S1"));
        let container = |id: &str| json!({"containerId": id});
        let pods = of_pods(
            &json!([{"instances": [{"agentId": "S2", "containers": [container("p.a.1"), container("p.b.1")]}]}]),
        );
        assert_eq!(["p.a.1", "p.b.1"].map(|id| pods[id].as_str()), ["S2", "S2"]);
    }
}
