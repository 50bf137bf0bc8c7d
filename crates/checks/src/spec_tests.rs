//! Specs that can be run and specs that cannot.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::*;

fn spec(probe: Probe) -> CheckSpec {
    let schedule = Schedule { timeout: None, ..Schedule::default() };
    CheckSpec { probe, schedule, judgement: Judgement::default() }
}

fn field(probe: Probe) -> &'static str {
    spec(probe).validate().expect_err("must be refused").field
}

fn command(command: Command) -> Probe {
    Probe::Command(CommandProbe::new(command))
}

#[test]
fn defaults_are_valid() {
    assert_eq!(spec(Probe::Http(HttpProbe::default())).validate(), Ok(()));
    assert_eq!(spec(command(Command::Shell("true".to_owned()))).validate(), Ok(()));
    assert_eq!(spec(Probe::Http(HttpProbe { path: String::new(), ..HttpProbe::default() })).validate(), Ok(()));
}

#[test]
fn errors_name_the_field() {
    let http = HttpProbe::default;
    assert_eq!(field(Probe::Http(HttpProbe { path: "help".to_owned(), ..http() })), "probe.http.path");
    assert_eq!(field(Probe::Http(HttpProbe { path: "/a b".to_owned(), ..http() })), "probe.http.path");
    assert_eq!(field(Probe::Http(HttpProbe { path: "/\r\nX: y".to_owned(), ..http() })), "probe.http.path");
    assert_eq!(field(Probe::Http(HttpProbe { host: Some("a\nb".to_owned()), ..http() })), "probe.http.host");
    let none = StatusRanges::new([]);
    assert_eq!(field(Probe::Http(HttpProbe { healthy_statuses: none, ..http() })), "probe.http.healthy_statuses");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    assert_eq!(field(Probe::Http(HttpProbe { address, ..http() })), "probe.http.address");
    assert_eq!(field(Probe::Tcp(TcpProbe::new(address))), "probe.tcp.address");
    assert_eq!(field(command(Command::Shell("a\0b".to_owned()))), "probe.command.value");
    assert_eq!(field(command(Command::Exec { path: "true".to_owned(), argv: vec![] })), "probe.command.argv");
}

#[test]
fn a_command_says_what_to_run() {
    let exec = |path: &str| Command::Exec { path: path.to_owned(), argv: vec!["x".to_owned()] };
    for blank in ["", " ", "\n\t"] {
        assert_eq!(field(command(Command::Shell(blank.to_owned()))), "probe.command.value", "{blank:?}");
        assert_eq!(field(command(exec(blank))), "probe.command.path", "{blank:?}");
    }
}

#[test]
fn a_header_that_has_an_option_of_its_own_names_it() {
    let headers = vec![("Host".to_owned(), "a".to_owned())];
    let error =
        spec(Probe::Http(HttpProbe { headers, ..HttpProbe::default() })).validate().expect_err("must be refused");
    assert_eq!(error.to_string(), "'probe.http.headers' may not have 'Host': it is set by 'host'");
}

#[test]
fn metadata_cannot_break_a_call() {
    let with = |name: &str, value: &str| {
        let metadata = vec![(name.to_owned(), value.to_owned())];
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        spec(Probe::Grpc(GrpcProbe { metadata, ..GrpcProbe::new(address) })).validate()
    };
    assert_eq!((with("x-token", "a b"), with("Trace-Bin", "AAE=")), (Ok(()), Ok(())));
    for (name, value) in [
        ("", "a"),
        ("ä", "a"),
        (":path", "/"),
        ("a b", "a"),
        ("TE", "a"),
        ("Grpc-Timeout", "1S"),
        ("grpc-timeout", "1S"),
        ("connection", "close"),
        ("x", "a\r\nb: c"),
        ("x", "ä"),
    ] {
        assert_eq!(with(name, value).expect_err("must be refused").field, "probe.grpc.metadata", "{name} {value}");
    }
}

#[test]
fn a_timeout_of_zero_is_refused() {
    let mut spec = spec(Probe::Http(HttpProbe::default()));
    spec.schedule.timeout = Some(Duration::ZERO);
    let error = spec.validate().expect_err("must be refused");
    assert_eq!(error.to_string(), "'schedule.timeout' leaves no time; leave it out for no limit");
}

#[test]
fn requests_cannot_be_smuggled() {
    let with = |name: &str, value: &str| {
        let headers = vec![(name.to_owned(), value.to_owned())];
        spec(Probe::Http(HttpProbe { headers, ..HttpProbe::default() })).validate()
    };
    assert_eq!(with("X-Token", "a b\tc"), Ok(()));
    for (name, value) in [("X", "a\r\nY: b"), ("X y", "a"), ("", "a"), ("Content-Length", "3"), ("host", "a")] {
        assert_eq!(with(name, value).expect_err("must be refused").field, "probe.http.headers");
    }
    let method = "GET / HTTP/1.1\r\nX".to_owned();
    assert_eq!(field(Probe::Http(HttpProbe { method, ..HttpProbe::default() })), "probe.http.method");
}

#[test]
fn expectations_are_compiled_to_see() {
    let expecting = |expected| {
        let problem = spec(Probe::Http(HttpProbe { expect: vec![expected], ..HttpProbe::default() })).validate();
        problem.map_err(|error| error.field)
    };
    let path = |path: &str, value: &str| Expectation::JsonPathEquals { path: path.to_owned(), value: value.to_owned() };
    assert_eq!(expecting(Expectation::Matches("^ok$".to_owned())), Ok(()));
    assert_eq!(expecting(path("$.status", "\"ok\"")), Ok(()));
    let wrong = ["(", ""].map(|pattern| Expectation::Matches(pattern.to_owned()));
    let wrong = wrong.into_iter().chain([path("status", "1"), path("$.status", "ok")]);
    for expected in wrong.chain([Expectation::Contains(Vec::new())]) {
        assert_eq!(expecting(expected), Err("probe.http.expect"));
    }
}

#[test]
fn combinations_that_cannot_be() {
    let http = HttpProbe::default;
    let kept = HttpProbe { version: HttpVersion::Http2, connection: Reuse::KeepAlive, ..http() };
    assert_eq!(field(Probe::Http(kept)), "probe.http.connection");
    assert_eq!(field(Probe::Http(HttpProbe { max_body: 0, ..http() })), "probe.http.max_body");
    let source = Some("::1".parse().unwrap());
    assert_eq!(field(Probe::Http(HttpProbe { source, ..http() })), "probe.http.address");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let silent = ExchangeProbe { transport: Transport::Udp, address, source: None, send: vec![], expect: vec![] };
    assert_eq!(field(Probe::Exchange(silent)), "probe.exchange.send");
}

#[test]
fn a_rate_has_a_window() {
    let rated = |failures, window| {
        let judgement = Judgement { rate: Some(FailureRate { failures, window }), ..Judgement::default() };
        CheckSpec { judgement, ..spec(Probe::Http(HttpProbe::default())) }.validate().map_err(|error| error.field)
    };
    assert_eq!((rated(1, 1), rated(64, 64)), (Ok(()), Ok(())));
    assert_eq!(rated(1, 65), Err("judgement.rate.window"));
    assert_eq!((rated(0, 5), rated(6, 5)), (Err("judgement.rate.failures"), Err("judgement.rate.failures")));
}
