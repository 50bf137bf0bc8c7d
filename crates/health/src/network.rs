//! Probes over the network, with the options that Mesos does not have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use checks::spec::{
    ClientIdentity, ExchangeProbe, Expectation, GrpcProbe, HttpProbe, HttpVersion, ListenProbe, Probe, Redirects,
    Reuse, Scheme, StatusRanges, TcpMode, TcpProbe, Tls, Transport, Verification,
};
use mesos::v1::cygnet::{self as wire, HttpOptions, http_options, tcp_options, tls};
use mesos::v1::health_check::{HttpCheckInfo, TcpCheckInfo};
use mesos::v1::network_info::Protocol;

use crate::error::Problem;
use crate::seconds::optional_seconds;

pub(crate) fn http(check: &HttpCheckInfo) -> Result<Probe, Problem> {
    let unset = HttpOptions::default();
    let options = check.options.as_ref().unwrap_or(&unset);
    let defaults = HttpProbe::default();
    let ignored = (!options.ignored_statuses.is_empty()).then(|| ranges(&options.ignored_statuses));
    Ok(Probe::Http(HttpProbe {
        scheme: if check.scheme() == "https" { Scheme::Https } else { Scheme::Http },
        version: match options.version() {
            http_options::Version::Http11 => HttpVersion::Http1,
            http_options::Version::Http2 => HttpVersion::Http2,
        },
        address: target(check.protocol(), options.address.as_deref(), check.port)?,
        source: source(options.source_address.as_deref())?,
        host: options.host.clone(),
        method: options.method.clone().unwrap_or(defaults.method),
        path: check.path.as_deref().filter(|path| !path.is_empty()).unwrap_or("/").to_owned(),
        headers: headers(&options.headers),
        body: options.body.clone().unwrap_or_default(),
        redirects: redirects(options),
        healthy_statuses: healthy(&check.statuses, &options.healthy_statuses)?.unwrap_or(defaults.healthy_statuses),
        ignored_statuses: ignored.transpose()?,
        expect: expectations(&options.expect)?,
        max_body: options.max_body_bytes.unwrap_or(defaults.max_body),
        tell_answer: false,
        connection: if options.keep_alive() { Reuse::KeepAlive } else { Reuse::Fresh },
        tls: options.tls.as_ref().map(settings).transpose()?.unwrap_or_default(),
    }))
}

pub(crate) fn tcp(check: &TcpCheckInfo) -> Result<Probe, Problem> {
    let options = check.options.clone().unwrap_or_default();
    let mode = match options.mode() {
        tcp_options::Mode::HalfOpen => TcpMode::HalfOpen,
        tcp_options::Mode::Connect => TcpMode::Connect,
    };
    let address = target(check.protocol(), options.address.as_deref(), check.port)?;
    Ok(Probe::Tcp(TcpProbe { address, source: source(options.source_address.as_deref())?, mode }))
}

pub(crate) fn grpc(probe: &wire::GrpcProbe) -> Result<Probe, Problem> {
    Ok(Probe::Grpc(GrpcProbe {
        address: target(probe.protocol(), probe.address.as_deref(), probe.port)?,
        source: source(probe.source_address.as_deref())?,
        authority: probe.authority.clone(),
        service: probe.service.clone().unwrap_or_default(),
        metadata: headers(&probe.metadata),
        tls: probe.tls.as_ref().map(settings).transpose()?,
    }))
}

pub(crate) fn listen(probe: &wire::ListenProbe) -> Result<Probe, Problem> {
    let address = target(probe.protocol(), probe.address.as_deref(), probe.port)?;
    Ok(Probe::Listen(ListenProbe { transport: transport(probe.transport()), address }))
}

pub(crate) fn exchange(probe: &wire::ExchangeProbe) -> Result<Probe, Problem> {
    Ok(Probe::Exchange(ExchangeProbe {
        transport: transport(probe.transport()),
        address: target(probe.protocol(), probe.address.as_deref(), probe.port)?,
        source: source(probe.source_address.as_deref())?,
        send: probe.send.clone().unwrap_or_default(),
        expect: expectations(&probe.expect)?,
    }))
}

fn headers(list: &[wire::Header]) -> Vec<(String, String)> {
    list.iter().map(|header| (header.name.clone(), header.value.clone())).collect()
}

/// The address that is named, or loopback.
fn target(protocol: Protocol, address: Option<&str>, port: u32) -> Result<SocketAddr, Problem> {
    let port = u16::try_from(port).map_err(|_| Problem::Port(port))?;
    let host = match (address, protocol) {
        (Some(address), _) => ip("address", address)?,
        (None, Protocol::IPv4) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        (None, Protocol::IPv6) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    Ok(SocketAddr::new(host, port))
}

fn source(address: Option<&str>) -> Result<Option<IpAddr>, Problem> {
    address.map(|address| ip("source_address", address)).transpose()
}

fn ip(field: &'static str, text: &str) -> Result<IpAddr, Problem> {
    text.parse().map_err(|_| Problem::Address { field, text: text.to_owned() })
}

fn transport(transport: wire::Transport) -> Transport {
    match transport {
        wire::Transport::Tcp => Transport::Tcp,
        wire::Transport::Udp => Transport::Udp,
    }
}

fn redirects(options: &HttpOptions) -> Redirects {
    match options.redirects() {
        // What curl follows, which is what Mesos checks with.
        http_options::Redirects::Follow => {
            Redirects::Follow { limit: options.redirect_limit.unwrap_or(Redirects::LIMIT) }
        }
        http_options::Redirects::SameHost => Redirects::SameHost,
        http_options::Redirects::TakeAsAnswer => Redirects::TakeAsAnswer,
    }
}

/// Single statuses and ranges together; nothing if there are none.
fn healthy(statuses: &[u32], among: &[wire::StatusRange]) -> Result<Option<StatusRanges>, Problem> {
    if statuses.is_empty() && among.is_empty() {
        return Ok(None);
    }
    let single = statuses.iter().map(|status| wire::StatusRange { begin: *status, end: *status });
    ranges(&single.chain(among.iter().copied()).collect::<Vec<_>>()).map(Some)
}

fn ranges(list: &[wire::StatusRange]) -> Result<StatusRanges, Problem> {
    let status = |number: u32| u16::try_from(number).map_err(|_| Problem::Status(number));
    let ranges = list.iter().map(|range| Ok(status(range.begin)?..=status(range.end)?));
    ranges.collect::<Result<Vec<_>, Problem>>().map(StatusRanges::new)
}

fn expectations(list: &[wire::Expectation]) -> Result<Vec<Expectation>, Problem> {
    list.iter().map(expectation).collect()
}

fn expectation(expected: &wire::Expectation) -> Result<Expectation, Problem> {
    match (&expected.contains, &expected.matches, &expected.json_path) {
        (Some(text), None, None) => Ok(Expectation::Contains(text.clone().into_bytes())),
        (None, Some(pattern), None) => Ok(Expectation::Matches(pattern.clone())),
        (None, None, Some(json)) => {
            Ok(Expectation::JsonPathEquals { path: json.path.clone(), value: json.value.clone() })
        }
        _ => Err(Problem::Expectation),
    }
}

fn settings(tls: &wire::Tls) -> Result<Tls, Problem> {
    let pem = |text: &Option<String>| text.clone().map(String::into_bytes).unwrap_or_default();
    let identity = tls
        .client_certificates
        .as_ref()
        .map(|_| ClientIdentity { certificates: pem(&tls.client_certificates), key: pem(&tls.client_key) });
    Ok(Tls {
        verification: match tls.verification() {
            tls::Verification::None => Verification::None,
            tls::Verification::SystemRoots => Verification::SystemRoots,
            tls::Verification::Roots => Verification::Roots(pem(&tls.roots)),
        },
        server_name: tls.server_name.clone(),
        identity,
        expires_within: optional_seconds("tls.expires_within_seconds", tls.expires_within_seconds)?,
    })
}
