//! What is checked: servers that answer `200 OK`, in a process of their own, so that their CPU is not counted, in
//! network namespaces of their own if we may make some.
//!
//! In: how many namespaces and listeners. Out: their addresses, one line each, then an empty line. The process ends, and
//! removes the namespaces, when its standard input ends: when [`Targets`] is dropped, or its owner dies however it may.

mod namespaces;
mod server;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use namespaces::Namespaces;
use server::Server;

/// How many targets, and where.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) namespaces: usize,
    pub(crate) listeners_in_each: usize,
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
    /// Those of one namespace follow one another.
    pub(crate) all: Vec<Target>,
}

impl Targets {
    pub(crate) fn start(size: Size) -> anyhow::Result<Targets> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["targets", &size.namespaces.to_string(), &size.listeners_in_each.to_string()]);
        // Ctrl-C is for us; it tidies up after we are gone.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut process = command.spawn().context("cannot start the targets")?;
        let output = process.stdout.take().context("no pipe")?;
        let mut targets = Targets { process, all: Vec::new() };
        for line in BufReader::new(output).lines() {
            match line?.as_str() {
                "" => return Ok(targets),
                line => targets.all.push(Target::parse(line).context("not a target")?),
            }
        }
        anyhow::bail!("the targets have not started")
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
    /// What a line of ours says, and the C programs read: `NAMESPACE PORT`, with `-` for our own namespace.
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
    let mut server = Server::new()?;
    for place in namespaces.places(size.namespaces) {
        namespaces::enter(place.as_deref())?;
        for _ in 0..size.listeners_in_each {
            let port = server.listen()?;
            println!("{}", Target { namespace: place.clone(), port }.line());
        }
    }
    println!();
    std::io::stdout().flush()?;
    server.run()
}
