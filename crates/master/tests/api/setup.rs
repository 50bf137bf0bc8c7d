//! A master under test, and the peers it is tested with.

use std::net::SocketAddr;
use std::time::Duration;

use ::master::{Master, Options};
use harness::http;
pub(crate) use harness::http::Answer;
use mesos::client::{Client, ClientError, EventStream, Reply};
use mesos::v1::cygnet::{AgentCall, AgentEvent, agent_call, agent_event};
use mesos::v1::offer::{Operation, operation};
use mesos::v1::scheduler::{Call, Event, call, event};
use mesos::v1::{self, Resource, TaskState, TaskStatus, master};
use mesos::{Codec, Union};
use serde_json::json;
use store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::fixtures;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const SCHEDULER: &str = "/api/v1/scheduler";
pub(crate) const CODECS: [Codec; 2] = [Codec::Json, Codec::Protobuf];
pub(crate) const AGENT: &str = "/cygnet/v1/agent";

/// Runs until dropped.
pub(crate) struct TestMaster {
    pub(crate) authority: String,
    running: JoinHandle<()>,
    shutdown: DropGuard,
}

impl TestMaster {
    pub(crate) async fn start() -> Self {
        Self::with(quick(Store::in_memory().unwrap())).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let master = Master::bind(options).await.unwrap();
        let authority = master.address().to_string();
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let running = tokio::spawn(async move { master.run(token).await.unwrap() });
        TestMaster { authority, running, shutdown: shutdown.drop_guard() }
    }

    pub(crate) async fn stop(self) {
        drop(self.shutdown);
        self.running.await.unwrap();
    }

    fn address(&self) -> SocketAddr {
        self.authority.parse().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        http::ask(self.address(), "GET", path, &[], "").await
    }

    /// Sends raw text.
    pub(crate) async fn raw(&self, request: &str) -> Answer {
        http::ask_raw(self.address(), request.to_owned()).await
    }

    pub(crate) async fn get_json(&self, path: &str) -> serde_json::Value {
        let (status, body) = Client::new(&self.authority, Codec::Json).get(path).await.unwrap();
        assert_eq!(status, 200, "{path}");
        serde_json::from_slice(&body).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        http::ask(self.address(), "POST", path, headers, body).await
    }

    /// Waits until a condition on `/state` holds.
    pub(crate) async fn until_state(&self, holds: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let waiting = async {
            loop {
                let state = self.get_json("/state").await;
                if holds(&state) {
                    break state;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap()
    }
}

/// Options for tests: a free port and short rounds.
pub(crate) fn quick(store: Store) -> Options {
    let mut options = Options::new(store);
    options.port = 0;
    options.settings.allocation_interval = Duration::from_millis(20);
    options
}

/// The next event of a stream; nothing at its end.
pub(crate) async fn next<E: Union + From<E::Content>>(stream: &mut EventStream<E>) -> Option<E> {
    stream.next_within(PATIENCE).await.unwrap().map(E::from)
}

/// The next event that is the one. Heartbeats must not keep a test waiting for ever.
#[track_caller]
fn until<E: Union + From<E::Content>>(
    stream: &mut EventStream<E>,
    what: impl std::fmt::Debug,
    is_it: impl Fn(&E) -> bool,
) -> impl Future<Output = E> {
    let caller = std::panic::Location::caller();
    let waiting = async move {
        loop {
            let event = next(stream).await.expect("the stream ended");
            if is_it(&event) {
                return event;
            }
        }
    };
    async move {
        let waited = tokio::time::timeout(2 * PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("{what:?} never came: {caller}"))
    }
}

/// The events that operators are told of.
pub(crate) async fn listen(master: &TestMaster, codec: Codec) -> EventStream<master::Event> {
    Client::new(&master.authority, codec).subscribe("/api/v1", &master::Call::subscribe()).await.unwrap()
}

/// The answer of the operator API.
pub(crate) async fn ask(client: &Client, kind: master::call::Type) -> master::Response {
    let get_metrics = (kind == master::call::Type::GetMetrics).then(master::call::GetMetrics::default);
    let call = master::Call { r#type: Some(kind.into()), get_metrics, ..master::Call::default() };
    client.ask("/api/v1", &call).await.unwrap()
}

/// A framework's scheduler.
pub(crate) struct Scheduler {
    client: Client,
    pub(crate) events: EventStream<Event>,
    pub(crate) id: v1::FrameworkId,
    pub(crate) stream_id: String,
    pub(crate) info: v1::FrameworkInfo,
}

impl Scheduler {
    pub(crate) async fn subscribe(master: &TestMaster, codec: Codec, info: v1::FrameworkInfo) -> Self {
        let client = Client::new(&master.authority, codec);
        let subscribe = call::Subscribe { framework_info: info.clone(), ..call::Subscribe::default() };
        let call = Call { framework_id: info.id.clone(), ..Call::subscribe(subscribe) };
        let events = client.subscribe(SCHEDULER, &call).await.unwrap();
        let stream_id = events.stream_id().unwrap().to_owned();
        let mut scheduler = Scheduler { client, events, id: v1::FrameworkId::default(), stream_id, info };
        let first = scheduler.next().await;
        if let Some(subscribed) = first.subscribed {
            scheduler.id = subscribed.framework_id;
            assert_eq!(scheduler.next().await.r#type(), event::Type::Heartbeat);
        } else {
            assert_eq!(first.r#type(), event::Type::Error);
        }
        scheduler
    }

    /// Another scheduler of the same framework.
    pub(crate) async fn again(&self, master: &TestMaster, codec: Codec) -> Self {
        let info = v1::FrameworkInfo { id: Some(self.id.clone()), ..self.info.clone() };
        Self::subscribe(master, codec, info).await
    }

    pub(crate) async fn next(&mut self) -> Event {
        next(&mut self.events).await.expect("the stream ended")
    }

    #[track_caller]
    pub(crate) fn wait_for(&mut self, kind: event::Type) -> impl Future<Output = Event> {
        until(&mut self.events, kind, move |event: &Event| event.r#type() == kind)
    }

    pub(crate) async fn offer(&mut self) -> v1::Offer {
        self.wait_for(event::Type::Offers).await.offers.unwrap().offers.remove(0)
    }

    pub(crate) async fn update(&mut self) -> TaskStatus {
        self.wait_for(event::Type::Update).await.update.unwrap().status
    }

    pub(crate) async fn try_call(&self, call: Call) -> Result<Reply, ClientError> {
        let call = Call { framework_id: Some(self.id.clone()), ..call };
        self.client.call(SCHEDULER, &call, Some(&self.stream_id)).await
    }

    pub(crate) async fn call(&self, call: Call) {
        assert_eq!(self.try_call(call).await.unwrap().status, 202);
    }

    pub(crate) async fn launch(&self, offer: &v1::Offer, tasks: Vec<v1::TaskInfo>) {
        let accept = call::Accept {
            offer_ids: vec![offer.id.clone()],
            operations: vec![Operation::launch(operation::Launch { task_infos: tasks })],
            filters: Some(v1::Filters { refuse_seconds: Some(0.0) }),
        };
        self.call(Call::accept(accept)).await;
    }

    pub(crate) async fn acknowledge(&self, status: &TaskStatus) {
        let acknowledge = call::Acknowledge {
            agent_id: status.agent_id.clone().unwrap(),
            task_id: status.task_id.clone(),
            uuid: status.uuid.clone().unwrap(),
        };
        self.call(Call::acknowledge(acknowledge)).await;
    }

    pub(crate) async fn kill(&self, task: &str) {
        self.call(Call::kill(call::Kill { task_id: task.into(), ..call::Kill::default() })).await;
    }

    pub(crate) async fn reconcile_all(&self) {
        self.call(Call::reconcile(call::Reconcile::default())).await;
    }

    pub(crate) async fn send(&self, kind: call::Type) {
        self.call(Call { r#type: Some(kind.into()), ..Call::default() }).await;
    }
}

/// An agent that does what it is told.
pub(crate) struct Agent {
    client: Client,
    pub(crate) orders: EventStream<AgentEvent>,
    pub(crate) id: v1::AgentId,
    pub(crate) info: v1::AgentInfo,
}

impl Agent {
    pub(crate) async fn register(master: &TestMaster, codec: Codec, info: v1::AgentInfo) -> Self {
        Self::report(master, codec, info, Vec::new()).await
    }

    pub(crate) async fn report(
        master: &TestMaster,
        codec: Codec,
        info: v1::AgentInfo,
        frameworks: Vec<agent_call::Framework>,
    ) -> Self {
        let client = Client::new(&master.authority, codec);
        let subscribe = agent_call::Subscribe {
            agent_info: info.clone(),
            pid: Some(format!("slave(1)@127.0.0.1:{}", info.port())),
            version: Some("0.1.0".to_owned()),
            frameworks,
            ..agent_call::Subscribe::default()
        };
        let call = AgentCall::subscribe(subscribe);
        let orders = client.subscribe(AGENT, &call).await.unwrap();
        let mut agent = Agent { client, orders, id: v1::AgentId::default(), info };
        let subscribed = agent.next().await.subscribed.expect("SUBSCRIBED comes first");
        agent.id = subscribed.agent_id;
        agent.info.id = Some(agent.id.clone());
        agent
    }

    pub(crate) async fn next(&mut self) -> AgentEvent {
        next(&mut self.orders).await.expect("the stream ended")
    }

    #[track_caller]
    pub(crate) fn wait_for(&mut self, kind: agent_event::Type) -> impl Future<Output = AgentEvent> {
        until(&mut self.orders, kind, move |order: &AgentEvent| order.r#type() == kind)
    }

    pub(crate) async fn try_call(&self, call: AgentCall) -> Result<Reply, ClientError> {
        let call = AgentCall { agent_id: Some(self.id.clone()), ..call };
        self.client.call(AGENT, &call, self.orders.stream_id()).await
    }

    pub(crate) async fn send(&self, kind: agent_call::Type) {
        let call = AgentCall { r#type: Some(kind.into()), ..AgentCall::default() };
        assert_eq!(self.try_call(call).await.unwrap().status, 202);
    }

    pub(crate) async fn update(&self, framework: &v1::FrameworkId, task: &str, state: TaskState, uuid: u8) {
        let status = TaskStatus {
            task_id: task.into(),
            state: state.into(),
            source: Some(v1::task_status::Source::Executor.into()),
            agent_id: Some(self.id.clone()),
            executor_id: Some(task.into()),
            uuid: Some(self::uuid(uuid)),
            timestamp: Some(1_795_421_771.25),
            container_status: Some(fixtures::container("c1", "127.0.0.1")),
            ..TaskStatus::default()
        };
        self.send_update(framework, status).await;
    }

    pub(crate) async fn send_update(&self, framework: &v1::FrameworkId, status: TaskStatus) {
        let update = agent_call::Update { framework_id: framework.clone(), status, latest_state: None };
        let call = AgentCall::update(update);
        assert_eq!(self.try_call(call).await.unwrap().status, 202);
    }
}

/// The UUID of that number: bytes that are all it, but for the version, without which they would be none.
pub(crate) fn uuid(number: u8) -> Vec<u8> {
    let mut bytes = vec![number; 16];
    bytes[6] = 0x40;
    bytes
}

pub(crate) fn framework(name: &str) -> v1::FrameworkInfo {
    let labels = vec![v1::Label { key: "a".to_owned(), value: Some("b".to_owned()) }];
    v1::FrameworkInfo { labels: Some(v1::Labels { labels }), ..fixtures::framework(name) }
}

pub(crate) fn node(hostname: &str) -> v1::AgentInfo {
    let ports = v1::Resource::ports(31_000..=32_000);
    let rack = json!({ "name": "rack", "type": "TEXT", "text": { "value": "r1" } });
    let scalars = [("cpus", 8.0), ("mem", 4096.0), ("disk", 1000.0)].map(|(name, value)| Resource::scalar(name, value));
    v1::AgentInfo {
        hostname: hostname.to_owned(),
        resources: scalars.into_iter().chain([ports]).collect(),
        attributes: vec![mesos::json::from_value(rack).unwrap()],
        ..v1::AgentInfo::default()
    }
}

pub(crate) fn task(id: &str, agent: &v1::AgentId) -> v1::TaskInfo {
    let check = mesos::json::from_value(json!({ "type": "TCP", "tcp": { "port": 80 } })).unwrap();
    v1::TaskInfo { health_check: Some(check), ..fixtures::task(id, agent, 1.0, 128.0) }
}

/// An agent, and a scheduler that has launched a task on it.
pub(crate) async fn launched(master: &TestMaster, codec: Codec) -> (Agent, Scheduler) {
    let agent = Agent::register(master, codec, node("n1")).await;
    let mut scheduler = Scheduler::subscribe(master, codec, framework("f")).await;
    let offer = scheduler.offer().await;
    scheduler.launch(&offer, vec![task("t1", &agent.id)]).await;
    (agent, scheduler)
}

/// A master, an agent and a scheduler with a task running.
pub(crate) async fn running(codec: Codec) -> (TestMaster, Agent, Scheduler) {
    let master = TestMaster::start().await;
    let (mut agent, mut scheduler) = launched(&master, codec).await;
    agent.wait_for(agent_event::Type::Launch).await;
    agent.update(&scheduler.id, "t1", TaskState::TaskRunning, 1).await;
    let status = scheduler.update().await;
    scheduler.acknowledge(&status).await;
    agent.wait_for(agent_event::Type::Acknowledge).await;
    (master, agent, scheduler)
}
