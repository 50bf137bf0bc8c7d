//! Every status of the executor API and its neighbours, in their order.

use bytes::Bytes;
use http::{Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mesos::v1::TaskState;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::executor::{Executor, status};
use crate::master::{FRAMEWORK, task};
use crate::world::World;

const EXECUTOR: &str = "/api/v1/executor";

/// Sends exactly this, and gives the status; the body of an endless answer is not waited for.
async fn send(world: &World, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> StatusCode {
    let stream = TcpStream::connect(world.address()).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", "agent");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = axum::body::Body::from(Bytes::copy_from_slice(body.as_bytes()));
    let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
    connection.abort();
    response.status()
}

async fn post(world: &World, path: &str, body: &Value) -> StatusCode {
    send(world, "POST", path, &[("content-type", "application/json")], &body.to_string()).await
}

fn call(kind: &str, executor: &str) -> Value {
    json!({"type": kind, "framework_id": {"value": FRAMEWORK}, "executor_id": {"value": executor}})
}

fn update(executor: &str, change: impl Fn(&mut Value)) -> Value {
    let mut call = call("UPDATE", executor);
    call["update"] = json!({"status": mesos::json::to_value(&status(executor, TaskState::TaskRunning))});
    change(&mut call["update"]["status"]);
    call
}

#[tokio::test]
async fn the_executor_api_refuses_in_the_order_of_mesos() {
    let world = World::new().await;
    world.master.launch(task("web.1")).await;
    let mut pool = world.pool().await;
    pool.add().await;
    let json_type = ("content-type", "application/json");
    assert_eq!(send(&world, "GET", EXECUTOR, &[], "").await, 405);
    assert_eq!(send(&world, "POST", EXECUTOR, &[], "{}").await, 400);
    assert_eq!(send(&world, "POST", EXECUTOR, &[("content-type", "text/plain")], "{}").await, 415);
    let with_charset = [("content-type", "application/json; charset=utf-8")];
    assert_eq!(send(&world, "POST", EXECUTOR, &with_charset, "{}").await, 415);
    for body in ["", "{", "[]", "{}", "\u{0}"] {
        assert_eq!(send(&world, "POST", EXECUTOR, &[json_type], body).await, 400, "{body:?}");
    }
    let subscribe = |executor: &str| {
        let mut call = call("SUBSCRIBE", executor);
        call["subscribe"] = json!({});
        call
    };
    let refused = [
        call("SUBSCRIBE", "web.1"),
        call("UPDATE", "web.1"),
        call("MESSAGE", "web.1"),
        json!({"framework_id": {"value": FRAMEWORK}, "executor_id": {"value": "web.1"}}),
        json!({"type": "HEARTBEAT", "executor_id": {"value": "web.1"}}),
        update("web.1", |status| status["uuid"] = json!("AAAA")),
        update("web.1", |status| status["uuid"] = Value::Null),
        update("web.1", |status| status["source"] = json!("SOURCE_MASTER")),
        update("web.1", |status| status["state"] = json!("TASK_STAGING")),
        update("web.1", |status| status["executor_id"] = json!({"value": "other"})),
        update("web.1", |status| status["check_status"] = json!({"type": "HTTP"})),
        subscribe("nobody"),
        update("nobody", |_| {}),
    ];
    for call in refused {
        assert_eq!(post(&world, EXECUTOR, &call).await, 400, "{call}");
    }
    let mut foreign = subscribe("web.1");
    foreign["framework_id"] = json!({"value": "nobody"});
    assert_eq!(post(&world, EXECUTOR, &foreign).await, 400);
    let picky = [json_type, ("accept", "text/html")];
    assert_eq!(send(&world, "POST", EXECUTOR, &picky, &subscribe("web.1").to_string()).await, 406);
    let heartbeat =
        json!({"type": "HEARTBEAT", "framework_id": {"value": "unused"}, "executor_id": {"value": "unused"}});
    assert_eq!(post(&world, EXECUTOR, &heartbeat).await, 202);
    assert_eq!(post(&world, EXECUTOR, &update("web.1", |_| {})).await, 403, "not subscribed yet");
    let mut executor = Executor::subscribe(world.address(), "web.1").await;
    executor.launched().await;
    assert_eq!(post(&world, EXECUTOR, &update("web.1", |_| {})).await, 202);
    for path in ["/slave(1)/api/v1/executor", "/slave%281%29/api/v1/executor/", "/api/v1/executor/further"] {
        assert_eq!(post(&world, path, &update("web.1", |_| {})).await, 202, "{path}");
    }
}

#[tokio::test]
async fn what_was_refused_changed_nothing() {
    let (world, _pool, _add, mut executor) = World::launching("web.1").await;
    let bad = update("web.1", |status| status["state"] = json!("TASK_STAGING"));
    assert_eq!(post(&world, EXECUTOR, &bad).await, 400);
    let other = update("web.1", |status| status["task_id"] = json!({"value": "other"}));
    assert_eq!(post(&world, EXECUTOR, &other).await, 202, "somebody else's task: heard, and left alone");
    executor.expect(mesos::v1::executor::event::Type::Acknowledged).await;
    executor.update(TaskState::TaskRunning).await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
    assert!(world.master.updates("other").await.is_empty());
}

#[tokio::test]
async fn the_operator_and_pool_apis_refuse_too() {
    let world = World::new().await;
    assert_eq!(send(&world, "GET", "/api/v1", &[], "").await, 405);
    assert_eq!(send(&world, "POST", "/api/v1", &[], "{}").await, 400);
    assert_eq!(post(&world, "/api/v1", &json!({})).await, 400);
    assert_eq!(post(&world, "/api/v1", &json!({"type": "ADD_RESOURCE_PROVIDER_CONFIG"})).await, 501);
    let picky = [("content-type", "application/json"), ("accept", "text/html")];
    assert_eq!(send(&world, "POST", "/api/v1", &picky, "{\"type\":\"GET_HEALTH\"}").await, 406);
    assert_eq!(send(&world, "POST", "/state", &[], "").await, 405);
    assert_eq!(send(&world, "GET", "/cygnet/v1/pool", &[], "").await, 405);
    assert_eq!(post(&world, "/cygnet/v1/pool", &json!({"type": "SUBSCRIBE"})).await, 400);
    assert_eq!(post(&world, "/cygnet/v1/pool", &json!({"framework_id": {"value": "F"}})).await, 400);
    let exited = json!({"type": "EXITED", "framework_id": {"value": "F"}});
    assert_eq!(post(&world, "/cygnet/v1/pool", &exited).await, 400);
    let huge = format!("{{\"type\":\"GET_HEALTH\",\"padding\":\"{}\"}}", "x".repeat(9 << 20));
    assert_eq!(send(&world, "POST", "/api/v1", &[("content-type", "application/json")], &huge).await, 413);
}
