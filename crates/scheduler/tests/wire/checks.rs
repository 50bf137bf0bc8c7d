//! The scheduler's own checks, over real sockets.

use axum::http::Uri;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_asks_the_agents_host_by_its_name_for_the_path_as_it_is_written() {
    let mut master = Master::start().await;
    let running = Running::start(master.address, Store::in_memory().unwrap()).await;
    master.subscribe("F").await;
    let (sender, mut asked) = unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = move |uri: Uri, headers: HeaderMap| async move {
        let host = headers.get("host").and_then(|host| host.to_str().ok()).map(str::to_owned);
        sender.send((uri.to_string(), host.unwrap_or_default())).unwrap();
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });

    let check = json!({"protocol": "HTTP", "port": port, "path": "//double/", "delaySeconds": 0, "intervalSeconds": 1});
    let app = json!({"id": "web", "cmd": "run", "cpus": 0.1, "mem": 10, "healthChecks": [check]});
    running.deploy(&app).await;
    let there = Offer { hostname: "localhost".into(), ..offer() };
    master.send(Event::offers(event::Offers { offers: vec![there] }));
    let accept = master.call(call::Type::Accept).await.accept.unwrap();
    let task = &accept.operations[0].launch.as_ref().unwrap().task_infos[0];
    master.update(status(task, TaskState::TaskRunning, 1));
    running.until("health", |app| app["tasksHealthy"] == 1).await;
    assert_eq!(asked.recv().await, Some(("//double/".into(), format!("localhost:{port}"))));
    running.stop().await;
}
