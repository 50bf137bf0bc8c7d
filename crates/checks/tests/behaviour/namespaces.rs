//! Checks inside the namespaces of another process: its loopback, its files.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use checks::spec::{CommandProbe, HttpProbe, ListenProbe, Probe, Reuse, TcpMode};
use checks::{Answer, Failure, Outcome, Place, Reason, Start};
use processes::namespace::enter_network;
use processes::{Capabilities, CapabilitySet, Confinement, Credentials, Resource, ResourceLimit};
use rustix::process::DumpableBehavior;

use crate::server::{request, serve_on, status};
use crate::support::{engine, eventually, http, noting, root, shell, spec, tcp, watch_from};

/// A process with namespaces of its own, and a loopback that is up.
pub(crate) struct Other(Child);

impl Other {
    fn start(flags: &str, prepare: &str) -> Other {
        Other::start_with(&[flags], prepare)
    }

    fn start_with(flags: &[&str], prepare: &str) -> Other {
        Other::run(flags, &format!("ip link set lo up && {prepare} echo ready && exec sleep 1000"))
    }

    /// A server on [`PORT`] which is the whole task.
    pub(crate) fn serving(prepare: &str) -> Other {
        let script = format!("ip link set lo up && {prepare} exec \"$EXE\" --exact namespaces::child --nocapture");
        Other::run(&["-n"], &script)
    }

    fn run(flags: &[&str], script: &str) -> Other {
        let mut command = Command::new("unshare");
        command.args(flags).args(["sh", "-c", script]).stdout(Stdio::piped());
        command.env("EXE", std::env::current_exe().unwrap()).env("CHECKS_CHILD", "1");
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "ready"), "it never began");
        Other(child)
    }

    pub(crate) fn pid(&self) -> i32 {
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
    let Some(()) = root("its_loopback_is_not_ours") else { return };
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
    let Some(()) = root("one_engine_is_in_many_places") else { return };
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

/// The output of a command that fails.
async fn output(probe: CommandProbe, place: &Place) -> String {
    match found(Probe::Command(probe), place).await {
        Outcome::Failure(Failure::Exit { output, .. }) => output,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn commands_have_its_users() {
    let Some(()) = root("commands_have_its_users") else { return };
    let other = Other::start_with(&["-U", "-r", "-m", "-n"], "");
    let place = Place::of_pid(other.pid()).unwrap();
    let seen = output(shell("readlink /proc/self/ns/user; id -u; id -G; exit 1"), &place).await;
    let namespace = fs::read_link(format!("/proc/{}/ns/user", other.pid())).unwrap();
    assert_eq!(seen, format!("{}\n0\n0", namespace.display()));
    let nobody = Some(Credentials { uid: 7, gid: 7, groups: Vec::new() });
    let outcome = found(Probe::Command(CommandProbe { user: nobody, ..shell("true") }), &place).await;
    assert_eq!(outcome.cause(), "cannot start the command: user: invalid argument", "it has no user 7");
}

#[tokio::test]
async fn commands_may_do_no_more_than_they_are_confined_to() {
    let Some(()) = root("commands_may_do_no_more_than_they_are_confined_to") else { return };
    let other = Other::start("-nm", "");
    let place = Place::of_pid(other.pid()).unwrap();
    let few: CapabilitySet = [0, 5].into_iter().collect();
    let capabilities = Capabilities { bounding: few, permitted: few, effective: few, ..Capabilities::default() };
    let limit = ResourceLimit { resource: Resource::Nofile, soft: Some(99), hard: Some(99) };
    let confinement = Confinement {
        capabilities: Some(capabilities),
        no_new_privileges: true,
        limits: vec![limit],
        umask: Some(0o77),
        ..Confinement::default()
    };
    let probe = CommandProbe {
        confinement: Some(confinement),
        ..shell("grep -E 'CapEff|CapBnd|NoNew' /proc/self/status; ulimit -n; umask; mount -t tmpfs x /mnt; exit 1")
    };
    let seen = output(probe, &place).await;
    let expected = "CapEff:\t0000000000000021\nCapBnd:\t0000000000000021\nNoNewPrivs:\t1\n99\n0077\n";
    assert!(seen.starts_with(expected) && seen.contains("mount: "), "{seen}");
    let is_hidden = rustix::process::dumpable_behavior().unwrap() == DumpableBehavior::NotDumpable;
    assert!(is_hidden, "those inside cannot open the engine's program while a command is on its way in");
}

#[tokio::test]
async fn commands_see_its_network_and_its_files() {
    let Some(()) = root("commands_see_its_network_and_its_files") else { return };
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
    let Some(()) = root("a_command_at_home_stays_at_home_between_the_others") else { return };
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
    let Some(()) = root("a_place_whose_process_is_gone") else { return };
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

/// True if a process is in this namespace, or we hold a descriptor of it.
fn is_held(namespace: &Path) -> bool {
    let leads_there = |path: PathBuf| fs::read_link(path).is_ok_and(|link| link == namespace);
    let all = |directory: &str| fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path());
    all("/proc").any(|process| leads_there(process.join("ns/net"))) || all("/proc/self/fd").any(leads_there)
}

/// One end of a pair of devices, the other end of which is in another network: the kernel removes both with either.
struct Witness(String);

impl Witness {
    fn of(other: &Other) -> Witness {
        let (name, peer) = (format!("chk{}", other.pid()), format!("chp{}", other.pid()));
        let ip = |arguments: &[&str]| assert!(Command::new("ip").args(arguments).status().unwrap().success());
        ip(&["link", "add", &name, "type", "veth", "peer", "name", &peer]);
        ip(&["link", "set", &peer, "netns", &other.pid().to_string()]);
        Witness(name)
    }

    fn is_there(&self) -> bool {
        fs::metadata(format!("/sys/class/net/{}", self.0)).is_ok()
    }
}

pub(crate) const PORT: u16 = 1080;

/// Not a test of its own: what [`Other::serving`] runs, in this same program.
#[test]
fn child() {
    if std::env::var_os("CHECKS_CHILD").is_none() {
        return;
    }
    let listener = TcpListener::bind(("127.0.0.1", PORT)).unwrap();
    println!("\nready");
    for mut stream in listener.incoming().flatten() {
        thread::spawn(move || {
            while !request(&mut stream).is_empty() {
                let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
            }
        });
    }
}

/// Kept connections and kept sockets hold a network; they are let go when the task ends.
#[tokio::test]
async fn the_network_of_a_task_that_ends_is_released_at_once() {
    let Some(()) = root("the_network_of_a_task_that_ends_is_released_at_once") else { return };
    let other = Other::serving("");
    let witness = Witness::of(&other);
    let namespace = fs::read_link(format!("/proc/{}/ns/net", other.pid())).unwrap();
    let (place, server) = (Place::of_pid(other.pid()).unwrap(), SocketAddr::from(([127, 0, 0, 1], PORT)));
    let engine = engine();
    let kept = HttpProbe { connection: Reuse::KeepAlive, ..http(server) };
    let listen = Probe::Listen(ListenProbe::new(server));
    let mut watches = Vec::new();
    let (fresh, open) = (Probe::Http(http(server)), tcp(server, TcpMode::HalfOpen));
    for probe in [Probe::Http(kept), fresh, listen, open, Probe::Command(shell("true"))] {
        let mut watch = watch_from(&engine, spec(probe), place.clone(), Start::Fresh);
        let first = watch.next().await;
        assert!(matches!(first.outcome, Outcome::Success(_)), "{first:?}");
        watches.push(watch);
    }
    assert!(witness.is_there() && is_held(&namespace));
    drop(other);
    eventually("nobody holds the network", || !is_held(&namespace)).await;
    eventually("the kernel has removed it", || !witness.is_there()).await;
    for watch in &mut watches {
        let ended = watch.until(|event| !matches!(event.outcome, Outcome::Success(_))).await;
        assert_eq!((ended.outcome, ended.verdict), (Outcome::Inconclusive(Reason::TaskEnded), None));
    }
}

#[tokio::test]
async fn a_command_is_among_the_processes_of_its_task() {
    let Some(()) = root("a_command_is_among_the_processes_of_its_task") else { return };
    let other = Other::start_with(
        &["-n", "-p", "-i", "-m", "-u", "--fork", "--kill-child", "--mount-proc"],
        "hostname inside &&",
    );
    let parent = other.pid();
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    let place = Place::of_pid(children.trim().parse().unwrap()).unwrap();
    let script = "echo $$ $(hostname) $(cat /proc/1/comm); exit 3";
    for _ in 0..3 {
        let Outcome::Failure(failure) = found(Probe::Command(shell(script)), &place).await else { panic!("it fails") };
        let output = failure.output().unwrap_or_default().to_owned();
        let [pid, host, first] = output.split(' ').collect::<Vec<_>>()[..] else { panic!("{output}") };
        assert!(pid.parse::<u32>().unwrap() < 1000, "numbers begin anew there: {output}");
        assert_eq!((host, first), ("inside", "sleep"));
    }
    let here = found(Probe::Command(shell("cat /proc/1/comm; exit 3")), &Place::Host).await;
    let Outcome::Failure(failure) = here else { panic!("it fails") };
    assert_ne!(failure.output(), Some("sleep"), "the engine's own children are where they were");
}

/// The first process of a namespace of processes.
fn first_process(other: &Other) -> i32 {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", other.pid())).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_command_that_was_killed_with_its_namespace_says_that_the_task_has_ended() {
    let Some(()) = root("a_command_that_was_killed_with_its_namespace_says_that_the_task_has_ended") else { return };
    let other = Other::start_with(&["-n", "-p", "--fork", "--kill-child"], "");
    let first = first_process(&other);
    let (_directory, file, probe) = noting("touch $FILE; sleep 1000");
    let engine = engine();
    let place = Place::of_pid(first).unwrap();
    let mut watch = watch_from(&engine, spec(Probe::Command(probe)), place, Start::Fresh);
    eventually("the command runs", || file.exists()).await;
    let pid = rustix::process::Pid::from_raw(first).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert_eq!(watch.next().await.outcome, Outcome::Inconclusive(Reason::TaskEnded));
}

#[tokio::test]
async fn a_command_that_was_killed_in_a_living_namespace_has_failed() {
    let Some(()) = root("a_command_that_was_killed_in_a_living_namespace_has_failed") else { return };
    let other = Other::start_with(&["-n", "-p", "--fork", "--kill-child"], "");
    let mut spec = spec(Probe::Command(shell("kill -9 $$")));
    spec.schedule.timeout = Some(crate::support::ms(500));
    let place = Place::of_pid(first_process(&other)).unwrap();
    let outcome = watch_from(&engine(), spec, place, Start::Fresh).next().await.outcome;
    assert!(matches!(outcome, Outcome::Failure(Failure::Signal { signal: 9, .. })), "{outcome:?}");
}
