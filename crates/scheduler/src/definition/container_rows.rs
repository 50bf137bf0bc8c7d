//! Marathon's own tests of containers, networks, volumes and secrets in definitions, row by row: what is valid, what is
//! added, what older forms become.
//!
//! Not here: persistent and external volumes, which are refused by name.

use serde_json::{Value, json};

use super::{AppUpdate, Faults, Pod, RunSpec};
use crate::ids::AppId;
use crate::time::Timestamp;

fn app(json: &Value) -> Result<RunSpec, Faults> {
    let update: AppUpdate = super::shape::from_value(json.clone()).unwrap();
    update.create(AppId::new("/a"), Timestamp::from_millis(0))
}

fn pod(json: Value) -> Result<RunSpec, Faults> {
    super::shape::from_value::<Pod>(json).unwrap().app(Timestamp::from_millis(0))
}

#[track_caller]
fn refused(result: Result<RunSpec, Faults>, path: &str, error: &str) {
    let faults = result.expect_err(error);
    assert!(faults.iter().any(|fault| fault.path == path && fault.error == error), "{error}: {faults:?}");
}

/// A container of Mesos with an image, and these fields.
fn mesos(more: Value) -> Value {
    let mut container = json!({"type": "MESOS", "docker": {"image": "busybox"}});
    for (name, value) in more.as_object().unwrap() {
        container[name] = value.clone();
    }
    container
}

#[test]
fn app_normalization_rows() {
    let port = |more: &[(&str, Value)]| {
        let mut port = json!({"containerPort": 0, "labels": {}, "protocol": "tcp", "servicePort": 0});
        more.iter().for_each(|(name, value)| port[name] = value.clone());
        port
    };
    let usual = port(&[("name", json!("default"))]);
    let web = json!([{"containerPort": 80}]);
    let mapped = |host: u16| json!([port(&[("containerPort", json!(80)), ("hostPort", json!(host))])]);
    for (row, sent, networks, mappings) in [
        (
            "migrate docker.network BRIDGE and docker.portMappings",
            json!({"container": {"docker": {"image": "a", "network": "bridge", "portMappings": web}}}),
            json!([{"mode": "container/bridge"}]),
            mapped(0),
        ),
        (
            "migrate docker.network HOST, and drop the mappings",
            json!({"container": {"docker": {"image": "a", "network": "HOST", "portMappings": web}}}),
            json!([{"mode": "host"}]),
            Value::Null,
        ),
        (
            "migrate docker.network USER with ipAddress",
            json!({"container": {"docker": {"image": "a", "network": "USER"}}, "ipAddress": {"networkName": "whatever"}}),
            json!([{"mode": "container", "name": "whatever"}]),
            json!([usual]),
        ),
        (
            "migrate ipAddress discovery to container networking with a default Mesos container",
            json!({"cmd": "run", "ipAddress": {"networkName": "whatever", "labels": {"foo": "bar"}, "groups": ["x"],
                "discovery": {"ports": [{"number": 34, "name": "port-name"}]}}}),
            json!([{"mode": "container", "name": "whatever", "labels": {"foo": "bar"}}]),
            json!([port(&[("containerPort", json!(34)), ("name", json!("port-name"))])]),
        ),
        (
            "migrate ipAddress on the bridge",
            json!({"cmd": "run", "ipAddress": {"networkName": "mesos-bridge"}}),
            json!([{"mode": "container/bridge"}]),
            json!([port(&[("name", json!("default")), ("hostPort", json!(0))])]),
        ),
        (
            "not assign defaults where an empty list is sent",
            json!({"networks": [{"name": "blue"}], "container": mesos(json!({"portMappings": []}))}),
            json!([{"mode": "container", "name": "blue"}]),
            json!([]),
        ),
        (
            "as many mappings as there are ports",
            json!({"networks": [{"name": "blue"}], "ports": [0, 0], "container": mesos(json!({}))}),
            json!([{"mode": "container", "name": "blue"}]),
            json!([usual, port(&[])]),
        ),
    ] {
        let shown = json!(app(&sent).unwrap_or_else(|faults| panic!("{row}: {faults:?}")));
        assert_eq!((&shown["networks"], &shown["container"]["portMappings"]), (&networks, &mappings), "{row}");
        let on_host = networks == json!([{"mode": "host"}]);
        assert_eq!(shown.get("portDefinitions").is_some(), on_host, "{row}");
    }
}

#[test]
fn a_container_is_shown_as_marathon_shows_it() {
    let docker = json!({"type": "DOCKER", "docker": {"forcePullImage": true, "image": "redis:7", "privileged": true,
        "parameters": [{"key": "ulimit", "value": "nofile=1024"}]},
        "volumes": [{"containerPath": "/data", "hostPath": "/srv", "mode": "RO"}]});
    let shown = json!(app(&json!({"container": docker})).unwrap());
    assert_eq!((&shown["container"], shown["portDefinitions"][0]["name"].as_str()), (&docker, Some("default")));
    let linux =
        json!({"seccomp": {"profileName": "web", "unconfined": false}, "ipcInfo": {"mode": "PRIVATE", "shmSize": 16}});
    let docker = json!({"forcePullImage": false, "image": "a", "parameters": [], "privileged": false,
        "pullConfig": {"secret": "pull"}});
    let mesos = json!({"type": "MESOS", "docker": docker, "linuxInfo": linux,
        "volumes": [{"containerPath": "/run/password", "secret": "pull"}]});
    let own = json!({"secrets": {"pull": {"source": "/web/pull"}}, "env": {"P": {"secret": "pull"}},
        "resourceLimits": {"cpus": 2.0, "mem": "unlimited"}, "tty": true, "container": mesos});
    let spec = app(&own).unwrap();
    let shown = json!(spec);
    for field in ["secrets", "env", "resourceLimits", "tty", "container"] {
        assert_eq!(shown[field], own[field], "{field}");
    }
    assert_eq!(serde_json::from_value::<RunSpec>(shown).unwrap(), spec, "and it is stored so");
}

#[test]
fn app_validation_rows() {
    const PORTS: &str = "/container/portMappings";
    let blue = json!([{"name": "blue"}]);
    let two = json!([{"name": "blue"}, {"name": "red"}]);
    let on = |networks: &Value, mapping: Value| json!({"networks": networks, "container": mesos(json!({"portMappings": mapping}))});
    let one = |field: &str, value: Value| json!({field: value, "container": mesos(json!({}))});
    let limits = |limits: Value| json!({"container": mesos(json!({})), "cpus": 1, "mem": 64, "resourceLimits": limits});
    let linux = |linux: Value| json!({"container": mesos(json!({"linuxInfo": linux}))});
    let docker = |more: Value| {
        let mut container = json!({"type": "DOCKER", "docker": {"image": "a"}});
        more.as_object().unwrap().iter().for_each(|(name, value)| container["docker"][name] = value.clone());
        json!({"container": container, "secrets": {"s": {"source": "x"}}})
    };
    let image = |more: Value| json!({"container": {"type": "MESOS", "docker": more}});
    for (sent, path, error) in [
        (
            json!({"container": mesos(json!({"portMappings": [{}]}))}),
            "/",
            "portMappings are not allowed with host-networking",
        ),
        (
            json!({"networks": blue, "container": mesos(json!({})), "portDefinitions": [{"port": 0}]}),
            "/",
            "portDefinitions are only allowed with host-networking",
        ),
        (on(&blue, json!([{"name": "a"}, {"name": "a"}])), PORTS, "Port names must be unique."),
        (on(&two, json!([{"hostPort": 0}])), "/container/portMappings(0)", super::port_mapping::ONE_NETWORK),
        (
            on(&two, json!([{"networkNames": ["green"]}])),
            "/container/portMappings(0)/networkNames(0)",
            "is not one of (blue,red)",
        ),
        (
            json!({"networks": two, "container": {"docker": {"image": "a"}}}),
            "/",
            "may only specify a single container network when using the Docker container engine",
        ),
        (
            docker(json!({"pullConfig": {"secret": "s"}})),
            "/container/docker/pullConfig",
            "pullConfig is not supported with Docker containerizer",
        ),
        (
            image(json!({"image": "a", "pullConfig": {"secret": "none"}})),
            "/container/docker/pullConfig",
            "pullConfig.secret must refer to an existing secret",
        ),
        (image(json!({"image": ""})), "/container/docker/image", "must not be empty"),
        (
            image(json!({"image": "a", "parameters": [{"key": "k", "value": "v"}]})),
            "/container/docker/parameters",
            "must be empty",
        ),
        (docker(json!({"credential": {"principal": "p"}})), "/container/docker/credential", "must be empty"),
        (json!({"cmd": "run", "container": {"type": "DOCKER"}}), "/container/docker", "not defined"),
        (
            json!({"container": mesos(json!({"volumes": [{"containerPath": "/s", "secret": "none"}]}))}),
            "/container/volumes(0)",
            "volume.secret must refer to an existing secret",
        ),
        (
            json!({"container": mesos(json!({"volumes": [{"containerPath": "d", "persistent": {"size": 1}, "mode": "RW"}]}))}),
            "/container/volumes(0)/persistent",
            "persistent volumes are not supported yet",
        ),
        (
            json!({"container": mesos(json!({"volumes": [{"containerPath": "d", "external": {"provider": "dvdi"}}]}))}),
            "/container/volumes(0)",
            "Feature external_volumes is not enabled. Enable with --enable_features external_volumes)",
        ),
        (one("env", json!({"A": {"secret": "none"}})), "/env/A/secret", "references an undefined secret"),
        (one("secrets", json!({"a": {"source": ""}})), "/secrets/a/source", "must not be empty"),
        (
            limits(json!({"cpus": 0.5})),
            "/resourceLimits/cpus",
            "resource limit must be greater than or equal to requested resource (1.0)",
        ),
        (
            limits(json!({"mem": "much"})),
            "/resourceLimits/mem",
            "'much' is an invalid resource limit. It must be 'unlimited' or a number",
        ),
        (
            linux(json!({"seccomp": {"profileName": "p", "unconfined": true}})),
            "/container/linuxInfo/seccomp",
            "Seccomp unconfined can NOT be true when Profile is defined",
        ),
        (
            linux(json!({"seccomp": {}})),
            "/container/linuxInfo/seccomp",
            "Seccomp unconfined must be true when Profile is NOT defined",
        ),
        (
            linux(json!({"ipcInfo": {"mode": "share_parent", "shmSize": 1}})),
            "/container/linuxInfo/ipcInfo",
            "ipcInfo shmSize can NOT be set when mode is SHARE_PARENT",
        ),
        (
            json!({"networks": blue, "container": {"docker": {"image": "a", "network": "BRIDGE"}}}),
            "/",
            "must not specify both container.docker.network and networks",
        ),
        (json!({"cmd": "run", "networks": blue, "ipAddress": {}}), "/", "must not specify both networks and ipAddress"),
        (
            json!({"container": {"docker": {"image": "a", "network": "NONE"}}}),
            "/container/docker/network",
            "unsupported docker network type NONE",
        ),
    ] {
        refused(app(&sent), path, error);
    }
    let ipv6 = json!([{"protocol": "MESOS_HTTP", "portIndex": 0, "ipProtocol": "IPv6"}]);
    let docker = json!({"type": "DOCKER", "docker": {"image": "a"}});
    assert!(
        app(&json!({"container": docker, "healthChecks": ipv6})).is_ok(),
        "app_validation_ipv6_needs_a_docker_container"
    );
    let index = |index: u16| {
        let container = mesos(json!({"portMappings": [{"containerPort": 80}]}));
        app(
            &json!({"networks": blue, "container": container, "healthChecks": [{"protocol": "HTTP", "portIndex": index}]}),
        )
    };
    assert!(index(0).is_ok());
    let error = "Health check port indices must address an element of the ports array or container port mappings.";
    refused(index(1), "/healthChecks(0)", error);
}

fn with(fields: Value, container: Value) -> Value {
    let mut pod = json!({"id": "/p", "containers": [{"name": "a", "image": {"kind": "docker", "id": "busybox"}}]});
    fields.as_object().unwrap().iter().for_each(|(name, value)| pod[name] = value.clone());
    container.as_object().unwrap().iter().for_each(|(name, value)| pod["containers"][0][name] = value.clone());
    pod
}

#[test]
fn pods_validation_rows() {
    let endpoint = |fields: Value| {
        let mut endpoint = json!({"name": "http"});
        fields.as_object().unwrap().iter().for_each(|(name, value)| endpoint[name] = value.clone());
        json!({"endpoints": [endpoint]})
    };
    let two = json!({"networks": [{"name": "blue"}, {"name": "red"}]});
    let mount = json!({"volumeMounts": [{"name": "v", "mountPath": "/v"}]});
    for (fields, container, path, error) in [
        (
            json!({"networks": [{"name": "blue"}]}),
            endpoint(json!({"hostPort": 0})),
            "/containers(0)/endpoints(0)/containerPort",
            "is required when using container-mode networking",
        ),
        (
            two.clone(),
            endpoint(json!({"containerPort": 80, "hostPort": 0})),
            "/containers(0)/endpoints(0)",
            super::port_mapping::ONE_NETWORK,
        ),
        (
            json!({"volumes": [{"name": "v"}]}),
            json!({}),
            "/volumes(0)",
            "volume must be referenced by at least one container",
        ),
        (json!({"volumes": [{"name": "v"}, {"name": "v"}]}), mount.clone(), "/volumes", "volume names must be unique"),
        (
            json!({}),
            mount.clone(),
            "/containers(0)/volumeMounts(0)/name",
            "Referenced Volume in VolumeMount should exist",
        ),
        (
            json!({"volumes": [{"name": "v", "secret": "none"}]}),
            mount.clone(),
            "/volumes(0)/secret",
            "volume.secret must refer to an existing secret",
        ),
        (
            json!({"volumes": [{"name": "v", "persistent": {"size": 1}}]}),
            mount.clone(),
            "/volumes(0)/persistent",
            "persistent volumes are not supported yet",
        ),
        (
            json!({"environment": {"A": {"secret": "s"}}}),
            json!({}),
            "/environment/A/secret",
            "references an undefined secret",
        ),
        (
            json!({}),
            json!({"image": {"kind": "DOCKER", "id": "a", "pullConfig": {"secret": "none"}}}),
            "/containers(0)/image/pullConfig",
            "pullConfig.secret must refer to an existing secret",
        ),
        (
            json!({"legacySharedCgroups": true}),
            json!({"resourceLimits": {"cpus": 2}}),
            "/containers(0)/resourceLimits",
            "resourceLimits cannot be defined if legacySharedCgroups is enabled",
        ),
        (
            json!({"linuxInfo": {"seccomp": {"unconfined": true}}}),
            json!({}),
            "/linuxInfo/seccomp",
            "Seccomp configuration on executor level is not supported",
        ),
    ] {
        refused(pod(with(fields, container)), path, error);
    }
    let whole = json!({"networks": [{"mode": "container/bridge"}], "secrets": {"s": {"source": "/s"}},
        "environment": {"A": {"secret": "s"}}, "linuxInfo": {"ipcInfo": {"mode": "PRIVATE"}},
        "volumes": [{"name": "v"}, {"name": "h", "host": "/srv"}, {"name": "s", "secret": "s"}]});
    let mounts = json!([{"name": "v", "mountPath": "/v"}, {"name": "h", "mountPath": "/h", "readOnly": true},
        {"name": "s", "mountPath": "s"}]);
    let own = json!({"volumeMounts": mounts, "resourceLimits": {"cpus": "unlimited"}, "tty": true,
        "endpoints": [{"name": "http", "containerPort": 80, "protocol": ["tcp"]}]});
    let shown = json!(pod(with(whole.clone(), own.clone())).unwrap().pod());
    for field in ["networks", "secrets", "environment", "linuxInfo", "volumes"] {
        assert_eq!(shown[field], whole[field], "{field}");
    }
    assert_eq!(shown["containers"][0]["volumeMounts"], mounts);
    assert_eq!(
        shown["containers"][0]["endpoints"][0]["hostPort"], 0,
        "PodNormalization: the bridge has ports of the host"
    );
}

#[test]
fn a_change_of_image_or_network_starts_instances_anew_and_the_same_once_more_does_not() {
    let sent = json!({"networks": [{"mode": "container/bridge"}],
        "container": mesos(json!({"portMappings": [{"containerPort": 80}]}))});
    let mut before = app(&sent).unwrap();
    before.keep_service_ports(&[10_000]);
    let change = |json: Value| {
        let update: AppUpdate = super::shape::from_value(json).unwrap();
        update.apply(&before, Timestamp::from_millis(1)).unwrap()
    };
    assert!(!before.needs_restart(&change(sent)), "it keeps its service port");
    let image = json!({"container": {"type": "MESOS", "docker": {"image": "busybox:2"},
        "portMappings": [{"containerPort": 80}]}});
    for changed in [image, json!({"networks": [{"name": "blue"}]}), json!({"networks": [{"mode": "host"}]})] {
        assert!(before.needs_restart(&change(changed.clone())), "{changed}");
    }
    let on_host = change(json!({"networks": [{"mode": "host"}]}));
    assert_eq!(
        (on_host.app().unwrap().container.as_ref().unwrap().port_mappings.as_ref(), on_host.wanted_ports().len()),
        (None, 1)
    );
}
