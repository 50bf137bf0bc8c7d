//! The targets: servers that answer `200 OK`, in a process of their own, so that their CPU is not counted, in
//! network namespaces of their own if we may make some.
//!
//! In: how many namespaces and listeners. Out: their addresses, one line each, then an empty line. The process ends, and
//! removes the namespaces, when its standard input ends: when [`Targets`] is dropped, or its owner dies however it may.

mod gaps;
mod namespaces;
mod server;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::Context;
use clap::Args;
use namespaces::Namespaces;
use server::Server;

pub(crate) use server::raise_limit;

/// The number of targets, and their places.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Size {
    pub(crate) namespaces: usize,
    pub(crate) listeners_in_each: usize,
}

/// The same ports at each of several addresses, those of simulated agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(crate) struct Grid {
    pub(crate) addresses: u32,
    pub(crate) first_port: u16,
    pub(crate) ports: u16,
}

/// A listener on 127.0.0.1.
#[derive(Clone)]
pub(crate) struct Target {
    /// The path of its network namespace; nothing if it is ours.
    pub(crate) namespace: Option<String>,
    pub(crate) port: u16,
}

/// The process.
pub(crate) struct Targets {
    process: Child,
    output: BufReader<ChildStdout>,
    /// The targets of one namespace follow one another.
    pub(crate) all: Vec<Target>,
}

impl Targets {
    pub(crate) fn start(size: Size) -> anyhow::Result<Targets> {
        Targets::with(&["targets", &size.namespaces.to_string(), &size.listeners_in_each.to_string()])
    }

    /// The targets of a grid are not listed: its maker knows them.
    pub(crate) fn start_grid(grid: Grid) -> anyhow::Result<Targets> {
        let numbers = [grid.addresses, grid.first_port.into(), grid.ports.into()].map(|number| number.to_string());
        Targets::with(&["target-grid", &numbers[0], &numbers[1], &numbers[2]])
    }

    /// So many listeners in each of these namespaces, `-` for our own.
    pub(crate) fn start_in(namespaces: &[String], listeners_in_each: usize) -> anyhow::Result<Targets> {
        let listeners = listeners_in_each.to_string();
        let arguments = ["targets-in", &listeners, "--"].into_iter().chain(namespaces.iter().map(String::as_str));
        Targets::with(&arguments.collect::<Vec<_>>())
    }

    fn with(arguments: &[&str]) -> anyhow::Result<Targets> {
        let mut command = Command::new(std::env::current_exe()?);
        // Ctrl-C is for us; it tidies up after we are gone.
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut process = command.spawn().context("cannot start the targets")?;
        let output = BufReader::new(process.stdout.take().context("no pipe")?);
        let mut targets = Targets { process, output, all: Vec::new() };
        loop {
            match targets.line().context("the targets have not started")?.as_str() {
                "" => return Ok(targets),
                line => targets.all.push(Target::parse(line).context("not a target")?),
            }
        }
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        anyhow::ensure!(self.output.read_line(&mut line)? > 0, "the targets have ended");
        Ok(line.trim_end().to_owned())
    }

    /// The times between two connections, in milliseconds, as some of the targets saw them since this was last asked.
    pub(crate) fn gaps(&mut self) -> anyhow::Result<Vec<f64>> {
        self.process.stdin.as_mut().context("no pipe")?.write_all(b"\n")?;
        Ok(self.line()?.split_whitespace().filter_map(|gap| gap.parse().ok()).collect())
    }

    /// The first ones, of all namespaces the same number.
    pub(crate) fn some(&self, count: usize) -> Vec<Target> {
        let every = (self.all.len() / count.max(1)).max(1);
        self.all.iter().step_by(every).take(count).cloned().collect()
    }
}

impl Drop for Targets {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _reaped = self.process.wait();
    }
}

impl Target {
    /// The line for the C programs: `NAMESPACE PORT`, with `-` for our own namespace.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.namespace.as_deref().unwrap_or("-"), self.port)
    }

    pub(crate) fn parse(line: &str) -> Option<Target> {
        let (namespace, port) = line.split_once(' ')?;
        let namespace = Some(namespace.to_owned()).filter(|namespace| namespace != "-");
        Some(Target { namespace, port: port.parse().ok()? })
    }
}

/// The process' part.
pub(crate) fn serve(size: Size) -> anyhow::Result<()> {
    let namespaces = Namespaces::make(size.namespaces);
    listen_in(namespaces.places(size.namespaces), size.listeners_in_each)
}

/// The same in namespaces of others.
pub(crate) fn serve_in(namespaces: &[String], listeners_in_each: usize) -> anyhow::Result<()> {
    let place = |path: &String| Some(path.clone()).filter(|path| path != "-");
    listen_in(namespaces.iter().map(place).collect(), listeners_in_each)
}

fn listen_in(places: Vec<Option<String>>, listeners_in_each: usize) -> anyhow::Result<()> {
    let mut server = Server::new()?;
    for place in places {
        namespaces::enter(place.as_deref())?;
        for _ in 0..listeners_in_each {
            let port = server.listen()?;
            println!("{}", Target { namespace: place.clone(), port }.line());
        }
    }
    println!();
    std::io::stdout().flush()?;
    server.run()
}

/// The same for a grid.
pub(crate) fn serve_grid(grid: Grid) -> anyhow::Result<()> {
    let mut server = Server::new()?;
    for number in 0..grid.addresses {
        let address: Ipv4Addr = simulated::address(number);
        for port in grid.first_port..grid.first_port.saturating_add(grid.ports) {
            server.listen_at(SocketAddr::from((address, port)))?;
        }
    }
    println!();
    std::io::stdout().flush()?;
    server.run()
}
