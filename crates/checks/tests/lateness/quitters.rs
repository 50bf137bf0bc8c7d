//! Peers that give up on whoever lets them wait, in every protocol. In: when. Out: what they say last, and how they go.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use checks::spec::{ExchangeProbe, Expectation, GrpcProbe, HttpProbe, HttpVersion, Probe, Scheme, Tls, Transport};
use rustix::net::sockopt::set_socket_linger;
use rustls::ServerConnection;

use crate::server::{self_signed, serve};
use crate::support::http;

/// A way in which a peer gives up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quitter {
    /// Says this and closes.
    Closes(&'static [u8]),
    /// Resets the connection.
    Resets,
    /// Takes part in the first half of a TLS handshake, and resets the connection.
    ResetsWithinHandshake,
}

use Quitter::{Closes, Resets, ResetsWithinHandshake};

/// An empty SETTINGS frame, and a GOAWAY that takes on no stream.
const GOAWAY: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The alert `internal_error`, fatal.
const ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x02\x50";

/// The ways in which a peer may give up, by protocol.
pub(crate) const PROTOCOLS: &[(&str, &[Quitter])] = &[
    (
        "http",
        &[
            Closes(b""),
            Closes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"),
            Closes(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
            Resets,
        ],
    ),
    ("https", &[Closes(b""), Closes(ALERT), Resets, ResetsWithinHandshake]),
    ("http2", &[Closes(b""), Closes(GOAWAY), Resets]),
    ("grpc", &[Closes(b""), Closes(GOAWAY), Resets]),
    ("grpc over TLS", &[Closes(b""), Closes(ALERT), Resets, ResetsWithinHandshake]),
    ("exchange", &[Closes(b""), Closes(b"-ERR timeout\r\n"), Resets]),
];

/// A check of a peer in one of them.
pub(crate) fn probe(protocol: &str, address: SocketAddr) -> Probe {
    let exchange = || {
        let (transport, expect) = (Transport::Tcp, vec![Expectation::Contains(b"+PONG".to_vec())]);
        Probe::Exchange(ExchangeProbe { transport, address, source: None, send: b"PING\r\n".to_vec(), expect })
    };
    match protocol {
        "http" => Probe::Http(http(address)),
        "https" => Probe::Http(HttpProbe { scheme: Scheme::Https, ..http(address) }),
        "http2" => Probe::Http(HttpProbe { version: HttpVersion::Http2, ..http(address) }),
        "grpc" => Probe::Grpc(GrpcProbe::new(address)),
        "grpc over TLS" => Probe::Grpc(GrpcProbe { tls: Some(Tls::default()), ..GrpcProbe::new(address) }),
        _ => exchange(),
    }
}

/// Opened when peers may give up.
type Gate = Arc<OnceLock<()>>;

impl Quitter {
    /// Tells when it was asked, and gives up when the gate is open.
    pub(crate) fn serve(self) -> (SocketAddr, mpsc::Receiver<()>, Gate) {
        let (sender, asked) = mpsc::channel();
        let gate = Gate::default();
        let opened = Arc::clone(&gate);
        let address = serve(move |mut stream| {
            self.begin(&mut stream);
            let _nobody_waits = sender.send(());
            opened.wait();
            self.quit(stream);
        });
        (address, asked, gate)
    }

    fn begin(self, stream: &mut TcpStream) {
        match self {
            ResetsWithinHandshake => {
                let mut session = ServerConnection::new(Arc::new(self_signed())).unwrap();
                let hello = session.read_tls(stream).map(|_length| session.process_new_packets());
                let _peer_may_have_gone = hello.map(|_understood| session.write_tls(stream));
            }
            Closes(_) | Resets => _ = stream.read(&mut [0; 4096]),
        }
    }

    fn quit(self, mut stream: TcpStream) {
        match self {
            Closes(words) => _ = stream.write_all(words),
            Resets | ResetsWithinHandshake => set_socket_linger(&stream, Some(Duration::ZERO)).unwrap(),
        }
    }
}
