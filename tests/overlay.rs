//! Two hosts, an overlay between them, and a server in a container on one of them: a check that goes over the overlay
//! tells of the overlay, one that is made inside the container tells of the server.
//!
//! ```text
//!   host A                              host B
//!   client -- bridge -- vxlan ~~~~~~~~ vxlan -- bridge -- server
//! ```
//!
//! Hosts and containers are network namespaces. Needs root, and a kernel with VXLAN.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;

use harness::cluster::{START, binary};
use harness::wait;
use rustix::process::{Pid, Signal, kill_process};

/// The address of the server in the overlay.
const SERVER: &str = "10.42.0.3";

/// A process that holds a network namespace, or serves in one.
struct Held(Child);

impl Held {
    fn namespace() -> Held {
        Held::running(Command::new("unshare").args([
            "-n",
            "sh",
            "-c",
            "ip link set lo up; echo ready; exec sleep 1000",
        ]))
    }

    /// The server, which is this program again.
    fn server(container: &Held) -> Held {
        let this = std::env::current_exe().expect("its path");
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", container.path())).arg(this).args(["--exact", "server", "--nocapture"]);
        Held::running(command.env("OVERLAY_SERVER", "1"))
    }

    fn running(command: &mut Command) -> Held {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let ready = lines.map_while(Result::ok).any(|line| line.ends_with("ready"));
        let held = Held(child);
        assert!(ready, "it never began");
        held
    }

    fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.0.id())
    }

    /// Runs a line of shell there; whether it succeeded.
    fn try_run(&self, script: &str) -> bool {
        let mut command = Command::new("nsenter");
        let command = command.arg(format!("--net={}", self.path())).args(["sh", "-ec", script]);
        command.status().is_ok_and(|status| status.success())
    }

    fn run(&self, script: &str) {
        assert!(self.try_run(script), "{script}");
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("its id");
        kill_process(pid, signal).expect("it is there");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// The server's process.
#[test]
fn server() {
    if std::env::var_os("OVERLAY_SERVER").is_none() {
        return;
    }
    let listener = TcpListener::bind("0.0.0.0:80").expect("the port is free");
    println!("ready");
    while let Ok((mut stream, _)) = listener.accept() {
        thread::spawn(move || {
            let _client_may_have_gone = stream
                .read(&mut [0; 4096])
                .and_then(|_| stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
        });
    }
}

/// Two hosts with a container each, on one overlay.
struct World {
    host_a: Held,
    client: Held,
    server: Held,
    /// Held, so that they are there.
    _host_b: Held,
}

impl World {
    /// None where the kernel has no VXLAN.
    fn build() -> Option<World> {
        let [host_a, host_b, client, server] = [(); 4].map(|()| Held::namespace());
        host_a.run(&format!("ip link add under type veth peer name under netns {}", host_b.0.id()));
        let hosts = [(&host_a, "192.0.2.1", "192.0.2.2"), (&host_b, "192.0.2.2", "192.0.2.1")];
        for (host, own, other) in hosts {
            host.run(&format!("ip addr add {own}/24 dev under; ip link set under up; ip link add bridge type bridge"));
            let overlay = format!("ip link add overlay type vxlan id 42 local {own} remote {other} dstport 4789");
            if !host.try_run(&overlay) {
                return None;
            }
            host.run("ip link set overlay master bridge; ip link set overlay up; ip link set bridge up");
        }
        for (host, container, address) in [(&host_a, &client, "10.42.0.2"), (&host_b, &server, SERVER)] {
            host.run(&format!("ip link add member type veth peer name eth0 netns {}", container.0.id()));
            host.run("ip link set member master bridge; ip link set member up");
            container.run(&format!("ip addr add {address}/24 dev eth0; ip link set eth0 up"));
        }
        Some(World { host_a, client, server, _host_b: host_b })
    }

    /// The verdicts: of HTTP over the overlay, of HTTP in the container, of LISTEN in the container.
    fn verdicts(&self) -> [bool; 3] {
        let over = format!("{SERVER}:80");
        [
            check(&["http", &over, "--netns", &self.client.path()]),
            check(&["http", "127.0.0.1:80", "--netns", &self.server.path()]),
            check(&["listen", "127.0.0.1:80", "--netns", &self.server.path()]),
        ]
    }
}

fn check(arguments: &[&str]) -> bool {
    let mut command = Command::new(binary());
    let output = command.arg("check").args(arguments).args(["--timeout", "2s"]).output().expect("it runs");
    output.status.success()
}

#[test]
fn a_check_inside_tells_of_the_server_and_not_of_the_overlay() {
    let test = "a_check_inside_tells_of_the_server_and_not_of_the_overlay";
    if !rustix::process::geteuid().is_root() {
        return println!("SKIPPED {test}: needs root");
    }
    let Some(world) = World::build() else { return println!("SKIPPED {test}: there is no VXLAN here") };
    let served = Held::server(&world.server);
    let all_works = || (world.verdicts() == [true; 3]).then_some(());
    wait::until("everything works", START, all_works);
    world.host_a.run("ip link set overlay down");
    assert_eq!(world.verdicts(), [false, true, true], "the overlay is cut");
    world.host_a.run("ip link set overlay up");
    world.server.run("ip link set eth0 down");
    assert_eq!(world.verdicts(), [false, true, true], "the container's own link is down");
    world.server.run("ip link set eth0 up");
    served.signal(Signal::STOP);
    assert_eq!(world.verdicts(), [false, false, true], "the server is stopped; its port is still listened on");
    served.signal(Signal::CONT);
    wait::until("everything works again", START, all_works);
}
