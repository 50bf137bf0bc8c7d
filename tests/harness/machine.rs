//! A network of a test's own, as another machine has it: links, addresses, rules and ports are nobody else's, and all of
//! them are gone when the test is.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Runs `body` on a thread that is in a network namespace of its own, whose loopback is up; so are the processes and the
/// threads that it starts. Nothing where there are no such namespaces.
pub fn on_a_machine<T: Send>(body: impl FnOnce() -> T + Send) -> Option<T> {
    let network = Network::new()?;
    let there = move || {
        network.enter();
        body()
    };
    let joined = thread::scope(|scope| thread::Builder::new().spawn_scoped(scope, there).expect("a thread").join());
    Some(joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// A process that holds a namespace, until it or we end.
struct Network(Child);

impl Network {
    fn new() -> Option<Network> {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let output = process.stdout.take().map(BufReader::new);
        let network = Network(process);
        let said = output.and_then(|output| output.lines().map_while(Result::ok).next());
        (said.as_deref() == Some("ready")).then_some(network)
    }

    fn enter(&self) {
        let namespace = File::open(format!("/proc/{}/ns/net", self.0.id())).expect("its namespace");
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("a way in");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _reaped = self.0.wait();
    }
}
