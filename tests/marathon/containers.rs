//! Marathon's system tests of containers, each test named after its rows, and what the API says of them.
//!
//! Not here: rows that need a volume that outlives its task (`test_restart_container_with_persistent_volume` and the like,
//! `test_external_volume`), which are refused by name; those that need names of DC/OS (`test_docker_dns_mapping`, `test_vip_*`,
//! `test_network_pinger`); and those that start images, which are in `images.rs` and the files that it names.

use harness::cluster::START;
use harness::wait;
use serde_json::{Value, json};

use crate::{change, deploy, get, send, started};

/// The image of the rows, which none of these tests starts.
const IMAGE: &str = "registry.example/shop/web:1";

#[test]
fn apps_and_pods_with_containers_are_accepted_and_shown() {
    let dev = started();
    let mappings = json!([{"containerPort": 80, "hostPort": 0, "name": "http"}]);
    for (id, kind) in [("docker-port-mappings", "DOCKER"), ("mesos-docker-image", "MESOS")] {
        let container = json!({"type": kind, "docker": {"image": IMAGE}, "portMappings": mappings});
        let app = json!({"id": id, "instances": 0, "networks": [{"mode": "container/bridge"}], "container": container});
        deploy(&dev, "POST", "/v2/apps", &app);
        let shown = dev.app(id);
        assert_eq!(
            (&shown["container"]["type"], &shown["container"]["docker"]["image"]),
            (&json!(kind), &json!(IMAGE))
        );
        assert_eq!((&shown["networks"], shown.get("portDefinitions")), (&json!([{"mode": "container/bridge"}]), None));
        let service = shown["container"]["portMappings"][0]["servicePort"].as_u64();
        assert!(service.is_some_and(|port| (10_000..=20_000).contains(&port)), "{shown}");
        let again = send(&dev, "PUT", &format!("/v2/apps/{id}"), &app);
        assert_eq!(
            (again.status, dev.app(id)["version"].clone()),
            (200, shown["version"].clone()),
            "{id} is what it was"
        );
    }
    let pod = json!({"id": "/two-images", "scaling": {"kind": "fixed", "instances": 0}, "networks": [{"name": "blue"}],
        "volumes": [{"name": "shared"}], "containers": [{"name": "web", "image": {"kind": "DOCKER", "id": IMAGE},
            "endpoints": [{"name": "http", "containerPort": 80}],
            "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}]});
    deploy(&dev, "POST", "/v2/pods", &pod);
    let shown = get(&dev, "/v2/pods/two-images");
    for field in ["image", "volumeMounts"] {
        assert_eq!(shown["containers"][0][field], pod["containers"][0][field]);
    }
    assert_eq!(shown["networks"], json!([{"mode": "container", "name": "blue"}]));
    let info = get(&dev, "/v2/info");
    assert_eq!(info["marathon_config"]["mesos_bridge_name"], "mesos-bridge");
}

#[test]
fn what_is_wrong_with_a_container_is_told_in_marathons_words() {
    let dev = started();
    let docker = |more: Value| {
        let mut app = json!({"id": "/bad", "container": {"type": "DOCKER", "docker": {"image": IMAGE}}});
        more.as_object().expect("fields").iter().for_each(|(name, value)| app[name] = value.clone());
        app
    };
    for (app, error) in [
        (docker(json!({"networks": [{}]})), "Network name must be specified when container network is selected."),
        (docker(json!({"env": {"A": {"secret": "none"}}})), "references an undefined secret"),
        (
            docker(json!({"networks": [{"mode": "host"}, {"name": "a"}]})),
            "May specify a single host network, single bridge network, or else 1-to-n container networks",
        ),
    ] {
        let answer = send(&dev, "POST", "/v2/apps", &app);
        assert!(answer.status == 422 && answer.text().contains(error), "{} {}", answer.status, answer.text());
    }
}

#[test]
fn test_launch_mesos_container_with_limits_beyond_what_it_asks_for() {
    let dev = started();
    let limits = json!({"cpus": 1, "mem": "unlimited"});
    let app = json!({"id": "/limits", "cmd": "sleep 1000", "cpus": 0.1, "mem": 32, "container": {"type": "MESOS"},
        "resourceLimits": limits});
    change(&dev, "POST", "/v2/apps", &app);
    let shown = dev.app("limits");
    assert_eq!((&shown["tasksRunning"], shown["resourceLimits"]["mem"].as_str()), (&json!(1), Some("unlimited")));
}

#[test]
fn test_app_and_pod_inaccessible_secret_env_var() {
    let dev = started();
    let (secrets, variables) = (json!({"s": {"source": "/nobody/has/this"}}), json!({"TOKEN": {"secret": "s"}}));
    let app = json!({"id": "/app", "cmd": "sleep 1000", "cpus": 0.1, "mem": 16, "secrets": secrets, "env": variables});
    deploy(&dev, "POST", "/v2/apps", &app);
    let failed = dev.wait_app("app", "a failure", |app| app["lastTaskFailure"].is_object());
    let failure = failed["lastTaskFailure"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(failed["tasksRunning"] == 0 && failure.contains("The secret '/nobody/has/this'"), "{failed}");
    let container =
        json!({"name": "c", "exec": {"command": {"shell": "sleep 1000"}}, "resources": {"cpus": 0.1, "mem": 32}});
    let pod = json!({"id": "/pod", "secrets": secrets, "environment": variables, "containers": [container]});
    deploy(&dev, "POST", "/v2/pods", &pod);
    let ended = || Some(get(&dev, "/v2/pods/pod::status")["terminationHistory"].as_array()?.first()?.clone());
    let ended = wait::until("the pod ended", START, ended);
    let container = &ended["containers"][0];
    let told = (&container["lastKnownState"], &container["termination"]["message"]);
    assert_eq!(told, (&json!("TASK_FAILED"), &json!(failure)), "{ended}");
}
