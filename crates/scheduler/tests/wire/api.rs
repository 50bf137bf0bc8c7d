//! `/v2` as clients meet it: statuses, messages, headers, and the forms of paths.

use super::*;

async fn alone() -> (Master, Running) {
    let master = Master::start().await;
    let running = Running::start(master.address, Store::in_memory().unwrap()).await;
    (master, running)
}

fn app(id: &str) -> Value {
    json!({"id": id, "cmd": "run", "cpus": 0.1, "mem": 10})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_have_marathons_statuses_and_words() {
    let (_master, running) = alone().await;
    running.deploy(&app("/shop/web")).await;
    let none = json!(null);
    let two = json!({"id": "/shop/web", "cmd": "x", "version": "2020-01-01T00:00:00.000Z"});
    for (asked, body, status, message) in [
        ("GET /v2/apps/x", &none, 404, "App '/x' does not exist"),
        ("GET /v2/apps/x/tasks", &none, 404, "App '/x' does not exist"),
        ("GET /v2/apps/x/versions", &none, 404, "App '/x' does not exist"),
        ("DELETE /v2/apps/x", &none, 404, "App '/x' does not exist"),
        ("PATCH /v2/apps/x", &json!({"instances": 1}), 404, "App '/x' does not exist"),
        ("POST /v2/apps/x/restart", &none, 404, "App '/x' does not exist"),
        (
            "GET /v2/apps/shop/web/versions/2020-01-01T00:00:00.000Z",
            &none,
            404,
            "App '/shop/web' does not exist in version 2020-01-01T00:00:00.000Z",
        ),
        ("POST /v2/apps", &app("/shop/web"), 409, "An app with id [/shop/web] already exists."),
        ("POST /v2/apps", &json!({"id": "/shop/web"}), 422, "Object is not valid"),
        ("PUT /v2/apps/shop/web", &json!({"id": "/shop/api"}), 422, "Object is not valid"),
        ("GET /v2/apps/x/*", &none, 404, "Group '/x' does not exist"),
        ("GET /v2/apps/x/*/tasks", &none, 404, "Group '/x' does not exist"),
        ("POST /v2/apps/shop/web/versions", &json!({}), 405, "Method Not Allowed"),
        ("PUT /v2/groups/shop/versions", &json!({}), 405, "Method Not Allowed"),
        ("POST /v2/apps", &json!({"id": 7}), 422, "Invalid JSON"),
        ("POST /v2/apps", &json!({"id": "/a", "cmd": "x", "cpus": -1}), 422, "Object is not valid"),
        ("POST /v2/apps", &none, 400, "Please specify data in JSON format"),
        ("PUT /v2/apps/shop/web", &two, 422, "Object is not valid"),
        ("GET /v2/apps?label=a%20b", &none, 400, "Can't parse label selector expression: a b"),
        ("DELETE /v2/apps/shop/web/tasks/none", &none, 404, "Task 'none' does not exist"),
        (
            "DELETE /v2/apps/shop/web/tasks?scale=true&wipe=true",
            &none,
            400,
            "You cannot use scale and wipe at the same time.",
        ),
        ("POST /v2/tasks/delete", &json!({"ids": ["nonsense"]}), 400, "Invalid task id 'nonsense'"),
        ("GET /v2/groups/x", &none, 404, "Group '/x' does not exist"),
        ("DELETE /v2/groups/x", &none, 404, "Group '/x' does not exist"),
        (
            "POST /v2/groups",
            &json!({"id": "/shop"}),
            409,
            "Group /shop is already created. Use PUT to change this group.",
        ),
        ("POST /v2/groups", &json!({"id": "/shop/web"}), 409, "An app with the path /shop/web already exists."),
        ("DELETE /v2/deployments/x", &none, 404, "DeploymentPlan x does not exist"),
        ("DELETE /v2/queue/x/delay", &none, 404, "Application /x not found in tasks queue."),
        (
            "GET /v2/eventSubscriptions",
            &none,
            404,
            "event subscriptions are gone since Marathon 1.5: read the event stream at /v2/events, or start the scheduler \
             with --event-subscriber http_callback",
        ),
        ("GET /v2/schemas", &none, 404, "URI not found"),
        (
            "DELETE /v2/leader?backup=file:///x",
            &none,
            400,
            "backup is not supported: copy scheduler.redb from the work directory while the scheduler is stopped",
        ),
        ("PUT /v2/tasks", &none, 405, "Method Not Allowed"),
    ] {
        let (method, path) = asked.split_once(' ').unwrap();
        let answer = running.send(method, path, body).await;
        assert_eq!((answer.status, answer.message().as_str()), (status, message), "{asked}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_app_names_its_deployment_in_marathons_words() {
    let (_master, running) = alone().await;
    let created = running.send("POST", "/v2/apps", &app("/web")).await;
    let id = created.json()["deployments"][0]["id"].clone();
    let locked = running.send("PUT", "/v2/apps/web", &json!({"instances": 2})).await;
    let message = "App is locked by one or more deployments. Override with the option '?force=true'. View details at \
                   '/v2/deployments/<DEPLOYMENT_ID>'.";
    assert_eq!(locked.status, 409);
    assert_eq!(locked.json(), json!({"message": message, "deployments": [{"id": id}]}));
    let forced = running.send("PUT", "/v2/apps/web?force=true", &json!({"instances": 2})).await;
    assert_eq!(forced.header("marathon-deployment-id"), forced.json()["deploymentId"].as_str());
    let path = format!("/v2/deployments/{}?force=true", forced.json()["deploymentId"].as_str().unwrap());
    let stopped = running.send("DELETE", &path, &json!(null)).await;
    assert_eq!((stopped.status, stopped.text().as_str()), (202, ""));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_methods_and_headers_are_as_clients_expect_them() {
    let (_master, running) = alone().await;
    assert_eq!(running.send("POST", "/v2/apps/", &app("shop/web")).await.header("location"), Some("/v2/apps/shop/web"));
    for path in ["/v2/apps//shop/web", "/v2/apps/shop/web/", "/v2/apps/%2Fshop%2Fweb", "/v2/apps/shop/web"] {
        let answer = running.send("GET", path, &json!(null)).await;
        assert_eq!(answer.json()["app"]["id"], "/shop/web", "{path}");
        assert_eq!(answer.header("x-marathon-leader"), Some(format!("http://{}", running.address).as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-cache, no-store, must-revalidate"));
    }
    let all = running.send("GET", "/v2/apps/shop/*", &json!(null)).await;
    assert_eq!(all.json()["*"][0]["id"], "/shop/web");
    assert_eq!(running.get("/v2/tasks/").await, json!({"tasks": []}));
    let pong = running.ask("GET", "/ping", &[("accept", "application/json")], "").await;
    assert_eq!((pong.json(), running.send("GET", "/ping", &json!(null)).await.text()), (json!("pong"), "pong".into()));
    let text = running.ask("GET", "/metrics", &[("accept", "text/plain")], "").await.text();
    assert!(text.contains("marathon_apps_active_gauge 1\n"), "{text}");
    for (path, allowed) in [
        ("/v2/apps", "GET, HEAD, POST, PUT, PATCH, OPTIONS"),
        ("/v2/apps/shop/web", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("/v2/apps/shop/web/tasks", "GET, HEAD, DELETE, OPTIONS"),
        ("/v2/groups", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("/v2/pods", "GET, HEAD, POST, OPTIONS"),
        ("/ping", "GET, HEAD, OPTIONS"),
        ("/v2/apps/shop/web/versions", "GET, HEAD, OPTIONS"),
    ] {
        let options = running.send("OPTIONS", path, &json!(null)).await;
        assert_eq!((options.status, options.header("allow")), (200, Some(allowed)), "{path}");
        let head = running.send("HEAD", path, &json!(null)).await;
        assert_eq!((head.status, head.text().as_str()), (200, ""), "{path}");
        assert_eq!(head.header("x-content-type-options"), Some("nosniff"), "{path}");
        let refused = running.send("TRACE", path, &json!(null)).await;
        assert_eq!((refused.status, refused.header("allow")), (405, Some(allowed)), "{path}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_packed_and_come_in_the_form_that_is_accepted() {
    let (_master, running) = alone().await;
    let mut large = app("/large");
    large["labels"] = json!({"text": "x".repeat(10_000)});
    running.deploy(&large).await;
    let packed = running.ask("GET", "/v2/apps", &[("accept-encoding", "gzip")], "").await;
    assert_eq!((packed.status, packed.header("content-encoding")), (200, Some("gzip")));
    assert!(packed.body.len() < 5000, "{}", packed.body.len());
    let plain = running.ask("GET", "/v2/apps", &[], "").await;
    assert_eq!((plain.header("content-encoding"), plain.text().len() > 10_000), (None, true));
    let small = running.ask("GET", "/v2/leader", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(small.header("content-encoding"), None, "it fits into a packet");
    for (accept, status, kind, body) in [
        ("*/*", 200, Some("text/plain; charset=utf-8"), "pong"),
        ("text/html, */*;q=0.1", 200, Some("text/html; charset=utf-8"), "pong"),
        ("application/json", 200, Some("application/json; charset=utf-8"), "\"pong\""),
        ("text/plain;q=0.5, application/json", 200, Some("application/json; charset=utf-8"), "\"pong\""),
        ("image/png", 204, None, ""),
    ] {
        let answer = running.ask("GET", "/ping", &[("accept", accept)], "").await;
        let shown = (answer.status, answer.header("content-type"), answer.text());
        assert_eq!(shown, (status, kind, body.to_owned()), "{accept}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_named_twice_is_killed_once() {
    let (mut master, running) = alone().await;
    master.subscribe("F").await;
    let two = json!({"id": "web", "cmd": "run", "cpus": 0.1, "mem": 10, "instances": 2});
    running.deploy(&two).await;
    let task = master.offer().await.task_id.value;
    running.until("two tasks", |app| app["tasksStaged"] == 2).await;
    let both = json!({"ids": [task, task, "no.instance-b1e8d24e-9d4a-4d0b-a3a2-43a04b5e0000._app.1"]});
    let killed = running.send("POST", "/v2/tasks/delete", &both).await.json();
    assert_eq!((killed["tasks"].as_array().unwrap().len(), &killed["tasks"][0]["id"]), (1, &json!(task)));
    let scaled = running.send("POST", "/v2/tasks/delete?scale=true&force=true", &both).await.json();
    assert!(scaled["deploymentId"].is_string(), "{scaled}");
    assert_eq!(running.app().await["instances"], 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_balancers_read_lines_of_text() {
    let (mut master, running) = alone().await;
    master.subscribe("F").await;
    running.create().await;
    let task = master.offer().await;
    master.update(status(&task, TaskState::TaskRunning, 1));
    let app = running.until("a running task", |app| app["tasksRunning"] == 1).await;
    let (service, port) = (&app["portDefinitions"][0]["port"], &app["tasks"][0]["ports"][0]);
    assert_eq!((service, &app["tasks"][0]["servicePorts"][0]), (&json!(10_000), service));
    let line = format!("web\t{service}\t127.0.0.1:{port}\t\n");
    for path in ["/v2/tasks", "/v2/apps/web/tasks"] {
        let text = running.ask("GET", path, &[("accept", "text/plain")], "").await;
        assert_eq!(text.text(), line);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_root_group_has_versions_too() {
    let (_master, running) = alone().await;
    running.send("PUT", "/v2/groups", &json!({"id": "/", "apps": [app("web")]})).await;
    running.send("PUT", "/v2/groups?force=true", &json!({"id": "/", "apps": [app("web"), app("more")]})).await;
    let versions = running.get("/v2/groups/versions").await;
    assert_eq!(running.get("/v2/groups//versions").await, versions);
    let [newest, oldest] = versions.as_array().unwrap().as_slice() else { panic!("two versions: {versions}") };
    for (version, apps) in [(newest, 2), (oldest, 1)] {
        let path = format!("/v2/groups//versions/{}", version.as_str().unwrap());
        let group = running.get(&path).await;
        assert_eq!(group["apps"].as_array().map(Vec::len), Some(apps), "{group}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_made_shown_tried_and_removed() {
    let (_master, running) = alone().await;
    let group = json!({"id": "shop", "apps": [{"id": "web", "cmd": "run", "dependencies": ["db"]}, {"id": "db", "cmd": "run"}]});
    let tried = running.send("PUT", "/v2/groups?dryRun=true", &group).await.json();
    let steps = tried["steps"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["actions"], json!([{"action": "ScaleApplication", "app": "/shop/web"}]));
    let untried = running.send("POST", "/v2/groups?dryRun=true", &group).await;
    assert_eq!(untried.status, 400, "it is not made, for it was to be tried");
    let created = running.send("POST", "/v2/groups", &group).await;
    assert_eq!((created.status, created.header("location")), (201, Some("/v2/groups/shop")));
    assert_eq!(running.send("DELETE", "/v2/groups/shop?force=true&dryRun=true", &json!(null)).await.status, 400);
    let shown = running.get("/v2/groups/shop?embed=group.apps&embed=group.apps.counts").await;
    assert_eq!((&shown["apps"][0]["id"], &shown["apps"][0]["tasksRunning"]), (&json!("/shop/db"), &json!(0)));
    assert!(shown.get("groups").is_none() && shown.get("pods").is_none());
    let locked = running.send("DELETE", "/v2/groups/shop", &json!(null)).await;
    assert_eq!(locked.status, 409);
    let removed = running.send("DELETE", "/v2/groups/shop?force=true", &json!(null)).await;
    assert_eq!((removed.status, removed.json()["deploymentId"].is_string()), (200, true));
    assert_eq!(running.get("/v2/groups").await["groups"], json!([]));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_abdicates_is_elected_again_and_reconciles() {
    let (mut master, running) = alone().await;
    master.subscribe("F").await;
    master.call(call::Type::Reconcile).await;
    let answer = running.send("DELETE", "/v2/leader", &json!(null)).await;
    assert_eq!((answer.status, answer.message().as_str()), (200, "Leadership abdicated"));
    assert_eq!(master.subscribe("F").await.framework_id.unwrap().value, "F");
    master.call(call::Type::Reconcile).await;
    running.stop().await;
}

async fn listen(running: &Running, query: &str) -> tokio::io::BufReader<tokio::net::TcpStream> {
    listen_with(running, query, "").await
}

/// The same, with more lines in the head of the request.
async fn listen_with(running: &Running, query: &str, more: &str) -> tokio::io::BufReader<tokio::net::TcpStream> {
    use tokio::io::AsyncWriteExt;
    let server = running.address;
    let mut stream = tokio::net::TcpStream::connect(server).await.unwrap();
    let request =
        format!("GET /v2/events{query} HTTP/1.1\r\nhost: {server}\r\naccept: text/event-stream\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut stream = tokio::io::BufReader::new(stream);
    // Once the head of the answer is there, nothing is missed.
    tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut String::new()).await.unwrap();
    stream
}

/// The next event of a stream that was opened by hand.
async fn next_event(stream: &mut tokio::io::BufReader<tokio::net::TcpStream>) -> Value {
    next_with_id(stream).await.1
}

/// The same, with its id.
async fn next_with_id(stream: &mut tokio::io::BufReader<tokio::net::TcpStream>) -> (u64, Value) {
    use tokio::io::AsyncBufReadExt;
    let look = async {
        let (mut id, mut data) = (None, None);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            id = line.strip_prefix("id:").map(|id| id.trim().parse().unwrap()).or(id);
            data = line.strip_prefix("data:").map(|data| serde_json::from_str(data).unwrap()).or(data);
            if let (true, Some(id), Some(data)) = (line.trim().is_empty(), id, data.take_if(|_| line.trim().is_empty()))
            {
                return (id, data);
            }
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("an event in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_gets_the_events_that_were_missed_or_hears_of_a_gap() {
    let (_master, running) = alone().await;
    let mut stream = listen(&running, "?event_type=api_post_event").await;
    running.deploy(&app("/one")).await;
    let (first, _) = next_with_id(&mut stream).await;
    drop(stream);
    running.deploy(&app("/two")).await;
    for (query, header) in [
        ("?event_type=api_post_event", format!("last-event-id: {first}\r\n")),
        (&format!("?event_type=api_post_event&lastEventId={first}"), String::new()),
    ] {
        let mut stream = listen_with(&running, query, &header).await;
        let (id, event) = next_with_id(&mut stream).await;
        assert_eq!((id > first, &event["appDefinition"]["id"]), (true, &json!("/two")));
    }
    let mut stream = listen_with(&running, "?event_type=api_post_event", "last-event-id: 17\r\n").await;
    let (before, gap) = next_with_id(&mut stream).await;
    assert_eq!((&gap["eventType"], &gap["lastEventId"]), (&json!("event_stream_gap"), &json!("17")));
    let (id, event) = next_with_id(&mut stream).await;
    assert_eq!((id, before < first, &event["appDefinition"]["id"]), (first, true, &json!("/one")));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_say_who_asked_and_only_those_that_are_wanted_come() {
    let (_master, running) = alone().await;
    let mut stream =
        listen(&running, "?event_type=api_post_event&event_type=pod_created_event&plan-format=light").await;
    running.deploy(&app("/web")).await;
    let event = next_event(&mut stream).await;
    assert_eq!((&event["eventType"], &event["clientIp"]), (&json!("api_post_event"), &json!("127.0.0.1")));
    assert_eq!((&event["uri"], &event["appDefinition"]["id"]), (&json!("/v2/apps"), &json!("/web")));
    let pod = json!({"id": "/pod", "containers": [{"name": "a", "exec": {"command": {"shell": "run"}}}]});
    assert_eq!(running.send("POST", "/v2/pods", &pod).await.status, 201);
    let event = next_event(&mut stream).await;
    assert_eq!((&event["eventType"], &event["uri"]), (&json!("pod_created_event"), &json!("/v2/pods")));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_nothing_names_a_deployment_that_is_over() {
    let (_master, running) = alone().await;
    running.send("POST", "/v2/apps", &app("/shop/web")).await;
    let mut events = listen(&running, "?event_type=deployment_success").await;
    for (method, path, body) in [
        ("PUT", "/v2/apps/shop/web", app("/shop/web")),
        ("PUT", "/v2/apps/shop/web", json!({"id": "web"})),
        ("PUT", "/v2/apps", json!([app("/shop/web")])),
        ("PUT", "/v2/groups/empty", json!({"apps": []})),
        ("DELETE", "/v2/apps/shop/web/tasks?scale=true", json!(null)),
        ("POST", "/v2/tasks/delete?scale=true", json!({"ids": []})),
    ] {
        let answer = running.send(method, path, &body).await;
        let id = answer.json()["deploymentId"].clone();
        assert_eq!((answer.status, answer.header("marathon-deployment-id")), (200, id.as_str()), "{method} {path}");
        let told = next_event(&mut events).await;
        assert_eq!((&told["id"], &told["plan"]["steps"]), (&id, &json!([])), "{method} {path}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_that_was_read_may_be_sent_back_whole_to_replace_it() {
    let (_master, running) = alone().await;
    running.send("POST", "/v2/apps", &app("/shop/web")).await;
    let read = running.get("/v2/apps/shop/web").await["app"].clone();
    let partly = running.send("PUT", "/v2/apps/shop/web", &read).await;
    assert_eq!((partly.status, partly.message().as_str()), (422, "Object is not valid"), "a version comes alone");
    let whole = running.send("PUT", "/v2/apps/shop/web?partialUpdate=false", &read).await;
    assert_eq!((whole.status, &whole.json()["version"]), (200, &read["version"]), "nothing changed");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leads_is_told_by_the_name_that_others_know() {
    let mut master = Master::start().await;
    let (store, name) = (Store::in_memory().unwrap(), Some("box.example".to_owned()));
    let running = Running::start_with(master.address, store, |options| options.hostname = name).await;
    let authority = format!("box.example:{}", running.address.port());
    let info = master.subscribe("F").await.subscribe.unwrap().framework_info;
    assert_eq!(info.hostname.as_deref(), Some("box.example"));
    assert_eq!(info.webui_url, Some(format!("http://{authority}")));
    let leader = running.send("GET", "/v2/leader", &json!(null)).await;
    assert_eq!(leader.json(), json!({"leader": authority}));
    assert_eq!(leader.header("x-marathon-leader"), Some(format!("http://{authority}").as_str()));
    let info = running.get("/v2/info").await;
    assert_eq!((&info["leader"], &info["marathon_config"]["hostname"]), (&json!(authority), &json!("box.example")));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn web_pages_of_origins_that_are_named_may_read() {
    let master = Master::start().await;
    for (named, origin, allowed) in [
        (vec![], "http://page", None),
        (vec!["*"], "http://page", Some("*")),
        (vec!["http://a", "http://page"], "http://page", Some("http://page")),
        (vec!["http://a"], "http://page", Some("http://a")),
    ] {
        let (store, origins) = (Store::in_memory().unwrap(), named.iter().map(|origin| (*origin).to_owned()).collect());
        let running = Running::start_with(master.address, store, |options| options.allowed_origins = origins).await;
        let asked = [("origin", origin), ("access-control-request-headers", "x-own")];
        let answer = running.ask("OPTIONS", "/v2/apps", &asked, "").await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, allowed), "{named:?}");
        let headers = answer.header("access-control-allow-headers");
        assert_eq!(headers, allowed.map(|_| "x-own"), "{named:?}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn web_pages_of_others_change_nothing() {
    let (_master, running) = alone().await;
    let app = r#"{"id": "/x", "cmd": "id"}"#;
    for (headers, status) in [
        (vec![("origin", "http://evil.example"), ("content-type", "application/json")], 403),
        (vec![("sec-fetch-site", "cross-site"), ("content-type", "application/json")], 403),
        (vec![("host", "evil.example"), ("content-type", "application/json")], 403),
        (vec![("content-type", "text/plain")], 415),
        (vec![("content-type", "application/x-www-form-urlencoded")], 415),
        (vec![("content-type", "multipart/form-data; boundary=x")], 415),
        (vec![], 201),
    ] {
        let answer = running.ask("POST", "/v2/apps", &headers, app).await;
        assert_eq!(answer.status, status, "{headers:?} {}", answer.text());
        assert!(status == 201 || !answer.message().is_empty(), "{headers:?} {}", answer.text());
    }
    running.stop().await;
}
