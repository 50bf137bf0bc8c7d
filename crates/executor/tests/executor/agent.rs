//! An agent that does what the test says, and acknowledges every update. Speaks the v1 executor API and Cygnet's pool
//! API through the server half of `mesos`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use mesos::server::{EventSender, accept, decode_call, event_stream};
use mesos::v1::cygnet::{PoolCall, PoolEvent, pool_call, pool_event};
use mesos::v1::executor::{Call, Event, call, event};
use mesos::v1::framework_info::{Capability, capability};
use mesos::v1::{
    AgentId, AgentInfo, CommandInfo, ContainerId, DurationInfo, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo,
    KillPolicy, TaskGroupInfo, TaskId, TaskInfo, TaskState, TaskStatus,
};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::wait::until;

#[derive(Default)]
struct Seen {
    acknowledging: bool,
    subscriptions: BTreeMap<String, Vec<call::Subscribe>>,
    streams: BTreeMap<String, EventSender<Event>>,
    pool: Option<EventSender<PoolEvent>>,
    exited: Vec<pool_call::Exited>,
    tokens: Vec<String>,
    refusals: Vec<StatusCode>,
    recovering: bool,
    user: String,
    updates: Vec<TaskStatus>,
}

type Shared = Arc<Mutex<Seen>>;

/// The agent, and the directory with everything its executors write.
pub(crate) struct Agent {
    pub address: SocketAddr,
    pub directory: PathBuf,
    seen: Shared,
    server: JoinHandle<()>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Agent {
    pub(crate) async fn start(directory: &Path) -> Agent {
        let seen = Shared::new(Mutex::new(Seen { acknowledging: true, user: "root".to_owned(), ..Seen::default() }));
        let (address, server) = serve(seen.clone()).await;
        let agent = Agent { address, directory: directory.to_path_buf(), seen, server };
        agent.write_endpoint();
        agent
    }

    /// Goes away with every connection, and comes back on another port.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        (self.address, self.server) = serve(self.seen.clone()).await;
        self.write_endpoint();
    }

    pub(crate) async fn stop(&self) {
        self.server.abort();
        let mut seen = self.seen.lock().await;
        seen.streams.clear();
        seen.pool = None;
    }

    fn write_endpoint(&self) {
        std::fs::write(self.directory.join("endpoint"), self.address.to_string()).unwrap();
    }

    /// The environment of the executor of this task.
    pub(crate) fn environment(&self, executor: &str) -> BTreeMap<String, String> {
        let sandbox = self.sandbox(executor);
        let state = self.directory.join("state").join(executor);
        if !sandbox.exists() {
            std::fs::create_dir_all(&sandbox).unwrap();
            // Unless the test has put something else there.
            let _made = std::fs::create_dir_all(&state);
        }
        let endpoint = self.directory.join("endpoint");
        [
            ("MESOS_FRAMEWORK_ID", "F".to_owned()),
            ("MESOS_EXECUTOR_ID", executor.to_owned()),
            ("MESOS_DIRECTORY", sandbox.display().to_string()),
            ("MESOS_SLAVE_PID", format!("slave(1)@{}", self.address)),
            ("MESOS_CHECKPOINT", "1".to_owned()),
            ("MESOS_RECOVERY_TIMEOUT", "15secs".to_owned()),
            ("MESOS_SUBSCRIPTION_BACKOFF_MAX", "50ms".to_owned()),
            ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs".to_owned()),
            ("CYGNET_STATE_DIRECTORY", state.display().to_string()),
            ("CYGNET_AGENT_ENDPOINT_FILE", endpoint.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// The environment of a pool.
    pub(crate) fn pool_environment(&self) -> BTreeMap<String, String> {
        let mut environment = self.environment("pool");
        environment.retain(|name, _| name != "MESOS_EXECUTOR_ID" && name != "CYGNET_STATE_DIRECTORY");
        environment.insert("CYGNET_POOL_ID".to_owned(), "P".to_owned());
        environment.insert("CYGNET_POOL_LOCK".to_owned(), self.directory.join("pool.lock").display().to_string());
        environment
    }

    pub(crate) fn sandbox(&self, executor: &str) -> PathBuf {
        self.directory.join("sandbox").join(executor)
    }

    pub(crate) fn state(&self, executor: &str) -> PathBuf {
        self.directory.join("state").join(executor)
    }

    /// Waits for the executor's subscription number `count`, and returns what it said.
    pub(crate) async fn subscription(&self, executor: &str, count: usize) -> call::Subscribe {
        until("a subscription", async || {
            let seen = self.seen.lock().await;
            seen.streams.get(executor)?;
            seen.subscriptions.get(executor)?.get(count.checked_sub(1)?).cloned()
        })
        .await
    }

    /// True if there is a subscription number `count` of the executor.
    pub(crate) async fn has_subscribed(&self, executor: &str, count: usize) -> bool {
        let seen = self.seen.lock().await;
        seen.streams.contains_key(executor) && seen.subscriptions.get(executor).is_some_and(|all| all.len() >= count)
    }

    /// The user of the framework, from the next subscription on.
    pub(crate) async fn set_user(&self, user: &str) {
        self.seen.lock().await.user = user.to_owned();
    }

    /// Answers the next subscriptions like this, last one first.
    pub(crate) async fn refuse(&self, refusals: &[StatusCode]) {
        self.seen.lock().await.refusals = refusals.to_vec();
    }

    /// Takes no updates while it recovers, as agents do.
    pub(crate) async fn recovering(&self, yes: bool) {
        self.seen.lock().await.recovering = yes;
    }

    /// True if all of them were given.
    pub(crate) async fn has_refused(&self) -> bool {
        self.seen.lock().await.refusals.is_empty()
    }

    /// The authorization that each call so far showed.
    pub(crate) async fn tokens(&self) -> Vec<String> {
        self.seen.lock().await.tokens.clone()
    }

    pub(crate) async fn acknowledging(&self, yes: bool) {
        self.seen.lock().await.acknowledging = yes;
    }

    pub(crate) async fn send(&self, executor: &str, event: Event) {
        let seen = self.seen.lock().await;
        let sent = seen.streams.get(executor).map(|stream| stream.try_send(&event).is_ok());
        assert_eq!(sent, Some(true), "the executor {executor} is not subscribed");
    }

    pub(crate) async fn launch(&self, executor: &str, task: TaskInfo) {
        self.subscription(executor, 1).await;
        self.send(executor, Event::launch(event::Launch { task })).await;
    }

    pub(crate) async fn launch_group(&self, executor: &str, tasks: Vec<TaskInfo>) {
        self.subscription(executor, 1).await;
        self.send(executor, Event::launch_group(event::LaunchGroup { task_group: TaskGroupInfo { tasks } })).await;
    }

    /// Kills a task that is named as its executor.
    pub(crate) async fn kill(&self, executor: &str, grace_ms: Option<i64>) {
        self.kill_task(executor, executor, grace_ms).await;
    }

    pub(crate) async fn kill_task(&self, executor: &str, task: &str, grace_ms: Option<i64>) {
        let kill_policy =
            grace_ms.map(|ms| KillPolicy { grace_period: Some(DurationInfo { nanoseconds: ms * 1_000_000 }) });
        let kill = event::Kill { task_id: TaskId { value: task.to_owned() }, kill_policy };
        self.send(executor, Event::kill(kill)).await;
    }

    pub(crate) async fn shutdown(&self, executor: &str) {
        self.send(executor, Event::shutdown()).await;
    }

    /// Every different update of the task so far.
    pub(crate) async fn updates(&self, task: &str) -> Vec<TaskStatus> {
        let seen = self.seen.lock().await;
        seen.updates.iter().filter(|status| status.task_id.value == task).cloned().collect()
    }

    /// Waits until the task's updates are as wanted.
    pub(crate) async fn updates_until(&self, task: &str, wanted: impl Fn(&[TaskStatus]) -> bool) -> Vec<TaskStatus> {
        until("the updates", async || Some(self.updates(task).await).filter(|updates| wanted(updates))).await
    }

    /// Waits for the update in this state, and returns all of them.
    pub(crate) async fn reached(&self, task: &str, state: TaskState) -> Vec<TaskStatus> {
        self.updates_until(task, |updates| updates.iter().any(|status| status.state() == state)).await
    }

    pub(crate) async fn add_to_pool(&self, executor: &str) {
        until("the pool", async || self.seen.lock().await.pool.as_ref().map(|_| ())).await;
        let variable = |(name, value)| pool_event::Variable { name, value };
        let add = pool_event::Add {
            executor_id: ExecutorId { value: executor.to_owned() },
            container_id: ContainerId { value: format!("container-{executor}"), parent: None },
            environment: self.environment(executor).into_iter().map(variable).collect(),
            directory: Some(self.sandbox(executor).display().to_string()),
        };
        self.to_pool(PoolEvent::add(add)).await;
    }

    /// Forgets the pool process: what comes next is about the one after it.
    pub(crate) async fn forget_pool(&self) {
        self.seen.lock().await.pool = None;
    }

    /// The stream of an executor that was killed.
    pub(crate) async fn forget_stream(&self, executor: &str) {
        self.seen.lock().await.streams.remove(executor);
    }

    pub(crate) async fn dismiss_pool(&self) {
        self.to_pool(PoolEvent::shutdown()).await;
    }

    async fn to_pool(&self, event: PoolEvent) {
        let seen = self.seen.lock().await;
        assert!(seen.pool.as_ref().is_some_and(|pool| pool.try_send(&event).is_ok()));
    }

    pub(crate) async fn pool_exited(&self, executor: &str) -> i32 {
        until("the end of an executor", async || {
            let seen = self.seen.lock().await;
            seen.exited.iter().find(|exited| exited.executor_id.value == executor).map(|exited| exited.status())
        })
        .await
    }
}

/// A task named as its executor.
pub(crate) fn task(name: &str, command: &str) -> TaskInfo {
    TaskInfo {
        name: name.to_owned(),
        task_id: TaskId { value: name.to_owned() },
        agent_id: AgentId { value: "S".to_owned() },
        command: Some(CommandInfo { value: Some(command.to_owned()), ..CommandInfo::default() }),
        ..TaskInfo::default()
    }
}

pub(crate) fn states(updates: &[TaskStatus]) -> Vec<TaskState> {
    updates.iter().map(TaskStatus::state).collect()
}

async fn serve(seen: Shared) -> (SocketAddr, JoinHandle<()>) {
    let router = Router::new()
        .route("/slave(1)/api/v1/executor", post(executor_call))
        .route("/cygnet/v1/pool", post(pool_call))
        .with_state(seen);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

async fn executor_call(State(seen): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let (_, call) = match decode_call::<Call>(&headers, &body) {
        Ok(decoded) => decoded,
        Err(refusal) => return refusal.into_response(),
    };
    let mut seen = seen.lock().await;
    seen.tokens.extend(headers.get("authorization").map(|token| token.to_str().unwrap().to_owned()));
    let executor = call.executor_id.value.clone();
    match (call.subscribe, call.update) {
        (Some(_), _) if !seen.refusals.is_empty() => seen.refusals.pop().unwrap().into_response(),
        (Some(subscribe), _) => {
            let codec = accept(&headers).unwrap();
            let (stream, response) = event_stream(codec, None, 64);
            let _gone = stream.try_send(&subscribed(&executor, &seen.user));
            let updates: Vec<_> = subscribe.unacknowledged_updates.iter().map(|update| update.status.clone()).collect();
            seen.streams.insert(executor.clone(), stream);
            seen.subscriptions.entry(executor.clone()).or_default().push(subscribe);
            updates.into_iter().for_each(|status| seen.take(&executor, status));
            response
        }
        (None, Some(_)) if seen.recovering => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (None, Some(update)) => {
            seen.take(&executor, update.status);
            StatusCode::ACCEPTED.into_response()
        }
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

impl Seen {
    fn take(&mut self, executor: &str, status: TaskStatus) {
        let uuid = status.uuid.clone().unwrap();
        if !self.updates.iter().any(|known| known.uuid == status.uuid) {
            self.updates.push(status.clone());
        }
        if self.acknowledging
            && let Some(stream) = self.streams.get(executor)
        {
            let _gone = stream.try_send(&Event::acknowledged(event::Acknowledged { task_id: status.task_id, uuid }));
        }
    }
}

async fn pool_call(State(seen): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let (_, call) = match decode_call::<PoolCall>(&headers, &body) {
        Ok(decoded) => decoded,
        Err(refusal) => return refusal.into_response(),
    };
    let mut seen = seen.lock().await;
    match call.exited {
        Some(exited) => {
            seen.exited.push(exited);
            StatusCode::ACCEPTED.into_response()
        }
        None => {
            let (stream, response) = event_stream(accept(&headers).unwrap(), None, 64);
            seen.pool = Some(stream);
            response
        }
    }
}

fn subscribed(executor: &str, user: &str) -> Event {
    let capability = Capability { r#type: Some(capability::Type::TaskKillingState.into()) };
    let framework_info = FrameworkInfo {
        user: user.to_owned(),
        name: "test".to_owned(),
        id: Some(FrameworkId { value: "F".to_owned() }),
        capabilities: vec![capability],
        ..FrameworkInfo::default()
    };
    let executor_info =
        ExecutorInfo { executor_id: ExecutorId { value: executor.to_owned() }, ..ExecutorInfo::default() };
    let agent_info = AgentInfo { hostname: "localhost".to_owned(), ..AgentInfo::default() };
    let container_id = Some(ContainerId { value: format!("container-{executor}"), parent: None });
    Event::subscribed(event::Subscribed { executor_info, framework_info, agent_info, container_id })
}
