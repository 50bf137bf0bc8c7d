//! Executors and pools in a test's hands.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use mesos::Codec;
use mesos::client::{Client, ClientError, EventStream};
use mesos::v1::cygnet::{PoolCall, PoolEvent, pool_call, pool_event};
use mesos::v1::executor::{Call, Event, call, event};
use mesos::v1::task_status::Source;
use mesos::v1::{ContainerId, ExecutorId, TaskInfo, TaskState, TaskStatus};

use crate::master::FRAMEWORK;
use crate::wait::{soon, until};
use crate::world::World;

/// The path that stock executors post to.
const PATH: &str = "/slave(1)/api/v1/executor";

/// The pool of the framework.
pub(crate) struct Pool {
    client: Client,
    name: String,
    events: EventStream<PoolEvent>,
}

impl Pool {
    /// The one that was started last.
    pub(crate) async fn subscribe(world: &World) -> Pool {
        Pool::named(world.address(), world.pool_name()).await
    }

    pub(crate) async fn named(agent: SocketAddr, name: String) -> Pool {
        let client = Client::new(agent.to_string(), Codec::Protobuf);
        let call = pool_call(&name, PoolCall::subscribe());
        let events = client.subscribe("/cygnet/v1/pool", &call).await.unwrap();
        Pool { client, name, events }
    }

    pub(crate) async fn next(&mut self) -> Option<PoolEvent> {
        soon("an event of the pool", self.events.next()).await.unwrap().map(PoolEvent::from)
    }

    /// The next executor to host.
    pub(crate) async fn add(&mut self) -> Add {
        let event = self.next().await.unwrap();
        assert_eq!(event.r#type(), pool_event::Type::Add);
        let add = event.add.unwrap();
        let environment = add.environment.into_iter().map(|variable| (variable.name, variable.value)).collect();
        Add {
            executor: add.executor_id.value,
            container: add.container_id,
            environment,
            directory: add.directory.unwrap(),
        }
    }

    pub(crate) async fn exited(&self, add: &Add, status: i32) {
        let exited = pool_call::Exited {
            executor_id: ExecutorId { value: add.executor.clone() },
            container_id: add.container.clone(),
            status: Some(status),
        };
        let call = pool_call(&self.name, PoolCall::exited(exited));
        self.client.call("/cygnet/v1/pool", &call, None).await.unwrap();
    }
}

fn pool_call(name: &str, call: PoolCall) -> PoolCall {
    PoolCall { framework_id: Some(FRAMEWORK.into()), pool_id: Some(name.to_owned()), ..call }
}

/// An executor a pool is to host.
pub(crate) struct Add {
    pub(crate) executor: String,
    pub(crate) container: ContainerId,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) directory: String,
}

/// One executor's subscription.
pub(crate) struct Executor {
    pub(crate) id: String,
    client: Client,
    events: EventStream<Event>,
}

impl Executor {
    pub(crate) async fn subscribe(agent: SocketAddr, id: &str) -> Executor {
        Executor::subscribe_with(agent, id, call::Subscribe::default()).await.unwrap()
    }

    /// The same, and the agent has answered.
    pub(crate) async fn greeted(agent: SocketAddr, id: &str) -> Executor {
        let mut executor = Executor::subscribe(agent, id).await;
        executor.expect(event::Type::Subscribed).await;
        executor
    }

    /// As soon as the agent knows of it.
    pub(crate) async fn subscribe_when_known(world: &World, id: &str) -> Executor {
        until("the executor to be known", async || {
            Executor::subscribe_with(world.address(), id, call::Subscribe::default()).await.ok()
        })
        .await
    }

    pub(crate) async fn subscribe_with(
        agent: SocketAddr,
        id: &str,
        subscribe: call::Subscribe,
    ) -> Result<Executor, ClientError> {
        let client = Client::new(agent.to_string(), Codec::Protobuf);
        let call = executor_call(id, Call::subscribe(subscribe));
        let events = client.subscribe(PATH, &call).await?;
        Ok(Executor { id: id.to_owned(), client, events })
    }

    pub(crate) async fn next(&mut self) -> Option<Event> {
        soon("an event of the agent", self.events.next()).await.unwrap().map(Event::from)
    }

    pub(crate) async fn expect(&mut self, kind: event::Type) -> Event {
        let event = self.next().await.unwrap();
        assert_eq!(event.r#type(), kind, "{event:?}");
        event
    }

    /// SUBSCRIBED and LAUNCH, in this order.
    pub(crate) async fn launched(&mut self) -> TaskInfo {
        self.expect(event::Type::Subscribed).await;
        self.expect(event::Type::Launch).await.launch.unwrap().task
    }

    /// Makes an update, and waits until the agent acknowledges it.
    pub(crate) async fn update(&mut self, state: TaskState) -> TaskStatus {
        let status = self.say(&self.id, state).await;
        let acknowledged = self.expect(event::Type::Acknowledged).await.acknowledged.unwrap();
        assert_eq!(acknowledged.uuid, status.uuid());
        status
    }

    /// Says how one of its tasks is.
    pub(crate) async fn say(&self, task: &str, state: TaskState) -> TaskStatus {
        let status = TaskStatus { task_id: task.into(), ..status(&self.id, state) };
        self.send(status.clone()).await.unwrap();
        status
    }

    pub(crate) async fn send(&self, status: TaskStatus) -> Result<(), ClientError> {
        let call = executor_call(&self.id, Call::update(call::Update { status }));
        self.client.call(PATH, &call, None).await.map(|reply| assert_eq!(reply.status, 202))
    }

    pub(crate) async fn message(&self, data: &[u8]) {
        let call = executor_call(&self.id, Call::message(call::Message { data: data.to_vec() }));
        self.client.call(PATH, &call, None).await.unwrap();
    }
}

pub(crate) fn executor_call(id: &str, call: Call) -> Call {
    Call { executor_id: id.into(), framework_id: FRAMEWORK.into(), ..call }
}

/// A status of an executor's only task.
pub(crate) fn status(id: &str, state: TaskState) -> TaskStatus {
    TaskStatus {
        task_id: id.into(),
        state: state.into(),
        source: Some(Source::Executor.into()),
        executor_id: Some(id.into()),
        timestamp: Some(1.5),
        uuid: Some(uuid::Uuid::new_v4().into_bytes().to_vec()),
        ..TaskStatus::default()
    }
}
