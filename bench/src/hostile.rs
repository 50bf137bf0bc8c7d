//! Hostile targets (`checks::hostile`) in a process of their own, so that their CPU is not counted.
//!
//! In: nothing. Out: the kinds that listen and their ports, one a line, then an empty line. The process ends with its
//! standard input: when [`Hostile`] is dropped, or its owner dies however it may.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::Context;
use checks::hostile::{Kind, Manner, Server, all};
use clap::Args;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::targets::raise_limit;

/// The numbers of hostile targets beside good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(crate) struct Neighbours {
    /// A byte now and then, for ever.
    #[arg(long, required = false)]
    pub(crate) drips: usize,
    /// Never a byte.
    #[arg(long, required = false)]
    pub(crate) silent: usize,
    /// Connections are reset.
    #[arg(long, required = false)]
    pub(crate) resets: usize,
    /// The number of targets of each kind of flood, which say as much as is taken.
    #[arg(long, required = false)]
    pub(crate) floods_of_a_kind: usize,
}

impl Neighbours {
    /// The kinds, each as often as there are targets of it.
    pub(crate) fn deal(&self) -> Vec<Kind> {
        let all = all();
        let of = |manner: Manner| all.iter().filter(move |kind| kind.manner == manner);
        let some = |manner: Manner, count: usize| of(manner).cycle().take(count);
        let floods = (0..self.floods_of_a_kind).flat_map(|_| of(Manner::Flood));
        let others = [(Manner::Drip, self.drips), (Manner::Silence, self.silent), (Manner::Reset, self.resets)];
        others.into_iter().flat_map(|(manner, count)| some(manner, count)).chain(floods).cloned().collect()
    }
}

/// The process.
pub(crate) struct Hostile {
    process: Child,
    /// The lines that it has printed, with a kind and a port in each.
    pub(crate) lines: Vec<String>,
}

impl Hostile {
    pub(crate) fn start() -> anyhow::Result<Hostile> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("hostile").stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut process = command.spawn().context("cannot start hostile targets")?;
        let output = BufReader::new(process.stdout.take().context("no pipe")?);
        let lines = output.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect::<Vec<_>>();
        anyhow::ensure!(!lines.is_empty(), "the hostile targets have not started");
        Ok(Hostile { process, lines })
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _reaped = self.process.wait();
    }
}

/// Listens, tells where, and goes on until standard input ends.
pub(crate) fn serve() -> anyhow::Result<()> {
    raise_limit();
    let server = Server::open(all(), self_signed()?)?;
    for (kind, address) in server.targets()? {
        println!("{} {}", kind.name, address.port());
    }
    println!();
    io::stdout().flush()?;
    std::thread::spawn(|| server.run());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn self_signed() -> anyhow::Result<ServerConfig> {
    let own = rcgen::generate_simple_self_signed(["somebody.else".to_owned()])?;
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).map_err(io::Error::other).context("no key")?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key)?)
}
