//! An app's life by plain HTTP, and what the event stream tells of it.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use harness::cluster::{Dev, START};
use harness::{apps, http, wait};
use serde_json::{Value, json};

use crate::stream::{event, events};
use crate::{change, deploy, get, send, settled, started};

fn web(instances: u32) -> Value {
    json!({
        "id": "/shop/web", "cmd": "exec cygnet demo http --port $PORT0", "cpus": 0.1, "mem": 16, "instances": instances,
        "labels": {"tier": "front"}, "env": {"COLOUR": "blue"},
        "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0, "delaySeconds": 0,
            "intervalSeconds": 1, "timeoutSeconds": 1, "gracePeriodSeconds": 20, "maxConsecutiveFailures": 3}]
    })
}

fn ids(dev: &Dev) -> Vec<String> {
    apps::ids(&dev.app("shop/web"))
}

#[test]
fn an_app_is_created_read_changed_scaled_restarted_and_deleted() {
    let dev = started();
    let answer = send(&dev, "POST", "/v2/apps", &web(2));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("location"), Some("/v2/apps/shop/web"));
    assert_eq!(answer.header("marathon-deployment-id"), answer.json()["deployments"][0]["id"].as_str());
    settled(&dev);
    let app = dev.wait_healthy("shop/web", 2);
    assert_eq!((&app["labels"]["tier"], &app["backoffFactor"]), (&json!("front"), &json!(1.15)));
    assert!(app["tasks"][0]["healthCheckResults"][0]["alive"].as_bool().is_some_and(|alive| alive));
    let again = send(&dev, "POST", "/v2/apps", &web(2));
    assert_eq!(
        (again.status, again.json()["message"].clone()),
        (409, json!("An app with id [/shop/web] already exists."))
    );

    let first = ids(&dev);
    change(&dev, "PUT", "/v2/apps/shop/web", &json!({"instances": 3}));
    assert!(first.iter().all(|id| ids(&dev).contains(id)), "scaling restarts nothing");
    assert_eq!(ids(&dev).len(), 3);

    let scaled = ids(&dev);
    change(&dev, "PATCH", "/v2/apps/shop/web", &json!({"env": {"COLOUR": "red"}}));
    assert!(ids(&dev).len() == 3 && !ids(&dev).iter().any(|id| scaled.contains(id)), "a change replaces all");
    let changed = ids(&dev);
    change(&dev, "POST", "/v2/apps/shop/web/restart", &json!({}));
    assert!(ids(&dev).len() == 3 && !ids(&dev).iter().any(|id| changed.contains(id)), "a restart replaces all");

    let versions = get(&dev, "/v2/apps/shop/web/versions");
    let versions = versions["versions"].as_array().cloned().unwrap_or_default();
    assert_eq!(versions.len(), 4, "{versions:?}");
    let oldest = versions.last().and_then(Value::as_str).expect("a version");
    let old = get(&dev, &format!("/v2/apps/shop/web/versions/{oldest}"));
    assert_eq!((&old["env"]["COLOUR"], &old["instances"]), (&json!("blue"), &json!(2)));
    change(&dev, "PUT", "/v2/apps/shop/web", &json!({"version": oldest}));
    let app = dev.app("shop/web");
    assert_eq!((&app["env"]["COLOUR"], &app["instances"]), (&json!("blue"), &json!(2)), "rolled back");

    for (query, count) in [("?label=tier==front", 1), ("?label=tier==back", 0), ("?id=SHOP", 1), ("?cmd=nothing", 0)] {
        let apps = get(&dev, &format!("/v2/apps{query}"));
        assert_eq!(apps["apps"].as_array().map(Vec::len), Some(count), "{query}");
    }
    change(&dev, "DELETE", "/v2/apps/shop/web", &json!({}));
    assert_eq!(http::get(dev.api, "/v2/apps/shop/web").expect("an answer").status, 404);
    assert_eq!(get(&dev, "/v2/tasks")["tasks"], json!([]));
}

#[test]
fn the_event_stream_tells_of_a_failing_instance() {
    let dev = started();
    let all = events(dev.api, "");
    let changes = events(dev.api, "?event_type=instance_health_changed_event");
    change(&dev, "POST", "/v2/apps", &web(1));
    assert_eq!(event(&all, "api_post_event")["appDefinition"]["id"], "/shop/web");
    assert_eq!(event(&all, "add_health_check_event")["healthCheck"]["protocol"], "MESOS_HTTP");
    event(&all, "deployment_info");
    assert_eq!(event(&all, "status_update_event")["taskStatus"], "TASK_STARTING");
    assert_eq!(event(&all, "health_status_changed_event")["alive"], true);
    event(&all, "deployment_success");
    assert_eq!(event(&changes, "instance_health_changed_event")["healthy"], true);

    let task = dev.wait_healthy("shop/web", 1)["tasks"][0].clone();
    assert!(http::request(apps::address(&task), "POST", "/fail", &[], b"").is_some());
    assert_eq!(event(&all, "failed_health_check_event")["appId"], "/shop/web");
    assert_eq!(event(&all, "health_status_changed_event")["alive"], false);
    let killed = event(&all, "unhealthy_instance_kill_event");
    assert_eq!((&killed["taskId"], &killed["host"]), (&task["id"], &task["host"]));
    assert_eq!(event(&changes, "instance_health_changed_event")["healthy"], false);
    assert_eq!(event(&changes, "instance_health_changed_event")["healthy"], true, "the next incarnation");
}

#[test]
fn a_deployment_that_cannot_end_locks_its_app_and_is_taken_back() {
    let dev = started();
    change(&dev, "POST", "/v2/apps", &web(1));
    let before = ids(&dev);
    let broken = json!({"cmd": "exec sleep 1000"});
    let begun = send(&dev, "PUT", "/v2/apps/shop/web", &broken).json();
    wait::until("an instance of the new version beside the old one", START, || (ids(&dev).len() == 2).then_some(()));
    let locked = send(&dev, "PUT", "/v2/apps/shop/web", &json!({"instances": 5}));
    assert_eq!((locked.status, &locked.json()["deployments"][0]["id"]), (409, &begun["deploymentId"]));
    let id = begun["deploymentId"].as_str().expect("an id");
    change(&dev, "DELETE", &format!("/v2/deployments/{id}"), &json!({}));
    assert_eq!((ids(&dev), dev.app("shop/web")["tasksHealthy"].clone()), (before, json!(1)));
}

#[test]
fn who_asks_is_told_who_answers() {
    let dev = started();
    let info = get(&dev, "/v2/info");
    assert_eq!((&info["elected"], &info["version"]), (&json!(true), &json!("1.11.0")));
    wait::until("the framework's id", START, || {
        http::get(dev.api, "/v2/info")?.json()["frameworkId"].is_string().then_some(())
    });
    assert_eq!(http::get(dev.api, "/ping").expect("an answer").text(), "pong");
    for path in ["/version", "/master/state", "/state.json", "/slaves/", "/metrics/snapshot", "/health", "/tasks"] {
        assert_eq!(http::get(dev.master, path).expect("an answer").status, 200, "{path}");
    }
    let version = http::get(dev.master, "/version").expect("an answer").json();
    assert!(version["version"].as_str().is_some_and(|text| text.split('.').all(|part| part.parse::<u32>().is_ok())));
}

/// A listener that reads nothing must not hold anything up.
#[test]
fn a_slow_listener_holds_nothing_up() {
    let dev = started();
    let mut stream = TcpStream::connect(dev.api).expect("a connection");
    let request = format!("GET /v2/events HTTP/1.1\r\nhost: {}\r\naccept: text/event-stream\r\n\r\n", dev.api);
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("sent");
    let mut first = String::new();
    BufReader::new(stream.try_clone().expect("a second handle")).read_line(&mut first).expect("an answer");
    assert!(first.contains("200"), "{first}");
    change(
        &dev,
        "POST",
        "/v2/apps",
        &json!({"id": "/many", "cmd": "exec sleep 1000", "instances": 20, "cpus": 0.01, "mem": 1}),
    );
    let (_, took) = wait::timed(|| change(&dev, "DELETE", "/v2/apps/many", &json!({})));
    assert!(took < Duration::from_secs(30), "{took:?}");
}

/// A group whose web page waits for its database, by plain HTTP.
#[test]
fn a_group_comes_up_in_the_order_of_its_dependencies_and_goes_as_a_whole() {
    let dev = started();
    let app = |id: &str| json!({"id": id, "cmd": "exec sleep 1000", "cpus": 0.1, "mem": 16});
    let mut page = app("web");
    page["dependencies"] = json!(["db"]);
    let all = events(dev.api, "?event_type=instance_changed_event");
    change(&dev, "POST", "/v2/groups", &json!({"id": "/shop", "apps": [page, app("db")]}));
    let mut running = Vec::new();
    while running.len() < 2 {
        let data = event(&all, "instance_changed_event");
        if data["condition"] == "Running" {
            running.push(data["runSpecId"].clone());
        }
    }
    assert_eq!(running, [json!("/shop/db"), json!("/shop/web")]);
    change(&dev, "PUT", "/v2/groups/shop", &json!({"scaleBy": 2}));
    let group = get(&dev, "/v2/groups/shop?embed=group.apps&embed=group.apps.counts");
    assert_eq!((&group["apps"][0]["tasksRunning"], &group["apps"][1]["tasksRunning"]), (&json!(2), &json!(2)));
    change(&dev, "DELETE", "/v2/groups/shop", &json!({}));
    assert_eq!(http::get(dev.api, "/v2/groups/shop").expect("an answer").status, 404);
}

/// Two containers side by side, one of which is checked over HTTP and the other by a command.
#[test]
fn a_pod_is_stable_once_its_containers_are_healthy_and_comes_back_as_a_whole() {
    let dev = started();
    let times = |mut check: Value| {
        for (name, seconds) in [("delaySeconds", 0), ("intervalSeconds", 1), ("gracePeriodSeconds", 20)] {
            check[name] = json!(seconds);
        }
        check["timeoutSeconds"] = json!(0.5);
        check
    };
    let small = json!({"cpus": 0.1, "mem": 32});
    let pod = json!({"id": "/shop/pod", "containers": [
        {"name": "web", "exec": {"command": {"shell": "exec cygnet demo http --port $ENDPOINT_WEB"}}, "resources": small,
            "endpoints": [{"name": "web", "hostPort": 0}],
            "healthCheck": times(json!({"http": {"endpoint": "web", "path": "/health"}}))},
        {"name": "log", "exec": {"command": {"shell": "touch ready; exec sleep 1000"}}, "resources": small,
            "healthCheck": times(json!({"exec": {"command": {"shell": "test -e ready"}}}))},
    ]});
    deploy(&dev, "POST", "/v2/pods", &pod);
    let stable = |what: &str, incarnation: &str| {
        wait::until(what, START, || {
            let status = http::get(dev.api, "/v2/pods/shop/pod::status")?.json();
            let container = status["instances"][0]["containers"][0]["containerId"].as_str()?.to_owned();
            (status["status"] == "STABLE" && container.ends_with(incarnation)).then_some(status)
        })
    };
    let status = stable("a stable pod", ".web.1");
    let containers = &status["instances"][0]["containers"];
    assert_eq!(containers[1]["conditions"][0]["value"], "true", "{status}");
    settled(&dev);
    let port = containers[0]["endpoints"][0]["allocatedHostPort"].as_u64().and_then(|port| u16::try_from(port).ok());
    let web = SocketAddr::from(([127, 0, 0, 1], port.expect("a port")));
    assert!(http::request(web, "POST", "/fail", &[], b"").is_some());
    stable("the next incarnation of both", ".web.2");
    let gone = http::request(dev.api, "DELETE", "/v2/pods/shop/pod", &[], b"").expect("an answer");
    assert_eq!(gone.status, 202);
    settled(&dev);
    assert_eq!(get(&dev, "/v2/pods"), json!([]));
}

#[test]
fn apps_of_several_roles_run_side_by_side() {
    let dev = started();
    let app = |id: &str| {
        let check =
            json!({"protocol": "COMMAND", "command": {"value": "true"}, "delaySeconds": 0, "intervalSeconds": 1});
        json!({"id": id, "cmd": "exec sleep 100000", "cpus": 0.1, "mem": 4, "healthChecks": [check]})
    };
    deploy(&dev, "POST", "/v2/apps", &app("/plain"));
    let team = json!({"id": "/team", "enforceRole": true, "apps": [app("/team/web")]});
    change(&dev, "POST", "/v2/groups", &team);
    let [plain, web] = [dev.wait_healthy("plain", 1), dev.wait_healthy("team/web", 1)];
    assert_eq!((&plain["tasks"][0]["role"], &web["tasks"][0]["role"]), (&json!("*"), &json!("team")));
    let state = http::get(dev.master, "/state").expect("an answer").json();
    let roles = state["frameworks"][0]["roles"].clone();
    assert_eq!(roles, json!(["*", "team"]));
    let refused = send(&dev, "POST", "/v2/apps", &json!({"id": "/team/x", "cmd": "run", "role": "*"}));
    assert_eq!(refused.status, 422);
    change(&dev, "DELETE", "/v2/groups/team", &json!({}));
    dev.wait_healthy("plain", 1);
}
