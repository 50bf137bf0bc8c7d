//! Apps and pods of Marathon's on the bridge, from their definition to what is told of them.

use harness::cluster::{Dev, START};
use harness::{http, wait};
use serde_json::{Value, json};

use crate::world::{OURS, SERVER, answers, on_a_bare_machine};

fn started() -> Dev {
    let mut dev = Dev::new();
    dev.start(&[OURS]);
    dev
}

fn port(value: &Value) -> String {
    format!("127.0.0.1:{}", value.as_u64().expect("a port"))
}

/// The checks of the executor are made inside, those of the scheduler at the port of the host.
#[test]
fn an_app_on_the_bridge_is_checked_from_both_sides_and_tells_its_addresses() {
    on_a_bare_machine("an_app_on_the_bridge_is_checked_from_both_sides_and_tells_its_addresses", &[], || {
        let dev = started();
        let check = |protocol: &str| {
            json!({"protocol": protocol, "path": "/health", "portIndex": 0, "intervalSeconds": 1,
                "gracePeriodSeconds": 60, "delaySeconds": 0, "timeoutSeconds": 0.9})
        };
        let app = json!({"id": "/web", "instances": 2, "cpus": 0.05, "mem": 32, "cmd": SERVER,
            "networks": [{"mode": "container/bridge"}],
            "container": {"type": "MESOS", "portMappings": [{"containerPort": 80, "hostPort": 0, "name": "http"}]},
            "healthChecks": [check("MESOS_HTTP"), check("HTTP")]});
        let answer = http::send(dev.api, "POST", "/v2/apps", &app).expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text());
        let app = dev.wait_healthy("web", 2);
        let tasks = app["tasks"].as_array().expect("tasks");
        let addresses: Vec<&str> =
            tasks.iter().filter_map(|task| task["ipAddresses"][0]["ipAddress"].as_str()).collect();
        assert!(addresses.iter().all(|address| address.starts_with("10.")), "{app}");
        assert_eq!(addresses.len(), 2, "{app}");
        assert_ne!(addresses[0], addresses[1]);
        for task in tasks {
            assert!(answers(&port(&task["ports"][0])), "{task}");
        }
    });
}

#[test]
fn a_pod_on_the_bridge_has_one_network() {
    on_a_bare_machine("a_pod_on_the_bridge_has_one_network", &[], || {
        let dev = started();
        let small = json!({"cpus": 0.05, "mem": 32});
        let inside = json!({"exec": {"command": {"shell": "cygnet check http 127.0.0.1:80/health"}}, "delaySeconds": 0,
            "intervalSeconds": 1, "timeoutSeconds": 0.9, "gracePeriodSeconds": 60});
        let pod = json!({"id": "/pod", "networks": [{"mode": "container/bridge"}], "containers": [
            {"name": "web", "exec": {"command": {"shell": SERVER}}, "resources": small,
                "endpoints": [{"name": "web", "containerPort": 80, "hostPort": 0}]},
            {"name": "client", "exec": {"command": {"shell": "exec sleep 1000"}}, "resources": small,
                "healthCheck": inside},
        ]});
        let answer = http::send(dev.api, "POST", "/v2/pods", &pod).expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text());
        let status = wait::until_ok("a stable pod", START, || {
            let status = http::get(dev.api, "/v2/pods/pod::status").ok_or("no answer")?.json();
            if status["status"] == "STABLE" { Ok(status) } else { Err(status.to_string()) }
        });
        let instance = &status["instances"][0];
        let network = &instance["networks"][0];
        assert_eq!(network["name"], "mesos-bridge", "{status}");
        assert!(network["addresses"][0].as_str().is_some_and(|address| address.starts_with("10.")), "{status}");
        assert!(answers(&port(&instance["containers"][0]["endpoints"][0]["allocatedHostPort"])), "{status}");
    });
}
