//! `cygnet demo`: servers to try health checks with, so small that thousands fit on a machine. No runtime, no threads but
//! one for each connection that is being answered.

mod http;
mod tcp;

use std::net::{IpAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};

/// Connections are answered by threads with this much stack.
const STACK: usize = 64 * 1024;

/// What to be.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// An HTTP server with `/health`, and switches that make it fail, hang or answer slowly
    Http(Listen),
    /// A TCP server that greets and says back what it is sent
    Tcp(Listen),
}

/// Where to listen.
#[derive(Debug, Args)]
struct Listen {
    /// The port
    #[arg(long)]
    port: u16,
    /// The address
    #[arg(long, default_value = "0.0.0.0")]
    address: IpAddr,
}

/// Serves until killed.
pub(crate) fn run(demo: &Demo) -> anyhow::Result<ExitCode> {
    match &demo.kind {
        Kind::Http(listen) => {
            let switches = Arc::new(http::Switches::default());
            serve(listen, move |stream| http::answer(stream, &switches))
        }
        Kind::Tcp(listen) => serve(listen, tcp::answer),
    }
}

fn serve(listen: &Listen, answer: impl Fn(TcpStream) + Clone + Send + 'static) -> anyhow::Result<ExitCode> {
    let place = (listen.address, listen.port);
    let listener = TcpListener::bind(place).with_context(|| format!("cannot listen on {}:{}", place.0, place.1))?;
    for stream in listener.incoming().flatten() {
        let answer = answer.clone();
        // Out of threads: the connection is closed, which whoever checks us will see.
        let _ = std::thread::Builder::new().stack_size(STACK).spawn(move || answer(stream));
    }
    Ok(ExitCode::SUCCESS)
}
