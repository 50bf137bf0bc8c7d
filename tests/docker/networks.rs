//! The networks of containers: ports of the host, and what is counted.

use harness::cluster::START;
use harness::{http, wait};
use serde_json::{Value, json};

use crate::world::{ended, server, task, with_docker, with_docker_info};

#[test]
fn a_port_of_the_host_leads_into_a_bridge() {
    with_docker("a_port_of_the_host_leads_into_a_bridge", |world| {
        let offer = world.framework.operate(|offer| {
            let port = first_port(offer);
            let mapping = json!([{"host_port": port, "container_port": 80, "protocol": "tcp"}]);
            let mut web =
                with_docker_info(task("web", &server(80)), json!({"network": "BRIDGE", "port_mappings": mapping}));
            let ports = json!({"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": port, "end": port}]}});
            web["resources"].as_array_mut().expect("resources").push(ports);
            vec![harness::framework::launch([harness::framework::filled(web, offer)])]
        });
        let port = u16::try_from(first_port(&offer)).expect("a port");
        world.framework.expect("TASK_STARTING");
        let running = world.framework.expect("TASK_RUNNING");
        let address = running["container_status"]["network_infos"][0]["ip_addresses"][0]["ip_address"].clone();
        let inside: std::net::IpAddr = address.as_str().expect("an address").parse().expect("an address");
        wait::until("an answer inside", START, || {
            http::get((inside, 80).into(), "/").filter(|it| it.text() == "well\n")
        });
        // Docker's rules are for what comes from elsewhere, or for any address but loopback.
        let bridge: std::net::IpAddr = "172.17.0.1".parse().expect("an address");
        wait::until("an answer", START, || http::get((bridge, port).into(), "/").filter(|it| it.text() == "well\n"));
        let statistics = http::get(world.pair.agent, "/monitor/statistics").expect("an answer").json();
        let moved = &statistics[0]["statistics"];
        assert!(moved["net_rx_packets"].as_u64() > Some(0) && moved["net_tx_bytes"].as_u64() > Some(0), "{moved}");
        let unmapped = with_docker_info(
            task("unmapped", "sleep 1000"),
            json!({"network": "BRIDGE", "port_mappings": [{"host_port": 1, "container_port": 80}]}),
        );
        world.framework.launch(unmapped);
        ended(
            &world.framework,
            "TASK_FAILED",
            "Failed to create docker run options: Port mappings require port resources",
        );
    });
}

fn first_port(offer: &Value) -> u64 {
    let resources = offer["resources"].as_array().expect("resources");
    let ports = resources.iter().find(|resource| resource["name"] == "ports").expect("ports");
    ports["ranges"]["range"][0]["begin"].as_u64().expect("a port")
}
