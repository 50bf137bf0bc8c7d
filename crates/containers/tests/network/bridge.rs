//! Containers on a bridge, and who reaches whom.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use containers::network::ports::PortMapping;
use containers::network::{Bridge, BridgeSettings, Namespaces, NetworkError};

use crate::world::{
    MACHINE, OUTSIDE, ask, ask_by_datagram, ask_in_vain, at, bridge as bridge_settings, on_a_machine, run, serve,
    socket, tcp, udp,
};

#[test]
fn everybody_reaches_a_member_and_a_member_everybody() {
    on_a_machine("everybody_reaches_a_member_and_a_member_everybody", &["nsenter"], |world| {
        let outside = world.neighbour();
        serve(&outside, 81);
        let mut bridge = world.bridge(&[]);
        let (first, address) = world.served(&mut bridge, "first", &[tcp(31000, 80), udp(31000, 80)]);
        let (second, _) = world.served(&mut bridge, "second", &[]);
        let [first, second] = [first, second].map(|made| made.handle());
        let ports: Vec<SocketAddr> =
            [MACHINE, "10.77.0.1", "127.0.0.1"].map(|host| socket(&format!("{host}:31000"))).into();
        let direct = SocketAddr::new(address, 80);
        for (name, from, to, seen) in [
            ("from outside", Some(&outside), ports[0], Some(OUTSIDE)),
            ("from the host, by its address", None, ports[0], None),
            ("from the host, by the bridge's address", None, ports[1], None),
            ("from the host, by its loopback", None, ports[2], Some("10.77.0.1")),
            ("from the host, without the port", None, direct, Some("10.77.0.1")),
            ("from itself, by the host's address", Some(&first), ports[0], Some("10.77.0.1")),
            ("from itself, by the bridge's address", Some(&first), ports[1], Some("10.77.0.1")),
            ("from a neighbour, by the host's address", Some(&second), ports[0], Some("10.77.0.1")),
            ("from a neighbour, by the bridge's address", Some(&second), ports[1], Some("10.77.0.1")),
            ("from a neighbour, without the port", Some(&second), direct, Some("10.77.0.3")),
            ("from itself, by its own loopback", Some(&first), socket("127.0.0.1:80"), Some("127.0.0.1")),
            ("to the outside", Some(&first), socket(&format!("{OUTSIDE}:81")), Some(MACHINE)),
        ] {
            let there = |ask: fn(SocketAddr) -> Option<String>| match from {
                Some(namespace) => at(namespace, move || ask(to)),
                None => ask(to),
            };
            for (transport, found) in [("tcp", there(ask)), ("udp", there(ask_by_datagram))] {
                let found = found.unwrap_or_else(|| panic!("no answer by {transport} {name}"));
                assert!(seen.is_none_or(|seen| seen == found), "{transport} {name}: seen as {found}");
            }
        }
        let inside = run(&format!("nsenter --net={} ip -o link show eth0", first.display()));
        assert!(inside.contains("mtu 1400"), "{inside}");
        bridge.remove().unwrap();
        assert_eq!(world.counts()[..2], [0, 0]);
        assert!(!run("ip -o link").contains("mesos-bridge"));
    });
}

#[test]
fn a_member_does_not_reach_the_loopback_of_the_host() {
    on_a_machine("a_member_does_not_reach_the_loopback_of_the_host", &["nsenter"], |world| {
        let mut bridge = world.bridge(&[]);
        let (made, _) = world.served(&mut bridge, "a", &[]);
        let handle = made.handle();
        serve(std::path::Path::new("/proc/thread-self/ns/net"), 82);
        run(&format!(
            "nsenter --net={} sh -ec 'ip route del local 127.0.0.0/8 dev lo table local; \
             ip route add 127.0.0.0/8 via 10.77.0.1; echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet'",
            handle.display()
        ));
        assert_eq!(at(&handle, || ask_in_vain(socket("127.0.0.9:82"))), None);
        run("nft flush chain ip cygnet-mesos-bridge guard");
        assert!(at(&handle, || ask(socket("127.0.0.9:82"))).is_some(), "the guard is what keeps it out");
    });
}

#[test]
fn a_container_that_cannot_be_joined_says_why_and_leaves_nothing() {
    on_a_machine("a_container_that_cannot_be_joined_says_why_and_leaves_nothing", &[], |world| {
        let small = BridgeSettings { subnet: "10.77.0.0/30".parse().unwrap(), ..bridge_settings() };
        let mut bridge = Bridge::open(small, &world.namespaces, &[]).unwrap();
        let in_use = TcpListener::bind("0.0.0.0:31007").unwrap();
        let made = ["a", "b"].map(|name| world.namespaces.make(name).unwrap());
        let mut refused = |made, ports: &[PortMapping]| bridge.attach(made, "eth0", ports).unwrap_err().to_string();
        let why = refused(&made[0], &[tcp(31007, 80)]);
        assert_eq!(
            why,
            "tcp port 31007 of the host is in use by a process of the host: end that, or ask for another port"
        );
        drop(in_use);
        bridge.attach(&made[0], "eth0", &[tcp(31007, 80), udp(31007, 80)]).unwrap();
        let mut refused = |made, ports: &[PortMapping]| bridge.attach(made, "eth0", ports).unwrap_err().to_string();
        assert_eq!(refused(&made[0], &[]), "container a has the address 10.77.0.2 already");
        let why = refused(&made[1], &[udp(31007, 8)]);
        assert_eq!(why, "udp port 31007 of the host is mapped to container a already");
        assert_eq!(refused(&made[1], &[]), "the bridge 'mesos-bridge' has no free address in 10.77.0.0/30");
        bridge.detach("a").unwrap();
        bridge.detach("a").unwrap();
        let why = bridge.attach(&made[1], "much-too-long-a-name", &[tcp(31007, 80)]).unwrap_err();
        assert!(matches!(&why, NetworkError::Member { container, .. } if container == "b"), "{why}");
        assert_eq!((world.counts(), bridge.members()), ([0, 0, 2, 2], 0));
        run("ip link add lan type bridge; ip addr add 10.77.0.200/16 dev lan; ip link set lan up");
        let overlap = Bridge::open(bridge_settings(), &world.namespaces, &[]).unwrap_err().to_string();
        assert!(overlap.ends_with("overlaps with the machine's own route to 10.77.0.0/16 by lan"), "{overlap}");
        for (name, why) in [("../x", "cannot be the name of a directory"), ("a", "cannot make or release")] {
            let error = world.namespaces.make(name).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    });
}

#[test]
fn a_port_that_another_agent_has_mapped_is_named_with_its_holder() {
    on_a_machine("a_port_that_another_agent_has_mapped_is_named_with_its_holder", &[], |world| {
        let mut bridge = world.bridge(&[]);
        world.served(&mut bridge, "a", &[tcp(31000, 80)]);
        let beside = Namespaces::new(world.path().join("beside"));
        let settings = BridgeSettings {
            name: "other".to_owned(),
            owner: world.path().to_owned(),
            subnet: "10.78.0.0/24".parse().unwrap(),
            mtu: None,
        };
        let mut other = Bridge::open(settings, &beside, &[]).unwrap();
        let made = beside.make("b").unwrap();
        let why = other.attach(&made, "eth0", &[udp(31000, 80), tcp(31000, 80)]).unwrap_err().to_string();
        let wanted = "tcp port 31000 of the host is mapped on the bridge 'mesos-bridge' already, which is that of the \
                      agent with the work directory /";
        assert_eq!(why, wanted);
        assert!(ask(socket("127.0.0.1:31000")).is_some(), "the first one has it still");
        // Also where nobody is left who could tell.
        run("ip link del mesos-bridge");
        let why = other.attach(&made, "eth0", &[tcp(31000, 80)]).unwrap_err().to_string();
        assert!(why.ends_with("bridge 'mesos-bridge' already, which is of no agent that is known"), "{why}");
        other.attach(&made, "eth0", &[udp(31000, 80), tcp(31001, 80)]).unwrap();
        bridge.detach("a").unwrap();
        other.detach("b").unwrap();
        other.attach(&made, "eth0", &[tcp(31000, 80)]).unwrap();
        other.remove().unwrap();
        beside.release("b").unwrap();
    });
}

#[test]
fn a_mapped_port_is_refused_at_once_on_the_other_family() {
    on_a_machine("a_mapped_port_is_refused_at_once_on_the_other_family", &[], |world| {
        let mut bridge = world.bridge(&[]);
        world.served(&mut bridge, "a", &[tcp(31000, 80)]);
        assert!(ask(socket("127.0.0.1:31000")).is_some());
        let refused = TcpStream::connect_timeout(&socket("[::1]:31000"), Duration::from_secs(20)).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        // Who asks for the name tries one after the other, and so comes through.
        assert!(TcpStream::connect("localhost:31000").is_ok());
    });
}

#[test]
fn a_member_has_the_loopback_of_both_families() {
    on_a_machine("a_member_has_the_loopback_of_both_families", &[], |world| {
        let mut bridge = world.bridge(&[]);
        let (made, _) = world.served(&mut bridge, "a", &[]);
        at(&made.handle(), || {
            let listener = TcpListener::bind("[::1]:0").unwrap();
            assert!(TcpStream::connect(listener.local_addr().unwrap()).is_ok());
        });
    });
}

#[test]
fn a_restart_keeps_the_living_and_frees_the_rest() {
    on_a_machine("a_restart_keeps_the_living_and_frees_the_rest", &[], |world| {
        let mut bridge = world.bridge(&[]);
        world.served(&mut bridge, "lives", &[tcp(31001, 80)]);
        world.served(&mut bridge, "died", &[tcp(31002, 80)]);
        world.served(&mut bridge, "torn", &[tcp(31003, 80)]);
        assert_eq!(world.counts(), [3, 3, 3, 3]);
        drop(bridge);
        std::fs::write(world.namespaces.directory("torn").join("bridge.json"), "{\"addr").unwrap();
        run("nft add element ip cygnet-mesos-bridge tcp_ports { 31999 : 10.77.0.99 . 80 }");
        let mut bridge = world.bridge(&["lives", "torn"]);
        assert_eq!((world.counts()[..2].to_vec(), bridge.members()), (vec![1, 1], 1));
        assert_eq!(bridge.address("lives"), Some("10.77.0.2".parse().unwrap()));
        assert!(ask(socket("127.0.0.1:31001")).is_some() && ask_in_vain(socket("127.0.0.1:31002")).is_none());
        for container in ["died", "torn"] {
            world.namespaces.release(container).unwrap();
        }
        // Somebody takes the whole bridge away: the next container brings it back.
        run("ip link del mesos-bridge");
        let (_made, address) = world.served(&mut bridge, "next", &[tcp(31002, 80)]);
        assert_eq!(address.to_string(), "10.77.0.3");
        assert!(ask(socket("127.0.0.1:31002")).is_some());
        // Another firewall's reload does this; the next container's mapping brings everybody's back.
        run("nft flush ruleset");
        assert_eq!(ask_in_vain(socket("127.0.0.1:31002")), None);
        world.served(&mut bridge, "last", &[tcp(31003, 80)]);
        assert!(["127.0.0.1:31002", "127.0.0.1:31003"].iter().all(|port| ask(socket(port)).is_some()));
    });
}

#[test]
fn a_client_that_goes_on_sending_finds_the_next_holder_of_a_port() {
    on_a_machine("a_client_that_goes_on_sending_finds_the_next_holder_of_a_port", &["nsenter"], |world| {
        let outside = world.neighbour();
        let mut bridge = world.bridge(&[]);
        let client = at(&outside, || UdpSocket::bind("0.0.0.0:5000").unwrap());
        client.connect((MACHINE, 31000)).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let answered = || {
            let _refused_before = client.send(b"?");
            client.recv(&mut [0; 16]).is_ok()
        };
        assert!(!answered(), "nobody is there yet");
        for name in ["first", "second"] {
            world.served(&mut bridge, name, &[udp(31000, 80)]);
            harness::wait::until(name, Duration::from_secs(20), || answered().then_some(()));
            bridge.detach(name).unwrap();
            assert!(!answered(), "{name} is gone");
        }
    });
}

#[test]
fn a_hundred_containers_come_and_go() {
    on_a_machine("a_hundred_containers_come_and_go", &[], |world| {
        let mut bridge = world.bridge(&[]);
        let names: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
        for (name, port) in names.iter().zip(31000..) {
            world.served(&mut bridge, name, &[tcp(port, 80), udp(port, 80)]);
        }
        assert_eq!(world.counts(), [100, 200, 100, 100]);
        for port in 31000..31100 {
            assert!(ask(SocketAddr::from(([127, 0, 0, 1], port))).is_some(), "{port}");
        }
        for name in &names {
            bridge.detach(name).unwrap();
            world.namespaces.release(name).unwrap();
        }
        assert_eq!((world.counts(), bridge.members()), ([0, 0, 0, 0], 0));
    });
}

#[test]
fn a_bridge_of_another_agents_is_left_alone() {
    on_a_machine("a_bridge_of_another_agents_is_left_alone", &[], |world| {
        let [own, other] = ["own", "other"].map(|name| world.path().join(name));
        let of = |owner: &std::path::Path| BridgeSettings { owner: owner.to_owned(), ..bridge_settings() };
        std::fs::create_dir(&own).unwrap();
        let mut bridge = Bridge::open(of(&own), &world.namespaces, &[]).unwrap();
        world.served(&mut bridge, "a", &[]);
        assert!(run("ip link show mesos-bridge").contains(own.to_str().unwrap()), "people can see whose it is");
        let refused = Bridge::open(of(&other), &world.namespaces, &[]).unwrap_err().to_string();
        let why = format!("the bridge 'mesos-bridge' belongs to the agent with the work directory {}", own.display());
        assert_eq!((refused, world.counts()[0]), (why, 1));
        drop(bridge);
        std::fs::remove_dir(&own).unwrap();
        assert_eq!(Bridge::open(of(&other), &world.namespaces, &[]).unwrap().members(), 0, "nobody owns it any more");
        world.namespaces.release("a").unwrap();
    });
}
