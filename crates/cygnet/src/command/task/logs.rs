//! The output of a task, read from its sandbox through the agent's operator API. Tasks that ended are found as long as
//! their agent remembers them.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use hyper::StatusCode;
use mesos::Codec;
use mesos::client::Client;
use mesos::credentials::Credential;
use mesos::v1::agent::{Call, Response, call};
use serde_json::{Value, json};

use crate::api::Api;
use crate::command::table::items;
use crate::command::task::stream::{Files, Stream};
use crate::output::{line, raw};
use crate::server::Server;

/// The time between two looks for more.
const FOLLOW: Duration = Duration::from_millis(250);

/// A task's directory on its agent.
struct Sandbox {
    agent: Client,
    directory: String,
}

/// The manner of printing.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    /// The file's name: `stdout` or `stderr`.
    pub file: &'a str,
    /// Go on as it grows, until the task has ended.
    pub follow: bool,
}

/// Prints a log of a task's sandbox, with what is left of its older files.
pub(super) async fn print(api: &Api, credential: Option<&Credential>, task: &str, how: How<'_>) -> anyhow::Result<()> {
    let sandbox = find(api, credential, task).await?;
    let mut lines = Lines { task: task.to_owned(), stream: how.file.to_owned(), rest: Vec::new() };
    let mut stream = Stream::new(Log { sandbox: &sandbox, file: how.file }).await?;
    let mut ended = !how.follow;
    loop {
        let data = stream.next().await?;
        if api.json {
            lines.push(&data).iter().for_each(line);
        } else {
            raw(&data);
        }
        if !data.is_empty() {
            continue;
        }
        if ended {
            break;
        }
        // Output written before the end is read after the end was seen.
        ended = !runs(&look(&sandbox.agent, "/state").await?, task);
        if !ended {
            tokio::time::sleep(FOLLOW).await;
        }
    }
    lines.last().iter().for_each(line);
    Ok(())
}

/// Output, cut into lines, as objects.
#[derive(Debug, Default)]
struct Lines {
    task: String,
    stream: String,
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that are complete now.
    fn push(&mut self, data: &[u8]) -> Vec<Value> {
        self.rest.extend(data);
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        whole[..end].split(|&byte| byte == b'\n').map(|line| self.object(line)).collect()
    }

    /// The last piece, which has no line end yet.
    fn last(self) -> Option<Value> {
        (!self.rest.is_empty()).then(|| self.object(&self.rest))
    }

    fn object(&self, line: &[u8]) -> Value {
        json!({"task": self.task, "stream": self.stream, "line": String::from_utf8_lossy(line)})
    }
}

/// The scheduler knows its master, the master its agents, and one of these the task.
async fn find(api: &Api, credential: Option<&Credential>, task: &str) -> anyhow::Result<Sandbox> {
    let client = |authority: &str| Client::new(authority, Codec::Protobuf).with_credential(credential);
    let info = api.get("/v2/info").await?;
    let master = info["marathon_config"]["master"].as_str().context("the scheduler names no master")?;
    let slaves = slaves(master, client).await?;
    for slave in slaves["slaves"].as_array().into_iter().flatten() {
        let Some((_, agent)) = slave["pid"].as_str().and_then(|pid| pid.split_once('@')) else { continue };
        let agent = client(agent);
        let state = look(&agent, "/state").await?;
        if let Some(directory) = directory(&state, task) {
            return Ok(Sandbox { agent, directory });
        }
    }
    bail!("no agent knows the task {task}: `cygnet task list` lists those that run")
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
    match status {
        StatusCode::UNAUTHORIZED => {
            bail!("{} lets only known principals in: say who you are with --credential FILE", server.authority())
        }
        status if !status.is_success() => bail!("{}{path} answered {status}", server.authority()),
        _ => serde_json::from_slice(&body).with_context(|| format!("{}{path} is no JSON", server.authority())),
    }
}

/// True if a task has not ended yet, by the state of its agent.
fn runs(state: &Value, task: &str) -> bool {
    let executors = items(&state["frameworks"]).iter().flat_map(|framework| items(&framework["executors"]));
    let mut known =
        executors.flat_map(|executor| [&executor["queued_tasks"], &executor["tasks"]].into_iter().flat_map(items));
    known.any(|known| known["id"] == task)
}

/// The sandbox of a task, by the state of an agent.
fn directory(state: &Value, task: &str) -> Option<String> {
    let each = |value: &Value, names: &[&str]| -> Vec<Value> {
        names.iter().filter_map(|name| value[name].as_array()).flatten().cloned().collect()
    };
    let frameworks = each(state, &["frameworks", "completed_frameworks"]);
    let executors = frameworks.iter().flat_map(|framework| each(framework, &["executors", "completed_executors"]));
    let kinds = ["queued_tasks", "tasks", "completed_tasks"];
    let mut found = executors.filter(|executor| {
        executor["executor_id"] == task
            || executor["id"] == task
            || each(executor, &kinds).iter().any(|known| known["id"] == task)
    });
    found.next()?["directory"].as_str().map(str::to_owned)
}

/// A log in a sandbox.
struct Log<'a> {
    sandbox: &'a Sandbox,
    file: &'a str,
}

impl Log<'_> {
    fn path(&self, number: usize) -> String {
        let path = format!("{}/{}", self.sandbox.directory, self.file);
        if number == 0 { path } else { format!("{path}.{number}") }
    }

    async fn ask(&self, call: &Call, path: &str) -> anyhow::Result<Response> {
        self.sandbox.agent.ask("/api/v1", call).await.with_context(|| format!("cannot read {path}"))
    }
}

impl Files for Log<'_> {
    async fn sizes(&self) -> anyhow::Result<Vec<u64>> {
        let path = &self.sandbox.directory;
        let answer = self.ask(&Call::list_files(call::ListFiles { path: path.clone() }), path).await?;
        let listed = answer.list_files.with_context(|| format!("the agent answered nothing about {path}"))?;
        let size =
            |number| listed.file_infos.iter().find(|file| file.path == self.path(number)).map(|file| file.size());
        Ok((0..).map_while(size).collect())
    }

    async fn read(&self, number: usize, offset: u64, length: Option<u64>) -> anyhow::Result<Vec<u8>> {
        let path = self.path(number);
        let call = Call::read_file(call::ReadFile { path: path.clone(), offset, length });
        let read = match self.ask(&call, &path).await {
            // One that was there is the next number by now, or gone with the oldest.
            Err(_) if number > 0 && number >= self.sizes().await?.len() => return Ok(Vec::new()),
            read => read?.read_file.with_context(|| format!("the agent answered nothing about {path}"))?,
        };
        Ok(read.data.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sandboxes_of_tasks_that_run_and_that_ended_are_found() {
        let executor = |id: &str| json!({"id": id, "directory": format!("/box/{id}"), "tasks": [], "completed_tasks": [{"id": "t"}]});
        let state = json!({"frameworks": [{"executors": [executor("a")], "completed_executors": [executor("b")]}],
            "completed_frameworks": [{"completed_executors": [executor("c")]}]});
        for id in ["a", "b", "c"] {
            assert_eq!(directory(&state, id), Some(format!("/box/{id}")));
        }
        assert_eq!(directory(&state, "t"), Some("/box/a".to_owned()));
        assert_eq!(directory(&state, "none"), None);
        assert_eq!(directory(&json!(null), "a"), None);
    }
    #[test]
    fn output_is_cut_into_lines_however_it_comes() {
        let text = b"one\n\ntwo\nrest";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut found: Vec<Value> = text.chunks(size).flat_map(|piece| lines.push(piece)).collect();
            found.extend(lines.last());
            let found: Vec<_> = found.iter().map(|line| line["line"].as_str().unwrap()).collect();
            assert_eq!(found, ["one", "", "two", "rest"], "in pieces of {size}");
        }
    }

    #[test]
    fn a_task_runs_as_long_as_its_agent_lists_it_as_running() {
        let state = json!({"frameworks": [{"executors": [
            {"queued_tasks": [{"id": "q"}], "tasks": [{"id": "r"}], "completed_tasks": [{"id": "e"}]}]}]});
        assert_eq!(["q", "r", "e", "x"].map(|task| runs(&state, task)), [true, true, false, false]);
    }
}
