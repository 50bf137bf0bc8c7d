//! All networks together, as the agent has them.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use containers::network::cni::CniSettings;
use containers::network::plan::{By, Join, Plan};
use containers::network::{JoinError, NetworkSettings, Networks};
use mesos::v1::ContainerInfo;
use serde_json::{Value, json};

use crate::cni::{debians, has_plugins, networks};
use crate::world::{ask, bridge, on_a_machine, run, serve, socket};

/// The settings of an agent whose files are here.
pub(crate) fn settings(directory: &Path) -> NetworkSettings {
    let plugins = format!("{}/plugins:/usr/lib/cni", directory.display());
    let cni = CniSettings { configurations: directory.join("net.d"), plugins, limit: Duration::from_secs(30) };
    NetworkSettings { directory: directory.join("network"), bridge: Some(bridge()), cni: Some(cni) }
}

pub(crate) fn joins(infos: Value) -> Vec<Join> {
    let container: ContainerInfo = mesos::json::from_value(json!({"type": "MESOS", "network_infos": infos})).unwrap();
    let Plan::Own(joins) = Plan::of(Some(&container), "mesos-bridge").unwrap() else { panic!("it has networks") };
    joins
}

pub(crate) fn on_bridge(port: u16) -> Vec<Join> {
    joins(json!([{"name": "mesos-bridge", "port_mappings": [{"host_port": port, "container_port": 80}]}]))
}

#[test]
fn a_container_is_on_the_bridge_and_in_a_network_by_name() {
    let test = "a_container_is_on_the_bridge_and_in_a_network_by_name";
    if !has_plugins(test) {
        return;
    }
    on_a_machine(test, &["iptables"], |world| {
        networks(world, "", Duration::ZERO, &[debians(world, "red", 89)]);
        let all = Networks::new(settings(world.path())).unwrap();
        let both = [on_bridge(31000), joins(json!([{"name": "red"}]))].concat();
        let both: Vec<Join> = both
            .into_iter()
            .zip(["eth0", "eth1"])
            .map(|(join, name)| Join { interface: name.to_owned(), ..join })
            .collect();
        let attached = all.attach("c1", &both).unwrap();
        let told = |at: usize| attached.networks[at].ip_addresses[0].ip_address().to_owned();
        assert_eq!([told(0), told(1)], ["10.77.0.2", "10.89.0.2"]);
        assert_eq!(attached.address.unwrap().to_string(), "10.77.0.2");
        serve(&attached.namespace, 80);
        for address in ["127.0.0.1:31000", "10.77.0.2:80", "10.89.0.2:80"] {
            assert!(ask(socket(address)).is_some(), "{address}");
        }
        // The second network is not there: the first one is left again.
        let [own, missing] = [on_bridge(31001), joins(json!([{"name": "nowhere"}]))];
        let error = all.attach("c2", &[own, missing].concat()).unwrap_err().to_string();
        assert!(error.starts_with("Unknown CNI network 'nowhere': no configuration in /"), "{error}");
        assert_eq!(all.containers().unwrap(), ["c1"]);
        run("nft delete table ip cygnet-mesos-bridge");
        all.repair().unwrap();
        assert!(ask(socket("127.0.0.1:31000")).is_some(), "the table is back");
        drop(all);
        let all = Networks::new(settings(world.path())).unwrap();
        run("nft delete table ip cygnet-mesos-bridge");
        all.repair().unwrap();
        assert!(ask(socket("127.0.0.1:31000")).is_some());
        all.detach("c1").unwrap();
        assert_eq!((world.counts(), run("ip -o link show type veth").as_str()), ([0; 4], ""));
    });
}

#[test]
fn what_cannot_be_parted_is_told_and_kept() {
    on_a_machine("what_cannot_be_parted_is_told_and_kept", &[], |world| {
        let all = Networks::new(settings(world.path())).unwrap();
        for container in ["c1", "c2"] {
            all.attach(container, &on_bridge(if container == "c1" { 31001 } else { 31002 })).unwrap();
        }
        let left = world.namespaces.directory("c1").join("red/eth0");
        fs::create_dir_all(&left).unwrap();
        fs::write(left.parent().unwrap().join("network.conf"), r#"{"name": "red", "type": "gone"}"#).unwrap();
        all.detach("c2").unwrap();
        let error = all.detach("c1").unwrap_err();
        assert_eq!(error.to_string(), "Unable to find the plugin gone required to detach c1 to network 'red'");
        assert_eq!(world.counts(), [1, 1, 1, 1], "its namespace is held until the plugin could be asked");
        fs::remove_dir_all(left.parent().unwrap()).unwrap();
        all.detach("c1").unwrap();
        let without = Networks::new(NetworkSettings { bridge: None, cni: None, ..settings(world.path()) }).unwrap();
        assert!(matches!(without.attach("c1", &on_bridge(31001)), Err(JoinError::NoBridge)));
        let by_name = Join { by: By::Cni, ..on_bridge(1).remove(0) };
        let unknown = "Unknown CNI network 'mesos-bridge': the agent has no 'network_cni_config_dir'";
        assert_eq!(without.attach("c1", &[by_name]).unwrap_err().to_string(), unknown);
        assert_eq!(world.counts(), [0; 4]);
    });
}

#[test]
fn containers_come_and_go_from_many_threads() {
    on_a_machine("containers_come_and_go_from_many_threads", &[], |world| {
        let all = Networks::new(settings(world.path())).unwrap();
        all.repair().unwrap();
        assert_eq!(run("ip -o link show type bridge; nft list tables"), "", "nobody wants it yet");
        let threads: Vec<_> = (0..4_u16)
            .map(|thread| {
                let all = all.clone();
                thread::spawn(move || {
                    for round in 0..10 {
                        let container = format!("c{thread}-{round}");
                        all.attach(&container, &on_bridge(31000 + thread)).unwrap();
                        all.detach(&container).unwrap();
                        all.detach(&container).unwrap();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(world.counts(), [0; 4]);
        all.retire().unwrap();
        assert_eq!(run("ip -o link show type bridge; nft list tables"), "");
    });
}
