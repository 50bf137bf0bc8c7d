//! Firewalls remember connections, for minutes if these ended in the usual way; a table that is full drops packets,
//! which looks like a task that is down. What TCP checks do by default is forgotten within seconds.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

use checks::spec::{Probe, TcpProbe};
use checks::{Answer, Outcome, Place, Start};
use processes::namespace::enter_network;

use crate::namespaces::{Other, PORT};
use crate::support::{engine, eventually, present, root, spec, watch_from};

/// A rule that asks for the state of connections makes the kernel track them.
const TRACK: &str = "nft add table inet t && nft 'add chain inet t c { type filter hook input priority 0; }' && \
                     nft add rule inet t c ct state new counter &&";

/// The time the entries of a network's table will last, in seconds.
fn entries(other: &Other) -> Vec<u64> {
    let table = fs::read_to_string(format!("/proc/{}/net/nf_conntrack", other.pid())).unwrap();
    table.lines().filter_map(|line| line.split_whitespace().nth(4)?.parse().ok()).collect()
}

fn tracking(test: &str) -> Option<()> {
    let mut command = Command::new("unshare");
    let tracks = command.args(["-n", "sh", "-c", &format!("{TRACK} test -e /proc/net/nf_conntrack")]);
    let can = tracks.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    present(can, test, "nft and a kernel that tracks connections")
}

/// Connects from inside, and ends in the usual way.
fn connect_as_usual(other: &Other) {
    let namespace = File::open(format!("/proc/{}/ns/net", other.pid())).unwrap();
    let connect = move || {
        enter_network(namespace.as_fd()).unwrap();
        drop(TcpStream::connect(("127.0.0.1", PORT)).unwrap());
    };
    thread::spawn(connect).join().unwrap();
}

#[tokio::test]
async fn a_table_of_connections_does_not_fill_up() {
    const TEST: &str = "a_table_of_connections_does_not_fill_up";
    let Some(()) = root(TEST).and_then(|()| tracking(TEST)) else { return };
    let other = Other::serving(TRACK);
    let (place, server) = (Place::of_pid(other.pid()).unwrap(), SocketAddr::from(([127, 0, 0, 1], PORT)));
    let engine = engine();
    let mut watch = watch_from(&engine, spec(Probe::Tcp(TcpProbe::new(server))), place, Start::Fresh);
    for _ in 0..50 {
        assert_eq!(watch.next().await.outcome, Outcome::Success(Answer::Connected));
    }
    drop(watch);
    let checked = entries(&other);
    assert!(!checked.is_empty(), "nothing is tracked: this proves nothing");
    assert!(checked.iter().all(|seconds| *seconds <= 10), "{checked:?}");
    connect_as_usual(&other);
    // Once the server has hung up, too.
    eventually("the usual way is remembered for long", || entries(&other).iter().any(|seconds| *seconds > 60)).await;
}
