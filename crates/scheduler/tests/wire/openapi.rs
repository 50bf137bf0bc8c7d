//! The OpenAPI document against the server: every operation it names is asked for, and every answer has to be one of those
//! it names, of the shape it says. And every route there is has to be in it.

use std::collections::{BTreeMap, BTreeSet};

use mesos::v1::cygnet::{CheckAttempt, CheckHistory, HealthCheckResult, Phases, TaskEnd, TaskHealth, task_health};

use super::*;

struct Document(Value);

impl Document {
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(path) => self.0.pointer(path.trim_start_matches('#')).unwrap_or_else(|| panic!("no {path}")),
            None => value,
        }
    }

    fn operations(&self) -> BTreeSet<(String, String)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        let named = paths.flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |name| (name, path)));
        let methods = named.filter(|(name, _)| *name != "parameters");
        methods.map(|(name, path)| (name.to_uppercase(), path.clone())).collect()
    }

    fn fault(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let schema = self.resolve(schema);
        if let Some(any) = schema["anyOf"].as_array() {
            let faults: Vec<_> = any.iter().map(|schema| self.fault(schema, value, at)).collect();
            return if faults.iter().any(Option::is_none) { None } else { Some(format!("{faults:?}")) };
        }
        if let Some(all) = schema["allOf"].as_array() {
            return all.iter().find_map(|schema| self.fault(schema, value, at));
        }
        let fits = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("null") => value.is_null(),
            _ => true,
        };
        if !fits || schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
            return Some(format!("{at}: {value} is not {schema}"));
        }
        if let Some(items) = value.as_array() {
            return items
                .iter()
                .enumerate()
                .find_map(|(i, item)| self.fault(&schema["items"], item, &format!("{at}({i})")));
        }
        self.field_fault(schema, value, at)
    }

    fn field_fault(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let fields = value.as_object()?;
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(*name)) {
            return Some(format!("{at}/{missing} is missing"));
        }
        fields.iter().find_map(|(name, value)| {
            let at = format!("{at}/{name}");
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(schema), _) => self.fault(schema, value, &at),
                (None, Value::Bool(false)) => Some(format!("{at} is not in the document")),
                (None, Value::Object(_)) => self.fault(&schema["additionalProperties"], value, &at),
                _ => None,
            }
        })
    }
}

/// Operations and answers to expect, in an order that works: a path of the document, the path to ask, a body, a status.
fn requests(task: &str, version: &str) -> Vec<(&'static str, &'static str, String, Value, u16)> {
    let app = json!({"id": "/shop/api", "cmd": "run", "cpus": 0.1, "mem": 10, "healthChecks": [{"protocol": "HTTP"}]});
    let group = json!({"id": "/team", "apps": [{"id": "a", "cmd": "run"}]});
    let check = json!({"http": {"endpoint": "http"}});
    let pod = json!({"id": "/pod", "containers": [{"name": "web", "exec": {"command": {"shell": "run"}},
        "endpoints": [{"name": "http"}], "healthCheck": check}]});
    let (none, scale) = (Value::Null, json!({"instances": 1}));
    let callback = |scheme: &str| format!("/v2/eventSubscriptions?callbackUrl={scheme}%3A%2F%2F127.0.0.1%3A9%2F");
    let of = |method, path, asked: &str, body: &Value, status| (method, path, asked.to_owned(), body.clone(), status);
    vec![
        of("GET", "/v2/apps", "/v2/apps?embed=apps.tasks&embed=apps.taskStats&embed=apps.lastTaskFailure", &none, 200),
        of("GET", "/v2/apps", "/v2/apps?label=a%20b", &none, 400),
        of("POST", "/v2/apps", "/v2/apps?dryRun=true", &app, 200),
        of("POST", "/v2/apps", "/v2/apps", &app, 201),
        of("POST", "/v2/apps", "/v2/apps", &app, 409),
        of("POST", "/v2/apps", "/v2/apps", &json!({"id": "/A"}), 422),
        of("POST", "/v2/apps", "/v2/apps", &none, 400),
        of("PUT", "/v2/apps", "/v2/apps?force=true&dryRun=true", &json!([{"id": "/shop/api", "mem": 2}]), 200),
        of("PUT", "/v2/apps", "/v2/apps?force=true", &json!([{"id": "/shop/api", "instances": 2}]), 200),
        of("PATCH", "/v2/apps", "/v2/apps?force=true", &json!([{"id": "/shop/api", "instances": 1}]), 200),
        of("PATCH", "/v2/apps", "/v2/apps", &json!([{"id": "/none"}]), 404),
        of("GET", "/v2/apps/{id}", "/v2/apps/web", &none, 200),
        of("GET", "/v2/apps/{id}", "/v2/apps/none", &none, 404),
        of("GET", "/v2/apps/{id}", "/v2/apps/web?embed=apps.health", &none, 200),
        of("GET", "/v2/apps", "/v2/apps?embed=apps.health", &none, 200),
        of("PUT", "/v2/apps/{id}", "/v2/apps/shop/new?dryRun=true", &json!({"cmd": "run"}), 200),
        of("PUT", "/v2/apps/{id}", "/v2/apps/shop/new?dryRun=true", &json!({"cpus": -1}), 422),
        of("PUT", "/v2/apps/{id}", "/v2/apps/shop/new", &json!({"cmd": "run"}), 201),
        of("PUT", "/v2/apps/{id}", "/v2/apps/shop/new", &json!({"instances": 3}), 409),
        of("PATCH", "/v2/apps/{id}", "/v2/apps/web", &json!({"cpus": "x"}), 422),
        of("PATCH", "/v2/apps/{id}", "/v2/apps/web", &scale, 200),
        of("GET", "/v2/apps/{id}/*", "/v2/apps/shop/*", &none, 200),
        of("GET", "/v2/apps/{id}/*", "/v2/apps/none/*", &none, 404),
        of("GET", "/v2/apps/{id}/versions", "/v2/apps/web/versions", &none, 200),
        of("GET", "/v2/apps/{id}/versions", "/v2/apps/web/versions?embed=diff", &none, 200),
        of("GET", "/v2/apps/{id}/versions/{version}", &format!("/v2/apps/web/versions/{version}"), &none, 200),
        of("GET", "/v2/apps/{id}/versions/{version}", "/v2/apps/web/versions/x", &none, 400),
        of("GET", "/v2/apps/{id}/tasks", "/v2/apps/web/tasks", &none, 200),
        of("GET", "/v2/tasks", "/v2/tasks?status=running", &none, 200),
        of("PUT", "/v2/apps/{id}", "/v2/apps/web?canary=1&force=true", &json!({"cmd": "other", "instances": 3}), 200),
        of("GET", "/v2/deployments", "/v2/deployments?embed=deployments.progress", &none, 200),
        of("PUT", "/v2/apps/{id}", "/v2/apps/web?force=true", &json!({"cmd": "run", "instances": 1}), 200),
        of("PUT", "/v2/tasks/{task}/checks", &format!("/v2/tasks/{task}/checks"), &json!({"paused": true}), 200),
        of("PUT", "/v2/tasks/{task}/checks", &format!("/v2/tasks/{task}/checks"), &json!({"paused": 1}), 422),
        of("PUT", "/v2/tasks/{task}/checks", "/v2/tasks/none/checks", &json!({"paused": true}), 404),
        of("POST", "/v2/tasks/{task}/checks", &format!("/v2/tasks/{task}/checks"), &json!({}), 409),
        of("PUT", "/v2/tasks/{task}/checks", &format!("/v2/tasks/{task}/checks"), &json!({"paused": false}), 200),
        of("POST", "/v2/tasks/{task}/checks", &format!("/v2/tasks/{task}/checks"), &json!({"which": 1}), 422),
        of("POST", "/v2/tasks/{task}/checks", "/v2/tasks/none/checks", &json!({}), 404),
        of("GET", "/v2/tasks/{task}/logs", &format!("/v2/tasks/{task}/logs"), &none, 502),
        of("GET", "/v2/tasks/{task}/logs", &format!("/v2/tasks/{task}/logs?tail=x"), &none, 400),
        of("GET", "/v2/tasks/{task}/logs", "/v2/tasks/none/logs", &none, 404),
        of("GET", "/v2/tasks/{task}/history", &format!("/v2/tasks/{task}/history"), &none, 502),
        of("GET", "/v2/tasks/{task}/history", "/v2/tasks/none/history", &none, 404),
        of("DELETE", "/v2/apps/{id}/tasks/{task}", &format!("/v2/apps/web/tasks/{task}"), &none, 200),
        of("DELETE", "/v2/apps/{id}/tasks/{task}", "/v2/apps/web/tasks/none", &none, 404),
        of("DELETE", "/v2/apps/{id}/tasks", "/v2/apps/web/tasks", &none, 200),
        of("POST", "/v2/tasks/delete", "/v2/tasks/delete?scale=true&force=true", &json!({"ids": [task]}), 200),
        of("POST", "/v2/tasks/delete", "/v2/tasks/delete", &json!({"ids": ["x"]}), 400),
        of("POST", "/v2/apps/{id}/restart", "/v2/apps/web/restart?force=true", &none, 200),
        of("POST", "/v2/groups", "/v2/groups", &group, 201),
        of("POST", "/v2/groups", "/v2/groups", &group, 409),
        of("PUT", "/v2/groups", "/v2/groups?dryRun=true", &group, 200),
        of("PUT", "/v2/groups", "/v2/groups?dryRun=true&embed=plan", &group, 200),
        of("POST", "/v2/groups/{id}", "/v2/groups/team", &json!({"id": "inner", "apps": []}), 201),
        of("PUT", "/v2/groups/{id}", "/v2/groups/team?force=true", &json!({"scaleBy": 2}), 200),
        of("PUT", "/v2/groups/{id}", "/v2/groups/team", &json!({"version": "1970-01-01T00:00:00.000Z"}), 404),
        of("PATCH", "/v2/groups/{id}", "/v2/groups/team", &json!({"enforceRole": false}), 200),
        of("GET", "/v2/groups", "/v2/groups", &none, 200),
        of("GET", "/v2/groups/{id}", "/v2/groups/team?embed=group.apps&embed=group.apps.tasks", &none, 200),
        of("GET", "/v2/groups/{id}/apps", "/v2/groups/team/apps", &none, 200),
        of("GET", "/v2/groups/{id}/apps", "/v2/groups/none/apps", &none, 404),
        of("GET", "/v2/groups/{id}/versions", "/v2/groups/team/versions", &none, 200),
        of(
            "GET",
            "/v2/groups/{id}/versions/{version}",
            "/v2/groups/team/versions/1970-01-01T00:00:00.000Z",
            &none,
            404,
        ),
        of("HEAD", "/v2/pods", "/v2/pods", &none, 200),
        of("POST", "/v2/pods", "/v2/pods?dryRun=true", &pod, 200),
        of("POST", "/v2/pods", "/v2/pods", &pod, 201),
        of("POST", "/v2/pods", "/v2/pods", &pod, 409),
        of("POST", "/v2/pods", "/v2/pods", &json!({"id": "/p", "containers": []}), 422),
        of("GET", "/v2/pods", "/v2/pods", &none, 200),
        of("GET", "/v2/pods::status", "/v2/pods::status", &none, 200),
        of("GET", "/v2/pods::status", "/v2/pods/::status", &none, 200),
        of("GET", "/v2/pods/{id}", "/v2/pods/pod", &none, 200),
        of("GET", "/v2/pods/{id}", "/v2/pods/none", &none, 404),
        of("PUT", "/v2/pods/{id}", "/v2/pods/none", &pod, 400),
        of("PUT", "/v2/pods/{id}", "/v2/pods/pod?force=true&dryRun=true", &pod, 200),
        of("PUT", "/v2/pods/{id}", "/v2/pods/pod?force=true", &pod, 200),
        of("GET", "/v2/pods/{id}::status", "/v2/pods/pod::status", &none, 200),
        of("GET", "/v2/pods/{id}::status", "/v2/pods/pod::status?embed=health", &none, 200),
        of("GET", "/v2/pods/{id}::versions", "/v2/pods/pod::versions", &none, 200),
        of("GET", "/v2/pods/{id}::versions/{version}", "/v2/pods/pod::versions/1970-01-01T00:00:00.000Z", &none, 404),
        of("DELETE", "/v2/pods/{id}::instances", "/v2/pods/pod::instances", &json!(["none"]), 200),
        of("DELETE", "/v2/pods/{id}::instances", "/v2/pods/pod::instances", &json!([{}]), 422),
        of("DELETE", "/v2/pods/{id}::instances/{instance}", "/v2/pods/pod::instances/none", &none, 404),
        of("GET", "/v2/groups", "/v2/groups", &none, 200),
        of("PATCH", "/v2/groups", "/v2/groups", &json!({"enforceRole": true}), 422),
        of("GET", "/v2/queue", "/v2/queue", &none, 200),
        of("DELETE", "/v2/pods/{id}", "/v2/pods/pod?force=true", &none, 202),
        of("GET", "/v2/deployments", "/v2/deployments", &none, 200),
        of("GET", "/v2/deployments", "/v2/deployments?embed=past", &none, 200),
        of("DELETE", "/v2/deployments/{deployment}", "/v2/deployments/none", &none, 404),
        of("POST", "/v2/deployments/{deployment}/continue", "/v2/deployments/none/continue", &none, 404),
        of("POST", "/v2/deployments/{deployment}/undo", "/v2/deployments/none/undo?dryRun=true", &none, 404),
        of("GET", "/v2/queue", "/v2/queue?embed=lastUnusedOffers&embed=launching", &none, 200),
        of("DELETE", "/v2/queue/{id}/delay", "/v2/queue/team/a/delay", &none, 204),
        of("DELETE", "/v2/queue/{id}/delay", "/v2/queue/none/delay", &none, 404),
        of("DELETE", "/v2/groups/{id}", "/v2/groups/team?force=true", &none, 200),
        of("DELETE", "/v2/apps/{id}", "/v2/apps/shop/api", &none, 200),
        of("DELETE", "/v2/groups", "/v2/groups?force=true", &none, 200),
        of("GET", "/v2/agents", "/v2/agents", &none, 200),
        of("GET", "/v2/agents/{agent}", "/v2/agents/agent", &none, 200),
        of("GET", "/v2/agents/{agent}", "/v2/agents/none", &none, 404),
        of("POST", "/v2/agents/{agent}/drain", "/v2/agents/agent/drain?moveSeconds=long", &none, 400),
        of("POST", "/v2/agents/{agent}/drain", "/v2/agents/agent/drain?maxGraceSeconds=9", &none, 200),
        of("POST", "/v2/agents/{agent}/drain", "/v2/agents/none/drain", &none, 404),
        of("DELETE", "/v2/agents/{agent}/drain", "/v2/agents/agent/drain", &none, 200),
        of("GET", "/v2/overview", "/v2/overview?limit=1", &none, 200),
        of("GET", "/v2/overview", "/v2/overview?limit=few", &none, 400),
        of("GET", "/v2/overview", "/v2/overview?after=x", &none, 400),
        of("GET", "/v2/overview", "/v2/overview?group=/none", &none, 404),
        of("GET", "/v2/events", "/v2/events", &none, 405),
        of("POST", "/v2/eventSubscriptions", &callback("http"), &none, 200),
        of("POST", "/v2/eventSubscriptions", &callback("ftp"), &none, 422),
        of("GET", "/v2/eventSubscriptions", "/v2/eventSubscriptions", &none, 200),
        of("DELETE", "/v2/eventSubscriptions", &callback("http"), &none, 200),
        of("GET", "/v2/info", "/v2/info", &none, 200),
        of("GET", "/v2/leader", "/v2/leader", &none, 200),
        of("DELETE", "/v2/leader", "/v2/leader", &none, 200),
        of("GET", "/v2/openapi.json", "/v2/openapi.json", &none, 200),
        of("GET", "/ping", "/ping", &none, 200),
        of("GET", "/metrics", "/metrics", &none, 200),
        of("GET", "/metrics/prometheus", "/metrics/prometheus", &none, 200),
        of("GET", "/cygnet/v1/metrics", "/cygnet/v1/metrics", &none, 200),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_as_the_document_says_and_every_operation_is_answered() {
    let mut master = Master::start().await;
    let with_callbacks = |options: &mut Options| options.event_callbacks = Some(Vec::new());
    let running = Running::start_with(master.address, Store::in_memory().unwrap(), with_callbacks).await;
    master.subscribe("F").await;
    running.create().await;
    let task = master.offer().await;
    master.update(status(&task, TaskState::TaskRunning, 1));
    let app = running.until("a running task", |app| app["tasksRunning"] == 1).await;
    running.deploy(&json!({"id": "/greedy", "cmd": "run", "cpus": 1000})).await;
    master.decline().await;
    let document = Document(running.get("/v2/openapi.json").await);

    let mut left = document.operations();
    for (method, path, asked, body, expected) in requests(&task.task_id.value, app["version"].as_str().unwrap()) {
        let operation = &document.0["paths"][path][method.to_lowercase()];
        let answer = running.send(method, &asked, &body).await;
        assert_eq!(answer.status, expected, "{method} {asked}: {}", answer.text());
        let response = document.resolve(&operation["responses"][expected.to_string()]);
        assert!(response.is_object(), "{method} {path} may answer {expected}, says nobody");
        if asked.contains("lastUnusedOffers") {
            let shown = answer.json()["queue"]
                .as_array()
                .unwrap()
                .iter()
                .any(|item| item["lastUnusedOffers"][0]["offer"]["agentId"] == "agent");
            assert!(shown, "{}", answer.text());
        }
        if asked.contains("progress") {
            let all = answer.json();
            let actions = all.as_array().unwrap().iter().flat_map(|one| one["currentActions"].as_array().unwrap());
            let shown: Vec<_> = actions.filter_map(|action| action["progress"]["canary"].as_object()).collect();
            assert!(!shown.is_empty(), "{}", answer.text());
        }
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_object() && answer.header("content-type").is_some_and(|kind| kind.contains("json")) {
            assert_eq!(document.fault(schema, &answer.json(), ""), None, "{method} {asked}");
        }
        left.remove(&(method.to_owned(), path.to_owned()));
    }
    assert!(left.is_empty(), "nobody asked for {left:?}");
    running.stop().await;
}

#[tokio::test]
async fn every_path_answers_options_with_the_methods_that_the_document_has() {
    let master = Master::start().await;
    let running = Running::start(master.address, Store::in_memory().unwrap()).await;
    let document = Document(running.get("/v2/openapi.json").await);
    let mut by_path: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (method, path) in document.operations() {
        let implied = ["OPTIONS"].into_iter().chain((method == "GET").then_some("HEAD"));
        let implied: Vec<_> = implied.map(str::to_owned).collect();
        by_path.entry(path).or_default().extend(implied.into_iter().chain([method]));
    }
    for (path, expected) in by_path {
        let asked = path.replace(['{', '}'], "");
        let answer = running.send("OPTIONS", &asked, &Value::Null).await;
        let allowed = answer.header("allow").unwrap_or_default().split(", ").map(str::to_owned);
        assert_eq!((answer.status, allowed.collect::<BTreeSet<_>>()), (200, expected), "{path}");
    }
    running.stop().await;
}

/// The last attempt of a task's only check.
fn told(task: &TaskInfo) -> TaskStatus {
    let phases = Phases { connected: Some(0.001), answered: Some(0.25), ..Phases::default() };
    let failed = HealthCheckResult {
        verdict: Some(task_health::Verdict::Unhealthy.into()),
        kind: Some("status".to_owned()),
        cause: Some("503 Service Unavailable".to_owned()),
        reported_at: Some(1.0),
        duration_seconds: Some(0.3),
        phases: Some(phases),
        ..HealthCheckResult::default()
    };
    let health = TaskHealth { verdict: failed.verdict, checks: vec![failed] };
    TaskStatus { healthy: Some(false), health: Some(health), ..status(task, TaskState::TaskRunning, 2) }
}

fn ended(task: &TaskInfo) -> TaskStatus {
    let phases = Some(Phases { connected: Some(0.001), ..Phases::default() });
    let attempt = CheckAttempt { started_ms: 1, duration_us: 2, kind: "timeout".to_owned(), code: Some(1), phases };
    let checks = vec![CheckHistory { attempts: vec![attempt], ..CheckHistory::default() }];
    let end = TaskEnd { exit_status: Some(3), last_errors: Some("no".to_owned()), checks, ..TaskEnd::default() };
    TaskStatus { end: Some(end), ..status(task, TaskState::TaskFailed, 3) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_of_a_task_and_its_end_are_as_the_document_says() {
    let mut master = Master::start().await;
    let running = Running::start(master.address, Store::in_memory().unwrap()).await;
    master.subscribe("F").await;
    let app = json!({"id": "web", "cmd": "run", "cpus": 0.1, "mem": 10, "backoffSeconds": 3600,
        "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/", "maxConsecutiveFailures": 0}]});
    running.deploy(&app).await;
    let task = master.offer().await;
    master.update(status(&task, TaskState::TaskRunning, 1));
    master.update(told(&task));
    running.until("a failure", |app| app["tasksUnhealthy"] == 1).await;
    let document = Document(running.get("/v2/openapi.json").await);
    let seen = async |operation: &str, asked: &str| {
        let answer = running.get(asked).await;
        let schema =
            &document.0["paths"][operation]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(document.fault(schema, &answer, ""), None, "{asked}");
        answer
    };
    let shown = seen("/v2/apps/{id}", "/v2/apps/web?embed=apps.health").await["app"].clone();
    assert_eq!(shown["tasks"][0]["health"]["checks"][0]["lastAttempt"]["phases"]["answered"], 0.25, "{shown}");
    assert!(shown["untold"].is_array() && shown["unasked"].is_null(), "no agent could be asked: {shown}");
    master.update(ended(&task));
    running.until("its end", |app| app["tasksRunning"] == 0).await;
    let shown = seen("/v2/apps/{id}", "/v2/apps/web?embed=apps.health").await["app"].clone();
    assert_eq!(
        (&shown["ended"][0]["exitStatus"], &shown["waiting"][0]["incarnation"]),
        (&json!(3), &json!(2)),
        "{shown}"
    );
    let history = seen("/v2/tasks/{task}/history", &format!("/v2/tasks/{}/history", task.task_id.value)).await;
    assert_eq!(history["checks"][0]["attempts"][0]["phases"], json!({"connected": 0.001}), "{history}");
    running.stop().await;
}

#[test]
fn every_route_is_in_the_document() {
    let document = Document(serde_json::from_str(include_str!("../../src/api/openapi.json")).unwrap());
    let paths: BTreeSet<String> = document.operations().into_iter().map(|(_, path)| path).collect();
    let source = include_str!("../../src/api/routes.rs");
    let routes: Vec<_> = source.split('"').skip(1).step_by(2).filter(|text| text.starts_with('/')).collect();
    assert!(routes.len() > 15, "{routes:?}");
    // What is for browsers is no part of the API.
    let gone = ["/v2/plugins", "/", "/ui", "/ui/{*name}"];
    // Names of parameters are left out of it; a wildcard stands for all that begins so.
    let bare = |path: &str| {
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
    };
    for route in routes.into_iter().filter(|route| !gone.contains(route)) {
        let found = match route.split_once("{*") {
            Some((begin, _)) => paths.iter().any(|path| path.starts_with(begin)),
            None => paths.iter().any(|path| bare(path) == bare(route)),
        };
        assert!(found, "{route}");
    }
}
