//! The engine's whole loop beside a peer that is a fuzzer: whatever it sends, in whatever pieces and with whatever pauses,
//! another check is served in time, attempts end when their time is up, the thread sleeps, and memory stays bounded.
//!
//! In: how the peer is asked, and its script. Out: nothing, or a panic. The clock is virtual (`clock::virtual_time`), the
//! sockets are real, and all of it is one thread.

use std::fs;
use std::io;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::peers::Peers;
use crate::clock::virtual_time::VirtualTime;
use crate::engine::by_turns::ByTurns;
use crate::engine::{Check, EngineOptions, Event};
use crate::hostile::{Ask, End, Script};
use crate::outcome::Outcome;
use crate::spec::{CheckSpec, HttpProbe, Judgement, ListenProbe, Probe, Reuse, Schedule};

/// A run of virtual time, which is several attempts at a peer that says nothing.
const RUN: Duration = Duration::from_secs(1);

const TIMEOUT: Duration = Duration::from_millis(200);
const INTERVAL: Duration = Duration::from_millis(50);

/// The interval of the check that must stay punctual.
const OFTEN: Duration = Duration::from_millis(20);

/// The time within which it is. Code that is not optimised takes longer.
const PROMPT: Duration = Duration::from_millis(if cfg!(test) { 150 } else { 50 });

/// The most of its time that the thread works.
const WORK: Duration = Duration::from_millis(if cfg!(test) { 800 } else { 500 });

/// The most by which memory may grow.
const MEMORY: usize = 64 << 20;

/// The time to wait for a command, by the real clock, before time leaps.
const PATIENCE: Duration = Duration::from_millis(2);

/// Its number; hostile ones follow.
const GOOD: u64 = 0;

/// Runs so many checks that have such a peer.
pub(crate) fn run(ask: Ask, checks: u64, script: &Script) -> io::Result<()> {
    let mut siege = Siege::lay(ask, script)?;
    let mut peers = Peers::new(script)?;
    siege.add(ask, checks, &peers)?;
    while siege.engine.now() < RUN {
        peers.step(siege.engine.now());
        siege.turn(peers.next(siege.engine.now()))?;
    }
    let (worked, served) = (siege.engine.worked(), u128::from(siege.served));
    siege.engine.close();
    let least = RUN.as_millis() / (OFTEN + PROMPT).as_millis();
    assert!(served >= least, "{served} of {least} attempts were made: {script:?}");
    assert!(worked <= WORK, "worked for {worked:?}: {script:?}");
    Ok(())
}

struct Siege<'a> {
    script: &'a Script,
    engine: ByTurns,
    good: TcpListener,
    sender: UnboundedSender<Event>,
    events: UnboundedReceiver<Event>,
    served: u64,
    turns: u64,
    /// Before.
    memory: usize,
    ends_in_time: bool,
    /// The words that a command prints.
    _words: rustix::fd::OwnedFd,
    command: String,
}

impl<'a> Siege<'a> {
    fn lay(ask: Ask, script: &'a Script) -> io::Result<Siege<'a>> {
        let is_process = ask == Ask::Command;
        let time = if is_process { VirtualTime::patient(PATIENCE) } else { VirtualTime::default() };
        let options = EngineOptions { command_cgroups: false, ..EngineOptions::default() };
        let (sender, events) = unbounded_channel();
        let (words, command) = command(script)?;
        Ok(Siege {
            script,
            engine: ByTurns::new(options, time)?,
            good: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
            sender,
            events,
            served: 0,
            turns: 0,
            memory: resident()?,
            // A process has to be reaped, which takes real time.
            ends_in_time: !is_process,
            _words: words,
            command,
        })
    }

    fn add(&self, ask: Ask, checks: u64, peers: &Peers<'_>) -> io::Result<()> {
        let good = Probe::Listen(ListenProbe::new(self.good.local_addr()?));
        self.engine.add(Check::new(GOOD, spec(good, OFTEN), self.sender.clone()));
        let address = if ask == Ask::Udp { peers.udp()? } else { peers.tcp()? };
        for number in 1..=checks {
            let probe = probe(ask, address, number, &self.command);
            self.engine.add(Check::new(number, spec(probe, INTERVAL), self.sender.clone()));
        }
        Ok(())
    }

    fn turn(&mut self, horizon: Duration) -> io::Result<()> {
        self.engine.turn(horizon)?;
        while let Ok(event) = self.events.try_recv() {
            self.judge(&event);
        }
        self.turns += 1;
        if self.turns.is_multiple_of(64) {
            let more = resident()?.saturating_sub(self.memory);
            assert!(more <= MEMORY, "{more} bytes more than before: {:?}", self.script);
        }
        Ok(())
    }

    fn judge(&mut self, event: &Event) {
        if event.check == GOOD {
            self.served += 1;
            assert!(matches!(event.outcome, Outcome::Success(_)), "{event:?}: {:?}", self.script);
            assert!(event.lateness <= PROMPT, "{:?} late: {:?}", event.lateness, self.script);
        } else if self.ends_in_time {
            // It may have the time it was robbed of once more.
            let most = TIMEOUT * 5 / 4 + PROMPT;
            assert!(event.duration <= most, "took {:?}: {:?}", event.duration, self.script);
        }
    }
}

fn spec(probe: Probe, interval: Duration) -> CheckSpec {
    let schedule = Schedule { interval, timeout: Some(TIMEOUT), ..Schedule::default() };
    CheckSpec { probe, schedule, judgement: Judgement::default() }
}

/// Every second check asks in the protocol's other way, if it has one.
fn probe(ask: Ask, address: SocketAddr, number: u64, command: &str) -> Probe {
    let is_second = number.is_multiple_of(2);
    match (ask, ask.probe(address)) {
        (Ask::Command, _) => Ask::command(command),
        (Ask::Http1, Probe::Http(http)) if is_second => Probe::Http(HttpProbe { connection: Reuse::KeepAlive, ..http }),
        (Ask::Https, _) if is_second => Ask::GrpcOverTls.probe(address),
        (_, probe) => probe,
    }
}

/// A command that prints the words of a script, which are in a file without a name.
fn command(script: &Script) -> io::Result<(rustix::fd::OwnedFd, String)> {
    let words = memfd_create("words", MemfdFlags::CLOEXEC)?;
    let mut file = fs::File::from(words);
    script.pieces.iter().try_for_each(|piece| file.write_all(&piece.words))?;
    let print = format!("cat /proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    let command = match script.end {
        End::Close => print,
        End::Reset => format!("{print}; kill -9 $$"),
        End::Silence => format!("{print}; exec sleep 5"),
        End::Again => format!("while :; do {print}; done"),
    };
    Ok((file.into(), command))
}

/// This process' memory, in bytes.
fn resident() -> io::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    Ok(kilobytes.unwrap_or_default() * 1024)
}
