//! The check engine in a container: it enters by a pidfd, as it does elsewhere.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use checks::spec::{Command, CommandProbe, HttpProbe, Judgement, ListenProbe, Probe, Schedule, TcpMode, TcpProbe};
use checks::{Answer, Check, CheckSpec, Engine, EngineOptions, Event, Failure, Outcome, Place, Reason, Start};
use harness::patience::soon;
use processes::Process;
use rustix::process::Signal;
use tokio::sync::mpsc;

use crate::world::{Room, Running, World, signal};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("checks_find_the_containers_own_server", checks_find_the_containers_own_server),
    ("a_command_sees_the_containers_files_and_processes", a_command_sees_the_containers_files_and_processes),
    ("a_command_in_flight_does_not_keep_a_container", a_command_in_flight_does_not_keep_a_container),
    ("who_stops_all_that_enters_holds_up_no_other_check", who_stops_all_that_enters_holds_up_no_other_check),
];

const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 80);

fn spec(probe: Probe) -> CheckSpec {
    let interval = Duration::from_millis(20);
    let schedule = Schedule { interval, timeout: Some(Duration::from_secs(20)), ..Schedule::default() };
    CheckSpec { probe, schedule, judgement: Judgement { grace: Duration::ZERO, ..Judgement::default() } }
}

fn shell(script: &str) -> Probe {
    let environment = vec![("PATH".to_owned(), "/bin".to_owned())];
    Probe::Command(CommandProbe { environment, ..CommandProbe::new(Command::Shell(script.to_owned())) })
}

fn place(process: Process) -> Place {
    let pidfd = process.open().unwrap();
    Place::of_pidfd(std::os::fd::AsFd::as_fd(&pidfd)).unwrap()
}

/// The answers of the check until something is wanted.
fn watch(
    world: &World,
    engine: &Engine,
    probe: Probe,
    place: Place,
    mut wanted: impl FnMut(&Event) -> bool,
) -> Outcome {
    let (sender, mut events) = mpsc::unbounded_channel();
    let _check = engine.add(Check::new(1, spec(probe), sender).at(place).starting(Start::Fresh));
    let found = async {
        loop {
            let event = events.recv().await.unwrap();
            if wanted(&event) {
                return event.outcome;
            }
        }
    };
    world.block_on(soon("a result of a check", found))
}

fn serving(world: &World, init: bool) -> Running<'_> {
    let room = Room { init, ..world.room() };
    fs::write(room.wanted.sandbox.join("index.html"), "hello").unwrap();
    world.start(&room, "exec httpd -f -p 127.0.0.1:80 -h /mnt/mesos/sandbox")
}

fn checks_find_the_containers_own_server() {
    let world = World::new();
    let engine = Engine::start(EngineOptions::default()).unwrap();
    let address = SocketAddr::from(ADDRESS);
    for init in [false, true] {
        let running = serving(&world, init);
        let places = if init { vec![running.app()] } else { vec![running.app(), running.pause()] };
        let connected = TcpProbe { mode: TcpMode::Connect, ..TcpProbe::new(address) };
        let rows = [
            (Probe::Http(HttpProbe::new(address)), Answer::Status(200)),
            (Probe::Tcp(TcpProbe::new(address)), Answer::Connected),
            (Probe::Tcp(connected), Answer::Connected),
            (Probe::Listen(ListenProbe::new(address)), Answer::Listening),
            (shell("wget -q -O - http://127.0.0.1/ | grep -q hello"), Answer::Exit(0)),
        ];
        for process in places {
            for (probe, answer) in rows.clone() {
                let is_well = |event: &Event| matches!(event.outcome, Outcome::Success(_));
                let outcome = watch(&world, &engine, probe, place(process), is_well);
                assert_eq!(outcome, Outcome::Success(answer));
            }
        }
    }
}

fn a_command_sees_the_containers_files_and_processes() {
    let world = World::new();
    let engine = Engine::start(EngineOptions::default()).unwrap();
    let running = serving(&world, false);
    let look = "head -n 1 /etc/passwd; cat /mnt/mesos/sandbox/index.html; hostname; cat /proc/1/comm; pidof httpd >/dev/null && echo httpd; \
                ls /proc | grep -c '^[0-9]'; ls /proc/self/fd | wc -l; readlink /proc/self/cwd; exit 1";
    let Outcome::Failure(seen) = watch(&world, &engine, shell(look), place(running.app()), |_| true) else { panic!() };
    // The first process, the server, this shell, and both ends of a pipe; three streams and the listed directory.
    let expected = "root:x:0:0:root:/root:/bin/sh\nhelloinside\npause\nhttpd\n5\n4\n/";
    assert_eq!(seen.output().unwrap(), expected);
}

/// The first process of a namespace ends only when all others were reaped, and a command is reaped by the engine.
fn a_command_in_flight_does_not_keep_a_container() {
    let world = World::new();
    let engine = Engine::start(EngineOptions::default()).unwrap();
    let running = serving(&world, false);
    let (app, pause) = (running.app(), running.pause());
    let (sender, mut events) = mpsc::unbounded_channel();
    let probe = shell("echo > /mnt/mesos/sandbox/begun; sleep 1000");
    let check = engine.add(Check::new(1, spec(probe), sender).at(place(app)).starting(Start::Fresh));
    let begun = world.path("room-0/sandbox/begun");
    harness::wait::until("the command", harness::patience::PATIENCE, || begun.exists().then_some(()));
    app.signal(Signal::KILL);
    assert_eq!(signal(&running.end()), Some(Signal::KILL.as_raw()));
    assert!(!pause.is_alive());
    let outcome = world.block_on(soon("an outcome", events.recv())).unwrap().outcome;
    assert_eq!(outcome, Outcome::Inconclusive(Reason::TaskEnded));
    drop(check);
}

/// A command is stopped between its birth and its program, again and again, while the engine waits for just that.
fn who_stops_all_that_enters_holds_up_no_other_check() {
    let world = World::new();
    let engine = Engine::start(EngineOptions::default()).unwrap();
    let script = "echo begun; while true; do for p in /proc/[0-9]*; do q=${p#/proc/}; case $q in 1|$$) ;; \
                  *) kill -STOP $q 2>/dev/null;; esac; done; done";
    let running = world.start(&world.room(), script);
    running.until_said("begun");
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut stopped = spec(shell("true"));
    stopped.schedule.timeout = Some(Duration::from_millis(100));
    let _stopped = engine.add(Check::new(1, stopped, sender).at(place(running.app())).starting(Start::Fresh));
    let cause = world.block_on(soon("a command that was stopped", async {
        loop {
            if let Outcome::Failure(Failure::NotStarted { cause }) = events.recv().await.unwrap().outcome {
                return cause;
            }
        }
    }));
    assert_eq!(cause, "it was stopped inside the container before it had begun");
    let is_well = |event: &Event| event.outcome == Outcome::Success(Answer::Exit(0));
    watch(&world, &engine, shell("true"), Place::Host, is_well);
}
