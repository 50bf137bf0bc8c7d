//! Machines that cannot have a bridge: who asks for one hears why, and all else goes on.

use std::fs;

use harness::framework::task;

use crate::world::{SERVER, World, bridge, networked, on_a_bare_machine};

const NO_NFT: &str = "mount --bind /dev/null \"$(which nft)\"";
const NO_SWITCHES: &str = "mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys";

fn lacks(test: &str, script: &'static str, lack: &'static str) {
    on_a_bare_machine(test, &["unshare"], || {
        let world = World::start_behind(script);
        let log = fs::read_to_string(world.pair.directory().join("log")).unwrap();
        assert!(
            log.contains("containers that ask for a network of their own are refused") && log.contains(lack),
            "{log}"
        );
        let port = world.port(0);
        let message = world.refused(networked(task("bridged", SERVER), bridge(port), &[port]));
        assert_eq!(message, format!("Failed to launch container: {lack}"));
        assert_eq!(world.framework.run(task("plain", "exec sleep 1000"))["state"], "TASK_RUNNING");
        world.end("plain");
        world.nothing_left();
    });
}

#[test]
fn without_nft_there_is_no_bridge_and_it_is_said() {
    let lack = "a bridge needs the program 'nft', which is not on the PATH of this agent";
    lacks("without_nft_there_is_no_bridge_and_it_is_said", NO_NFT, lack);
}

#[test]
fn without_leave_to_forward_packets_there_is_no_bridge_and_it_is_said() {
    let lack = "a bridge needs packets to be forwarded, and this agent may not write /proc/sys/net/ipv4/ip_forward: \
                Read-only file system";
    lacks("without_leave_to_forward_packets_there_is_no_bridge_and_it_is_said", NO_SWITCHES, lack);
}
