//! Marathon's system tests of private registries, each test named after its rows: an app and a pod of a container of the
//! agent's own bring their credentials as a secret, an app of Docker's as a file that is fetched.

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::archive::Archive;
use harness::cluster::{Dev, START};
use harness::docker::Docker;
use harness::images::Image;
use harness::registry::{PASSWORD, Registry, USER};
use harness::tokens::TokenRegistry;
use harness::wait;
use serde_json::{Value, json};

use crate::images::on_a_machine;
use crate::{change, deploy, get};

/// The repository of the rows, in a registry of the test's own.
const REPOSITORY: &str = "shop/private";

/// The credentials for a registry, as Docker keeps them.
fn config(registry: &str, password: &str) -> String {
    json!({"auths": {registry: {"username": USER, "password": password}}}).to_string()
}

/// An image that runs until it is told to end.
fn sleeper() -> Image {
    Image::busybox(Archive::new(), &json!({"Cmd": ["sleep", "100000"]}))
}

/// A cluster whose agent has these secrets, and nothing else that lets it in.
fn with_secrets(secrets: &[(&str, String)]) -> Dev {
    let mut dev = Dev::new();
    let directory = dev.directory().join("secrets");
    fs::create_dir_all(&directory).expect("a directory");
    secrets.iter().for_each(|(name, secret)| fs::write(directory.join(name), secret).expect("a secret"));
    dev.start(&["--resources", "cpus:4;mem:2048;disk:1000", "--secrets-directory", &directory.display().to_string()]);
    dev
}

fn app(id: &str, image: &str, secret: &str) -> Value {
    json!({"id": id, "cpus": 0.1, "mem": 32, "secrets": {"pullConfigSecret": {"source": secret}},
        "container": {"type": "MESOS", "docker": {"image": image, "pullConfig": {"secret": "pullConfigSecret"},
            "forcePullImage": true}}})
}

fn pod(id: &str, image: &str, secret: &str) -> Value {
    let image = json!({"kind": "DOCKER", "id": image, "pullConfig": {"secret": "pullConfigSecret"}, "forcePull": true});
    json!({"id": id, "secrets": {"pullConfigSecret": {"source": secret}}, "networks": [{"mode": "host"}],
        "containers": [{"name": "simple-docker", "image": image, "resources": {"cpus": 0.1, "mem": 32}}]})
}

/// An app and a pod run by the right credentials. By wrong ones, and by those for another registry, they fail, and say why.
fn image_is_for_those_with_credentials(address: &str) {
    let secrets = [
        ("pullconfig", config(address, PASSWORD)),
        ("wrong", config(address, "guess")),
        ("elsewhere", config("registry.example", PASSWORD)),
    ];
    let (dev, image) = (with_secrets(&secrets), format!("{address}/{REPOSITORY}:1"));
    change(&dev, "POST", "/v2/apps", &app("/app", &image, "/pullconfig"));
    assert_eq!(dev.app("app")["tasksRunning"], 1);
    change(&dev, "POST", "/v2/pods", &pod("/pod", &image, "/pullconfig"));
    assert_eq!(get(&dev, "/v2/pods/pod::status")["status"], "STABLE");
    let named = format!("Failed to launch container: cannot pull '{REPOSITORY}:1' from {address}: ");
    for (secret, reason) in [
        ("/wrong", format!("it refuses the credentials of '{USER}' (401)")),
        ("/elsewhere", "it wants credentials, and there are none for it".to_owned()),
    ] {
        deploy(&dev, "POST", "/v2/apps", &app(secret, &image, secret));
        let failed =
            dev.wait_app(secret.trim_start_matches('/'), "a failure", |app| app["lastTaskFailure"].is_object());
        says(&failed["lastTaskFailure"]["message"], &named, &reason);
        assert_eq!(failed["tasksRunning"], 0);
        let id = format!("{secret}-pod");
        deploy(&dev, "POST", "/v2/pods", &pod(&id, &image, secret));
        let path = format!("/v2/pods{id}::status");
        let ended = || Some(get(&dev, &path)["terminationHistory"].as_array()?.first()?.clone());
        let ended = wait::until("the pod ended", START, ended);
        says(&ended["message"], &named, &reason);
    }
}

#[track_caller]
fn says(message: &Value, named: &str, reason: &str) {
    let message = message.as_str().expect("a message");
    assert!(message.contains(named) && message.contains(reason), "{message}");
}

#[test]
fn test_private_repository_mesos_app_and_test_create_pod_with_private_image_by_basic() {
    const TEST: &str = "test_private_repository_mesos_app_and_test_create_pod_with_private_image_by_basic";
    on_a_machine(TEST, || {
        let Some(registry) = Registry::with_password(TEST) else { return };
        registry.push(REPOSITORY, "1", &sleeper());
        image_is_for_those_with_credentials(&registry.address.to_string());
    });
}

#[test]
fn test_private_repository_mesos_app_and_test_create_pod_with_private_image_by_bearer() {
    const TEST: &str = "test_private_repository_mesos_app_and_test_create_pod_with_private_image_by_bearer";
    on_a_machine(TEST, || {
        let registry = TokenRegistry::start(REPOSITORY, "1", &sleeper());
        image_is_for_those_with_credentials(&registry.address.to_string());
    });
}

#[test]
fn test_private_repository_docker_app() {
    const TEST: &str = "test_private_repository_docker_app";
    on_a_machine(TEST, || {
        let Some(registry) = Registry::with_password(TEST) else { return };
        let Some(daemon) = Docker::start(TEST) else { return };
        registry.push(REPOSITORY, "1", &sleeper());
        let mut dev = Dev::new();
        let [right, wrong] = [PASSWORD, "guess"]
            .map(|password| packed(dev.directory(), password, &config(&registry.address.to_string(), password)));
        let socket = daemon.socket().display().to_string();
        dev.start(&["--resources", "cpus:4;mem:2048;disk:1000", "--docker-socket", &socket]);
        let app = |id: &str, credentials: &str| {
            json!({"id": id, "cpus": 0.1, "mem": 64, "fetch": [{"uri": format!("file://{credentials}")}],
                "container": {"type": "DOCKER", "docker": {"image": registry.image(&format!("{REPOSITORY}:1"))}}})
        };
        deploy(&dev, "POST", "/v2/apps", &app("/wrong", &wrong));
        let failed = dev.wait_app("wrong", "a failure", |app| app["lastTaskFailure"].is_object());
        says(
            &failed["lastTaskFailure"]["message"],
            &registry.image(REPOSITORY),
            "unauthorized: authentication required",
        );
        change(&dev, "DELETE", "/v2/apps/wrong", &Value::Null);
        change(&dev, "POST", "/v2/apps", &app("/app", &right));
        assert_eq!(dev.app("app")["tasksRunning"], 1);
        change(&dev, "DELETE", "/v2/apps/app", &Value::Null);
        wait::until("no container is left", START, || daemon.containers().is_empty().then_some(()));
    });
}

/// An archive with Docker's credentials, as Marathon's documentation has users make it.
fn packed(directory: &Path, name: &str, config: &str) -> String {
    let home = directory.join(name);
    fs::create_dir_all(home.join(".docker")).expect("a directory");
    fs::write(home.join(".docker/config.json"), config).expect("a file");
    let archive = home.join("docker.tar.gz");
    let packed = Command::new("tar").arg("-C").arg(&home).arg("-czf").arg(&archive).arg(".docker").status();
    assert!(packed.expect("tar").success());
    archive.display().to_string()
}
