//! The peers that health checks meet, in this process: a server that is not available, one that never answers, one with a
//! certificate that nobody knows, and one that has a port which others want. They serve until the process ends.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const AWAY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 16\r\nConnection: close\r\n\r\ndatabase is away";

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// The ports they listen on.
pub(crate) struct Peers {
    pub(crate) unavailable: u16,
    pub(crate) silent: u16,
    pub(crate) stranger: u16,
    pub(crate) taken: u16,
}

impl Peers {
    pub(crate) fn start() -> Peers {
        let config = self_signed();
        Peers {
            unavailable: serve(|mut stream| answer(&mut stream, AWAY)),
            silent: serve(|mut stream| wait_for_its_end(&mut stream)),
            stranger: serve(move |mut stream| {
                let Ok(mut connection) = ServerConnection::new(Arc::clone(&config)) else { return };
                if connection.complete_io(&mut stream).is_ok() {
                    answer(&mut StreamOwned::new(connection, stream), WELL);
                }
            }),
            taken: serve(|mut stream| wait_for_its_end(&mut stream)),
        }
    }
}

/// Each connection has a thread; checks end theirs soon.
fn serve(handle: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound socket has an address").port();
    let each = move |stream| {
        let handle = handle.clone();
        drop(thread::spawn(move || handle(stream)));
    };
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(each));
    port
}

/// Answers the first that is said, and waits for the peer's end.
fn answer(stream: &mut (impl Read + Write), words: &[u8]) {
    let _request = stream.read(&mut [0; 4096]);
    let _peer_may_have_gone = stream.write_all(words).and_then(|()| stream.flush());
    wait_for_its_end(stream);
}

fn wait_for_its_end(stream: &mut impl Read) {
    while stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {}
}

fn self_signed() -> Arc<ServerConfig> {
    let own = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key);
    Arc::new(config.expect("a certificate of its key"))
}
