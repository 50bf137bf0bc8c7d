//! A master that does what the test says, and remembers what its agent said.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::HeaderMap;
use mesos::resources::Resources;
use mesos::server::{EventSender, accept, accepted, decode_call, event_stream};
use mesos::v1::cygnet::{AgentCall, AgentEvent, agent_call, agent_event};
use mesos::v1::framework_info::{Capability, capability};
use mesos::v1::{CommandInfo, FrameworkInfo, KillPolicy, TaskInfo, TaskState, TaskStatus};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::wait::until;

pub(crate) const AGENT_ID: &str = "M-S0";
pub(crate) const FRAMEWORK: &str = "F-0000";

#[derive(Default)]
struct Seen {
    subscriptions: Vec<agent_call::Subscribe>,
    stream: Option<EventSender<AgentEvent>>,
    calls: Vec<AgentCall>,
    /// A good-bye ends the stream, and that is all the agent hears.
    silent_goodbye: bool,
}

pub(crate) struct Master {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    server: JoinHandle<()>,
}

impl Drop for Master {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Master {
    pub(crate) async fn start() -> Master {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let router = Router::new().route("/cygnet/v1/agent", post(call)).with_state(seen.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Master { address, seen, server }
    }

    /// Waits for the agent's subscription number `count`, and returns what it said.
    pub(crate) async fn subscription(&self, count: usize) -> agent_call::Subscribe {
        until("the agent's subscription", async || {
            let seen = self.seen.lock().await;
            seen.stream.as_ref()?;
            seen.subscriptions.get(count - 1).cloned()
        })
        .await
    }

    /// Ends the stream, as a master that dies would.
    pub(crate) async fn hang_up(&self) {
        self.seen.lock().await.stream = None;
    }

    /// From now on a good-bye ends the stream before the call is answered.
    pub(crate) async fn hang_up_at_goodbye(&self) {
        self.seen.lock().await.silent_goodbye = true;
    }

    /// The number of times the agent has subscribed.
    pub(crate) async fn subscriptions(&self) -> usize {
        self.seen.lock().await.subscriptions.len()
    }

    pub(crate) async fn send(&self, event: AgentEvent) {
        let stream = until("the agent", async || self.seen.lock().await.stream.clone()).await;
        stream.try_send(&event).unwrap();
    }

    pub(crate) async fn launch(&self, task: TaskInfo) {
        self.launch_for(framework(true), task).await;
    }

    pub(crate) async fn launch_for(&self, framework: FrameworkInfo, task: TaskInfo) {
        self.send(AgentEvent::launch(agent_event::Launch { framework, task, executor: None })).await;
    }

    pub(crate) async fn kill(&self, task: &str, kill_policy: Option<KillPolicy>) {
        let kill = agent_event::Kill { framework_id: FRAMEWORK.into(), task_id: task.into(), kill_policy };
        self.send(AgentEvent::kill(kill)).await;
    }

    pub(crate) async fn acknowledge(&self, status: &TaskStatus) {
        let acknowledge = agent_event::Acknowledge {
            framework_id: FRAMEWORK.into(),
            task_id: status.task_id.clone(),
            uuid: status.uuid().to_vec(),
        };
        self.send(AgentEvent::acknowledge(acknowledge)).await;
    }

    /// Waits until the agent has dealt with everything it was sent.
    pub(crate) async fn heard(&self) {
        let pongs = self.calls(agent_call::Type::Pong).await;
        self.send(AgentEvent::ping()).await;
        until("a pong", async || (self.calls(agent_call::Type::Pong).await > pongs).then_some(())).await;
    }

    /// All updates of a task that have arrived, repetitions included.
    pub(crate) async fn updates(&self, task: &str) -> Vec<agent_call::Update> {
        let seen = self.seen.lock().await;
        let updates = seen.calls.iter().filter_map(|call| call.update.clone());
        updates.filter(|update| update.status.task_id.value == task).collect()
    }

    /// Waits for the update of a task in this state.
    pub(crate) async fn update(&self, task: &str, state: TaskState) -> agent_call::Update {
        until(&format!("{} of {task}", state.as_str_name()), async || {
            self.updates(task).await.into_iter().find(|update| update.status.state() == state)
        })
        .await
    }

    /// Waits for the update, and acknowledges it.
    pub(crate) async fn expect(&self, task: &str, state: TaskState) -> TaskStatus {
        let status = self.update(task, state).await.status;
        self.acknowledge(&status).await;
        status
    }

    /// Waits for a call of this type.
    pub(crate) async fn call(&self, kind: agent_call::Type) -> AgentCall {
        until(kind.as_str_name(), async || {
            self.seen.lock().await.calls.iter().find(|call| call.r#type() == kind).cloned()
        })
        .await
    }

    pub(crate) async fn calls(&self, kind: agent_call::Type) -> usize {
        self.seen.lock().await.calls.iter().filter(|call| call.r#type() == kind).count()
    }
}

async fn call(State(seen): State<Arc<Mutex<Seen>>>, headers: HeaderMap, body: Bytes) -> Response {
    let (_, call): (_, AgentCall) = match decode_call(&headers, &body) {
        Ok(decoded) => decoded,
        Err(refusal) => return refusal.into_response(),
    };
    let mut seen = seen.lock().await;
    let Some(subscribe) = call.subscribe.clone() else {
        assert_eq!(headers.get("mesos-stream-id").unwrap(), "stream", "calls name their stream");
        let is_goodbye = call.r#type() == agent_call::Type::Unregister;
        seen.calls.push(call);
        if !(is_goodbye && seen.silent_goodbye) {
            return accepted();
        }
        seen.stream = None;
        drop(seen);
        return std::future::pending().await;
    };
    let (sender, response) = event_stream(accept(&headers).unwrap(), Some("stream".to_owned()), 1024);
    let subscribed = agent_event::Subscribed {
        agent_id: subscribe.agent_info.id.clone().unwrap_or_else(|| AGENT_ID.into()),
        total_ping_timeout_seconds: Some(75.0),
        master_info: None,
    };
    sender.try_send(&AgentEvent::subscribed(subscribed)).unwrap();
    seen.subscriptions.push(subscribe);
    seen.stream = Some(sender);
    response
}

/// A framework that checkpoints, or does not, and knows about partitions.
pub(crate) fn framework(checkpoint: bool) -> FrameworkInfo {
    let capability = |kind: capability::Type| Capability { r#type: Some(kind.into()) };
    FrameworkInfo {
        user: String::new(),
        name: "test".to_owned(),
        id: Some(FRAMEWORK.into()),
        checkpoint: Some(checkpoint),
        capabilities: [capability::Type::PartitionAware, capability::Type::TaskKillingState].map(capability).into(),
        ..FrameworkInfo::default()
    }
}

/// A command task.
pub(crate) fn task(id: &str) -> TaskInfo {
    TaskInfo {
        name: id.to_owned(),
        task_id: id.into(),
        agent_id: AGENT_ID.into(),
        resources: "cpus:0.5;mem:64".parse::<Resources>().unwrap().to_wire(),
        command: Some(CommandInfo { value: Some("sleep 1000".to_owned()), ..CommandInfo::default() }),
        ..TaskInfo::default()
    }
}
