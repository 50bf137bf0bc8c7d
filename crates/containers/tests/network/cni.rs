//! Networks by name: Debian's plugins, and small hostile ones.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use containers::network::cni::{Cni, CniError, CniSettings};
use mesos::v1::NetworkInfo;
use mesos::v1::network_info::PortMapping;
use serde_json::{Value, json};

use crate::world::{World, ask, at, on_a_machine, run, serve, socket};

/// Debian's place.
const PLUGINS: &str = "/usr/lib/cni";
const LIMIT: Duration = Duration::from_secs(30);

/// The networks of a directory of configurations that has these.
pub(crate) fn networks(world: &World, plugins: &str, limit: Duration, configurations: &[Value]) -> Cni {
    let directory = world.path().join("net.d");
    fs::create_dir_all(&directory).unwrap();
    for (number, configuration) in configurations.iter().enumerate() {
        fs::write(directory.join(format!("{number}.conflist")), configuration.to_string()).unwrap();
    }
    let settings = CniSettings { configurations: directory, plugins: plugins.to_owned(), limit };
    Cni::new(Some(settings), world.namespaces.clone())
}

/// Debian's bridge with its address file below the test's directory.
pub(crate) fn debians(world: &World, name: &str, number: u8) -> Value {
    let subnet = format!("10.{number}.0.0/24");
    let data = world.path().join("ipam");
    json!({"cniVersion": "0.4.0", "name": name, "plugins": [
        {"type": "bridge", "bridge": format!("br-{name}"), "isGateway": true, "ipMasq": true, "hairpinMode": true,
         "ipam": {"type": "host-local", "dataDir": data, "ranges": [[{"subnet": subnet}]],
                  "routes": if number == 88 { json!([{"dst": "0.0.0.0/0"}]) } else { json!([]) }}},
        {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]})
}

pub(crate) fn info(name: &str, ports: &[(u32, u32)]) -> NetworkInfo {
    let mapping = |&(host_port, container_port): &(u32, u32)| PortMapping { host_port, container_port, protocol: None };
    NetworkInfo {
        name: Some(name.to_owned()),
        port_mappings: ports.iter().map(mapping).collect(),
        ..NetworkInfo::default()
    }
}

/// True if Debian's plugins are here; else that is said.
pub(crate) fn has_plugins(test: &str) -> bool {
    let all = ["bridge", "host-local", "portmap"].iter().all(|plugin| Path::new(PLUGINS).join(plugin).is_file());
    if !all {
        println!("SKIPPED {test}: there are no CNI plugins in {PLUGINS}");
    }
    all
}

#[test]
fn debians_plugins_join_two_networks_and_leave_nothing() {
    let test = "debians_plugins_join_two_networks_and_leave_nothing";
    if !has_plugins(test) {
        return;
    }
    on_a_machine(test, &["iptables"], |world| {
        let configurations = [debians(world, "blue", 88), debians(world, "red", 89)];
        let cni = networks(world, &format!("/nowhere:{PLUGINS}"), LIMIT, &configurations);
        let rules = || run("iptables -w -t nat -S").lines().filter(|line| line.contains("10.8")).count();
        let made = world.namespaces.make("c1").unwrap();
        let red = cni.attach(&made, "eth1", &info("red", &[])).unwrap();
        // Before ports are mapped: Debian's portmap looks for rules of version 6 that it did not make.
        cni.check("c1").unwrap();
        let blue = cni.attach(&made, "eth0", &info("blue", &[(31000, 80)])).unwrap();
        assert_eq!([&blue, &red].map(|it| it.addresses[0].to_string()), ["10.88.0.2", "10.89.0.2"]);
        serve(&made.handle(), 80);
        for address in ["127.0.0.1:31000", "10.88.0.1:31000", "10.88.0.2:80", "10.89.0.2:80"] {
            assert!(ask(socket(address)).is_some(), "{address}");
        }
        assert!(at(&made.handle(), || ask(socket("10.88.0.1:31000"))).is_some(), "itself, by the host");
        assert!(rules() > 0);
        // An agent that comes later knows the files only, and the operator has taken the configurations away.
        let later = networks(world, PLUGINS, LIMIT, &[]);
        fs::remove_dir_all(world.path().join("net.d")).unwrap();
        let names: Vec<String> = later.results("c1").unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["blue", "red"]);
        later.detach("c1").unwrap();
        later.detach("c1").unwrap();
        world.namespaces.release("c1").unwrap();
        assert_eq!(rules(), 0, "{}", run("iptables -w -t nat -S"));
        assert_eq!(run("ip -o link show type veth"), "");
        let leases = run(&format!("find {}/ipam -name '10.*'", world.path().display()));
        assert_eq!((leases.as_str(), world.namespaces.containers().unwrap().len()), ("", 0));
    });
}

/// Plugins written in shell.
pub(crate) struct Written<'a>(pub(crate) &'a World);

impl Written<'_> {
    pub(crate) fn plugin(&self, name: &str, script: &str) -> &Self {
        let directory = self.0.path().join("plugins");
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        let log = self.0.path().join("log").display().to_string();
        let begin = format!("#!/bin/sh\necho $CNI_COMMAND {name} $CNI_IFNAME >> {log}\n");
        fs::write(&path, begin + script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    pub(crate) fn network(&self, types: &[&str]) -> Cni {
        let plugins: Vec<Value> = types.iter().map(|kind| json!({ "type": kind })).collect();
        let list = json!({"cniVersion": "1.0.0", "name": "blue", "plugins": plugins});
        networks(self.0, self.0.path().join("plugins").to_str().unwrap(), LIMIT, &[list])
    }

    /// The calls since the last look.
    fn calls(&self) -> Vec<String> {
        let path = self.0.path().join("log");
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, "").unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

const RESULT: &str = r#"echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.2/24"}]}'"#;

#[test]
fn a_plugin_reads_what_the_specification_says() {
    on_a_machine("a_plugin_reads_what_the_specification_says", &[], |world| {
        let written = Written(world);
        let seen = world.path().join("seen");
        let save = |name: &str| format!("{{ env; cat; }} > {}-$CNI_COMMAND-{name}\n{RESULT}", seen.display());
        written.plugin("one", &save("one")).plugin("two", &save("two"));
        let cni = written.network(&["one", "two"]);
        let made = world.namespaces.make("c1").unwrap();
        cni.attach(&made, "eth7", &info("blue", &[(1, 2)])).unwrap();
        let read = |call: &str| fs::read_to_string(format!("{}-{call}", seen.display())).unwrap();
        let input = |call: &str| serde_json::from_str::<Value>(read(call).lines().last().unwrap()).unwrap();
        let handle = made.handle();
        for variable in [
            "CNI_COMMAND=ADD",
            "CNI_CONTAINERID=c1",
            "CNI_IFNAME=eth7",
            &format!("CNI_NETNS={}", handle.display()),
            &format!("CNI_PATH={}/plugins", world.path().display()),
            "PATH=/",
        ] {
            assert!(read("ADD-one").lines().any(|line| line.starts_with(variable)), "{variable}");
        }
        assert_eq!(
            (input("ADD-one").get("prevResult"), &input("ADD-two")["prevResult"]["ips"][0]["address"]),
            (None, &json!("10.1.0.2/24"))
        );
        let port = &input("ADD-one")["args"]["org.apache.mesos"]["network_info"]["port_mappings"][0]["host_port"];
        assert_eq!(
            (port, &input("ADD-two")["name"], &input("ADD-two")["type"]),
            (&json!(1), &json!("blue"), &json!("two"))
        );
        cni.check("c1").unwrap();
        cni.detach("c1").unwrap();
        assert_eq!(input("DEL-one")["prevResult"]["ips"][0]["address"], "10.1.0.2/24");
        let order =
            ["ADD one", "ADD two", "CHECK one", "CHECK two", "DEL two", "DEL one"].map(|call| format!("{call} eth7"));
        assert_eq!(written.calls(), order);
        let list = json!({"cniVersion": "0.3.1", "name": "blue", "type": "one"});
        let old = networks(world, world.path().join("plugins").to_str().unwrap(), LIMIT, &[list]);
        old.attach(&made, "eth0", &info("blue", &[])).unwrap();
        old.check("c1").unwrap();
        old.detach("c1").unwrap();
        assert_eq!(
            (written.calls(), input("DEL-one").get("prevResult")),
            (vec!["ADD one eth0".to_owned(), "DEL one eth0".to_owned()], None)
        );
    });
}

#[test]
fn a_plugin_that_misbehaves_is_told_of_and_asked_to_remove() {
    on_a_machine("a_plugin_that_misbehaves_is_told_of_and_asked_to_remove", &[], |world| {
        let written = Written(world);
        let adds = |script: &str| format!("[ $CNI_COMMAND = ADD ] || exit 0\n{script}");
        written.plugin("fine", RESULT);
        for (name, script, why) in [
            ("garbage", "echo hello", "Failed to parse the output of the CNI plugin"),
            ("silent", "", "Failed to parse the output of the CNI plugin"),
            ("list", "echo []", "it is no JSON object"),
            ("address", r#"echo '{"ips": [{"address": "x"}]}'"#, "'\"x\"' is no address"),
            ("huge", "cat /dev/zero", "wrote more than 1048576 bytes"),
            ("loud", "cat /dev/zero >&2", "wrote more than 1048576 bytes"),
            (
                "refuses",
                r#"echo '{"code": 11, "msg": "later"}'; echo why >&2; exit 1"#,
                "failed to attach container c1 to CNI network 'blue': stdout='{\"code\": 11, \"msg\": \"later\"}', stderr='why'",
            ),
            ("dies", "kill -9 $$", "failed to attach container c1 to CNI network 'blue': stdout='', stderr=''"),
            ("long", "head -c 10000 /dev/zero | tr '\\0' x; exit 1", "x...', stderr=''"),
        ] {
            let cni = written.plugin(name, &adds(script)).network(&["fine", name]);
            let made = world.namespaces.make("c1").unwrap();
            let error = cni.attach(&made, "eth0", &info("blue", &[])).unwrap_err().to_string();
            assert!(error.contains(why) && error.len() < 5000, "{name}: {error}");
            let calls = ["ADD fine", &format!("ADD {name}"), &format!("DEL {name}"), "DEL fine"]
                .map(|call| format!("{call} eth0"));
            assert_eq!(written.calls(), calls, "{name}");
            assert!(cni.results("c1").unwrap().is_empty() && !made.directory().join("blue").exists(), "{name}");
            world.namespaces.release("c1").unwrap();
        }
        let made = world.namespaces.make("c2").unwrap();
        let cni = written.network(&["fine", "absent"]);
        let error = cni.attach(&made, "eth0", &info("blue", &[])).unwrap_err().to_string();
        assert_eq!(error, "Unable to find the plugin absent required to attach c2 to network 'blue'");
        assert!(written.calls().is_empty(), "nothing is made that could not be removed without it");
        cni.detach("c2").unwrap();
        let error = written.network(&["fine"]).attach(&made, "eth0", &info("green", &[])).unwrap_err().to_string();
        assert!(error.starts_with("Unknown CNI network 'green': no configuration in /"), "{error}");
    });
}

#[test]
fn a_plugin_that_hangs_ends_with_its_children() {
    on_a_machine("a_plugin_that_hangs_ends_with_its_children", &[], |world| {
        let written = Written(world);
        written.plugin("hangs", "[ $CNI_COMMAND = ADD ] || exit 0\nsleep 4321 & sleep 4321");
        let list = json!({"name": "blue", "type": "hangs"});
        let plugins = world.path().join("plugins");
        let cni = networks(world, plugins.to_str().unwrap(), Duration::from_millis(300), &[list]);
        let made = world.namespaces.make("c1").unwrap();
        let error = cni.attach(&made, "eth0", &info("blue", &[])).unwrap_err();
        assert!(
            matches!(error, CniError::Run { .. }) && error.to_string().contains("did not end within 300ms"),
            "{error}"
        );
        assert_eq!(written.calls(), ["ADD hangs eth0", "DEL hangs eth0"]);
        harness::wait::until("its children are gone", Duration::from_secs(20), || {
            let ours = run("pgrep -x sleep | while read pid; do tr '\\0' ' ' < /proc/$pid/cmdline || true; done; true");
            (!ours.contains("4321")).then_some(())
        });
    });
}

#[test]
fn what_cannot_be_removed_now_is_removed_later() {
    on_a_machine("what_cannot_be_removed_now_is_removed_later", &[], |world| {
        let written = Written(world);
        let blocked = world.path().join("blocked");
        let script = format!("{RESULT}\n[ $CNI_COMMAND = ADD ] || [ ! -e {} ]", blocked.display());
        let cni = written.plugin("stubborn", &script).network(&["stubborn"]);
        let made = world.namespaces.make("c1").unwrap();
        cni.attach(&made, "eth0", &info("blue", &[])).unwrap();
        fs::write(&blocked, "").unwrap();
        let error = cni.detach("c1").unwrap_err().to_string();
        assert!(error.contains("failed to detach container c1 from CNI network 'blue': stdout='{"), "{error}");
        assert_eq!(cni.results("c1").unwrap().len(), 1, "it is still on file");
        fs::remove_file(&blocked).unwrap();
        cni.detach("c1").unwrap();
        assert!(cni.results("c1").unwrap().is_empty());
        // A kill between the two files: the configuration is there, and no result.
        cni.attach(&made, "eth0", &info("blue", &[])).unwrap();
        fs::remove_file(made.directory().join("blue/eth0/network.info")).unwrap();
        written.calls();
        written.network(&["stubborn"]).detach("c1").unwrap();
        assert_eq!(written.calls(), ["DEL stubborn eth0"]);
        assert!(!made.directory().join("blue").exists());
    });
}
