//! The specs of a task's checks, and the statuses of their outcomes.

use crate::check_status;
use checks::spec::{
    Command, ExchangeProbe, Expectation, GrpcProbe, HttpProbe, HttpVersion, ListenProbe, Redirects, Reuse, Scheme,
    StatusRanges, TcpMode, TcpProbe, Tls, Transport, Verification,
};
use checks::{Answer, Failure, Outcome, Reason};
use mesos::v1::health_check::{HttpCheckInfo, TcpCheckInfo};
use mesos::v1::network_info::Protocol;
use mesos::v1::{check_info, cygnet};
use serde_json::{Value, json};

use super::*;

fn all(task: &TaskInfo) -> Vec<(Kind, CheckSpec)> {
    tried(task).unwrap()
}

fn tried(task: &TaskInfo) -> Result<Vec<(Kind, CheckSpec)>, String> {
    specs(task, &|_| Err(Problem::Command("no commands here".into()))).map_err(|error| error.to_string())
}

fn health(check: HealthCheck) -> Result<CheckSpec, String> {
    let task = TaskInfo { health_check: Some(check), ..TaskInfo::default() };
    let (kind, spec) = tried(&task)?.pop().unwrap();
    assert_eq!(kind, Kind::Health(0));
    Ok(spec)
}

fn http(check: HttpCheckInfo) -> HealthCheck {
    HealthCheck { r#type: Some(Type::Http.into()), http: Some(check), ..HealthCheck::default() }
}

fn http_info() -> HttpCheckInfo {
    HttpCheckInfo { port: 8080, ..HttpCheckInfo::default() }
}

#[test]
fn what_is_left_out_is_as_mesos_has_it() {
    let spec = health(http(http_info())).unwrap();
    let seconds = Duration::from_secs;
    let timeout = Some(seconds(20));
    assert_eq!(spec.schedule, Schedule { delay: seconds(15), interval: seconds(10), timeout, ..Schedule::default() });
    assert_eq!(spec.judgement, Judgement::default());
    let address = "127.0.0.1:8080".parse().unwrap();
    assert_eq!(spec.probe, Probe::Http(HttpProbe { address, ..HttpProbe::default() }));
}

#[test]
fn ipv6_is_asked_over_ipv6_also_by_tcp() {
    let protocol = Some(Protocol::IPv6.into());
    let https = HttpCheckInfo { scheme: Some("https".to_owned()), protocol, ..http_info() };
    let Probe::Http(probe) = health(http(https)).unwrap().probe else { panic!() };
    assert_eq!((probe.scheme, probe.address), (Scheme::Https, "[::1]:8080".parse().unwrap()));
    let tcp = HealthCheck {
        r#type: Some(Type::Tcp.into()),
        tcp: Some(TcpCheckInfo { port: 25, protocol, options: None }),
        ..HealthCheck::default()
    };
    let address = "[::1]:25".parse().unwrap();
    assert_eq!(health(tcp).unwrap().probe, Probe::Tcp(TcpProbe::new(address)));
}

#[test]
fn a_timeout_of_zero_is_none_and_what_makes_no_sense_is_named() {
    let unlimited = HealthCheck { timeout_seconds: Some(0.0), ..http(http_info()) };
    assert_eq!(health(unlimited).unwrap().schedule.timeout, None);
    let wrong = |check| health(check).unwrap_err();
    assert!(wrong(http(HttpCheckInfo { port: 65_536, ..http_info() })).contains("no port 65536"));
    assert!(wrong(HealthCheck { delay_seconds: Some(-1.0), ..http(http_info()) }).contains("'delay_seconds'"));
    assert!(wrong(HealthCheck { r#type: None, ..http(http_info()) }).contains("'type'"));
}

#[test]
fn where_a_command_runs_is_up_to_the_executor() {
    let task = from_json(json!({"health_check": {"type": "COMMAND", "command": {"value": "probe"}}}));
    let error = tried(&task).unwrap_err();
    assert_eq!(error, "Task uses invalid health check: no commands here");
    let command = |value: &str| CommandProbe::new(Command::Shell(value.to_owned()));
    let specs = specs(&task, &|info| Ok(command(info.value()))).unwrap();
    assert_eq!(specs[0].1.probe, Probe::Command(command("probe")));
}

#[test]
fn only_a_result_fills_the_status() {
    let check = CheckInfo { r#type: Some(check_info::Type::Tcp.into()), ..CheckInfo::default() };
    let succeeded = |outcome| check_status(&check, &outcome).map(|status| status.tcp.unwrap().succeeded);
    assert_eq!(succeeded(Outcome::Success(Answer::Connected)), Some(Some(true)));
    let refused = Failure::Refused;
    assert_eq!(succeeded(Outcome::Failure(refused)), Some(Some(false)));
    let late = Failure::TimedOut { after: Duration::from_secs(1), output: String::new() };
    assert_eq!(succeeded(Outcome::Failure(late)), Some(None));
    assert_eq!(succeeded(Outcome::Inconclusive(Reason::ExitStatusLost)), None);
}

fn from_json(value: Value) -> TaskInfo {
    let mut task = json!({"name": "t", "task_id": {"value": "t"}, "agent_id": {"value": "S"}});
    if let (Some(task), Value::Object(value)) = (task.as_object_mut(), value) {
        task.extend(value);
    }
    mesos::json::from_value(task).unwrap()
}

#[test]
fn statuses_are_honoured() {
    let info = HttpCheckInfo { statuses: vec![200, 503], ..http_info() };
    let Probe::Http(probe) = health(http(info)).unwrap().probe else { panic!() };
    assert_eq!(probe.healthy_statuses, StatusRanges::new([200..=200, 503..=503]));
}

#[test]
fn everything_an_http_check_can_is_on_the_wire() {
    let signed = rcgen::generate_simple_self_signed(["app.example".to_owned()]).unwrap();
    let (certificate, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
    let task = from_json(json!({"check": {"type": "HTTP", "http": {
        "port": 443, "path": "/x?y", "scheme": "https", "protocol": "IPv6", "options": {
            "address": "10.1.2.3", "source_address": "10.1.2.4", "host": "app.example", "method": "POST",
            "headers": [{"name": "X-Token", "value": "1"}], "body": "aGk=", "version": "HTTP_2", "redirects": "SAME_HOST",
            "healthy_statuses": [{"begin": 200, "end": 204}], "ignored_statuses": [{"begin": 429, "end": 429}],
            "expect": [{"contains": "up"}, {"matches": "^u"}, {"json_path": {"path": "$.a", "value": "1"}}],
            "max_body_bytes": 1000, "tls": {"verification": "ROOTS", "roots": certificate, "server_name": "app.example",
            "client_certificates": certificate, "client_key": key, "expires_within_seconds": 3600}}},
        "interval_seconds": 0.05, "timeout_seconds": 0.01, "delay_seconds": 0, "jitter_seconds": 0.5}}));
    let Some((Kind::Check, spec)) = all(&task).pop() else { panic!() };
    let Probe::Http(probe) = spec.probe else { panic!() };
    let expected = HttpProbe {
        scheme: Scheme::Https,
        version: HttpVersion::Http2,
        address: "10.1.2.3:443".parse().unwrap(),
        source: Some("10.1.2.4".parse().unwrap()),
        host: Some("app.example".to_owned()),
        method: "POST".to_owned(),
        path: "/x?y".to_owned(),
        headers: vec![("X-Token".to_owned(), "1".to_owned())],
        body: b"hi".to_vec(),
        redirects: Redirects::SameHost,
        healthy_statuses: StatusRanges::from(200..=204),
        ignored_statuses: Some(StatusRanges::from(429..=429)),
        expect: vec![
            Expectation::Contains(b"up".to_vec()),
            Expectation::Matches("^u".to_owned()),
            Expectation::JsonPathEquals { path: "$.a".to_owned(), value: "1".to_owned() },
        ],
        max_body: 1000,
        tell_answer: false,
        connection: Reuse::Fresh,
        tls: Tls {
            verification: Verification::Roots(certificate.clone().into()),
            server_name: Some("app.example".to_owned()),
            identity: Some(checks::spec::ClientIdentity { certificates: certificate.into(), key: key.into() }),
            expires_within: Some(Duration::from_secs(3600)),
        },
    };
    assert_eq!(probe, expected);
    let millis = Duration::from_millis;
    assert_eq!((spec.schedule.interval, spec.schedule.timeout), (millis(50), Some(millis(10))));
    assert_eq!((spec.schedule.delay, spec.schedule.jitter), (Duration::ZERO, millis(500)));
}

#[test]
fn several_health_checks_of_every_other_kind() {
    let task = from_json(json!({"health_checks": [
        {"type": "TCP", "tcp": {"port": 1, "options": {"mode": "CONNECT", "address": "10.0.0.1"}}},
        {"type": "GRPC", "grpc": {"port": 2, "service": "s", "authority": "a", "tls": {},
            "metadata": [{"name": "x-token", "value": "1"}]}},
        {"type": "LISTEN", "listen": {"port": 3, "transport": "UDP", "protocol": "IPv6"}},
        {"type": "EXCHANGE", "exchange": {"port": 4, "send": "aGk=", "expect": [{"contains": "ho"}]}}]}));
    let specs = all(&task);
    let kinds: Vec<Kind> = specs.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [Kind::Health(0), Kind::Health(1), Kind::Health(2), Kind::Health(3)]);
    let address = |text: &str| text.parse::<std::net::SocketAddr>().unwrap();
    let authority = Some("a".to_owned());
    let grpc = GrpcProbe {
        service: "s".to_owned(),
        authority,
        metadata: vec![("x-token".to_owned(), "1".to_owned())],
        tls: Some(Tls::default()),
        ..GrpcProbe::new(address("127.0.0.1:2"))
    };
    let expected = [
        Probe::Tcp(TcpProbe { mode: TcpMode::Connect, ..TcpProbe::new(address("10.0.0.1:1")) }),
        Probe::Grpc(grpc),
        Probe::Listen(ListenProbe { transport: Transport::Udp, address: address("[::1]:3") }),
        Probe::Exchange(ExchangeProbe {
            transport: Transport::Tcp,
            address: address("127.0.0.1:4"),
            source: None,
            send: b"hi".to_vec(),
            expect: vec![Expectation::Contains(b"ho".to_vec())],
        }),
    ];
    assert_eq!(specs.into_iter().map(|(_, spec)| spec.probe).collect::<Vec<_>>(), expected);
}

#[test]
fn how_results_are_judged_is_on_the_wire() {
    let task = from_json(json!({"health_check": {"type": "LISTEN", "listen": {"port": 1}, "consecutive_successes": 3,
        "unhealthy_after": 2, "first_decides": true, "failure_rate": {"failures": 5, "window": 20}, "action": "REPORT",
        "grace_period_seconds": 0.25, "unhealthy_interval_seconds": 1, "edge_interval_seconds": 0.5}}));
    let (_, spec) = all(&task).pop().unwrap();
    let judgement = Judgement {
        grace: Duration::from_millis(250),
        consecutive_failures: 3,
        consecutive_successes: 3,
        unhealthy_after: 2,
        first_decides: true,
        rate: Some(FailureRate { failures: 5, window: 20 }),
        action: Action::Report,
    };
    assert_eq!(spec.judgement, judgement);
    assert_eq!(spec.schedule.unhealthy_interval, Some(Duration::from_secs(1)));
    assert_eq!(spec.schedule.edge_interval, Some(Duration::from_millis(500)));
}

#[test]
fn what_only_the_engine_can_judge_is_named_before_the_task_starts() {
    let bad = |options: Value| {
        let http = json!({"port": 80, "options": options});
        tried(&from_json(json!({"health_checks": [{"type": "HTTP", "name": "web", "http": http}]}))).unwrap_err()
    };
    let error = bad(json!({"expect": [{"matches": "("}]}));
    assert!(error.starts_with("Task uses invalid health check 'web': 'probe.http.expect'"), "{error}");
    assert!(bad(json!({"method": "GET IT"})).contains("'probe.http.method'"));
    let error = bad(json!({"headers": [{"name": "Host", "value": "x"}]}));
    assert!(error.ends_with("'probe.http.headers' may not have 'Host': it is set by 'host'"), "{error}");
}

#[test]
fn results_of_kinds_that_mesos_does_not_have() {
    let status = |kind: check_info::Type, outcome: Outcome| {
        let check = CheckInfo { r#type: Some(kind.into()), ..CheckInfo::default() };
        check_status(&check, &outcome).unwrap()
    };
    let serving = status(check_info::Type::Grpc, Outcome::Success(Answer::Serving));
    assert_eq!(serving.grpc.unwrap().serving, Some(true));
    let not = Failure::NotServing { status: "NOT_FOUND".to_owned() };
    assert_eq!(status(check_info::Type::Grpc, Outcome::Failure(not)).grpc.unwrap().serving, Some(false));
    let listening = status(check_info::Type::Listen, Outcome::Failure(Failure::Refused));
    assert_eq!(listening.listen.unwrap().listening, Some(false));
    let body = Failure::Body { cause: "no".to_owned() };
    assert_eq!(status(check_info::Type::Exchange, Outcome::Failure(body)).exchange.unwrap().succeeded, Some(false));
    assert_eq!(cygnet::HttpOptions::default().version(), cygnet::http_options::Version::Http11);
}
