//! Bytes sent and bytes expected, over TCP and UDP.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::thread;

use checks::spec::Transport;
use checks::{Answer, Failure, Kind, Outcome};

use crate::server::{closed, datagrams, flood, serve};
use crate::support::{exchange, ms, outcome, outcome_within};

fn expected() -> Outcome {
    Outcome::Success(Answer::Expected)
}

#[tokio::test]
async fn who_speaks_first() {
    let banner = serve(|mut stream| {
        for piece in ["220 mail.ex", "ample ESMTP\r\n"] {
            let _peer_may_have_gone = stream.write_all(piece.as_bytes());
            thread::park_timeout(ms(30));
        }
        let _until_it_ends = stream.read(&mut [0]);
    });
    assert_eq!(outcome(exchange(Transport::Tcp, banner, "", "^220 .* ESMTP")).await, expected());
    let other = outcome_within(ms(300), exchange(Transport::Tcp, banner, "", "^554 ")).await;
    assert!(matches!(other, Outcome::Failure(Failure::TimedOut { .. })), "more might come: {other:?}");
}

#[tokio::test]
async fn question_and_answer() {
    let redis = serve(|mut stream| {
        let mut bytes = [0; 64];
        let length = stream.read(&mut bytes).unwrap_or(0);
        let answer: &[u8] = if &bytes[..length] == b"PING\r\n" { b"+PONG\r\n" } else { b"-ERR unknown command\r\n" };
        let _peer_may_have_gone = stream.write_all(answer);
    });
    assert_eq!(outcome(exchange(Transport::Tcp, redis, "PING\r\n", "^\\+PONG")).await, expected());
    assert_eq!(outcome(exchange(Transport::Tcp, redis, "PING\r\n", "")).await, expected(), "any answer will do");
    let wrong = outcome(exchange(Transport::Tcp, redis, "PONG\r\n", "^\\+PONG")).await;
    assert_eq!((wrong.kind(), wrong.cause().as_str()), (Kind::Body, "the answer does not match \"^\\\\+PONG\""));
}

#[tokio::test]
async fn nobody_and_nothing() {
    assert_eq!(outcome(exchange(Transport::Tcp, closed(), "x", "")).await, Outcome::Failure(Failure::Refused));
    let mute = outcome(exchange(Transport::Tcp, serve(drop), "", "")).await;
    assert!(matches!(mute.kind(), Kind::Protocol | Kind::Connection), "{mute:?}");
}

#[tokio::test]
async fn too_much_of_the_wrong_thing_ends() {
    let unasked = serve(|mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    for (address, question) in [(flood(b"", b"x"), "?"), (unasked, "")] {
        assert_eq!(outcome(exchange(Transport::Tcp, address, question, "y")).await.kind(), Kind::Body);
    }
}

#[tokio::test]
async fn questions_in_datagrams() {
    let address = datagrams(<[u8]>::to_vec);
    assert_eq!(outcome(exchange(Transport::Udp, address, "ping", "^ping$")).await, expected());
    let wrong = outcome(exchange(Transport::Udp, address, "ping", "^pong$")).await;
    assert_eq!(wrong.kind(), Kind::Body, "one datagram is the answer");
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(outcome(exchange(Transport::Udp, nobody, "ping", "")).await, Outcome::Failure(Failure::Refused));
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = outcome_within(ms(200), exchange(Transport::Udp, mute.local_addr().unwrap(), "ping", "")).await;
    assert!(matches!(silent, Outcome::Failure(Failure::TimedOut { .. })), "{silent:?}");
}
