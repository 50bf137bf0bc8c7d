//! Marathon's integration and system tests of health, each test named after its row: real tasks, by plain HTTP.
//!
//! Not here: what is about containers (`containers.rs`), volumes that outlive their tasks (resident tasks), more than one
//! scheduler (a standby), or an older Marathon to upgrade from. Rows about groups, readiness and restarts that
//! need no real task are stories of the scheduler's core.

use harness::apps::{address, ids};
use harness::cluster::{Dev, START};
use harness::{http, python, wait};
use serde_json::{Value, json};

use crate::stream::{event, events};
use crate::{change, deploy, get, settled, started};

const SERVER: &str = "exec cygnet demo http --port $PORT0";

/// The fields of a check, over times that keep a test short.
fn check(fields: &Value) -> Value {
    let mut check = json!({"gracePeriodSeconds": 20, "intervalSeconds": 0.2, "timeoutSeconds": 2, "delaySeconds": 0,
        "maxConsecutiveFailures": 3});
    for (name, value) in fields.as_object().expect("fields") {
        check[name] = value.clone();
    }
    check
}

fn app(id: &str, cmd: &str, checks: &Value) -> Value {
    json!({"id": id, "cmd": cmd, "cpus": 0.1, "mem": 16, "healthChecks": checks})
}

fn deployments(dev: &Dev) -> usize {
    get(dev, "/v2/deployments").as_array().expect("a list").len()
}

/// Deploys an app with this check to its end, and sees that it is healthy then.
#[track_caller]
fn becomes_healthy(dev: &Dev, id: &str, cmd: &str, fields: &Value) {
    change(dev, "POST", "/v2/apps", &app(id, cmd, &json!([check(fields)])));
    let app = dev.app(id.trim_start_matches('/'));
    let counts = ["tasksRunning", "tasksHealthy", "tasksUnhealthy"].map(|name| app[name].as_u64());
    assert_eq!(counts, [1, 1, 0].map(Some), "{fields}");
}

#[test]
fn app_deploy_every_kind_of_check_is_waited_for() {
    let dev = started();
    for (id, fields) in [
        ("/marathon-http", json!({"protocol": "HTTP", "path": "/health", "portIndex": 0})),
        ("/mesos-http", json!({"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0})),
        ("/marathon-tcp", json!({"protocol": "TCP", "portIndex": 0})),
        ("/mesos-tcp", json!({"protocol": "MESOS_TCP", "portIndex": 0})),
        ("/command", json!({"protocol": "COMMAND", "command": {"value": "test -d /proc"}})),
    ] {
        becomes_healthy(&dev, id, SERVER, &fields);
    }
}

#[test]
fn app_deploy_http_by_port() {
    let dev = started();
    let port = harness::cluster::free_address().port();
    let cmd = format!("exec cygnet demo http --port {port}");
    becomes_healthy(&dev, "/by-port", &cmd, &json!({"protocol": "HTTP", "path": "/health", "port": port}));
}

#[test]
fn app_deploy_unhealthy_app_and_too_slow_check_never_succeed() {
    let dev = started();
    let all = events(dev.api, "?event_type=failed_health_check_event&event_type=deployment_success");
    let fields = json!({"protocol": "HTTP", "path": "/nothing-here", "portIndex": 0, "gracePeriodSeconds": 0,
        "maxConsecutiveFailures": 0});
    deploy(&dev, "POST", "/v2/apps", &app("/unhealthy", SERVER, &json!([check(&fields)])));
    for _ in 0..10 {
        let (kind, failed) = all.recv_timeout(START).expect("an event");
        assert_eq!((kind.as_str(), &failed["appId"]), ("failed_health_check_event", &json!("/unhealthy")));
    }
    assert_eq!((deployments(&dev), &dev.app("unhealthy")["tasksUnhealthy"]), (1, &json!(1)));
    deploy(&dev, "DELETE", "/v2/apps/unhealthy", &json!(null));

    let slow = json!({"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0, "timeoutSeconds": 0.05,
        "delaySeconds": 2, "gracePeriodSeconds": 0, "maxConsecutiveFailures": 100});
    // Listens, and then takes no part in anything any more.
    let deaf = "cygnet demo http --port $PORT0 & sleep 1; kill -STOP $!; wait";
    deploy(&dev, "POST", "/v2/apps", &app("/slow", deaf, &json!([check(&slow)])));
    for _ in 0..10 {
        assert_eq!(event(&all, "failed_health_check_event")["appId"], "/slow");
    }
    assert_eq!(deployments(&dev), 1);
}

#[test]
fn health_check_failing_marathon_check_leads_to_another_task() {
    let dev = started();
    let fields = json!({"protocol": "HTTP", "path": "/health", "portIndex": 0, "gracePeriodSeconds": 3});
    becomes_healthy(&dev, "/web", SERVER, &fields);
    let kills = events(dev.api, "?event_type=unhealthy_instance_kill_event");
    let task = dev.app("web")["tasks"][0].clone();
    assert!(http::request(address(&task), "POST", "/fail", &[], b"").is_some());
    let killed = event(&kills, "unhealthy_instance_kill_event");
    assert_eq!((&killed["taskId"], &killed["appId"]), (&task["id"], &json!("/web")));
    assert!(killed["reason"].as_str().is_some_and(|reason| reason.starts_with("50")), "{killed}");
    let next = dev.wait_healthy("web", 1);
    assert_ne!(next["tasks"][0]["id"], task["id"]);
    assert_eq!(next["lastTaskFailure"]["state"], "TASK_KILLED");
}

#[test]
fn test_app_with_no_health_check_not_healthy() {
    let dev = started();
    change(&dev, "POST", "/v2/apps", &app("/quiet", "exec sleep 1000", &json!([])));
    let app = dev.app("quiet");
    assert_eq!((&app["tasksRunning"], &app["tasksHealthy"]), (&json!(1), &json!(0)));
}

#[test]
fn test_failing_health_check_results_in_unhealthy_app() {
    let dev = started();
    let fields = json!({"protocol": "HTTP", "path": "/bad-url", "portIndex": 0, "maxConsecutiveFailures": 0,
        "gracePeriodSeconds": 300});
    deploy(&dev, "POST", "/v2/apps", &app("/bad", SERVER, &json!([check(&fields)])));
    let app = dev.wait_app("bad", "an unhealthy task", |app| app["tasksUnhealthy"] == 1);
    assert_eq!((&app["tasksRunning"], &app["tasksHealthy"]), (&json!(1), &json!(0)));
    assert_eq!(app["tasks"][0]["healthCheckResults"][0]["alive"], false);
    assert_eq!(ids(&dev.app("bad")), ids(&app), "and is not killed");
}

#[test]
fn mesos_check_exit_0_and_1_are_shown_and_the_app_deploys() {
    let dev = started();
    for (id, code) in [("/zero", 0), ("/one", 1)] {
        let mut app = app(id, "exec sleep 1000", &json!([]));
        app["check"] = json!({"exec": {"command": {"shell": format!("exit {code}")}}, "delaySeconds": 0,
            "intervalSeconds": 1, "timeoutSeconds": 1});
        change(&dev, "POST", "/v2/apps", &app);
        let shows = |app: &Value| app["tasks"][0]["checkResult"]["command"]["exitCode"] == code;
        dev.wait_app(id.trim_start_matches('/'), "the exit code", shows);
    }
}

/// A server whose certificate is its own, and for another name: it is healthy and ready all the same.
#[test]
fn test_https_health_check_healthy_and_test_https_readiness_check_ready() {
    let test = "test_https_health_check_healthy_and_test_https_readiness_check_ready";
    let Some(python) = python::with("ssl") else {
        println!("SKIPPED {test}: there is no python3 to serve HTTPS");
        return;
    };
    let dev = started();
    let own = rcgen::generate_simple_self_signed(vec!["elsewhere.example".into()]).expect("a certificate");
    let file = |name: &str| dev.directory().join(name);
    std::fs::write(file("own.pem"), own.signing_key.serialize_pem() + &own.cert.pem()).expect("a file");
    std::fs::write(file("server.py"), HTTPS_SERVER).expect("a file");
    let cmd = format!("exec {} {} {}", python.display(), file("server.py").display(), file("own.pem").display());
    for (id, protocol) in [("/https", "HTTPS"), ("/mesos-https", "MESOS_HTTPS")] {
        let mut app = app(id, &cmd, &json!([check(&json!({"protocol": protocol, "path": "/", "portIndex": 0}))]));
        app["portDefinitions"] = json!([{"port": 0, "name": "https"}]);
        app["readinessChecks"] = json!([{"protocol": "HTTPS", "portName": "https", "intervalSeconds": 2,
            "timeoutSeconds": 1}]);
        change(&dev, "POST", "/v2/apps", &app);
        assert_eq!(dev.app(id.trim_start_matches('/'))["tasksHealthy"], 1, "{protocol}");
    }
}

const HTTPS_SERVER: &str = "
import http.server, os, ssl, sys
server = http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT0'])), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
";

#[test]
fn readiness_only_both_and_upgrade_hold_the_deployment() {
    let dev = started();
    let mut web = app("/ready", SERVER, &json!([check(&json!({"protocol": "HTTP", "path": "/", "portIndex": 0}))]));
    web["portDefinitions"] = json!([{"port": 0, "name": "http"}]);
    // Ready once it fails: so the test says when.
    web["readinessChecks"] = json!([{"name": "switch", "portName": "http", "path": "/health", "intervalSeconds": 2,
        "timeoutSeconds": 1, "httpStatusCodesForReady": [503, 500], "preserveLastResponse": true}]);
    let ready = |dev: &Dev, kind: &str| {
        let results = wait::until(kind, START, || {
            let all = http::get(dev.api, "/v2/deployments")?.json();
            let results = all[0]["currentActions"][0]["readinessCheckResults"].clone();
            results[0]["lastResponse"]["status"].is_u64().then_some(results)
        });
        assert_eq!((&results[0]["name"], &results[0]["ready"]), (&json!("switch"), &json!(false)), "{kind}");
        assert_eq!(results[0]["lastResponse"]["status"], 200, "{kind}");
        let id = results[0]["taskId"].clone();
        let app = dev.app("ready");
        let task = app["tasks"].as_array().and_then(|tasks| tasks.iter().find(|task| task["id"] == id));
        assert!(http::request(address(task.expect("the task")), "POST", "/fail", &[], b"").is_some());
        settled(dev);
        id
    };
    web["healthChecks"] = json!([]);
    deploy(&dev, "POST", "/v2/apps", &web);
    let first = ready(&dev, "readiness only");
    web["healthChecks"] = json!([check(&json!({"protocol": "HTTP", "path": "/", "portIndex": 0}))]);
    deploy(&dev, "PUT", "/v2/apps/ready", &web);
    let second = ready(&dev, "readiness and health");
    assert_ne!(first, second, "an upgrade replaces the task, once the new one is ready");
    assert_eq!(ids(&dev.app("ready")), [second.as_str().expect("an id")]);
}

#[test]
fn restart_a_deployment_that_waits_for_health_goes_on_with_the_same_tasks() {
    let mut dev = started();
    let file = dev.directory().join("healthy");
    let fields = json!({"protocol": "COMMAND", "command": {"value": format!("test -e {}", file.display())},
        "gracePeriodSeconds": 300});
    let mut two = app("/two", "exec sleep 1000", &json!([check(&fields)]));
    two["instances"] = json!(2);
    deploy(&dev, "POST", "/v2/apps", &two);
    let before = ids(&dev.wait_app("two", "both tasks", |app| app["tasksRunning"] == 2));
    dev.process().kill();
    dev.start(&["--resources", "cpus:8;mem:8192;disk:1000"]);
    let abdicated = http::request(dev.api, "DELETE", "/v2/leader", &[], b"").expect("an answer");
    assert_eq!((abdicated.status, &abdicated.json()["message"]), (200, &json!("Leadership abdicated")));
    assert_eq!(deployments(&dev), 1, "not over, for nobody is healthy");
    std::fs::write(&file, "").expect("a file");
    settled(&dev);
    assert_eq!(ids(&dev.wait_healthy("two", 2)), before);
}

#[test]
fn test_run_app_with_non_existing_user_and_non_downloadable_artifact() {
    let dev = started();
    let mut nobody = app("/nobody", "exec sleep 1000", &json!([]));
    nobody["user"] = json!("bad");
    let mut nothing = app("/nothing", "exec sleep 1000", &json!([]));
    nothing["fetch"] = json!([{"uri": "http://127.0.0.1:1/missing-artifact"}]);
    for (definition, message) in [(nobody, "No such user 'bad'"), (nothing, "Failed to fetch all URIs for container")] {
        deploy(&dev, "POST", "/v2/apps", &definition);
        let id = definition["id"].as_str().expect("an id").trim_start_matches('/');
        let said = |app: &Value| app["lastTaskFailure"]["message"].as_str().is_some_and(|text| text.contains(message));
        dev.wait_app(id, message, said);
    }
}

/// A server that is stopped answers as one that is cut off: what `iptables` does in the original, without other machines.
#[test]
fn test_task_gets_restarted_due_to_network_split() {
    let dev = started();
    let fields = json!({"protocol": "HTTP", "path": "/health", "portIndex": 0, "timeoutSeconds": 1,
        "maxConsecutiveFailures": 2});
    becomes_healthy(&dev, "/split", SERVER, &fields);
    let task = dev.app("split")["tasks"][0].clone();
    harness::process::signal(harness::apps::server(&dev, &task), rustix::process::Signal::STOP);
    let another = |app: &Value| app["tasksHealthy"] == 1 && app["tasks"][0]["id"] != task["id"];
    assert_eq!(dev.wait_app("split", "another task", another)["tasksRunning"], 1);
}
