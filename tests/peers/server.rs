//! A server that plays a behaviour. In: the behaviour. Out: its address, and in the end the bytes it was sent.
//!
//! Owns one thread that accepts, and one for each connection; they send what they read into one channel. They end when
//! the peer leaves and the server is ended.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::behaviour::{Behaviour, Step, Talk};
use crate::certificates::Certificates;

/// The wait for a peer that says nothing: longer than any check of a row.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    address: SocketAddr,
    /// Held so that nobody else gets the address; shut down in the end.
    socket: OwnedFd,
    heard: Receiver<Vec<u8>>,
}

impl Server {
    pub(crate) fn start(behaviour: Behaviour, certificates: &Certificates) -> Server {
        let (tell, heard) = channel();
        let (address, socket) = match behaviour {
            Behaviour::Refuses => refuse(),
            Behaviour::Datagrams(answer) => datagrams(answer, tell),
            Behaviour::Talks(talk) => listen("127.0.0.1:0", Session::of(talk, certificates), tell),
            Behaviour::Ipv6(talk) => listen("[::1]:0", Session::of(talk, certificates), tell),
        };
        Server { address, socket, heard }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends it. Returns what it was sent, as far as that is text.
    pub(crate) fn end(self) -> String {
        let _not_connected = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        let heard: Vec<u8> = self.heard.try_iter().flatten().collect();
        String::from_utf8_lossy(&heard).into_owned()
    }
}

/// A port that is taken, by a socket that does not listen.
fn refuse() -> (SocketAddr, OwnedFd) {
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = getsockname(&socket).unwrap().try_into().unwrap();
    (address, socket)
}

fn datagrams(answer: Option<Vec<u8>>, tell: Sender<Vec<u8>>) -> (SocketAddr, OwnedFd) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (address, kept) = (socket.local_addr().unwrap(), socket.as_fd().try_clone_to_owned().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            if length == 0 || tell.send(buffer[..length].to_vec()).is_err() {
                return;
            }
            answer.as_ref().map(|answer| socket.send_to(answer, peer));
        }
    });
    (address, kept)
}

fn listen(address: &str, session: Session, tell: Sender<Vec<u8>>) -> (SocketAddr, OwnedFd) {
    let listener = TcpListener::bind(address).unwrap();
    let (address, kept) = (listener.local_addr().unwrap(), listener.as_fd().try_clone_to_owned().unwrap());
    let session = Arc::new(session);
    thread::spawn(move || {
        for (turn, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let (session, tell) = (Arc::clone(&session), tell.clone());
            thread::spawn(move || session.serve(stream, turn, &tell));
        }
    });
    (address, kept)
}

/// A talk with the configuration of its TLS.
enum Session {
    Plain(Talk),
    Tls(Arc<ServerConfig>, Talk),
    Turns(Vec<Session>),
}

/// A connection, in TLS or not.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Session {
    fn of(talk: Talk, certificates: &Certificates) -> Session {
        match talk {
            Talk::Tls(certificate, talk) => Session::Tls(certificates.server(&certificate), *talk),
            Talk::Turns(turns) => {
                Session::Turns(turns.into_iter().map(|talk| Session::of(talk, certificates)).collect())
            }
            talk => Session::Plain(talk),
        }
    }

    /// Closes what was played to its end; drops what was broken off, by the peer or by a reset of ours.
    fn serve(&self, mut stream: TcpStream, turn: usize, tell: &Sender<Vec<u8>>) {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let raw = stream.try_clone().unwrap();
        let played = match self {
            Session::Plain(talk) => play(talk, &mut stream, &raw, tell),
            Session::Tls(config, talk) => {
                let tls = ServerConnection::new(Arc::clone(config)).unwrap();
                play(talk, &mut StreamOwned::new(tls, stream), &raw, tell)
            }
            Session::Turns(turns) => {
                let session = turns.get(turn).or_else(|| turns.last()).expect("there is a turn");
                return session.serve(stream, 0, tell);
            }
        };
        if played.is_ok() {
            let _already_closed = raw.shutdown(Shutdown::Both);
        }
    }
}

fn play(talk: &Talk, stream: &mut dyn Stream, raw: &TcpStream, tell: &Sender<Vec<u8>>) -> io::Result<()> {
    match talk {
        Talk::Steps(steps) => take(steps, stream, raw, tell),
        Talk::Paths(paths) => {
            let asked = read(stream, tell)?;
            let path = asked.split(' ').nth(1).unwrap_or_default();
            let unknown = [Step::Say(b"HTTP/1.1 404 Said\r\nContent-Length: 0\r\n\r\n".to_vec())];
            let steps = paths.get(path).map_or(&unknown[..], |steps| &steps[1..]);
            take(steps, stream, raw, tell)
        }
        Talk::Turns(_) | Talk::Tls(..) => panic!("turns and TLS are outside, not inside a conversation"),
    }
}

fn take(steps: &[Step], stream: &mut dyn Stream, raw: &TcpStream, tell: &Sender<Vec<u8>>) -> io::Result<()> {
    for step in steps {
        match step {
            Step::Read => drop(read(stream, tell)?),
            Step::Say(bytes) => {
                stream.write_all(bytes)?;
                stream.flush()?;
            }
            Step::Hang => {
                io::copy(stream, &mut io::sink())?;
            }
            Step::Reset => {
                rustix::net::sockopt::set_socket_linger(raw, Some(Duration::ZERO))?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
    }
    Ok(())
}

/// One request, or whatever comes if it is no HTTP/1.
fn read(stream: &mut dyn Stream, tell: &Sender<Vec<u8>>) -> io::Result<String> {
    let (mut heard, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while !is_whole(&heard) {
        match stream.read(&mut buffer)? {
            0 => break,
            length => heard.extend_from_slice(&buffer[..length]),
        }
    }
    let text = String::from_utf8_lossy(&heard).into_owned();
    let _row_is_over = tell.send(heard);
    Ok(text)
}

fn is_whole(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard);
    if heard.is_empty() || text.starts_with("PRI ") || !text.contains(" HTTP/1") {
        return !heard.is_empty();
    }
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
