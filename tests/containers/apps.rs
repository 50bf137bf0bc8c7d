//! Apps and pods as users of Marathon write them, in a whole cluster: bridges, mapped ports, checks of every kind.

use std::net::SocketAddr;

use harness::cluster::{Dev, START};
use harness::registry::Registry;
use harness::{http, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Test;
use crate::world::{app, web};

pub(crate) const TESTS: &[Test] = &[
    ("an app of an archive is checked in every way on a bridge", archive),
    ("an app of a registry is pulled", registry),
    ("an app of a registry with passwords is pulled", private_registry),
    ("a pod has containers of two images", pod),
];

/// Everything in one process.
struct Cluster {
    dev: Dev,
}

impl Cluster {
    fn start(arguments: &[&str]) -> Cluster {
        let mut dev = Dev::new();
        let own = ["--resources", "cpus:8;mem:8192;disk:8192"];
        dev.start(&own.iter().chain(arguments).copied().collect::<Vec<_>>());
        Cluster { dev }
    }

    /// One with images in a directory.
    fn of_archives(images: &TempDir) -> Cluster {
        web().save(images.path(), "web:1");
        app().save(images.path(), "app:1");
        Cluster::start(&["--docker-registry", images.path().to_str().expect("a path of text")])
    }

    #[track_caller]
    fn deploy(&self, path: &str, definition: &Value) {
        let answer = http::send(self.dev.api, "POST", path, definition).expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Waits for a healthy instance of the app; gives the answer of its mapped port.
    #[track_caller]
    fn serves(&self, id: &str) -> String {
        let app = self.dev.wait_healthy(id, 1);
        let port = app["tasks"][0]["ports"][0].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        wait::until("the mapped port to answer", START, || http::get(server, "/")).text()
    }
}

/// A server on a bridge, with checks of every kind that know nothing of ports of the host.
fn server(image: &str) -> Value {
    let soon = |mut check: Value| {
        check["intervalSeconds"] = json!(1);
        check["gracePeriodSeconds"] = json!(60);
        check
    };
    let checks = [
        json!({"protocol": "MESOS_HTTP", "path": "/", "portIndex": 0}),
        json!({"protocol": "MESOS_TCP", "portIndex": 0}),
        json!({"protocol": "MESOS_LISTEN", "portIndex": 0}),
        json!({"protocol": "COMMAND", "command": {"value": "test $(cat /who) = web"}}),
    ];
    json!({"id": "/web", "cpus": 0.1, "mem": 32, "instances": 1, "networks": [{"mode": "container/bridge"}],
        "container": {"type": "MESOS", "docker": {"image": image},
            "portMappings": [{"containerPort": 80, "hostPort": 0, "name": "http"}]},
        "healthChecks": checks.map(soon)})
}

fn archive(_: &str) {
    let images = tempfile::tempdir().expect("a directory");
    let cluster = Cluster::of_archives(&images);
    cluster.deploy("/v2/apps", &server("web:1"));
    assert_eq!(cluster.serves("web"), "hello");
}

fn registry(test: &str) {
    let Some(registry) = Registry::start(test) else { return };
    registry.push("cygnet/web", "1", &web());
    let cluster = Cluster::start(&[]);
    cluster.deploy("/v2/apps", &server(&registry.image("cygnet/web:1")));
    assert_eq!(cluster.serves("web"), "hello");
}

fn private_registry(test: &str) {
    let Some(registry) = Registry::with_password(test) else { return };
    registry.push("cygnet/web", "1", &web());
    let credentials = json!({"auths": {registry.address.to_string(): {"username": "me", "password": "sesame"}}});
    let cluster = Cluster::start(&["--docker-config", &credentials.to_string()]);
    cluster.deploy("/v2/apps", &server(&registry.image("cygnet/web:1")));
    assert_eq!(cluster.serves("web"), "hello");
}

fn pod(_: &str) {
    let images = tempfile::tempdir().expect("a directory");
    let cluster = Cluster::of_archives(&images);
    let resources = json!({"cpus": 0.1, "mem": 32});
    let container = |name: &str, image: &str, script: &str| {
        json!({"name": name, "image": {"kind": "DOCKER", "id": image}, "resources": resources,
            "exec": {"command": {"shell": script}}, "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
            "healthCheck": {"exec": {"command": {"shell": format!("test $(cat /who) = {name} && test -e /shared/word")}},
                "intervalSeconds": 2, "timeoutSeconds": 1, "gracePeriodSeconds": 60}})
    };
    let containers =
        [container("web", "web:1", "sleep 1000"), container("app", "app:1", "touch /shared/word; sleep 1000")];
    cluster.deploy(
        "/v2/pods",
        &json!({"id": "/pod", "containers": containers, "volumes": [{"name": "shared"}],
        "networks": [{"mode": "container/bridge"}]}),
    );
    wait::until("the pod to be stable", START, || {
        let status = http::get(cluster.dev.api, "/v2/pods/pod::status")?.json();
        (status["status"] == "STABLE").then_some(())
    });
}
