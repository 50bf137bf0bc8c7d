//! A machine of the test's own: a network namespace, a directory, and a neighbour that it has a cable to.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use containers::network::ports::{PortMapping, Transport};
use containers::network::{Bridge, BridgeSettings, Made, Namespaces};
use tempfile::TempDir;

/// The addresses of the machine and of its neighbour.
pub(crate) const MACHINE: &str = "192.0.2.1";
pub(crate) const OUTSIDE: &str = "192.0.2.2";
const PATIENCE: Duration = Duration::from_secs(20);
/// The time after which what does not answer is taken to be cut off.
const IMPATIENCE: Duration = Duration::from_millis(300);

/// A machine.
pub(crate) struct World {
    directory: TempDir,
    pub(crate) namespaces: Namespaces,
}

/// Runs the test on a thread that is on a machine of its own, or says why it cannot.
pub(crate) fn on_a_machine(test: &str, programs: &[&str], body: impl FnOnce(&World) + Send + 'static) {
    let is_missing = |program: &&&str| !Command::new("which").arg(program).output().is_ok_and(|it| it.status.success());
    if !rustix::process::geteuid().is_root() {
        return println!("SKIPPED {test}: needs root");
    }
    if let Some(program) = ["nft", "ip"].iter().chain(programs).find(is_missing) {
        return println!("SKIPPED {test}: there is no {program} here");
    }
    let on_thread = move || {
        processes::namespace::new_network().unwrap();
        run("ip link set lo up");
        let directory = tempfile::tempdir().unwrap();
        let namespaces = Namespaces::new(directory.path().join("network"));
        body(&World { directory, namespaces });
    };
    thread::Builder::new().name(test.to_owned()).spawn(on_thread).unwrap().join().unwrap();
}

/// The bridge of every test.
pub(crate) fn bridge() -> BridgeSettings {
    BridgeSettings {
        name: "mesos-bridge".to_owned(),
        owner: "/".into(),
        subnet: "10.77.0.0/24".parse().unwrap(),
        mtu: Some(1400),
    }
}

/// Runs a line of shell here; its output.
pub(crate) fn run(script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl World {
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn bridge(&self, living: &[&str]) -> Bridge {
        let living: Vec<String> = living.iter().map(|name| (*name).to_owned()).collect();
        Bridge::open(bridge(), &self.namespaces, &living).unwrap()
    }

    /// A neighbouring machine at the other end of a cable: its namespace.
    pub(crate) fn neighbour(&self) -> PathBuf {
        let outside = self.namespaces.make("outside").unwrap().handle();
        let (handle, enter) = (outside.display(), format!("nsenter --net={}", outside.display()));
        run(&format!(
            "ip link add cable type veth peer name cable netns {handle}; ip addr add {MACHINE}/24 dev cable; \
             ip link set cable up; {enter} ip addr add {OUTSIDE}/24 dev cable; {enter} ip link set cable up"
        ));
        outside
    }

    /// A container on the bridge, whose server tells its clients who they are.
    pub(crate) fn served(&self, bridge: &mut Bridge, name: &str, ports: &[PortMapping]) -> (Made, IpAddr) {
        let made = self.namespaces.make(name).unwrap();
        let address = bridge.attach(&made, "eth0", ports).unwrap().into();
        serve(&made.handle(), 80);
        (made, address)
    }

    /// Everything that could leak: links, elements of maps, directories, mounts.
    pub(crate) fn counts(&self) -> [usize; 4] {
        let lines = |text: String, word: &str| text.lines().filter(|line| line.contains(word)).count();
        let elements = run("nft list tables | grep -q mesos-bridge && nft list table ip cygnet-mesos-bridge || true");
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        [
            lines(run("ip -o link show type veth"), "master mesos-bridge"),
            elements.matches(" . ").count() - elements.matches("ipv4_addr . inet_service").count(),
            self.namespaces.containers().unwrap().len(),
            lines(mounts, self.path().to_str().unwrap()),
        ]
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for container in self.namespaces.containers().unwrap_or_default() {
            let _the_test_failed_already = self.namespaces.release(&container);
        }
    }
}

pub(crate) fn tcp(host_port: u16, container_port: u16) -> PortMapping {
    PortMapping { transport: Transport::Tcp, host_port, container_port }
}

pub(crate) fn udp(host_port: u16, container_port: u16) -> PortMapping {
    PortMapping { transport: Transport::Udp, host_port, container_port }
}

/// Does something in a namespace.
pub(crate) fn at<T: Send + 'static>(namespace: &Path, action: impl FnOnce() -> T + Send + 'static) -> T {
    let namespace = File::open(namespace).unwrap();
    let there = move || {
        processes::namespace::enter_network(namespace.as_fd()).unwrap();
        action()
    };
    thread::spawn(there).join().unwrap()
}

/// A server there, on TCP and UDP, which tells each client the client's address.
pub(crate) fn serve(namespace: &Path, port: u16) {
    let (listener, socket) = at(namespace, move || {
        let any = SocketAddr::from(([0, 0, 0, 0], port));
        (TcpListener::bind(any).unwrap(), UdpSocket::bind(any).unwrap())
    });
    thread::spawn(move || {
        while let Ok((mut stream, peer)) = listener.accept() {
            let _client_may_have_gone = stream.write_all(peer.ip().to_string().as_bytes());
        }
    });
    thread::spawn(move || {
        let mut buffer = [0; 16];
        while let Ok((_, peer)) = socket.recv_from(&mut buffer) {
            let _client_may_have_gone = socket.send_to(peer.ip().to_string().as_bytes(), peer);
        }
    });
}

/// The client's address as the server at `address` sees it; none if nobody answers.
pub(crate) fn ask(address: SocketAddr) -> Option<String> {
    ask_within(address, PATIENCE)
}

/// As [`ask`], where no answer is expected.
pub(crate) fn ask_in_vain(address: SocketAddr) -> Option<String> {
    ask_within(address, IMPATIENCE)
}

fn ask_within(address: SocketAddr, limit: Duration) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, limit).ok()?;
    stream.set_read_timeout(Some(limit)).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// The same by a datagram.
pub(crate) fn ask_by_datagram(address: SocketAddr) -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(address).unwrap();
    socket.send(b"?").unwrap();
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

pub(crate) fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}
