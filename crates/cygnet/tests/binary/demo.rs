//! The demo servers do what the switches say, and are small.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use crate::support::{Demo, code_and_text, free_port};

const SOON: Duration = Duration::from_millis(300);

/// Memory of its own, in KiB. Unoptimized, to read the command line takes one MiB.
const SMALL: u64 = 2048;

#[test]
fn it_fails_and_recovers_when_told_to() {
    let demo = Demo::start("http");
    assert_eq!(demo.request("GET", "/health"), (200, "ok\n".to_owned()));
    assert_eq!(demo.request("POST", "/fail").0, 200);
    assert_eq!(demo.request("GET", "/health").0, 500);
    assert_eq!(demo.request("POST", "/ok").0, 200);
    assert_eq!(demo.request("HEAD", "/health"), (200, String::new()));
}

#[test]
fn it_hangs_and_still_serves_others() {
    let demo = Demo::start("http");
    demo.request("POST", "/hang");
    let mut hanging = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(demo.address).unwrap();
        write!(stream, "GET /health HTTP/1.1\r\n\r\n").unwrap();
        hanging.push(stream);
    }
    assert_eq!(demo.try_request("GET", "/health", SOON), None);
    assert!(demo.request("GET", "/").1.contains("never answers"));
    demo.request("POST", "/ok");
    assert_eq!(demo.request("GET", "/health").0, 200);
}

#[test]
fn it_answers_late_when_told_to() {
    let demo = Demo::start("http");
    demo.request("POST", "/slow?ms=600");
    assert_eq!(demo.try_request("GET", "/health", SOON), None);
    assert_eq!(demo.request("GET", "/health").0, 200);
    assert_eq!(demo.request("POST", "/slow").0, 400);
    assert_eq!(demo.request("POST", "/slow?ms=long").0, 400);
}

#[test]
fn it_refuses_what_it_does_not_know_and_survives_nonsense() {
    let demo = Demo::start("http");
    assert_eq!(demo.request("GET", "/nothing").0, 404);
    assert_eq!(demo.request("DELETE", "/health").0, 404);
    for bytes in [&b"\x16\x03\x01\r\n\r\n"[..], b"\r\n\r\n", b"GET"] {
        TcpStream::connect(demo.address).unwrap().write_all(bytes).unwrap();
    }
    let endless = vec![b'x'; 64 * 1024];
    // It may close the connection before it was sent everything.
    let _ = TcpStream::connect(demo.address).unwrap().write_all(&endless);
    assert_eq!(demo.request("GET", "/health").0, 200);
}

#[test]
fn it_ends_at_once_on_sigterm() {
    let mut demo = Demo::start("http");
    demo.request("POST", "/hang");
    let _open = TcpStream::connect(demo.address).unwrap();
    let told = Command::new("kill").arg(demo.pid().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(demo.child().wait().unwrap().signal(), Some(15));
}

#[test]
fn it_is_small() {
    for kind in ["http", "tcp"] {
        let demo = Demo::start(kind);
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", demo.pid())).unwrap();
        // Clean pages are the program's own: private only as long as nobody else happens to run it.
        let own = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
        let kib: u64 = own.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib <= SMALL, "demo {kind}: {kib} KiB");
    }
}

#[test]
fn the_tcp_server_echoes_and_stops_listening_when_told_to() {
    // Told a port, it comes back to it; one that was given at random is lost.
    let demo = Demo::start_at("tcp", free_port());
    let stream = TcpStream::connect(demo.address).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut say = |text: &str| {
        writeln!(&stream, "{text}").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), text);
    };
    say("hello");
    say("fail");
    assert!(TcpStream::connect(demo.address).is_err());
    say("ok");
    assert!(TcpStream::connect(demo.address).is_ok());
}

#[test]
fn a_port_in_use_is_named() {
    let demo = Demo::start("http");
    let port = demo.address.port().to_string();
    let (code, text) = code_and_text(&["demo", "http", "--port", &port]);
    assert!(code == 1 && text.contains(&format!("127.0.0.1:{port}")), "{code} {text}");
}
