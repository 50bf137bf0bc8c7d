//! A late engine never blames the task. The engine runs in a child process, which is stopped in the middle of an attempt
//! and goes on later; the target is here and never sleeps.

#[path = "lateness/quitters.rs"]
mod quitters;
#[path = "behaviour/server.rs"]
mod server;
#[path = "behaviour/support.rs"]
mod support;

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use quitters::{PROTOCOLS, Quitter, probe};
use server::{request, serve, status};
use support::{PATIENCE, engine, ms, spec, watch};

const TARGET: &str = "CHECKS_TEST_TARGET";
const PROTOCOL: &str = "CHECKS_TEST_PROTOCOL";
const COUNT: &str = "CHECKS_TEST_COUNT";
const TIMEOUT: Duration = Duration::from_secs(1);

/// The child's part: checks the target and prints what it finds. Does nothing when run as a test.
#[tokio::test]
async fn child() {
    let Ok(target) = env::var(TARGET) else { return };
    let count: usize = env::var(COUNT).unwrap().parse().unwrap();
    let mut spec = spec(probe(&env::var(PROTOCOL).unwrap(), target.parse().unwrap()));
    spec.schedule.timeout = Some(TIMEOUT);
    let engine = engine();
    let mut watches: Vec<_> = (0..count).map(|_| watch(&engine, spec.clone())).collect();
    loop {
        for watch in &mut watches {
            let event = watch.next().await;
            println!("\nOUTCOME {} {}", event.outcome.cause(), event.state.consecutive_failures);
        }
    }
}

/// A process with an engine that checks the target.
struct Prober {
    process: Child,
    lines: Box<dyn Iterator<Item = String>>,
}

impl Prober {
    fn start(target: SocketAddr) -> Prober {
        Prober::start_many(target, "http", 1)
    }

    fn start_many(target: SocketAddr, protocol: &str, count: usize) -> Prober {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]).env(TARGET, target.to_string());
        command.env(PROTOCOL, protocol).env(COUNT, count.to_string());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        Prober { process, lines: Box::new(lines) }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().try_into().unwrap()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// All its threads stand still afterwards.
    fn stop(&self) {
        self.signal(Signal::STOP);
        waitpid(Some(self.pid()), WaitOptions::UNTRACED).unwrap();
    }

    /// Cannot do anything for so long.
    fn stop_for(&self, time: Duration) {
        self.stop();
        self.go_on_after(time);
    }

    fn go_on_after(&self, time: Duration) {
        let (_never, clock) = mpsc::channel::<()>();
        let _time_passed = clock.recv_timeout(time);
        self.signal(Signal::CONT);
    }

    fn wait_until_asked(&self, asked: &mpsc::Receiver<()>, times: usize) {
        (0..times).for_each(|_| asked.recv_timeout(PATIENCE).unwrap());
    }

    fn outcome(&mut self) -> String {
        let line = self.lines.find_map(|line| line.strip_prefix("OUTCOME ").map(str::to_owned));
        line.expect("the child has died")
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Tells when it was asked, and answers after a while, or never.
fn target(after: Option<Duration>) -> (SocketAddr, mpsc::Receiver<()>) {
    let (sender, asked) = mpsc::channel();
    let address = serve(move |mut stream| {
        request(&mut stream);
        let _nobody_waits = sender.send(());
        let (_never, clock) = mpsc::channel::<()>();
        match after {
            Some(time) => {
                let _time_passed = clock.recv_timeout(time);
                let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
            }
            None => drop(stream.read(&mut [0])),
        }
    });
    (address, asked)
}

#[test]
fn an_answer_that_came_while_the_engine_was_away_counts() {
    let (address, asked) = target(Some(ms(200)));
    let mut prober = Prober::start(address);
    asked.recv_timeout(PATIENCE).unwrap();
    prober.stop_for(ms(2500));
    assert_eq!(prober.outcome(), "200 OK 0");
}

#[test]
fn a_hanging_target_is_not_blamed_while_the_engine_is_away_and_found_when_it_is_back() {
    let (address, asked) = target(None);
    let mut prober = Prober::start(address);
    asked.recv_timeout(PATIENCE).unwrap();
    prober.stop_for(ms(700));
    let first = prober.outcome();
    assert!(first.starts_with("timed out, but the engine itself was away for "), "{first}");
    assert!(first.ends_with(" 0"), "it does not count: {first}");
    // A busy machine may be away once more, but not for ever.
    let second = (0..5).map(|_| prober.outcome()).find(|outcome| !outcome.contains("away")).unwrap();
    assert_eq!(second, "timed out after 1s 1");
}

#[test]
fn mild_lag_does_not_hide_a_hanging_target() {
    let (address, asked) = target(None);
    let mut prober = Prober::start(address);
    for _ in 0..5 {
        asked.recv_timeout(PATIENCE).unwrap();
        prober.stop_for(ms(120));
        let outcome = prober.outcome();
        if !outcome.contains("away") {
            assert_eq!(outcome, "timed out after 1s 1");
            return;
        }
    }
    panic!("never found");
}

/// The peer gives up while the engine is away: that says nothing. Later it gives up at once, which does.
fn gives_up(protocol: &str, quitter: Quitter) -> Result<(), String> {
    let (address, asked, gate) = quitter.serve();
    let mut prober = Prober::start_many(address, protocol, 1);
    asked.recv_timeout(PATIENCE).unwrap();
    prober.stop();
    gate.set(()).unwrap();
    prober.go_on_after(ms(700));
    let first = prober.outcome();
    let second = (0..5).map(|_| prober.outcome()).find(|outcome| !outcome.contains("away"));
    let second = second.ok_or("no failure counts")?;
    let is_right = first.contains(", but the engine itself was away for ") && first.ends_with(" 0");
    (is_right && second.ends_with(" 1"))
        .then_some(())
        .ok_or_else(|| format!("{protocol}, {quitter:?}: {first}, then {second}"))
}

#[test]
fn a_connection_that_broke_while_the_engine_was_away_says_nothing() {
    let wrong: Vec<String> = thread::scope(|scope| {
        let cases = PROTOCOLS.iter().flat_map(|(protocol, quitters)| quitters.iter().map(move |how| (*protocol, *how)));
        let threads: Vec<_> = cases.map(|(protocol, how)| scope.spawn(move || gives_up(protocol, how))).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap().err()).collect()
    });
    assert_eq!(wrong, Vec::<String>::new());
}

/// More than one look at epoll takes in.
#[test]
fn all_answers_are_read_before_anything_is_called_late() {
    const MANY: usize = 700;
    let (sender, asked) = mpsc::channel();
    let gate = Arc::new(Barrier::new(MANY + 1));
    let behind = Arc::clone(&gate);
    let address = serve(move |mut stream| {
        request(&mut stream);
        let _nobody_waits = sender.send(());
        behind.wait();
        let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
    });
    let mut prober = Prober::start_many(address, "http", MANY);
    prober.wait_until_asked(&asked, MANY);
    prober.stop();
    gate.wait();
    prober.go_on_after(ms(2500));
    for _ in 0..MANY {
        assert_eq!(prober.outcome(), "200 OK 0");
    }
}
