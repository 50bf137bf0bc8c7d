//! An agent that is killed at any point of a container's way in or out, and what the next one finds.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use containers::network::{Bridge, Namespaces};

use crate::world::{ask, on_a_machine, socket, tcp, udp};

const CHILD: &str = "CONTAINERS_KILLED";
const ROUNDS: u32 = 40;

/// The part of the agent that is killed: containers come and go as fast as they can.
#[test]
fn child() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let namespaces = Namespaces::open(directory.into()).unwrap();
    let settings = containers::network::BridgeSettings {
        name: "mesos-bridge".to_owned(),
        subnet: "10.77.0.0/24".parse().unwrap(),
    };
    let living = ["lives".to_owned()];
    let mut bridge = Bridge::open(settings, &namespaces, &living).unwrap();
    println!("ready");
    for round in 0.. {
        let names: Vec<String> = (0..3).map(|number| format!("c{}-{round}-{number}", std::process::id())).collect();
        for (name, port) in names.iter().zip(31000..) {
            let made = namespaces.make(name).unwrap();
            bridge.attach(&made, "eth0", &[tcp(port, 80), udp(port, 80)]).unwrap();
        }
        for name in &names {
            bridge.detach(name).unwrap();
            namespaces.release(name).unwrap();
        }
    }
}

#[test]
fn a_kill_at_any_point_leaves_nothing() {
    on_a_machine("a_kill_at_any_point_leaves_nothing", &[], |world| {
        let mut bridge = world.bridge(&[]);
        world.served(&mut bridge, "lives", &[tcp(31900, 80)]);
        drop(bridge);
        for _round in 0..ROUNDS {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "kills::child", "--nocapture"])
                .env(CHILD, world.path().join("network"))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
            assert!(lines.any(|line| line.ends_with("ready")));
            let at_some_point = Duration::from_micros(fastrand::u64(..15_000));
            #[expect(clippy::disallowed_methods, reason = "the point at which it is killed is random on purpose")]
            thread::sleep(at_some_point);
            child.kill().unwrap();
            assert_eq!(child.wait().unwrap().signal(), Some(9), "it was killed, and did not fail");
        }
        let bridge = world.bridge(&["lives"]);
        for container in world.namespaces.containers().unwrap() {
            if container != "lives" {
                world.namespaces.release(&container).unwrap();
            }
        }
        assert_eq!((world.counts(), bridge.members()), ([1, 1, 1, 1], 1));
        assert!(ask(socket("127.0.0.1:31900")).is_some(), "the one that lives was let be");
    });
}
