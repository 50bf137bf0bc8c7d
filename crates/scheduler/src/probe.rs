//! From a health check of an app to what is asked: as Mesos' message, for the executor, or as a spec for the scheduler's
//! own engine. Pure.

use std::net::SocketAddr;
use std::time::Duration;

use checks::spec::{self, HttpProbe, Judgement, Probe, Redirects, Schedule, Scheme, StatusRanges, TcpProbe};
use checks::urls::{Authority, Host};
use health::Problem;
use mesos::v1::cygnet::tls::Verification;
use mesos::v1::cygnet::{self, GrpcProbe, Header, JsonPath, ListenProbe, StatusRange};
use mesos::v1::health_check::{self, HttpCheckInfo, TcpCheckInfo};
use mesos::v1::network_info::Protocol as Family;
use mesos::v1::{CommandInfo, HealthCheck as MesosHealthCheck};

use crate::definition::grpc_options::GrpcOptions;
use crate::definition::health_check::IpProtocol;
use crate::definition::http_options::Expectation;
use crate::definition::ports::Port;
use crate::definition::readiness::ReadinessProtocol;
use crate::definition::tls_options::TlsOptions;
use crate::definition::{HealthCheck, Protocol, ReadinessCheck, RunSpec};

/// The checks for the executor, in the order of the definition. A check of a port the instance does not have, which
/// validation excludes, is left out. Where there are several, each has its place in the definition as its id.
pub(crate) fn native(app: &RunSpec, ports: &[Port<'_>]) -> Vec<MesosHealthCheck> {
    let native = || app.health_checks.iter().enumerate().filter(|(_, check)| check.protocol.is_native());
    let are_several = native().nth(1).is_some();
    let message = |(index, check): (usize, &HealthCheck)| {
        let id = are_several.then(|| index.to_string());
        Some(MesosHealthCheck { id, ..message(check, check.inner_port(ports))? })
    };
    native().filter_map(message).collect()
}

/// The check as Mesos has it.
fn message(check: &HealthCheck, port: Option<u16>) -> Option<MesosHealthCheck> {
    let successes = check.minimum_consecutive_successes;
    let mut mesos = MesosHealthCheck {
        delay_seconds: Some(check.delay_seconds.as_f64()),
        interval_seconds: Some(check.interval_seconds.as_f64()),
        timeout_seconds: Some(check.timeout_seconds.as_f64()),
        consecutive_failures: Some(check.max_consecutive_failures),
        grace_period_seconds: Some(check.grace_period_seconds.as_f64()),
        consecutive_successes: (successes > 1).then_some(successes),
        name: check.name.clone(),
        ..MesosHealthCheck::default()
    };
    let port = || port.map(u32::from);
    let family = (check.ip_protocol == IpProtocol::IPv6).then(|| Family::IPv6.into());
    let kind = match check.protocol {
        Protocol::Command => {
            mesos.command = Some(shell(&check.command.as_ref()?.value));
            health_check::Type::Command
        }
        Protocol::Tcp | Protocol::MesosTcp => {
            mesos.tcp = Some(TcpCheckInfo { port: port()?, protocol: family, options: None });
            health_check::Type::Tcp
        }
        Protocol::MesosGrpc => {
            mesos.grpc = Some(GrpcProbe { protocol: family, ..grpc(check, port()?) });
            health_check::Type::Grpc
        }
        Protocol::MesosListen => {
            mesos.listen = Some(ListenProbe { port: port()?, protocol: family, ..ListenProbe::default() });
            health_check::Type::Listen
        }
        Protocol::Http | Protocol::Https | Protocol::MesosHttp | Protocol::MesosHttps => {
            let is_secure = matches!(check.protocol, Protocol::Https | Protocol::MesosHttps);
            let scheme = if is_secure { "https" } else { "http" };
            mesos.http = Some(HttpCheckInfo {
                port: port()?,
                path: Some(check.effective_path()),
                scheme: Some(scheme.into()),
                protocol: family,
                options: options(check),
                ..HttpCheckInfo::default()
            });
            health_check::Type::Http
        }
    };
    mesos.r#type = Some(kind.into());
    Some(mesos)
}

fn grpc(check: &HealthCheck, port: u32) -> GrpcProbe {
    let GrpcOptions { authority, metadata } = check.grpc.clone().unwrap_or_default();
    let metadata = metadata.into_iter().map(|(name, value)| Header { name, value }).collect();
    GrpcProbe { port, service: check.service.clone(), authority, metadata, ..GrpcProbe::default() }
}

/// The options that go beyond Mesos; nothing if there are none, so that the message is as Mesos has it.
fn options(check: &HealthCheck) -> Option<cygnet::HttpOptions> {
    let ignored = check.ignore_http1xx.then_some(StatusRange { begin: 100, end: 199 });
    if check.http.is_none() && ignored.is_none() {
        return None;
    }
    let http = check.http.clone().unwrap_or_default();
    let statuses = http.statuses.iter().map(|range| StatusRange { begin: range.first.into(), end: range.last.into() });
    Some(cygnet::HttpOptions {
        address: http.address.map(|address| address.to_string()),
        host: http.host,
        method: http.method,
        headers: http.headers.into_iter().map(|(name, value)| Header { name, value }).collect(),
        healthy_statuses: statuses.collect(),
        ignored_statuses: ignored.into_iter().collect(),
        expect: http.expect.iter().map(expected).collect(),
        tls: http.tls.map(tls),
        ..cygnet::HttpOptions::default()
    })
}

fn tls(wanted: TlsOptions) -> cygnet::Tls {
    let verification = match (wanted.verify, &wanted.roots) {
        (false, _) => Verification::None,
        (true, None) => Verification::SystemRoots,
        (true, Some(_)) => Verification::Roots,
    };
    cygnet::Tls {
        verification: Some(verification.into()),
        roots: wanted.roots,
        server_name: wanted.server_name,
        expires_within_seconds: wanted.expires_within_seconds.map(|seconds| seconds.as_f64()),
        ..cygnet::Tls::default()
    }
}

fn expected(expected: &Expectation) -> cygnet::Expectation {
    let value = expected.value.as_ref().map(ToString::to_string).unwrap_or_default();
    cygnet::Expectation {
        contains: expected.contains.clone(),
        matches: expected.matches.clone(),
        json_path: expected.json_path.clone().map(|path| JsonPath { path, value }),
    }
}

pub(crate) fn shell(value: &str) -> CommandInfo {
    CommandInfo { shell: Some(true), value: Some(value.to_owned()), ..CommandInfo::default() }
}

/// An instance to ask, by the scheduler itself.
#[derive(Clone, Copy)]
pub(crate) struct Whom<'a> {
    /// The host of its agent: a name or an address.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// Of the host. One after the other is tried.
    pub(crate) addresses: &'a [SocketAddr],
}

impl Whom<'_> {
    /// The `Host` header.
    fn header(&self) -> String {
        let host = match self.host.parse() {
            Ok(ip) => Host::Address { ip, zone: None },
            Err(_) => Host::Name(self.host.to_owned()),
        };
        Authority { host, port: Some(self.port) }.header(0)
    }

    /// The same HTTP request at each address.
    fn http(&self, probe: &HttpProbe) -> Option<Probe> {
        let at = |address| Probe::Http(HttpProbe { address, ..probe.clone() });
        Probe::at_each(self.addresses.iter().copied(), at)
    }

    fn tcp(&self) -> Option<Probe> {
        Probe::at_each(self.addresses.iter().copied(), |address| Probe::Tcp(TcpProbe::new(address)))
    }
}

/// The check that the scheduler itself makes of an instance, with its judgement: as an executor would, but at the
/// addresses of its host. Nothing if the instance has no address; a problem names the field that cannot be checked.
pub(crate) fn own(check: &HealthCheck, whom: Whom<'_>) -> Result<Option<checks::CheckSpec>, Problem> {
    let mut asked = message(check, Some(whom.port)).ok_or(Problem::Empty)?;
    if let Some(http) = &mut asked.http {
        let options = http.options.take().unwrap_or_default();
        let host = options.host.clone().unwrap_or_else(|| whom.header());
        // Marathon follows none: a redirect is an answer, and a healthy one.
        let redirects = Some(cygnet::http_options::Redirects::TakeAsAnswer.into());
        http.options = Some(cygnet::HttpOptions { host: Some(host), redirects, address: None, ..options });
    }
    let spec = health::health_spec(&asked, &|_| Err(Problem::Empty))?;
    let probe = match &spec.probe {
        Probe::Http(probe) => whom.http(probe),
        _ => whom.tcp(),
    };
    Ok(probe.map(|probe| checks::CheckSpec { probe, ..spec }))
}

/// The check that the scheduler makes of a new instance until it is ready: without a delay, and then at every interval.
pub(crate) fn readiness(check: &ReadinessCheck, whom: Whom<'_>) -> Option<checks::CheckSpec> {
    let probe = HttpProbe {
        scheme: if check.protocol == ReadinessProtocol::Https { Scheme::Https } else { Scheme::Http },
        host: Some(whom.header()),
        path: check.effective_path(),
        redirects: Redirects::TakeAsAnswer,
        healthy_statuses: StatusRanges::new(check.http_status_codes_for_ready.iter().map(|code| *code..=*code)),
        tell_answer: check.preserve_last_response,
        ..HttpProbe::default()
    };
    Some(checks::CheckSpec {
        probe: whom.http(&probe)?,
        schedule: Schedule {
            delay: Duration::ZERO,
            interval: check.interval_seconds.duration(),
            timeout: Some(check.timeout_seconds.duration()),
            ..Schedule::default()
        },
        judgement: Judgement { grace: Duration::ZERO, action: spec::Action::Report, ..Judgement::default() },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ids::AppId;
    use crate::time::Timestamp;

    /// The checks of an app with one port, as the executor gets them.
    fn asked(checks: serde_json::Value) -> Vec<MesosHealthCheck> {
        let app = app(checks);
        native(&app, &app.ports(&[31000]))
    }

    fn app(checks: serde_json::Value) -> RunSpec {
        let mut app = RunSpec::new(AppId::new("/web"), Timestamp::from_millis(0));
        app.health_checks = serde_json::from_value(checks).unwrap();
        app
    }

    #[test]
    fn mesos_health_check_rows_the_port_is_the_hosts_or_the_literal_one() {
        for (protocol, scheme) in [("MESOS_HTTP", Some("http")), ("MESOS_HTTPS", Some("https")), ("HTTP", None)] {
            let checks = asked(json!([{"protocol": protocol, "portIndex": 0, "path": "health"}]));
            let http = checks.first().and_then(|check| check.http.as_ref());
            assert_eq!(http.and_then(|http| http.scheme.as_deref()), scheme);
            let expected = (31000, Some("/health"), true);
            assert!(http.is_none_or(|http| (http.port, http.path.as_deref(), http.options.is_none()) == expected));
        }
        let checks = asked(json!([{"protocol": "MESOS_TCP", "port": 80}]));
        assert_eq!(checks[0].tcp.as_ref().map(|tcp| tcp.port), Some(80));
    }

    #[test]
    fn what_goes_beyond_mesos_rides_in_fields_of_its_own() {
        let options = json!({"method": "HEAD", "headers": {"x": "y"}, "statuses": ["200-299"], "address": "127.0.0.2",
            "expect": [{"jsonPath": "$.status", "value": "up"}]});
        let checks = asked(json!([
                {"protocol": "MESOS_HTTP", "portIndex": 0, "http": options, "ignoreHttp1xx": true, "name": "api",
                    "minimumConsecutiveSuccesses": 2, "intervalSeconds": 0.5},
                {"protocol": "MESOS_GRPC", "portIndex": 0, "service": "shop.Web",
                    "grpc": {"authority": "shop.example", "metadata": {"x-token": "1"}}},
                {"protocol": "MESOS_LISTEN", "portIndex": 0, "ipProtocol": "IPv6"},
                {"protocol": "COMMAND", "command": {"value": "true"}},
        ]));
        assert_eq!((checks.len(), checks[0].name.as_deref(), checks[0].interval_seconds), (4, Some("api"), Some(0.5)));
        assert_eq!(checks[0].consecutive_successes, Some(2));
        let http = checks[0].http.clone().and_then(|http| http.options).unwrap();
        assert_eq!((http.method.as_deref(), http.address.as_deref()), (Some("HEAD"), Some("127.0.0.2")));
        assert_eq!(http.healthy_statuses, [StatusRange { begin: 200, end: 299 }]);
        assert_eq!(http.ignored_statuses, [StatusRange { begin: 100, end: 199 }]);
        assert_eq!(http.expect[0].json_path.as_ref().map(|path| path.value.as_str()), Some("\"up\""));
        let grpc = checks[1].grpc.clone().unwrap();
        assert_eq!((grpc.service(), grpc.authority()), ("shop.Web", "shop.example"));
        assert_eq!(grpc.metadata, [Header { name: "x-token".into(), value: "1".into() }]);
        assert_eq!(checks[2].listen.as_ref().map(ListenProbe::protocol), Some(Family::IPv6));
        assert!(checks.iter().all(|check| mesos::validate::health_check(check).is_ok()));
    }

    #[test]
    fn a_certificate_is_verified_as_far_as_somebody_asks_for_it() {
        let of = |tls: serde_json::Value| {
            let checks = asked(json!([{"protocol": "MESOS_HTTPS", "portIndex": 0, "http": {"tls": tls}}]));
            checks[0].http.clone().and_then(|http| http.options?.tls).unwrap()
        };
        assert_eq!(of(json!({})).verification(), Verification::None);
        assert_eq!(of(json!({"verify": true})).verification(), Verification::SystemRoots);
        let own = of(json!({"verify": true, "roots": "PEM", "serverName": "shop.example", "expiresWithinSeconds": 60}));
        assert_eq!((own.verification(), own.roots()), (Verification::Roots, "PEM"));
        assert_eq!((own.server_name(), own.expires_within_seconds), ("shop.example", Some(60.0)));
    }

    #[test]
    fn the_scheduler_asks_what_it_is_told_to() {
        let check: HealthCheck = serde_json::from_value(json!({"protocol": "HTTP", "portIndex": 0, "path": "/health",
            "http": {"method": "HEAD", "statuses": [204], "expect": [{"contains": "ok"}]}, "timeoutSeconds": 0.2}))
        .unwrap();
        let spec = own(&check, Whom { host: "box", port: 80, addresses: &["127.0.0.1:80".parse().unwrap()] });
        let spec = spec.unwrap().unwrap();
        assert!(spec.validate().is_ok());
        let Probe::Http(http) = spec.probe else { panic!("an HTTP probe") };
        assert_eq!((http.method.as_str(), http.host.as_deref()), ("HEAD", Some("box:80")));
        assert!(http.healthy_statuses.contains(204) && !http.healthy_statuses.contains(200));
        assert_eq!(spec.schedule.timeout, Some(std::time::Duration::from_millis(200)));
    }

    #[test]
    fn all_addresses_of_a_host_are_asked_and_an_ipv6_one_is_named_in_brackets() {
        let addresses: Vec<SocketAddr> = vec!["[::1]:80".parse().unwrap(), "127.0.0.1:80".parse().unwrap()];
        let check = |protocol: &str| serde_json::from_value(json!({"protocol": protocol, "path": "//x"})).unwrap();
        for protocol in ["HTTP", "TCP"] {
            let spec = own(&check(protocol), Whom { host: "box", port: 80, addresses: &addresses }).unwrap().unwrap();
            assert!(spec.validate().is_ok() && matches!(spec.probe, Probe::AnyAddress(probes) if probes.len() == 2));
        }
        let spec = readiness(&ReadinessCheck::default(), Whom { host: "::1", port: 80, addresses: &addresses[..1] });
        let Some(Probe::Http(http)) = spec.map(|spec| spec.probe) else { panic!("an HTTP probe") };
        assert_eq!((http.host.as_deref(), http.address), (Some("[::1]:80"), addresses[0]));
        assert_eq!(own(&check("HTTP"), Whom { host: "box", port: 80, addresses: &[] }).unwrap(), None);
    }

    #[test]
    fn a_check_that_cannot_be_made_says_which_part_of_it_is_to_blame() {
        let whom = Whom { host: "box", port: 80, addresses: &["127.0.0.1:80".parse().unwrap()] };
        for (check, part) in [
            (json!({"protocol": "HTTP", "http": {"expect": [{}]}}), "'contains', 'matches' and 'json_path'"),
            (json!({"protocol": "COMMAND"}), "nothing of its type"),
        ] {
            let problem = own(&serde_json::from_value(check).unwrap(), whom).unwrap_err().to_string();
            assert!(problem.contains(part), "{problem}");
        }
    }
}
