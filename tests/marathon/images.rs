//! Marathon's system tests of images, volumes, secrets and networks, each test named after its rows: real containers, on a
//! machine of the test's own, of an image that the test makes itself.
//!
//! Beside it: private registries in `registries.rs`, networks by name in `named_networks.rs`, grace periods in `graces.rs`.

use std::fs;

use harness::archive::Archive;
use harness::cluster::{Dev, START};
use harness::docker::Docker;
use harness::images::{Image, tar};
use harness::{busybox, http, machine, wait};
use serde_json::{Value, json};

use crate::{change, get};

/// The image of the rows.
pub(crate) const IMAGE: &str = "web:1";

/// A server of what is in a directory, at the port of the container.
const SERVER: &str = "mkdir -p /www; echo \"$TOKEN\" > /www/token; exec httpd -f -p 80 -h /www";

/// Runs a test with a cluster whose agent has the image and a secret, or says why it cannot.
pub(crate) fn with_images(test: &str, body: impl FnOnce(&Dev) + Send) {
    on_a_machine(test, || {
        let mut dev = Dev::new();
        let [archives, secrets] = ["archives", "secrets"].map(|name| dev.directory().join(name));
        [&archives, &secrets].into_iter().for_each(|path| fs::create_dir_all(path).expect("a directory"));
        Image::busybox(Archive::new(), &json!({})).save(&archives, IMAGE);
        fs::write(secrets.join("token"), "grape").expect("a secret");
        let [archives, secrets] = [archives, secrets].map(|path| path.display().to_string());
        let own = ["--docker-registry", &archives, "--secrets-directory", &secrets];
        dev.start(&[&["--resources", "cpus:4;mem:2048;disk:1000"], own.as_slice()].concat());
        body(&dev);
    });
}

/// Runs a test with a cluster whose agent has a Docker daemon with the image, or says why it cannot.
pub(crate) fn with_docker(test: &str, body: impl FnOnce(&Dev, &Docker) + Send) {
    on_a_machine(test, || {
        let Some(daemon) = Docker::start(test) else { return };
        daemon.load(&tar(&Image::busybox(Archive::new(), &json!({})).docker(&[IMAGE])).tar());
        let (mut dev, socket) = (Dev::new(), daemon.socket().display().to_string());
        dev.start(&["--resources", "cpus:4;mem:2048;disk:1000", "--docker-socket", &socket]);
        body(&dev, &daemon);
    });
}

/// Runs a test where it can be run.
pub(crate) fn on_a_machine(test: &str, body: impl FnOnce() + Send) {
    if let Some(lacking) = busybox::lacking() {
        return println!("SKIPPED {test}: {lacking}");
    }
    if machine::on_a_machine(body).is_none() {
        println!("SKIPPED {test}: needs root");
    }
}

/// The answer of a port of the host, once there is one.
fn said(port: &Value, path: &str) -> String {
    let port = u16::try_from(port.as_u64().expect("a port")).expect("a port");
    let answer = || http::get(([127, 0, 0, 1], port).into(), path).filter(|answer| answer.status == 200);
    wait::until("the container answers", START, answer).text().trim().to_owned()
}

#[test]
fn test_launch_mesos_container_with_docker_image_on_the_bridge() {
    with_images("test_launch_mesos_container_with_docker_image", |dev| {
        let check = |protocol: &str| {
            json!({"protocol": protocol, "path": "/token", "portIndex": 0, "delaySeconds": 0,
            "intervalSeconds": 0.5, "timeoutSeconds": 5, "gracePeriodSeconds": 60})
        };
        let app = json!({"id": "/web", "cmd": SERVER, "cpus": 0.1, "mem": 64, "networks": [{"mode": "container/bridge"}],
            "secrets": {"s": {"source": "token"}}, "env": {"TOKEN": {"secret": "s"}},
            "container": {"type": "MESOS", "docker": {"image": IMAGE},
                "volumes": [{"containerPath": "/run/password", "secret": "s"}],
                "portMappings": [{"containerPort": 80, "hostPort": 0, "name": "http"}]},
            "healthChecks": [check("MESOS_HTTP"), check("HTTP"),
                {"protocol": "COMMAND", "command": {"value": "grep -q grape /run/password"}, "delaySeconds": 0}]});
        change(dev, "POST", "/v2/apps", &app);
        let shown = dev.app("web");
        let task = &shown["tasks"][0];
        assert_eq!((&shown["tasksHealthy"], task["healthCheckResults"].as_array().map(Vec::len)), (&json!(1), Some(3)));
        assert_eq!(said(&task["ports"][0], "/token"), "grape", "test_app_secret_env_var, test_app_file_based_secret");
        assert!(task["ipAddresses"][0]["ipAddress"].is_string(), "{task}");
    });
}

#[test]
fn test_pod_with_container_bridge_network_secrets_and_a_shared_volume() {
    with_images("test_pod_with_container_bridge_network", |dev| {
        let container = |name: &str, shell: &str, more: Value| {
            let mut container = json!({"name": name, "image": {"kind": "DOCKER", "id": IMAGE},
                "exec": {"command": {"shell": shell}}, "resources": {"cpus": 0.1, "mem": 32}});
            more.as_object().expect("fields").iter().for_each(|(name, value)| container[name] = value.clone());
            container
        };
        let shared = json!({"name": "data", "mountPath": "/data"});
        let server = "while ! test -s /data/clients; do sleep 0.1; done; cp /run/password /data/secret; exec httpd -f -p 80 -h /data";
        let web = json!({"volumeMounts": [shared, {"name": "password", "mountPath": "/run/password"}],
            "endpoints": [{"name": "http", "containerPort": 80, "hostPort": 0, "protocol": ["tcp"]}],
            "healthCheck": {"http": {"endpoint": "http", "path": "/clients"}, "intervalSeconds": 1, "timeoutSeconds": 0.5,
                "delaySeconds": 0, "gracePeriodSeconds": 60}});
        let writer = "echo $TOKEN > /data/clients; exec sleep 1000";
        let pod = json!({"id": "/pod", "networks": [{"mode": "container/bridge"}], "secrets": {"s": {"source": "token"}},
            "environment": {"TOKEN": {"secret": "s"}},
            "volumes": [{"name": "data"}, {"name": "password", "secret": "s"}],
            "containers": [container("web", server, web), container("writer", writer, json!({"volumeMounts": [shared]}))]});
        change(dev, "POST", "/v2/pods", &pod);
        let status = get(dev, "/v2/pods/pod::status");
        let instance = &status["instances"][0];
        assert_eq!((&status["status"], &instance["networks"][0]["name"]), (&json!("STABLE"), &json!("mesos-bridge")));
        let endpoint = &instance["containers"][0]["endpoints"][0];
        assert_eq!((&endpoint["name"], &endpoint["healthy"]), (&json!("http"), &json!(true)));
        assert_eq!(said(&endpoint["allocatedHostPort"], "/clients"), "grape", "test_two_pods_with_shared_volume");
        assert_eq!(said(&endpoint["allocatedHostPort"], "/secret"), "grape", "test_pod_file_based_secret");
    });
}

#[test]
fn test_launch_docker_container_and_test_docker_port_mappings() {
    with_docker("test_launch_docker_container_and_test_docker_port_mappings", |dev, daemon| {
        let check = |protocol: &str| {
            json!({"protocol": protocol, "path": "/token", "portIndex": 0, "delaySeconds": 0,
            "intervalSeconds": 0.5, "timeoutSeconds": 5, "gracePeriodSeconds": 60})
        };
        let app = json!({"id": "/web", "cmd": SERVER, "cpus": 0.1, "mem": 64, "networks": [{"mode": "container/bridge"}],
            "env": {"TOKEN": "grape"},
            "container": {"type": "DOCKER", "docker": {"image": IMAGE, "parameters": [{"key": "label", "value": "row=1"}]},
                "portMappings": [{"containerPort": 80, "hostPort": 0}]},
            "healthChecks": [check("MESOS_HTTP"), check("HTTP")]});
        change(dev, "POST", "/v2/apps", &app);
        let shown = dev.app("web");
        assert_eq!((&shown["container"]["type"], &shown["tasksHealthy"]), (&json!("DOCKER"), &json!(1)));
        assert_eq!(said(&shown["tasks"][0]["ports"][0], "/token"), "grape");
        let container = &daemon.containers()[0];
        let labels = daemon.call("GET", &format!("/containers{container}/json"), &Value::Null).expect("it").json();
        let labels = &labels["Config"]["Labels"];
        assert_eq!((&labels["row"], &labels["MESOS_TASK_ID"]), (&json!("1"), &shown["tasks"][0]["id"]));
        change(dev, "DELETE", "/v2/apps/web", &Value::Null);
        wait::until("no container is left", START, || daemon.containers().is_empty().then_some(()));
    });
}
