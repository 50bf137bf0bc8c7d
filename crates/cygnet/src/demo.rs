//! `cygnet demo`: servers to try health checks with, so small that thousands fit on a machine. No runtime, no threads but
//! one, with a small stack, for each connection that is being answered.

mod gaps;
mod http;
mod tcp;

use std::net::{IpAddr, TcpListener};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::output::line;

/// Connections are answered by threads with this much stack.
const STACK: usize = 64 * 1024;

/// The kind of server to be.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// An HTTP server with `/health`, and switches that make it fail, hang or answer slowly
    Http(Listen),
    /// A TCP server that says back what it is sent, and can be told to stop listening
    Tcp(Listen),
}

/// The port to listen on.
#[derive(Debug, Args)]
struct Listen {
    /// The port; 0 takes any free one
    #[arg(long)]
    port: u16,
    /// The address
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,
}

/// Serves until killed.
pub(crate) fn run(demo: &Demo) -> anyhow::Result<ExitCode> {
    let listener = match &demo.kind {
        Kind::Http(listen) | Kind::Tcp(listen) => bind(listen)?,
    };
    line(format!("listening on {}", listener.local_addr()?));
    match demo.kind {
        Kind::Http(_) => http::serve(&listener),
        Kind::Tcp(_) => tcp::serve(listener),
    }
}

fn bind(listen: &Listen) -> anyhow::Result<TcpListener> {
    let place = (listen.address, listen.port);
    TcpListener::bind(place).with_context(|| format!("cannot listen on {}:{}", place.0, place.1))
}

/// Answers on a thread of its own. Out of threads: the connection is closed, which a check of us will see.
fn aside(answer: impl FnOnce() + Send + 'static) {
    let _ = std::thread::Builder::new().stack_size(STACK).spawn(answer);
}
