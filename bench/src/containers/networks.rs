//! A container joins a bridge, with a port of the host that leads to it, and parts from it: our own bridge beside CNI's
//! plugins.

use std::fs;
use std::path::Path;
use std::time::Duration;

use containers::network::cni::{Cni, CniSettings};
use containers::network::ports::{PortMapping, Transport};
use containers::network::{Bridge, BridgeSettings, Namespaces};
use mesos::v1::NetworkInfo;
use mesos::v1::network_info;
use serde_json::json;

use super::finding::{Cost, Finding, Side, compare};
use super::ground::Ground;
use crate::clock::Moment;
use crate::cpu;

const OWN: &str = "the agent's own bridge";
const PLUGINS: &str = "CNI: bridge, portmap, firewall";
/// Debian's place.
const DIRECTORY: &str = "/usr/lib/cni";
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn measure(ground: &Ground, quick: bool) -> anyhow::Result<Finding> {
    let (rounds, own, others) = if quick { (2, 50, 2) } else { (5, 200, 5) };
    let namespaces = Namespaces::new(ground.path("network"));
    let settings = BridgeSettings {
        name: "cygnet-bench".to_owned(),
        owner: std::env::temp_dir(),
        subnet: "10.77.0.0/24".parse()?,
        mtu: None,
    };
    let mut bridge = Bridge::open(settings, &namespaces, &[])?;
    let (ours, theirs) = (&namespaces, &namespaces);
    let own = Side::new(OWN, move || own_round(ours, &mut bridge, own));
    let is_missing = |plugin: &&&str| !Path::new(DIRECTORY).join(plugin).is_file();
    let plugins = match ["bridge", "host-local", "portmap", "firewall"].iter().find(is_missing) {
        Some(plugin) => Side::lacking(PLUGINS, format!("there is no {plugin} in {DIRECTORY}")),
        None => {
            let cni = networks(ground, &namespaces)?;
            Side::new(PLUGINS, move || plugins_round(theirs, &cni, others))
        }
    };
    let title = "a bridge with a mapped port, joined and left".to_owned();
    Ok(compare("network", title, rounds, vec![own, plugins])?.cpu_at_most(PLUGINS, 1.0 / 20.0))
}

fn networks(ground: &Ground, namespaces: &Namespaces) -> anyhow::Result<Cni> {
    let directory = ground.path("net.d");
    fs::create_dir_all(&directory)?;
    let list = json!({"cniVersion": "0.4.0", "name": "blue", "plugins": [
        {"type": "bridge", "bridge": "bench-blue", "isGateway": true, "ipMasq": true, "hairpinMode": true,
         "ipam": {"type": "host-local", "dataDir": ground.path("ipam"), "ranges": [[{"subnet": "10.88.0.0/24"}]],
                  "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true},
        {"type": "firewall"}]});
    fs::write(directory.join("blue.conflist"), list.to_string())?;
    let settings = CniSettings { configurations: directory, plugins: DIRECTORY.to_owned(), limit: LIMIT };
    Ok(Cni::new(Some(settings), namespaces.clone()))
}

fn own_round(namespaces: &Namespaces, bridge: &mut Bridge, count: u32) -> anyhow::Result<Cost> {
    let port = PortMapping { transport: Transport::Tcp, host_port: 31000, container_port: 80 };
    each(count, |name| {
        let made = namespaces.make(name)?;
        bridge.attach(&made, "eth0", &[port])?;
        bridge.detach(name)?;
        Ok(namespaces.release(name)?)
    })
}

fn plugins_round(namespaces: &Namespaces, cni: &Cni, count: u32) -> anyhow::Result<Cost> {
    let port = network_info::PortMapping { host_port: 31000, container_port: 80, protocol: None };
    let info = NetworkInfo { name: Some("blue".to_owned()), port_mappings: vec![port], ..NetworkInfo::default() };
    each(count, |name| {
        let made = namespaces.make(name)?;
        cni.attach(&made, "eth0", &info)?;
        cni.detach(name)?;
        Ok(namespaces.release(name)?)
    })
}

fn each(count: u32, mut one: impl FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<Cost> {
    let spent = || cpu::with_children("self");
    let (before, from) = (spent()?, Moment::now());
    for number in 0..count {
        one(&format!("c{number}"))?;
    }
    let seconds = from.age().as_secs_f64() / f64::from(count);
    let cpu = spent()?.saturating_sub(before).as_secs_f64() * 1e6 / f64::from(count);
    Ok(Cost { cpu_us: cpu, seconds: Some(seconds) })
}
