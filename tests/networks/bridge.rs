//! The agent's own bridge.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use harness::cluster::START;
use harness::framework::{launch_group, task, with_health_check};
use harness::{http, wait};
use serde_json::json;

use crate::world::{
    MACHINE, SERVER, address, answers, answers_soon, at_a_neighbour, bridge, networked, networks, on_a_machine, run,
};

#[test]
fn a_port_of_the_host_leads_to_a_task_from_everywhere() {
    on_a_machine("a_port_of_the_host_leads_to_a_task_from_everywhere", &[], |world| {
        let port = world.port(0);
        assert_eq!(run("ip -o link show type bridge; nft list tables"), "", "nobody wants a bridge yet");
        let status = world.framework.run(networked(task("web", SERVER), bridge(port), &[port]));
        let own = address(&status);
        assert_eq!((networks(&status)[0]["name"].as_str(), &own[..3]), (Some("mesos-bridge"), "10."), "{status}");
        for place in [format!("127.0.0.1:{port}"), format!("{own}:80")] {
            answers_soon(&place);
        }
        assert!(at_a_neighbour(move || answers(&format!("{MACHINE}:{port}"))), "from a neighbour");
        let listed = http::get(world.pair.agent, "/containers").expect("an answer").json();
        let shown = &listed[0]["status"]["network_infos"][0]["ip_addresses"][0]["ip_address"];
        assert_eq!(shown.as_str(), Some(own.as_str()), "{listed}");
        assert!(listed[0]["statistics"]["net_rx_packets"].as_u64() > Some(0), "{listed}");
        let state = http::get(world.pair.agent, "/state").expect("an answer").json().to_string();
        assert!(state.contains(&own), "{state}");
        // Its neighbour on the bridge has the same port inside and another one outside.
        let other = world.port(1);
        let status = world.framework.run(networked(task("other", SERVER), bridge(other), &[other]));
        assert_ne!(address(&status), own);
        answers_soon(&format!("127.0.0.1:{other}"));
        world.end("web");
        world.end("other");
        world.nothing_left();
        // What was given back can be had again.
        world.framework.run(networked(task("again", SERVER), bridge(port), &[port]));
        answers_soon(&format!("127.0.0.1:{port}"));
        world.end("again");
        world.nothing_left();
    });
}

#[test]
fn datagrams_find_their_way() {
    on_a_machine("datagrams_find_their_way", &["python3"], |world| {
        let port = world.port(0);
        let echo = "exec python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind((\"\", 80))\n\
                    while True:\n data, peer = s.recvfrom(99); s.sendto(data, peer)'";
        let mut networks = bridge(port);
        networks[0]["port_mappings"][0]["protocol"] = json!("udp");
        world.framework.run(networked(task("echo", echo), networks, &[port]));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        wait::until("a datagram comes back", START, || {
            let mut buffer = [0; 9];
            let _nobody_may_be_there_yet = socket.send(b"hello");
            socket.recv(&mut buffer).is_ok_and(|length| &buffer[..length] == b"hello").then_some(())
        });
        world.end("echo");
        world.nothing_left();
    });
}

#[test]
fn ports_that_cannot_be_had_are_named() {
    on_a_machine("ports_that_cannot_be_had_are_named", &[], |world| {
        let port = world.port(0);
        let taken = TcpListener::bind(("0.0.0.0", port)).unwrap();
        let message = world.refused(networked(task("taken", SERVER), bridge(port), &[port]));
        let wanted = format!(
            "Failed to launch container: tcp port {port} of the host is in use by a process of the host: end that, or ask for another port"
        );
        assert_eq!(message, wanted);
        drop(taken);
        let message = world.refused(networked(task("strange", SERVER), bridge(port), &[port + 1]));
        assert_eq!(message, format!("Failed to launch container: Port [{port}] not included in resources"));
        let message = world.refused(networked(task("none", SERVER), bridge(port), &[]));
        assert_eq!(message, "Failed to launch container: Port mappings require port resources");
        world.nothing_left();
    });
}

#[test]
fn checks_are_made_inside_and_names_are_the_containers_own() {
    on_a_machine("checks_are_made_inside_and_names_are_the_containers_own", &[], |world| {
        // Nobody outside could reach it.
        let server = "grep -q web /proc/sys/kernel/hostname && grep -q web /etc/hosts && grep -q web /etc/hostname && \
                      exec cygnet demo http --port 80";
        let health = json!({"type": "HTTP", "http": {"port": 80, "path": "/health"}});
        let mut web = networked(with_health_check(task("web", server), health), json!([{"name": "mesos-bridge"}]), &[]);
        web["container"]["hostname"] = json!("web");
        let status = world.framework.run(web);
        let healthy = || world.framework.expect("TASK_RUNNING")["healthy"] == true;
        wait::until("a healthy task", START, || healthy().then_some(()));
        assert!(!answers(&format!("{}:80", address(&status))));
        world.end("web");
        world.nothing_left();
    });
}

#[test]
fn tasks_of_a_group_are_in_its_network() {
    on_a_machine("tasks_of_a_group_are_in_its_network", &[], |world| {
        let (port, own) = (world.port(0), world.pair.directory().join("address"));
        let client = format!("echo $MESOS_CONTAINER_IP > {}; exec sleep 1000", own.display());
        let health = json!({"type": "HTTP", "http": {"port": 80, "path": "/health"}});
        let server = networked(task("server", SERVER), json!([]), &[port]);
        let client = with_health_check(task("client", &client), health);
        world.framework.operate(|offer| {
            let tasks = [server, client].map(|task| {
                let mut task = harness::framework::filled(task, offer);
                task.as_object_mut().unwrap().remove("container");
                task
            });
            let mut launch = launch_group(&world.framework.id, "pod", tasks);
            launch["launch_group"]["executor"]["container"] = json!({"type": "MESOS", "network_infos": bridge(port)});
            vec![launch]
        });
        let healthy = wait::until("a healthy client", START, || {
            let status = world.framework.update();
            assert!(["TASK_STARTING", "TASK_RUNNING"].contains(&status["state"].as_str().unwrap()), "{status}");
            (status["healthy"] == true).then_some(status)
        });
        assert_eq!(fs::read_to_string(own).unwrap().trim(), address(&healthy), "{healthy}");
        answers_soon(&format!("127.0.0.1:{port}"));
        world.framework.kill("client");
        world.last("client");
        world.nothing_left();
    });
}
