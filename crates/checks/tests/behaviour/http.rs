//! HTTP and HTTPS against servers that behave, and many that do not.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

use checks::spec::{HttpProbe, Probe, Redirects, Scheme, StatusRanges};
use checks::{Failure, Kind, Outcome, Reason};

use crate::server::{answer, closed, flood, hang, redirect, request, serve, serve_on, status, tell, tls};
use crate::support::{PATIENCE, engine, found, http, ms, outcome, outcome_within, spec, watch};

async fn get(address: SocketAddr) -> Outcome {
    outcome(Probe::Http(http(address))).await
}

fn protocol(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failure(Failure::Protocol { cause } | Failure::Closed { cause }) => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn statuses_are_judged() {
    assert_eq!(get(answer(status("200 OK"))).await, found(200));
    assert_eq!(get(answer(status("399 Whatever"))).await, found(399));
    let missing = get(answer(status("404 Not Found"))).await;
    assert_eq!(missing, Outcome::Failure(Failure::Status(404)));
    assert_eq!(missing.cause(), "404 Not Found");
    assert_eq!(missing.http_status(), Some(404));
    assert_eq!(get(answer(status("199 Odd") + &status("500 Oh"))).await, Outcome::Failure(Failure::Status(500)));
}

#[tokio::test]
async fn own_ranges_and_ignored_statuses() {
    let probe = HttpProbe {
        healthy_statuses: StatusRanges::new([200..=200, 404..=404]),
        ignored_statuses: Some(StatusRanges::from(503..=503)),
        ..http(answer(status("404 Not Found")))
    };
    assert_eq!(outcome(Probe::Http(probe.clone())).await, found(404));
    let probe = HttpProbe { address: answer(status("201 Created")), ..probe };
    assert_eq!(outcome(Probe::Http(probe.clone())).await, Outcome::Failure(Failure::Status(201)));
    let probe = HttpProbe { address: answer(status("503 Later")), ..probe };
    assert_eq!(outcome(Probe::Http(probe)).await, Outcome::Inconclusive(Reason::IgnoredStatus(503)));
}

#[tokio::test]
async fn the_request_is_what_the_probe_says() {
    let (address, requests) = tell(status("200 OK"));
    let probe = HttpProbe { path: "/a?b=c".to_owned(), ..http(address) };
    assert_eq!(outcome(Probe::Http(probe.clone())).await, found(200));
    let header = requests.recv_timeout(PATIENCE).unwrap();
    assert_eq!(header[0], "GET /a?b=c HTTP/1.1");
    assert!(header.contains(&format!("Host: {address}")), "{header:?}");
    let probe = HttpProbe { path: String::new(), host: Some("shop.example".to_owned()), ..probe };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
    // The first check may have asked more often.
    let header = requests.iter().find(|header| header[0] == "GET / HTTP/1.1").unwrap();
    assert!(header.contains(&"Host: shop.example".to_owned()), "{header:?}");
}

#[tokio::test]
async fn redirects_are_followed_also_to_tls() {
    let (address, requests) = tell(status("200 OK"));
    let first = answer(redirect(&format!("http://localhost:{}/there?x", address.port())));
    assert_eq!(get(first).await, found(200));
    assert_eq!(requests.recv_timeout(PATIENCE).unwrap()[0], "GET /there?x HTTP/1.1");
    let secure = tls(status("204 No Content"));
    assert_eq!(get(answer(redirect(&format!("https://{secure}/")))).await, found(204));
}

#[tokio::test]
async fn redirects_have_an_end() {
    let circle = answer(redirect("/again"));
    let lost = get(circle).await;
    assert_eq!(lost.cause(), "redirect: more than 50 of them");
    assert_eq!(lost.http_status(), None);
    let named = get(answer(redirect("http://example.com/"))).await;
    assert_eq!(named.cause(), "redirect: the host 'example.com' is a name, and names are not looked up");
}

#[tokio::test]
async fn redirects_may_be_the_answer() {
    let with = |redirects, address| Probe::Http(HttpProbe { redirects, ..http(address) });
    let elsewhere = answer(redirect("http://10.1.2.3/"));
    assert_eq!(outcome(with(Redirects::TakeAsAnswer, elsewhere)).await, found(302));
    assert_eq!(outcome(with(Redirects::SameHost, elsewhere)).await, found(302));
    let target = answer(status("500 Oh"));
    let same = answer(redirect(&format!("http://{target}/")));
    assert_eq!(outcome(with(Redirects::SameHost, same)).await, Outcome::Failure(Failure::Status(500)));
    assert_eq!(get(answer("HTTP/1.1 304 Not Modified\r\n\r\n")).await, found(304));
}

#[tokio::test]
async fn nobody_there() {
    let refused = get(closed()).await;
    assert_eq!(refused, Outcome::Failure(Failure::Refused));
    assert_eq!((refused.http_status(), refused.kind()), (None, Kind::Refused));
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [hang(), silent.local_addr().unwrap()] {
        let timed_out = outcome_within(ms(200), Probe::Http(http(address))).await;
        assert_eq!(timed_out.cause(), "timed out after 200ms");
    }
}

#[tokio::test]
async fn a_timeout_is_on_time() {
    let mut spec = spec(Probe::Http(http(hang())));
    spec.schedule.timeout = Some(ms(300));
    let event = watch(&engine(), spec).next().await;
    assert!((ms(300)..ms(2000)).contains(&event.duration), "{:?}", event.duration);
}

#[tokio::test]
async fn what_is_not_http() {
    assert!(protocol(&get(serve(|mut s| drop(s.write_all(b"SSH-2.0-x\r\n")))).await).contains("HTTP/1"));
    assert!(protocol(&get(answer("")).await).contains("without an answer"));
    assert!(protocol(&get(answer("HTTP/1.1 200 OK\r\nX: ")).await).contains("within the header"));
    assert!(protocol(&get(answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")).await).contains("the body"));
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 100_000]].concat();
    assert!(protocol(&get(answer(endless)).await).contains("header is longer"));
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    assert!(protocol(&get(flood(b"HTTP/1.1 200 OK\r\n\r\n", b"x")).await).contains("body is longer"));
}

#[tokio::test]
async fn bodies_are_read_to_their_end() {
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let chunks = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(64));
    assert_eq!(get(answer(chunks)).await, found(200));
    assert_eq!(get(answer("HTTP/1.0 200 OK\r\n\r\nuntil the end")).await, found(200));
}

/// Sends its body in ten pieces, each when the channel ends or after 20 ms.
fn drip() -> SocketAddr {
    serve(|mut stream| {
        request(&mut stream);
        let _header = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
        let (_never, clock) = mpsc::channel::<()>();
        for _ in 0..10 {
            let _time_passed = clock.recv_timeout(ms(20));
            let _peer_may_have_gone = stream.write_all(b"x");
        }
    })
}

#[tokio::test]
async fn the_time_of_the_body_counts() {
    let address = drip();
    assert_eq!(get(address).await, found(200));
    let timed_out = outcome_within(ms(100), Probe::Http(http(address))).await;
    assert!(matches!(timed_out, Outcome::Failure(Failure::TimedOut { .. })), "{timed_out:?}");
}

#[tokio::test]
async fn a_connection_that_breaks() {
    let address = serve(|stream| {
        let linger = Some(Duration::ZERO);
        rustix::net::sockopt::set_socket_linger(&stream, linger).unwrap();
        let _some = (&stream).read(&mut [0; 8]);
    });
    let broken = get(address).await;
    assert_eq!(broken.cause(), "connection reset by peer");
}

#[tokio::test]
async fn any_certificate_will_do() {
    let address = tls("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n".to_owned() + &"x".repeat(300_000));
    let probe = HttpProbe { scheme: Scheme::Https, ..http(address) };
    assert_eq!(outcome(Probe::Http(probe.clone())).await, found(200));
    let named = HttpProbe { host: Some("another.name:8443".to_owned()), ..probe };
    assert_eq!(outcome(Probe::Http(named)).await, found(200));
    let until_closed = tls("HTTP/1.1 200 OK\r\n\r\nuntil the end".to_owned());
    let probe = HttpProbe { scheme: Scheme::Https, ..http(until_closed) };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
}

#[tokio::test]
async fn tls_with_somebody_who_does_not_speak_it() {
    let plain = serve(|mut stream| {
        let _hello = stream.read(&mut [0; 512]);
        let _answer = stream.write_all(status("400 Bad Request").as_bytes());
    });
    let failed = outcome(Probe::Http(HttpProbe { scheme: Scheme::Https, ..http(plain) })).await;
    assert!(matches!(failed, Outcome::Failure(Failure::Tls { .. })), "{failed:?}");
    let silent = HttpProbe { scheme: Scheme::Https, ..http(hang()) };
    let timed_out = outcome_within(ms(200), Probe::Http(silent)).await;
    assert!(matches!(timed_out, Outcome::Failure(Failure::TimedOut { .. })), "{timed_out:?}");
}

#[tokio::test]
async fn version_six() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        println!("SKIPPED version_six: needs IPv6");
        return;
    };
    let address = serve_on(listener, |mut stream| {
        request(&mut stream);
        let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
    });
    assert_eq!(get(address).await, found(200));
}

#[tokio::test]
async fn a_check_that_makes_no_sense_says_so() {
    let probe = HttpProbe { path: "no slash".to_owned(), ..http((Ipv4Addr::LOCALHOST, 80).into()) };
    let cause = outcome(Probe::Http(probe)).await.cause();
    assert_eq!(cause, "invalid check: 'probe.http.path' must start with '/': 'no slash'");
}
