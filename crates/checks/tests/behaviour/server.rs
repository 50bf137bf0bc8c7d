//! Servers to be checked, one thread per connection.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use checks::hostile::{Ask, Kind, Manner, Server};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Hands every connection to `handle`.
pub(crate) fn serve(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    serve_on(TcpListener::bind("127.0.0.1:0").unwrap(), handle)
}

pub(crate) fn serve_on(listener: TcpListener, handle: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    // The standard library's queue of 128 is shorter than what a test may start at once.
    listen(&listener, 4096).unwrap();
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let handle = Arc::clone(&handle);
            thread::spawn(move || handle(connection));
        }
    });
    address
}

/// The header of a request, line by line.
pub(crate) fn request(stream: &mut impl Read) -> Vec<String> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect()
}

/// Answers every request like this and closes.
pub(crate) fn answer(text: impl Into<Vec<u8>>) -> SocketAddr {
    let text = text.into();
    serve(move |mut stream| {
        request(&mut stream);
        let _peer_may_have_gone = stream.write_all(&text);
    })
}

/// A whole response without a body.
pub(crate) fn status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
}

pub(crate) fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// Answers every request, and tells its header.
pub(crate) fn tell(text: String) -> (SocketAddr, mpsc::Receiver<Vec<String>>) {
    let (sender, requests) = mpsc::channel();
    let address = serve(move |mut stream| {
        let header = request(&mut stream);
        let _peer_may_have_gone = stream.write_all(text.as_bytes());
        let _nobody_asks = sender.send(header);
    });
    (address, requests)
}

/// Reads the request and then does nothing until the peer is gone.
pub(crate) fn hang() -> SocketAddr {
    serve(|mut stream| {
        request(&mut stream);
        let _until_it_ends = stream.read(&mut [0]);
    })
}

/// Says the first once it is asked, and then the other for ever, as fast as it is taken.
pub(crate) fn flood(first: &[u8], then: &[u8]) -> SocketAddr {
    let kind = Kind::new(Manner::Flood, Ask::Tcp, "bytes", first, then);
    let server = Server::open(vec![kind], self_signed()).unwrap();
    let (_, address) = server.targets().unwrap()[0];
    thread::spawn(|| server.run());
    address
}

/// Answers each datagram.
pub(crate) fn datagrams(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut bytes) {
            let _peer_may_have_gone = socket.send_to(&answer(&bytes[..length]), peer);
        }
    });
    address
}

/// A server whose queue is full: the first packets of handshakes are dropped, as by a firewall.
pub(crate) struct BlackHole {
    pub(crate) address: SocketAddr,
    _queue: (OwnedFd, Vec<TcpStream>),
}

pub(crate) fn black_hole() -> BlackHole {
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&listener, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    listen(&listener, 0).unwrap();
    let address = SocketAddr::try_from(getsockname(&listener).unwrap()).unwrap();
    let queued = |_| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
    let full: Vec<_> = (0..4).map_while(queued).collect();
    assert!(full.len() < 4, "the queue never filled");
    BlackHole { address, _queue: (listener, full) }
}

/// A port nobody listens on.
pub(crate) fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// HTTPS with a certificate nobody knows, of another name.
pub(crate) fn tls(text: String) -> SocketAddr {
    tls_by(&[], move |stream, _| {
        request(stream);
        let _peer_may_have_gone = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    })
}

/// The same, for whoever handles the connection himself; he is told which of these protocols was agreed on.
pub(crate) fn tls_by(
    protocols: &[&[u8]],
    handle: impl Fn(&mut Secure, Option<&[u8]>) + Send + Sync + 'static,
) -> SocketAddr {
    let mut config = self_signed();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let config = Arc::new(config);
    serve(move |mut stream| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        if connection.complete_io(&mut stream).is_ok() {
            let agreed = connection.alpn_protocol().map(<[u8]>::to_vec);
            handle(&mut StreamOwned::new(connection, stream), agreed.as_deref());
        }
    })
}

/// The server's end of TLS.
pub(crate) type Secure = StreamOwned<ServerConnection, TcpStream>;

/// TLS with a certificate nobody knows, of another name.
pub(crate) fn self_signed() -> ServerConfig {
    let own = rcgen::generate_simple_self_signed(["somebody.else".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap()
}
