//! Networks by name, by the plugins of CNI.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use harness::framework::task;
use serde_json::{Value, json};

use crate::world::{SERVER, World, address, answers_soon, networked, networks, on_a_machine};

/// The directory of Debian's plugins.
const PLUGINS: &str = "/usr/lib/cni";

/// The directories of configurations and of plugins of our own.
struct Operator {
    configurations: PathBuf,
    plugins: PathBuf,
}

impl Operator {
    fn new(directory: &Path) -> Operator {
        let [configurations, plugins] = ["net.d", "plugins"].map(|name| directory.join(name));
        fs::create_dir_all(&configurations).unwrap();
        fs::create_dir_all(&plugins).unwrap();
        Operator { configurations, plugins }
    }

    /// The arguments of an agent that has these networks.
    fn begin(&self, world: &mut World) {
        let plugins = format!("{}:{PLUGINS}", self.plugins.display());
        let configurations = self.configurations.display().to_string();
        world.restart_agent(&[
            "--network-cni-config-dir",
            &configurations,
            "--network-cni-plugins-dir",
            &plugins,
            "--network-cni-timeout",
            "2s",
        ]);
    }

    fn network(&self, name: &str, plugins: &Value) {
        let list = json!({"cniVersion": "0.4.0", "name": name, "plugins": plugins});
        fs::write(self.configurations.join(format!("{name}.conflist")), list.to_string()).unwrap();
    }

    /// A network whose one plugin is this script.
    fn scripted(&self, name: &str, script: &str) {
        let path = self.plugins.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self.network(name, &json!([{"type": name}]));
    }
}

#[test]
fn a_task_is_in_a_network_of_other_peoples_plugins() {
    let test = "a_task_is_in_a_network_of_other_peoples_plugins";
    if !Path::new(PLUGINS).join("bridge").exists() {
        return println!("SKIPPED {test}: there are no plugins of CNI here");
    }
    on_a_machine(test, &[], |mut world| {
        let operator = Operator::new(world.pair.directory());
        let leases = world.pair.directory().join("leases");
        let ipam = json!({"type": "host-local", "subnet": "10.88.7.0/24", "dataDir": leases});
        operator.network("blue", &json!([{"type": "bridge", "bridge": "blue0", "isGateway": true, "ipam": ipam}]));
        operator.begin(&mut world);
        let both = json!([{"name": "blue"}, {"name": "mesos-bridge"}]);
        let status = world.framework.run(networked(task("web", SERVER), both, &[]));
        let names: Vec<Value> = networks(&status).iter().map(|network| network["name"].clone()).collect();
        assert_eq!((address(&status).as_str(), &names[..]), ("10.88.7.2", &[json!("blue"), json!("mesos-bridge")][..]));
        answers_soon("10.88.7.2:80");
        let lease = leases.join("blue/10.88.7.2");
        assert!(lease.exists());
        world.end("web");
        harness::wait::until("the lease is gone", harness::cluster::START, || (!lease.exists()).then_some(()));
    });
}

#[test]
fn networks_that_are_not_there_or_fail_are_named() {
    on_a_machine("networks_that_are_not_there_or_fail_are_named", &[], |mut world| {
        let refused = |world: &World, network: &str| {
            world.refused(networked(task(&format!("in-{network}"), SERVER), json!([{"name": network}]), &[]))
        };
        let nowhere = ": the agent has no 'network_cni_config_dir'";
        assert_eq!(refused(&world, "red"), format!("Failed to launch container: Unknown CNI network 'red'{nowhere}"));
        let operator = Operator::new(world.pair.directory());
        operator.scripted("fails", "[ $CNI_COMMAND = DEL ] || { echo no room >&2; exit 1; }");
        operator.scripted("hangs", "[ $CNI_COMMAND = DEL ] || exec sleep 1000");
        operator.begin(&mut world);
        let message = refused(&world, "fails");
        assert!(message.contains("failed to attach") && message.contains("no room"), "{message}");
        let message = refused(&world, "hangs");
        assert!(message.contains("did not end within 2s"), "{message}");
        let message = refused(&world, "green");
        assert!(message.contains("Unknown CNI network 'green': no configuration in /"), "{message}");
        world.nothing_left();
    });
}

#[test]
fn an_agent_that_dies_while_a_plugin_works_has_it_undone() {
    on_a_machine("an_agent_that_dies_while_a_plugin_works_has_it_undone", &[], |mut world| {
        let (operator, made) = (Operator::new(world.pair.directory()), world.pair.directory().join("made"));
        fs::create_dir_all(&made).unwrap();
        let (made_here, slow) = (made.display(), made.join("slow"));
        fs::write(&slow, "").unwrap();
        operator.scripted(
            "files",
            &format!(
                "case $CNI_COMMAND in ADD) : > {made_here}/$CNI_CONTAINERID; rm {made_here}/slow 2>/dev/null && \
                 exec sleep 1000; echo '{{\"cniVersion\": \"0.4.0\", \"ips\": []}}';; \
                 DEL) rm -f {made_here}/$CNI_CONTAINERID;; esac"
            ),
        );
        operator.begin(&mut world);
        world.framework.launch(networked(task("web", SERVER), json!([{"name": "files"}]), &[]));
        harness::wait::until("a plugin at work", harness::cluster::START, || (!slow.exists()).then_some(()));
        operator.begin(&mut world);
        world.framework.expect("TASK_STARTING");
        world.framework.expect("TASK_RUNNING");
        assert_eq!(fs::read_dir(&made).unwrap().count(), 1, "the network was joined once");
        world.end("web");
        world.nothing_left();
        assert_eq!(fs::read_dir(&made).unwrap().count(), 0);
    });
}
