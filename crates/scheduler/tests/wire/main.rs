//! The scheduler from outside: a real one against a master that is played, over real sockets.

mod api;
mod callbacks;
mod checks;
mod framework;
mod openapi;
mod operator;
mod standing;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use harness::http::Answer;
use mesos::Codec;
use mesos::server::{self, EventSender};
use mesos::v1::scheduler::{Call, Event, call, event};
use mesos::v1::{Offer, Resource, TaskInfo, TaskState, TaskStatus};
use scheduler::{Options, Scheduler};
use serde_json::{Value, json};
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);

/// Requests to the played master: subscriptions, with what to answer on, and calls with the stream they name.
enum Seen {
    Subscribed(Call, EventSender<Event>),
    Called(Call, Option<String>),
}

struct Master {
    address: SocketAddr,
    seen: UnboundedReceiver<Seen>,
    events: Option<EventSender<Event>>,
    operated: operator::Operated,
}

async fn scheduler_api(State(seen): State<UnboundedSender<Seen>>, headers: HeaderMap, body: Bytes) -> Response {
    let (codec, call) = match server::decode_call::<Call>(&headers, &body) {
        Ok(decoded) => decoded,
        Err(refusal) => return refusal.into_response(),
    };
    assert_eq!(codec, Codec::Protobuf);
    if call.r#type() == call::Type::Subscribe {
        let (events, response) = server::event_stream(codec, Some("stream".into()), 100);
        seen.send(Seen::Subscribed(call, events)).unwrap();
        return response;
    }
    let stream = headers.get("mesos-stream-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    seen.send(Seen::Called(call, stream)).unwrap();
    server::accepted()
}

impl Master {
    async fn start() -> Master {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = unbounded_channel();
        let operated = operator::Operated::default();
        let router = Router::new().route("/api/v1/scheduler", post(scheduler_api)).with_state(sender);
        let router = router.merge(operator::routes(operated.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Master { address, seen, events: None, operated }
    }

    async fn next(&mut self) -> Seen {
        tokio::time::timeout(PATIENCE, self.seen.recv()).await.expect("something in time").expect("a server")
    }

    /// Waits for a subscription and accepts it under this id.
    async fn subscribe(&mut self, id: &str) -> Call {
        loop {
            if let Seen::Subscribed(call, events) = self.next().await {
                let subscribed = event::Subscribed {
                    framework_id: id.into(),
                    heartbeat_interval_seconds: Some(15.0),
                    ..event::Subscribed::default()
                };
                self.events = Some(events);
                self.send(Event::subscribed(subscribed));
                return call;
            }
        }
    }

    fn send(&self, event: Event) {
        self.events.as_ref().expect("a subscription").try_send(&event).unwrap();
    }

    /// The next call of this type; others are passed over.
    async fn call(&mut self, kind: call::Type) -> Call {
        loop {
            if let Seen::Called(call, stream) = self.next().await {
                assert_eq!(stream.as_deref(), Some("stream"));
                assert!(call.framework_id.is_some());
                if call.r#type() == kind {
                    return call;
                }
            }
        }
    }

    async fn offer(&mut self) -> TaskInfo {
        self.send(Event::offers(event::Offers { offers: vec![offer()] }));
        let accept = self.call(call::Type::Accept).await.accept.unwrap();
        accept.operations[0].launch.as_ref().unwrap().task_infos[0].clone()
    }

    /// An offer that is of no use to anybody.
    async fn decline(&mut self) {
        self.send(Event::offers(event::Offers { offers: vec![offer()] }));
        self.call(call::Type::Decline).await;
    }

    fn update(&self, status: TaskStatus) {
        self.send(Event::update(event::Update { status }));
    }
}

fn offer() -> Offer {
    let [cpus, mem] = [Resource::scalar("cpus", 4.0), Resource::scalar("mem", 1000.0)];
    Offer {
        id: "offer".into(),
        agent_id: "agent".into(),
        hostname: "127.0.0.1".into(),
        resources: vec![cpus, mem, Resource::ports(31000..=31009)],
        ..Offer::default()
    }
}

fn status(task: &TaskInfo, state: TaskState, uuid: u8) -> TaskStatus {
    TaskStatus {
        task_id: task.task_id.clone(),
        state: state.into(),
        agent_id: Some("agent".into()),
        uuid: Some(vec![uuid; 16]),
        ..TaskStatus::default()
    }
}

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<Result<(), scheduler::SchedulerError>>,
}

impl Running {
    async fn start(master: SocketAddr, store: Store) -> Running {
        Running::start_with(master, store, |_| ()).await
    }

    async fn start_with(master: SocketAddr, store: Store, change: impl FnOnce(&mut Options)) -> Running {
        let mut options = Options::new(store, master.to_string());
        options.port = 0;
        change(&mut options);
        let scheduler = Scheduler::bind(options).await.unwrap();
        let address = scheduler.address();
        let stop = CancellationToken::new();
        let ended = tokio::spawn(scheduler.run(stop.clone()));
        Running { address, stop, ended }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.ended.await.unwrap().unwrap();
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        harness::http::ask(self.address, method, path, headers, body).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(method, path, &[("content-type", "application/json")], &body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.send("GET", path, &Value::Null).await.json()
    }

    async fn app(&self) -> Value {
        self.get("/v2/apps/web").await["app"].clone()
    }

    /// Creates the app that most tests are about.
    async fn create(&self) {
        self.deploy(&json!({"id": "web", "cmd": "run", "cpus": 0.1, "mem": 10, "backoffSeconds": 0})).await;
    }

    async fn deploy(&self, app: &Value) {
        let created = self.send("POST", "/v2/apps", app).await;
        assert_eq!(created.status, 201, "{}", created.text());
    }

    async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let look = async {
            loop {
                let app = self.app().await;
                if wanted(&app) {
                    return app;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }
}
