//! An agent with the executors of one test, each named as its task. Whatever still runs when it is dropped is killed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use harness::process::signal;
use mesos::v1::TaskState::{TaskKilled, TaskRunning};
use mesos::v1::executor::call;
use mesos::v1::{TaskInfo, TaskState, TaskStatus};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::agent::{Agent, task};
use crate::process::{Executor, number_in, pids};
use crate::wait::until;

/// The name of the pool among executors.
pub(crate) const POOL: &str = "pool";

pub(crate) struct World {
    agent: Agent,
    executors: RefCell<BTreeMap<String, Executor>>,
    directory: TempDir,
}

impl Deref for World {
    type Target = Agent;

    fn deref(&self) -> &Agent {
        &self.agent
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Agent {
        &mut self.agent
    }
}

impl World {
    /// Without an executor.
    pub(crate) async fn new() -> World {
        World::within(tempfile::tempdir().unwrap()).await
    }

    /// The same, where tasks of other users reach their sandboxes.
    pub(crate) async fn open_to_all() -> World {
        World::within(tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap()).await
    }

    async fn within(directory: TempDir) -> World {
        World { agent: Agent::start(directory.path()).await, executors: RefCell::default(), directory }
    }

    /// With an executor that has no task yet.
    pub(crate) async fn with(executor: &str) -> World {
        let world = World::new().await;
        world.start(executor);
        world
    }

    /// With a pool.
    pub(crate) async fn with_pool() -> World {
        World::with(POOL).await
    }

    /// With an executor whose task was launched.
    pub(crate) async fn launched(task: TaskInfo) -> World {
        let world = World::new().await;
        world.run(task).await;
        world
    }

    /// With an executor `e` of groups, and its first one.
    pub(crate) async fn group(tasks: Vec<TaskInfo>) -> World {
        let world = World::with("e").await;
        world.launch_group("e", tasks).await;
        world
    }

    /// With an executor whose task runs.
    pub(crate) async fn running(name: &str, command: &str) -> World {
        let world = World::launched(task(name, command)).await;
        world.reached(name, TaskRunning).await;
        world
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The log of all executors.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.directory().join("log")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Starts an executor, or the successor of one.
    pub(crate) fn start(&self, executor: &str) {
        self.start_with(executor, &[]);
    }

    /// Starts it with other variables besides.
    pub(crate) fn start_with(&self, executor: &str, others: &[(&str, &str)]) {
        let mut environment = self.environment_of(executor);
        environment.extend(others.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.start_in(executor, &environment);
    }

    /// Starts it with these variables.
    pub(crate) fn start_in(&self, executor: &str, environment: &BTreeMap<String, String>) {
        let process = self.process(executor, environment);
        self.executors.borrow_mut().insert(executor.to_owned(), process);
    }

    /// Starts an executor, and launches the task that it is named as.
    pub(crate) async fn run(&self, task: TaskInfo) {
        self.run_with(task, &[]).await;
    }

    /// The same with other variables besides.
    pub(crate) async fn run_with(&self, task: TaskInfo, others: &[(&str, &str)]) {
        let name = task.task_id.value.clone();
        self.start_with(&name, others);
        self.launch(&name, task).await;
    }

    /// A second process that would be the same executor.
    pub(crate) fn another(&self, executor: &str) -> Executor {
        self.process(executor, &self.environment_of(executor))
    }

    fn environment_of(&self, executor: &str) -> BTreeMap<String, String> {
        if executor == POOL { self.pool_environment() } else { self.environment(executor) }
    }

    fn process(&self, executor: &str, environment: &BTreeMap<String, String>) -> Executor {
        let arguments: &[&str] = if executor == POOL { &["--pool"] } else { &[] };
        Executor::start(&self.log_file(), arguments, environment)
    }

    pub(crate) fn executor_pid(&self, executor: &str) -> i32 {
        self.executors.borrow()[executor].pid()
    }

    fn take(&self, executor: &str) -> Executor {
        self.executors.borrow_mut().remove(executor).unwrap()
    }

    /// Kills an executor, or the pool, and leaves its tasks alone.
    pub(crate) async fn kill_executor(&self, executor: &str) {
        if executor == POOL {
            self.forget_pool().await;
        }
        self.take(executor).kill().await;
    }

    /// Kills an executor, and returns what its successor says when it subscribes.
    pub(crate) async fn succeed(&self, executor: &str) -> call::Subscribe {
        self.kill_executor(executor).await;
        self.start(executor);
        self.subscription(executor, 2).await
    }

    /// Its exit code, once it ends by itself.
    pub(crate) async fn ended(&self, executor: &str) -> i32 {
        let executor = self.take(executor);
        executor.ended().await
    }

    /// Launches a task in the pool.
    pub(crate) async fn pool_launch(&self, task: TaskInfo) {
        let name = task.task_id.value.clone();
        self.add_to_pool(&name).await;
        self.launch(&name, task).await;
    }

    /// The same, and waits until it runs.
    pub(crate) async fn pool_run(&self, name: &str, command: &str) {
        self.pool_launch(task(name, command)).await;
        self.reached(name, TaskRunning).await;
    }

    /// Waits for a task's update in this state, and returns the message of the last one.
    pub(crate) async fn said(&self, task: &str, state: TaskState) -> String {
        self.reached(task, state).await.last().unwrap().message().to_owned()
    }

    /// Waits until these tasks run.
    pub(crate) async fn all_run(&self, tasks: &[&str]) {
        for task in tasks {
            self.reached(task, TaskRunning).await;
        }
    }

    /// Kills a task, and waits until it is.
    pub(crate) async fn end(&self, task: &str) -> Vec<TaskStatus> {
        self.kill(task, None).await;
        self.reached(task, TaskKilled).await
    }

    /// The same for one of a group.
    pub(crate) async fn end_member(&self, executor: &str, task: &str) -> Vec<TaskStatus> {
        self.kill_task(executor, task, None).await;
        self.reached(task, TaskKilled).await
    }

    /// Waits for an update with this `healthy`.
    pub(crate) async fn becomes(&self, task: &str, healthy: bool) -> Vec<TaskStatus> {
        self.updates_until(task, |updates| updates.iter().any(|status| status.healthy == Some(healthy))).await
    }

    /// A file in a sandbox.
    pub(crate) fn file(&self, executor: &str, name: &str) -> PathBuf {
        self.sandbox(executor).join(name)
    }

    pub(crate) fn touch(&self, executor: &str, name: &str) {
        fs::write(self.file(executor, name), "").unwrap();
    }

    pub(crate) fn read(&self, executor: &str, name: &str) -> String {
        fs::read_to_string(self.file(executor, name)).unwrap()
    }

    /// The number of lines of a file in a sandbox.
    pub(crate) fn lines(&self, executor: &str, name: &str) -> usize {
        fs::read_to_string(self.file(executor, name)).unwrap_or_default().lines().count()
    }

    pub(crate) async fn number(&self, executor: &str, name: &str) -> i32 {
        number_in(&self.file(executor, name)).await
    }

    /// The pids of the shim and of the task, once they are known.
    pub(crate) async fn pids(&self, executor: &str) -> (i32, i32) {
        pids(&self.state(executor)).await
    }

    /// The state of the one container of a task of a group.
    pub(crate) async fn member(&self, executor: &str, task: &str) -> PathBuf {
        let tasks = self.state(executor).join("tasks").join(task);
        until("a container", async || Some(fs::read_dir(&tasks).ok()?.next()?.ok()?.path())).await
    }

    pub(crate) async fn member_pids(&self, executor: &str, task: &str) -> (i32, i32) {
        pids(&self.member(executor, task).await).await
    }

    /// The processes that were started for this world, by what they were told or where they are.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let mark = self.directory().display().to_string();
        let is_ours = |process: &Path| {
            let told = ["cmdline", "environ"].map(|name| fs::read(process.join(name)).unwrap_or_default());
            told.iter().any(|text| String::from_utf8_lossy(text).contains(&mark))
                || fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&mark))
        };
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        let ours = entries.filter(|process| is_ours(process));
        ours.filter_map(|process| process.file_name()?.to_str()?.parse().ok()).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        // Executors first, which would tell of what ends.
        self.executors.borrow_mut().clear();
        for _ in 0..100 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for pid in left {
                signal(pid, Signal::KILL);
            }
        }
    }
}
