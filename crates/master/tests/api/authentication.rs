//! Authentication: challenges in Mesos' realms, and frameworks that are who they say.

use master::Authentication;
use mesos::Codec;
use mesos::client::{Client, ClientError, EventStream};
use mesos::credentials::{Credential, Credentials};
use mesos::v1::cygnet::{AgentCall, AgentEvent, agent_call};
use mesos::v1::scheduler::{Call, Event, call};
use mesos::v1::{self, FrameworkInfo};
use serde_json::json;

use super::setup::{AGENT, SCHEDULER, TestMaster, framework, node, quick};

async fn locked() -> TestMaster {
    let file = r#"{"credentials": [{"principal": "ops", "secret": "a"}, {"principal": "web", "secret": "b"}]}"#;
    let mut options = quick(store::Store::in_memory().unwrap());
    options.authentication = Authentication {
        credentials: Credentials::parse(file).unwrap(),
        frameworks: true,
        agents: true,
        readonly: true,
        readwrite: true,
    };
    TestMaster::with(options).await
}

fn client(master: &TestMaster, principal: &str, secret: &str) -> Client {
    let credential = json!({ "principal": principal, "secret": secret }).to_string();
    Client::new(&master.authority, Codec::Json).with_credential(Some(&Credential::parse(&credential).unwrap()))
}

async fn subscribe(client: &Client, info: FrameworkInfo) -> Result<EventStream<Event>, ClientError> {
    let subscribe = call::Subscribe { framework_info: info, ..call::Subscribe::default() };
    client.subscribe(SCHEDULER, &Call::subscribe(subscribe)).await
}

fn named(principal: &str) -> FrameworkInfo {
    FrameworkInfo { principal: Some(principal.to_owned()), ..framework("f") }
}

#[tokio::test]
async fn strangers_are_told_which_realm_they_are_not_of() {
    let master = locked().await;
    for (path, realm) in [
        ("/state", "mesos-master-readonly"),
        ("/master/state.json", "mesos-master-readonly"),
        ("/metrics/snapshot", "mesos-master-readonly"),
        ("/files/read?path=/x", "mesos-master-readonly"),
        ("/weights", "mesos-master-readwrite"),
        ("/api/v1", "mesos-master-readwrite"),
        ("/api/v1/scheduler", "mesos-master-scheduler"),
    ] {
        let answer = master.get(path).await;
        let challenge = format!("Basic realm=\"{realm}\"");
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some(challenge.as_str())), "{path}");
    }
    for path in ["/health", "/version", "/redirect", "/system/stats.json"] {
        assert!(master.get(path).await.status < 400, "{path} is open");
    }
    assert_eq!(client(&master, "ops", "a").get("/state").await.unwrap().0, 200);
    assert_eq!(client(&master, "ops", "b").get("/state").await.unwrap().0, 401);
    let flags = client(&master, "web", "b").get("/flags").await.unwrap().1;
    let flags: serde_json::Value = serde_json::from_slice(&flags).unwrap();
    assert_eq!(flags["flags"]["authenticate_http_frameworks"], "true");
}

#[tokio::test]
async fn a_framework_is_its_principal() {
    let master = locked().await;
    let (ops, web) = (client(&master, "ops", "a"), client(&master, "web", "b"));
    let refused = subscribe(&ops, named("web")).await.unwrap_err().to_string();
    assert!(refused.contains("400") && refused.contains("Authenticated principal 'ops' does not match"), "{refused}");
    // Who names none is known by the one it came with.
    let mut events = subscribe(&ops, framework("f")).await.unwrap();
    let id = Event::from(events.next().await.unwrap().unwrap()).subscribed.unwrap().framework_id;
    let shown: serde_json::Value = serde_json::from_slice(&ops.get("/frameworks").await.unwrap().1).unwrap();
    assert_eq!(shown["frameworks"][0]["principal"], "ops");
    let revive = Call { framework_id: Some(id), ..Call::revive(None) };
    let stream = events.stream_id().map(str::to_owned);
    let refused = web.call(SCHEDULER, &revive, stream.as_deref()).await.unwrap_err().to_string();
    assert!(refused.contains("Authenticated principal 'web' does not match principal 'ops'"), "{refused}");
    assert_eq!(ops.call(SCHEDULER, &revive, stream.as_deref()).await.unwrap().status, 202);
}

#[tokio::test]
async fn agents_have_to_be_known_too() {
    let master = locked().await;
    let subscribe = agent_call::Subscribe {
        agent_info: v1::AgentInfo { port: Some(5051), ..node("n1") },
        pid: Some("slave(1)@127.0.0.1:5051".to_owned()),
        ..agent_call::Subscribe::default()
    };
    let call = AgentCall::subscribe(subscribe);
    let stranger = Client::new(&master.authority, Codec::Protobuf);
    let refused = stranger.subscribe::<AgentCall, AgentEvent>(AGENT, &call).await.unwrap_err().to_string();
    assert!(refused.contains("401"), "{refused}");
    let mut events = client(&master, "ops", "a").subscribe::<AgentCall, AgentEvent>(AGENT, &call).await.unwrap();
    assert!(AgentEvent::from(events.next().await.unwrap().unwrap()).subscribed.is_some());
}
