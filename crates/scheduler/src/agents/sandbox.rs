//! Sandboxes of tasks, and the logs in them, by the agents' operator API, which Mesos' agents have as well.
//!
//! A sandbox is named as Mesos names it for others: by framework and executor, and a task of a group by its place in its
//! executor's sandbox. So nobody has to ask where on the agent's disk it is.

use std::collections::HashMap;

use axum::http::StatusCode;
use mesos::client::{Client, ClientError};
use mesos::v1::FileInfo;
use mesos::v1::agent::{Call, Response, call};

use super::{Agent, AgentError, Agents, PATIENCE, Problem};
use crate::core::{Life, Whereabouts};
use crate::ids::InstanceId;
use crate::logs::{File, Files};

/// The most older files of a log: an agent keeps no more. What a task itself calls so is not read beyond that.
const OLDER: usize = 1000;

/// A task's directory on its agent.
#[derive(Clone)]
pub(crate) struct Sandbox {
    agent: Agent,
    client: Client,
    /// None while the task is launched and has none yet.
    directory: Option<String>,
}

impl Sandbox {
    /// The sandbox of a task, which its agent must have, unless the task is only about to start.
    pub(crate) async fn find(agents: &Agents, task: &Whereabouts) -> Result<Sandbox, AgentError> {
        let agent = Agent::of(task);
        let found = Sandbox::look(agents, &agent, task).await;
        match &found {
            // It may have come back elsewhere.
            Err(error) if matches!(error.problem(), Problem::Client(_)) => {
                agents.forget(&agent).await;
                Sandbox::look(agents, &agent, task).await
            }
            _ => found,
        }
    }

    async fn look(agents: &Agents, agent: &Agent, task: &Whereabouts) -> Result<Sandbox, AgentError> {
        let client = agents.client(agent, PATIENCE).await?;
        let mut sandbox = Sandbox { agent: agent.clone(), client, directory: None };
        for directory in directories(&task.framework_id, &task.task_id) {
            if sandbox.list(&directory).await?.is_some() {
                sandbox.directory = Some(directory);
                return Ok(sandbox);
            }
        }
        match task.life {
            Life::Starting => Ok(sandbox),
            Life::Running | Life::Over(_) => Err(agent.fault(Problem::NoSandbox(task.task_id.clone()))),
        }
    }

    /// True if there is one.
    pub(crate) fn is_there(&self) -> bool {
        self.directory.is_some()
    }

    pub(crate) fn log(&self, file: &'static str) -> Log {
        Log { sandbox: self.clone(), file }
    }

    /// The files in a directory, if there is such a directory.
    async fn list(&self, path: &str) -> Result<Option<Vec<FileInfo>>, AgentError> {
        let call = Call::list_files(call::ListFiles { path: path.to_owned() });
        let Some(answer) = self.ask(&call).await? else { return Ok(None) };
        let listed = answer.list_files.ok_or_else(|| self.agent.fault(Problem::Answer))?;
        Ok(Some(listed.file_infos))
    }

    /// The answer of the agent; none if there is nothing by that name.
    async fn ask(&self, call: &Call) -> Result<Option<Response>, AgentError> {
        match self.client.ask("/api/v1", call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(ClientError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            Err(error) => Err(self.agent.fault(Problem::Client(error))),
        }
    }
}

/// The names that the sandbox of a task may have: of an app's, whose executor is the agent's, Cygnet's or its own; of a
/// pod's.
fn directories(framework: &str, task: &str) -> Vec<String> {
    let of = |executor: &str| format!("/frameworks/{framework}/executors/{executor}/runs/latest");
    match pod_executor(task) {
        Some(executor) => vec![format!("{}/tasks/{task}", of(&executor))],
        None => vec![of(task), of(&format!("marathon-{task}"))],
    }
}

/// The id of the executor of a pod's instance, by that of one of its tasks.
fn pod_executor(task: &str) -> Option<String> {
    let instance = InstanceId::of_task(task)?;
    let incarnation: u32 = task.rsplit_once('.')?.1.parse().ok()?;
    (instance.task(incarnation) != task).then(|| instance.executor(incarnation))
}

/// A log in a sandbox.
#[derive(Clone)]
pub(crate) struct Log {
    sandbox: Sandbox,
    file: &'static str,
}

impl Log {
    fn path(&self, directory: &str, number: usize) -> String {
        let path = format!("{directory}/{}", self.file);
        if number == 0 { path } else { format!("{path}.{number}") }
    }

    /// The files of the log among those of its directory, in which a task puts as many as it likes.
    fn files(&self, directory: &str, listed: &[FileInfo]) -> Vec<File> {
        let by_path: HashMap<&str, &FileInfo> = listed.iter().map(|info| (info.path.as_str(), info)).collect();
        let file = |number| {
            let info = by_path.get(self.path(directory, number).as_str())?;
            let written_ns = info.mtime.as_ref().map(|time| time.nanoseconds);
            Some(File { size: info.size(), written_ns })
        };
        (0..=OLDER).map_while(file).collect()
    }
}

impl Files for Log {
    type Error = AgentError;

    async fn list(&self) -> Result<Vec<File>, AgentError> {
        let Some(directory) = &self.sandbox.directory else { return Ok(Vec::new()) };
        let listed = self.sandbox.list(directory).await?.unwrap_or_default();
        Ok(self.files(directory, &listed))
    }

    async fn read(&self, number: usize, offset: u64, length: Option<u64>) -> Result<Vec<u8>, AgentError> {
        let Some(directory) = &self.sandbox.directory else { return Ok(Vec::new()) };
        let call = Call::read_file(call::ReadFile { path: self.path(directory, number), offset, length });
        // One that was there is the next number by now, or gone with the oldest.
        let Some(answer) = self.sandbox.ask(&call).await? else { return Ok(Vec::new()) };
        let read = answer.read_file.ok_or_else(|| self.sandbox.agent.fault(Problem::Answer))?;
        Ok(read.data.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sandboxes_are_named_by_the_executors_of_apps_and_pods() {
        let runs = |executor: &str| format!("/frameworks/F/executors/{executor}/runs/latest");
        let task = "web.instance-u._app.2";
        assert_eq!(directories("F", task), [runs(task), runs("marathon-web.instance-u._app.2")]);
        let task = "pod.instance-u.log.3";
        assert_eq!(directories("F", task), [format!("{}/tasks/{task}", runs("pod.instance-u.3"))]);
    }

    #[test]
    fn files_that_a_task_calls_as_its_older_logs_are_called_keep_nobody_busy() {
        let agent = Agent { id: "S".into(), host: "box".into() };
        let client = Client::with_timeouts("127.0.0.1:1", mesos::Codec::Protobuf, PATIENCE);
        let log = Sandbox { agent, client, directory: Some("/d".into()) }.log("stdout");
        let info = |path: String, size: u64| FileInfo { path, size: Some(size), ..FileInfo::default() };
        let names = (1..200_000).rev().map(|number| info(format!("/d/stdout.{number}"), number));
        let listed: Vec<FileInfo> = names.chain([info("/d/stdout".into(), 7), info("/d/stderr".into(), 8)]).collect();
        let found = log.files("/d", &listed);
        assert_eq!(found.len(), OLDER + 1);
        assert_eq!(found.iter().take(3).map(|file| file.size).collect::<Vec<_>>(), [7, 1, 2], "by number");
        assert!(log.files("/d", &listed[..5]).is_empty(), "without the log itself there is none");
    }
}
