//! The things that go along on a redirect, and those that do not: credentials, methods, bodies and TLS settings.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;

use checks::CheckSpec;
use checks::spec::{HttpProbe, Probe, Redirects, Scheme, Tls, Verification};

use crate::server::{answer, redirect, serve_on, status, tell, tls};
use crate::support::{PATIENCE, found, http, outcome, spec};

fn moved(status: &str, location: &str) -> String {
    format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

fn bearer(address: SocketAddr) -> HttpProbe {
    let header = |name: &str| (name.to_owned(), "secret".to_owned());
    let headers = ["Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "X-Plain"].map(header).to_vec();
    HttpProbe { headers, ..http(address) }
}

fn names(header: &[String]) -> Vec<&str> {
    header.iter().filter_map(|line| Some(line.split_once(": ")?.0)).collect()
}

#[tokio::test]
async fn credentials_do_not_go_to_another_host_or_port() {
    let elsewhere = TcpListener::bind("127.0.0.2:0").unwrap();
    let (sender, requests) = mpsc::channel();
    let other_host = serve_on(elsewhere, move |mut stream| {
        let _nobody_asks = sender.send(crate::server::request(&mut stream));
        let _peer_may_have_gone = std::io::Write::write_all(&mut stream, status("200 OK").as_bytes());
    });
    let (other_port, more_requests) = tell(status("200 OK"));
    for (target, requests) in [(other_host, requests), (other_port, more_requests)] {
        let first = answer(redirect(&format!("http://{target}/")));
        assert_eq!(outcome(Probe::Http(bearer(first))).await, found(200));
        let header = requests.recv_timeout(PATIENCE).unwrap();
        assert_eq!(names(&header), ["Host", "User-Agent", "Accept", "X-Plain", "Connection"], "{target}");
    }
}

#[tokio::test]
async fn credentials_go_along_within_one_origin() {
    let (address, requests) = tell(redirect("/again"));
    let probe = HttpProbe { redirects: Redirects::Follow { limit: 1 }, ..bearer(address) };
    outcome(Probe::Http(probe)).await;
    for _ in 0..2 {
        let header = requests.recv_timeout(PATIENCE).unwrap();
        assert!(names(&header).contains(&"Authorization") && names(&header).contains(&"X-Api-Key"), "{header:?}");
    }
}

#[tokio::test]
async fn a_post_becomes_a_get_where_the_status_says_so() {
    for (status_line, method) in [
        ("301 Moved Permanently", "GET"),
        ("302 Found", "GET"),
        ("303 See Other", "GET"),
        ("307 Temporary Redirect", "POST"),
        ("308 Permanent Redirect", "POST"),
    ] {
        let (target, requests) = tell(status("200 OK"));
        let first = answer(moved(status_line, &format!("http://{target}/")));
        let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
        let probe = HttpProbe { method: "POST".to_owned(), body: b"ping".to_vec(), headers, ..http(first) };
        assert_eq!(outcome(Probe::Http(probe)).await, found(200), "{status_line}");
        let header = requests.recv_timeout(PATIENCE).unwrap();
        assert_eq!(header[0], format!("{method} / HTTP/1.1"), "{status_line}");
        let has_body = names(&header).iter().any(|name| name.starts_with("Content-"));
        assert_eq!(has_body, method == "POST", "{status_line}: {header:?}");
    }
}

#[tokio::test]
async fn other_statuses_with_a_location_are_answers() {
    for code in [300, 304, 305, 306] {
        let first = answer(moved(&format!("{code} Look"), "http://127.0.0.1:1/"));
        assert_eq!(outcome(Probe::Http(http(first))).await, found(code));
    }
}

#[tokio::test]
async fn tls_settings_hold_for_the_https_that_a_redirect_leads_to() {
    let secure = tls(status("200 OK"));
    let verification = Verification::SystemRoots;
    let settings = Tls { verification, ..Tls::default() };
    let first = answer(redirect(&format!("https://{secure}/")));
    let unknown = outcome(Probe::Http(HttpProbe { tls: settings, ..http(first) })).await;
    assert_eq!(unknown.kind(), checks::Kind::Tls, "{unknown:?}");
    let year = std::time::Duration::from_secs(365 * 24 * 60 * 60);
    let settings = Tls { expires_within: Some(year * 10_000), ..Tls::default() };
    let ending = outcome(Probe::Http(HttpProbe { tls: settings, ..http(first) })).await;
    assert_eq!(ending.kind(), checks::Kind::CertificateExpires, "{ending:?}");
}

#[tokio::test]
async fn from_a_certificate_that_matters_nothing_leads_to_plain_text() {
    let plain = answer(status("200 OK"));
    let first = tls(redirect(&format!("http://{plain}/")));
    let probe = HttpProbe { scheme: Scheme::Https, ..http(first) };
    assert_eq!(outcome(Probe::Http(probe.clone())).await, found(200));
    let settings = Tls { expires_within: Some(std::time::Duration::from_secs(1)), ..Tls::default() };
    let astray = outcome(Probe::Http(HttpProbe { tls: settings, ..probe })).await;
    assert_eq!(astray.cause(), "redirect: it leads from https to http, where no certificate is shown");
}

#[test]
fn tls_settings_that_can_never_matter_are_refused() {
    let tls = Tls { server_name: Some("shop.example".to_owned()), ..Tls::default() };
    let check = |scheme, redirects| -> CheckSpec {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        spec(Probe::Http(HttpProbe { scheme, redirects, tls: tls.clone(), ..http(address) }))
    };
    for redirects in [Redirects::TakeAsAnswer, Redirects::Follow { limit: 0 }] {
        assert_eq!(check(Scheme::Http, redirects).validate().unwrap_err().field, "probe.http.tls");
        assert_eq!(check(Scheme::Https, redirects).validate(), Ok(()));
    }
    assert_eq!(check(Scheme::Http, Redirects::SameHost).validate(), Ok(()));
}
