//! Checks inside the namespaces of another process: its loopback, its files.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread;

use checks::kernel::namespace::enter_network;
use checks::spec::{Probe, TcpMode};
use checks::{Answer, Failure, Outcome, Place, Reason, Start};

use crate::server::{request, serve_on, status};
use crate::support::{engine, http, is_root, shell, spec, tcp, watch_from};

/// A process with namespaces of its own, and a loopback that is up.
struct Other(Child);

impl Other {
    fn start(flags: &str, prepare: &str) -> Other {
        let script = format!("ip link set lo up && {prepare} echo ready && exec sleep 1000");
        let mut command = Command::new("unshare");
        command.args([flags, "sh", "-c", &script]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Other(child)
    }

    fn pid(&self) -> i32 {
        self.0.id().try_into().unwrap()
    }

    /// A listener on its loopback, at a port that nobody uses on ours.
    fn listen(&self) -> TcpListener {
        let namespace = File::open(format!("/proc/{}/ns/net", self.pid())).unwrap();
        let bind = move || {
            enter_network(namespace.as_fd()).unwrap();
            TcpListener::bind("127.0.0.1:1").unwrap()
        };
        thread::spawn(bind).join().unwrap()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

async fn found(probe: Probe, place: &Place) -> Outcome {
    watch_from(&engine(), spec(probe), place.clone(), Start::Fresh).next().await.outcome
}

fn serve_well(listener: TcpListener) -> SocketAddr {
    serve_on(listener, |mut stream| {
        request(&mut stream);
        let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
    })
}

#[tokio::test]
async fn its_loopback_is_not_ours() {
    if !is_root("its_loopback_is_not_ours") {
        return;
    }
    let other = Other::start("-n", "");
    let address = serve_well(other.listen());
    let path = format!("/proc/{}/ns/net", other.pid());
    for place in [Place::of_pid(other.pid()).unwrap(), Place::network_namespace(path).unwrap()] {
        assert_eq!(found(Probe::Http(http(address)), &place).await, Outcome::Success(Answer::Status(200)));
        let half_open = tcp(address, TcpMode::HalfOpen);
        assert_eq!(found(half_open, &place).await, Outcome::Success(Answer::Connected));
    }
    let here = found(Probe::Http(http(address)), &Place::Host).await;
    assert_eq!(here, Outcome::Failure(Failure::Refused));
}

#[tokio::test]
async fn one_engine_is_in_many_places() {
    if !is_root("one_engine_is_in_many_places") {
        return;
    }
    let engine = engine();
    let others: Vec<Other> = (0..3).map(|_| Other::start("-n", "")).collect();
    let mut watches: Vec<_> = Vec::new();
    for other in &others {
        let place = Place::of_pid(other.pid()).unwrap();
        let good = Probe::Http(http(serve_well(other.listen())));
        watches.push((watch_from(&engine, spec(good.clone()), place, Start::Fresh), true));
        watches.push((watch_from(&engine, spec(good), Place::Host, Start::Fresh), false));
    }
    for _ in 0..20 {
        for (watch, good) in &mut watches {
            let expected = if *good { "200 OK" } else { "connection refused" };
            assert_eq!(watch.next().await.outcome.cause(), expected);
        }
    }
}

#[tokio::test]
async fn commands_see_its_network_and_its_files() {
    if !is_root("commands_see_its_network_and_its_files") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().display();
    let other = Other::start("-nm", &format!("mount -t tmpfs none {folder} && echo inside > {folder}/file &&"));
    let place = Place::of_pid(other.pid()).unwrap();
    let look = format!("readlink /proc/self/ns/net; cat {folder}/file; exit 1");
    let Outcome::Failure(seen) = found(Probe::Command(shell(&look)), &place).await else { panic!("must fail") };
    let network = fs::read_link(format!("/proc/{}/ns/net", other.pid())).unwrap();
    assert_eq!(seen.output().unwrap(), format!("{}\ninside", network.display()));
    let ours = fs::read_link("/proc/self/ns/net").unwrap();
    let look = "readlink /proc/self/ns/net; exit 1";
    let Outcome::Failure(seen) = found(Probe::Command(shell(look)), &Place::Host).await else { panic!("must fail") };
    assert_eq!(seen.output().unwrap(), ours.display().to_string());
}

#[tokio::test]
async fn a_command_at_home_stays_at_home_between_the_others() {
    if !is_root("a_command_at_home_stays_at_home_between_the_others") {
        return;
    }
    let engine = engine();
    let other = Other::start("-n", "");
    let there = Place::of_pid(other.pid()).unwrap();
    let ours = fs::read_link("/proc/self/ns/net").unwrap();
    let probe = |place: &str| Probe::Command(shell(&format!("test \"$(readlink /proc/self/ns/net)\" = '{place}'")));
    let theirs = fs::read_link(format!("/proc/{}/ns/net", other.pid())).unwrap();
    let mut away = watch_from(&engine, spec(probe(&theirs.display().to_string())), there, Start::Fresh);
    let mut home = watch_from(&engine, spec(probe(&ours.display().to_string())), Place::Host, Start::Fresh);
    for _ in 0..10 {
        assert_eq!(away.next().await.outcome, Outcome::Success(Answer::Exit(0)));
        assert_eq!(home.next().await.outcome, Outcome::Success(Answer::Exit(0)));
    }
}

/// Nothing keeps the namespace of a task that has ended, and nothing is said of its health.
#[tokio::test]
async fn a_place_whose_process_is_gone() {
    if !is_root("a_place_whose_process_is_gone") {
        return;
    }
    let other = Other::start("-n", "");
    let place = Place::of_pid(other.pid()).unwrap();
    drop(other);
    for mode in [TcpMode::Connect, TcpMode::HalfOpen] {
        let outcome = found(tcp("127.0.0.1:80".parse().unwrap(), mode), &place).await;
        assert_eq!(outcome, Outcome::Inconclusive(Reason::TaskEnded));
    }
    let outcome = found(Probe::Command(shell("true")), &place).await;
    assert_eq!(outcome, Outcome::Inconclusive(Reason::TaskEnded));
}
