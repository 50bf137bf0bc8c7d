//! Marathon's system tests of networks that have a name, each test named after its row: the plugins of CNI, as Debian has
//! them, make the network.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use harness::archive::Archive;
use harness::cluster::{Dev, START};
use harness::images::Image;
use harness::{http, wait};
use serde_json::{Value, json};

use crate::images::{IMAGE, on_a_machine, with_docker};
use crate::{change, get, send};

/// The directory of Debian's plugins.
const PLUGINS: &str = "/usr/lib/cni";

/// Runs a test with a cluster whose agent has an image and a network, or says why it cannot.
fn with_a_network(test: &str, name: &str, more: &[&str], body: impl FnOnce(&Dev) + Send) {
    if !Path::new(PLUGINS).join("bridge").exists() {
        return println!("SKIPPED {test}: there are no plugins of CNI here");
    }
    on_a_machine(test, || {
        let mut dev = Dev::new();
        let [archives, networks] = ["archives", "networks"].map(|name| dev.directory().join(name));
        [&archives, &networks].into_iter().for_each(|path| fs::create_dir_all(path).expect("a directory"));
        Image::busybox(Archive::new().directory("www/").file("www/index.html", "here"), &json!({}))
            .save(&archives, IMAGE);
        let ipam = json!({"type": "host-local", "subnet": "10.88.9.0/24", "dataDir": dev.directory().join("leases")});
        let bridge = json!({"type": "bridge", "bridge": "rows0", "isGateway": true, "ipam": ipam});
        let network = json!({"cniVersion": "0.4.0", "name": name, "plugins": [bridge]}).to_string();
        fs::write(networks.join(format!("{name}.conflist")), network).expect("a file");
        let [archives, networks] = [archives, networks].map(|path| path.display().to_string());
        dev.start(
            &[
                &["--resources", "cpus:4;mem:2048;disk:1000", "--docker-registry", &archives],
                ["--network-cni-config-dir", &networks, "--network-cni-plugins-dir", PLUGINS].as_slice(),
                &["--network-cni-root-dir-persist", "--default-network-name", name],
                more,
            ]
            .concat(),
        );
        body(&dev);
    });
}

/// The page of a container's own address.
fn page(address: &Value) -> String {
    let address: SocketAddr = format!("{}:80", address.as_str().expect("an address")).parse().expect("an address");
    wait::until("the container answers", START, || http::get(address, "/").filter(|answer| answer.status == 200)).text()
}

#[test]
fn test_pod_with_container_network() {
    with_a_network("test_pod_with_container_network", "dcos", &[], |dev| {
        let pod = json!({"id": "/container-net-pod", "networks": [{"mode": "container"}], "containers": [
            {"name": "nginx", "resources": {"cpus": 0.1, "mem": 32}, "image": {"kind": "DOCKER", "id": IMAGE},
                "exec": {"command": {"shell": "exec httpd -f -p 80 -h /www"}},
                "endpoints": [{"name": "web", "containerPort": 80, "protocol": ["http"]}],
                "healthCheck": {"http": {"endpoint": "web", "path": "/"}, "intervalSeconds": 1, "timeoutSeconds": 0.9,
                    "delaySeconds": 0, "gracePeriodSeconds": 60}}]});
        change(dev, "POST", "/v2/pods", &pod);
        let status = get(dev, "/v2/pods/container-net-pod::status");
        let network = &status["instances"][0]["networks"][0];
        assert_eq!((&status["status"], &network["name"]), (&json!("STABLE"), &json!("dcos")), "{status}");
        assert_eq!(page(&network["addresses"][0]), "here");
        let answer = send(dev, "DELETE", "/v2/pods/container-net-pod", &Value::Null);
        assert_eq!(answer.status, 202, "{}", answer.text());
        let leases = dev.directory().join("leases/dcos");
        let is_address = |name: &str| name.starts_with("10.88.9.");
        wait::until("the address is given back", START, || {
            let left = fs::read_dir(&leases).ok()?.flatten();
            left.into_iter().all(|entry| !is_address(&entry.file_name().to_string_lossy())).then_some(())
        });
    });
}

/// The definitions that users of Marathon write, newer and older, and the address each gets.
#[test]
fn apps_are_in_a_named_network_by_each_way_to_ask_for_it() {
    with_a_network("apps_are_in_a_named_network_by_each_way_to_ask_for_it", "blue", &[], |dev| {
        let mesos = json!({"type": "MESOS", "docker": {"image": IMAGE}});
        let ports = json!({"ports": [{"number": 80, "name": "web", "protocol": "tcp"}]});
        for (id, more) in [
            ("/by-name", json!({"networks": [{"mode": "container", "name": "blue"}], "container": mesos})),
            ("/by-default", json!({"networks": [{"mode": "container"}], "container": mesos})),
            ("/by-address", json!({"ipAddress": {"networkName": "blue", "discovery": ports}, "container": mesos})),
            ("/by-address-alone", json!({"ipAddress": {}, "container": mesos})),
        ] {
            let mut app = json!({"id": id, "cmd": "exec httpd -f -p 80 -h /www", "cpus": 0.1, "mem": 32});
            more.as_object().expect("fields").iter().for_each(|(name, value)| app[name] = value.clone());
            change(dev, "POST", "/v2/apps", &app);
            let shown = dev.app(id.trim_start_matches('/'));
            assert_eq!(shown["networks"], json!([{"mode": "container", "name": "blue"}]), "{id}");
            assert_eq!(page(&shown["tasks"][0]["ipAddresses"][0]["ipAddress"]), "here", "{id}");
        }
    });
}

/// The bridge has the name that the operator gives it, for agent and scheduler of `cygnet dev` alike.
#[test]
fn the_bridge_may_be_called_otherwise() {
    const TEST: &str = "the_bridge_may_be_called_otherwise";
    with_a_network(TEST, "blue", &["--mesos-bridge-name", "our-bridge"], |dev| {
        let app = json!({"id": "/web", "cmd": "exec httpd -f -p 80 -h /www", "cpus": 0.1, "mem": 32,
            "networks": [{"mode": "container/bridge"}],
            "container": {"type": "MESOS", "docker": {"image": IMAGE}, "portMappings": [{"containerPort": 80}]}});
        change(dev, "POST", "/v2/apps", &app);
        assert_eq!(page(&dev.app("web")["tasks"][0]["ipAddresses"][0]["ipAddress"]), "here");
    });
}

/// The definitions that users of Docker's containers wrote before Marathon 1.5, and the ports each gets.
#[test]
fn apps_of_dockers_are_in_networks_by_older_words() {
    with_docker("apps_of_dockers_are_in_networks_by_older_words", |dev, daemon| {
        daemon.call("POST", "/networks/create", &json!({"Name": "blue"})).expect("an answer");
        let server = |port: &str| format!("exec httpd -f -p {port} -h /etc");
        let mapped = json!([{"containerPort": 80, "hostPort": 0}]);
        for (id, cmd, network, more, shown) in [
            ("/bridge", server("80"), "BRIDGE", json!({"portMappings": mapped}), json!({"mode": "container/bridge"})),
            ("/host", server("$PORT0"), "HOST", json!({}), json!({"mode": "host"})),
            ("/user", server("80"), "USER", json!({}), json!({"mode": "container", "name": "blue"})),
        ] {
            let mut docker = json!({"image": IMAGE, "network": network});
            more.as_object().expect("fields").iter().for_each(|(name, value)| docker[name] = value.clone());
            let mut app = json!({"id": id, "cmd": cmd, "cpus": 0.1, "mem": 64,
                "container": {"type": "DOCKER", "docker": docker}});
            if network == "USER" {
                app["ipAddress"] = json!({"networkName": "blue"});
            }
            change(dev, "POST", "/v2/apps", &app);
            let (is, task) = (dev.app(&id[1..])["networks"].clone(), dev.app(&id[1..])["tasks"][0].clone());
            assert_eq!(is, json!([shown]), "{id}");
            let place = match network {
                "USER" => format!("{}:80", task["ipAddresses"][0]["ipAddress"].as_str().expect("an address")),
                _ => format!("127.0.0.1:{}", task["ports"][0]),
            };
            let place: SocketAddr = place.parse().expect("an address");
            let answer = || http::get(place, "/group").filter(|answer| answer.status == 200);
            wait::until("the container answers", START, answer);
        }
    });
}

#[test]
fn test_ipv6_healthcheck() {
    with_docker("test_ipv6_healthcheck", |dev, daemon| {
        let ipam = json!({"Config": [{"Subnet": "fd01:b::/64"}]});
        let network = json!({"Name": "mesos-docker-ipv6-test", "EnableIPv6": true, "IPAM": ipam});
        let made = daemon.call("POST", "/networks/create", &network).expect("an answer");
        assert_eq!(made.status, 201, "{}", made.text());
        let check = json!({"portIndex": 0, "protocol": "MESOS_HTTP", "path": "/group", "ipProtocol": "IPv6",
            "delaySeconds": 0, "intervalSeconds": 0.5, "timeoutSeconds": 5, "gracePeriodSeconds": 60});
        let app = json!({"id": "/test-ipv6", "cmd": "exec httpd -f -p [::1]:8080 -h /etc", "cpus": 0.1, "mem": 64,
            "networks": [{"mode": "container", "name": "mesos-docker-ipv6-test"}],
            "container": {"type": "DOCKER", "docker": {"image": IMAGE},
                "portMappings": [{"containerPort": 8080, "hostPort": 0}]},
            "healthChecks": [check]});
        change(dev, "POST", "/v2/apps", &app);
        let shown = dev.app("test-ipv6");
        assert_eq!((&shown["tasksRunning"], &shown["tasksHealthy"]), (&json!(1), &json!(1)));
        let addresses = shown["tasks"][0]["ipAddresses"].as_array().expect("addresses");
        assert!(addresses.iter().any(|address| address["protocol"] == "IPv6"), "{addresses:?}");
    });
}
