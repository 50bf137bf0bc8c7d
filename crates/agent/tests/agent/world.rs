//! An agent in a directory of its own, with a master and an executor binary that does nothing but live.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use agent::{Agent, AgentError, Options, Shutdown};
use harness::process::{marked, signal};
use mesos::Codec;
use mesos::client::Client;
use mesos::v1::TaskState;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::executor::{Add, Executor, Pool};
use crate::master::{Master, task};
use crate::processes::custom;
use crate::wait::{soon, until};

/// The program of pools: says its pid and what it was started with, and waits for its end. As a shim it is this very
/// test program, see [`shim`]; what the test harness prints must not pass for the shim's word that it is ready.
fn binary() -> String {
    let own = std::env::current_exe().unwrap();
    let shim = format!("CYGNET_TEST_SHIM=\"$2\" exec '{}' --exact world::shim --nocapture", own.display());
    let unpack = format!("CYGNET_TEST_UNPACK=\"$*\" exec '{}' --exact world::unpack --nocapture", own.display());
    let pool = "echo \"$CYGNET_POOL_ID\" > \"$(dirname \"$0\")/pool\"\n\
                echo \"$$ $*\" >> \"$(dirname \"$0\")/started\"\nexec sleep 1000";
    format!(
        "#!/bin/sh\nif [ \"$1\" = shim ]; then exec 3>&1 >/dev/null; {shim}; fi\n\
        if [ \"$1\" = unpack ]; then exec 3>&1 >/dev/null; {unpack}; fi\n{pool}\n"
    )
}

/// No test: what the program above becomes when it is to be a shim.
#[test]
fn shim() {
    let Some(directory) = std::env::var_os("CYGNET_TEST_SHIM") else { return };
    let ready = fs::File::options().write(true).open("/proc/self/fd/3").unwrap();
    rustix::stdio::dup2_stdout(&ready).unwrap();
    processes::shim::main(directory.as_ref());
}

/// No test: what it becomes when it is to unpack a layer.
#[test]
fn unpack() {
    let Some(numbers) = std::env::var_os("CYGNET_TEST_UNPACK") else { return };
    let answer = fs::File::options().write(true).open("/proc/self/fd/3").unwrap();
    rustix::stdio::dup2_stdout(&answer).unwrap();
    let numbers: Vec<String> = numbers.to_str().unwrap().split(' ').skip(1).map(str::to_owned).collect();
    containers::unpack::main(&numbers);
    // Nothing else may be said.
    std::process::exit(0);
}

pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) master: Master,
    running: Option<Running>,
}

struct Running {
    address: SocketAddr,
    end: oneshot::Sender<Shutdown>,
    agent: JoinHandle<Result<(), AgentError>>,
}

impl Drop for World {
    fn drop(&mut self) {
        // Also what outlives its test with a process, or a shim, of its own.
        for _ in 0..100 {
            let left = marked(self.directory.path());
            if left.is_empty() {
                break;
            }
            for pid in left {
                signal(pid, Signal::KILL);
            }
        }
        harness::cgroups::remove(self.directory.path());
    }
}

impl World {
    /// An agent that is registered.
    pub(crate) async fn new() -> World {
        World::with(|_| {}).await
    }

    /// An agent with a command task that its executor has got.
    pub(crate) async fn launching(id: &str) -> (World, Pool, Add, Executor) {
        let world = World::new().await;
        let (pool, add, executor) = world.launched(id).await;
        (world, pool, add, executor)
    }

    /// An agent with a task `t1` of an executor of its framework's own, which runs this command and has got it.
    pub(crate) async fn custom(command: &str) -> (World, Executor) {
        let world = World::new().await;
        world.master.launch(custom("t1", command)).await;
        let mut executor = Executor::subscribe_when_known(&world, "custom").await;
        assert_eq!(executor.launched().await.task_id.value, "t1");
        (world, executor)
    }

    /// As [`World::launching`], and the executor has said that the task runs.
    pub(crate) async fn running(id: &str) -> (World, Pool, Add, Executor) {
        let (world, pool, add, mut executor) = World::launching(id).await;
        executor.update(TaskState::TaskRunning).await;
        (world, pool, add, executor)
    }

    pub(crate) async fn with(change: impl Fn(&mut Options)) -> World {
        let directory = tempfile::tempdir().unwrap();
        let binary = directory.path().join("cygnet");
        fs::write(&binary, self::binary()).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        let mut world = World { directory, master: Master::start().await, running: None };
        world.start(change).await;
        world.master.subscription(1).await;
        world
    }

    pub(crate) fn options(&self) -> Options {
        let (work_dir, binary) = (self.work_dir(), self.directory.path().join("cygnet"));
        let mut options = Options::new(self.master.address.to_string(), work_dir, binary);
        options.port = 0;
        options.cgroups_root = harness::cgroups::root(self.directory.path());
        options.resources = Some("cpus:4;mem:1024;disk:1024;ports:[31000-32000]".to_owned());
        options.registration_backoff_factor = Duration::from_millis(20);
        options.executor_reregistration_timeout = Duration::from_millis(300);
        options
    }

    pub(crate) fn work_dir(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("agent")
    }

    pub(crate) async fn start(&mut self, change: impl Fn(&mut Options)) {
        let mut options = self.options();
        change(&mut options);
        // The thread behind the store of an agent before this one may still be closing the file.
        let agent = until("the work directory", async || match Agent::bind(options.clone()).await {
            Err(AgentError::Store(store::StoreError::InUse { .. })) => None,
            bound => Some(bound.unwrap()),
        })
        .await;
        let address = agent.address();
        let (end, ended) = oneshot::channel();
        let shutdown = async { ended.await.unwrap_or(Shutdown::Keep) };
        self.running = Some(Running { address, end, agent: tokio::spawn(agent.run(shutdown)) });
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().address
    }

    pub(crate) async fn stop(&mut self, shutdown: Shutdown) {
        let running = self.running.take().unwrap();
        running.end.send(shutdown).unwrap();
        soon("the agent's end", running.agent).await.unwrap().unwrap();
    }

    /// Tells the agent to end, and does not wait.
    pub(crate) fn order(&mut self, shutdown: Shutdown) -> JoinHandle<Result<(), AgentError>> {
        let running = self.running.take().unwrap();
        running.end.send(shutdown).unwrap();
        running.agent
    }

    /// Ends the agent without its knowing, and starts another one in its place.
    pub(crate) async fn restart(&mut self) {
        self.restart_with(|_| {}).await;
    }

    pub(crate) async fn restart_with(&mut self, change: impl Fn(&mut Options)) {
        self.stop(Shutdown::Keep).await;
        self.start(change).await;
    }

    /// The processes that were started with the executor's program, and their arguments.
    pub(crate) fn started(&self) -> Vec<(i32, String)> {
        let text = fs::read_to_string(self.directory.path().join("started")).unwrap_or_default();
        let line = |line: &str| {
            let (pid, arguments) = line.split_once(' ')?;
            Some((pid.parse().ok()?, arguments.to_owned()))
        };
        text.lines().filter_map(line).collect()
    }

    /// The name the pool that was started last subscribes with.
    pub(crate) fn pool_name(&self) -> String {
        fs::read_to_string(self.directory.path().join("pool")).unwrap_or_default().trim().to_owned()
    }

    /// SIGKILL for all of them.
    pub(crate) fn kill_started(&self) {
        for (pid, _) in self.started() {
            signal(pid, Signal::KILL);
        }
    }

    /// The end of an agent that ends by itself.
    pub(crate) async fn ended(&mut self) -> Result<(), AgentError> {
        let Running { end, agent, .. } = self.running.take().unwrap();
        let ended = agent.await.unwrap();
        drop(end);
        ended
    }

    /// Waits until that many processes have been started.
    pub(crate) async fn processes(&self, count: usize) -> Vec<(i32, String)> {
        until("processes", async || Some(self.started()).filter(|all| all.len() >= count)).await
    }

    /// Launches a command task and brings its executor so far that it has got it.
    pub(crate) async fn launched(&self, id: &str) -> (Pool, Add, Executor) {
        self.master.launch(task(id)).await;
        let mut pool = self.pool().await;
        let add = pool.add().await;
        let mut executor = Executor::subscribe(self.address(), id).await;
        executor.launched().await;
        (pool, add, executor)
    }

    /// The pool, as soon as the agent knows that there is one.
    pub(crate) async fn pool(&self) -> Pool {
        self.processes(1).await;
        Pool::subscribe(self).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let client = Client::new(self.address().to_string(), Codec::Json);
        let (status, body) = client.get(path).await.unwrap();
        (status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The answer of `/state`, as soon as it is as wanted.
    pub(crate) async fn state(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        until("the state", async || Some(self.json("/state").await).filter(|state| wanted(state))).await
    }

    /// The same once nothing is left of any framework.
    pub(crate) async fn over(&self) -> Value {
        self.state(|state| state["frameworks"].as_array().is_some_and(Vec::is_empty)).await
    }
}
