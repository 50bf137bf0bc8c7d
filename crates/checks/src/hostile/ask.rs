//! The ways in which a check asks a hostile target.

use std::net::SocketAddr;

use crate::spec::{
    Command, CommandProbe, ExchangeProbe, Expectation, GrpcProbe, HttpProbe, HttpVersion, Probe, Scheme, Tls,
    Transport, Verification,
};

/// The way a check asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// HTTP/1.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
    /// HTTP/1 over TLS.
    Https,
    /// gRPC.
    Grpc,
    /// gRPC over TLS.
    GrpcOverTls,
    /// Bytes for bytes.
    Tcp,
    /// A datagram for a datagram.
    Udp,
    /// A command, which talks.
    Command,
}

impl Ask {
    /// A probe of a target here. It expects what no flood says, although some nearly do.
    pub fn probe(self, address: SocketAddr) -> Probe {
        let http = HttpProbe { address, expect: never(), ..HttpProbe::default() };
        let tls = || Tls { verification: Verification::None, ..Tls::default() };
        match self {
            Ask::Http1 => Probe::Http(http),
            Ask::Http2 => Probe::Http(HttpProbe { version: HttpVersion::Http2, ..http }),
            Ask::Https => Probe::Http(HttpProbe { scheme: Scheme::Https, tls: tls(), ..http }),
            Ask::Grpc => Probe::Grpc(GrpcProbe::new(address)),
            Ask::GrpcOverTls => Probe::Grpc(GrpcProbe { tls: Some(tls()), ..GrpcProbe::new(address) }),
            Ask::Tcp => exchange(Transport::Tcp, address),
            Ask::Udp => exchange(Transport::Udp, address),
            Ask::Command => Ask::command("exec yes"),
        }
    }

    /// A command that is a target itself.
    pub(crate) fn command(script: &str) -> Probe {
        Probe::Command(CommandProbe {
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            ..CommandProbe::new(Command::Shell(script.to_owned()))
        })
    }
}

fn never() -> Vec<Expectation> {
    vec![Expectation::Contains(b"never".to_vec()), Expectation::Matches("n.ver$".to_owned())]
}

fn exchange(transport: Transport, address: SocketAddr) -> Probe {
    Probe::Exchange(ExchangeProbe { transport, address, source: None, send: b"?".to_vec(), expect: never() })
}
