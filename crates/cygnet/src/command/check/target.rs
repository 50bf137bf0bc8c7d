//! The check and its place, from the command line. Names are resolved and files are read here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use checks::Place;
use checks::spec::{
    ClientIdentity, Command, CommandProbe, Credentials, ExchangeProbe, GrpcProbe, HttpProbe, HttpVersion, ListenProbe,
    Probe, Redirects, Reuse, StatusRanges, TcpMode, TcpProbe, Tls, Transport, Verification,
};
use checks::urls::{Authority, Url};

use super::expect::expectations;
use super::options::{self, Exchange, Grpc, Http, RedirectPolicy, TlsOptions, What, Where};

/// The probe, at each address of the host until one takes the connection.
pub(super) async fn probe(what: &What, from: &Where) -> anyhow::Result<Probe> {
    let source = from.source;
    if let (What::Listen(_) | What::Command(_), Some(option)) = (what, from.of_senders()) {
        bail!("{option} has no effect: nothing is sent anywhere");
    }
    Ok(match what {
        What::Http(options) => {
            let url = Url::parse(&options.url)?;
            let probe = http(options, &url)?;
            at_each(&url.authority, url.port(), source, |address| {
                Probe::Http(HttpProbe { address, source, ..probe.clone() })
            })
            .await?
        }
        What::Grpc(options) => {
            let probe = grpc(options)?;
            each(&options.address, source, |address| Probe::Grpc(GrpcProbe { address, source, ..probe.clone() }))
                .await?
        }
        What::Tcp(options) => {
            let mode = if options.connect { TcpMode::Connect } else { TcpMode::HalfOpen };
            each(&options.address, source, |address| Probe::Tcp(TcpProbe { address, source, mode })).await?
        }
        What::Listen(options) => {
            let transport = transport(options.udp);
            each(&options.address, source, |address| Probe::Listen(ListenProbe { transport, address })).await?
        }
        What::Exchange(options) => {
            let probe = exchange(options)?;
            let at = |address| Probe::Exchange(ExchangeProbe { address, source, ..probe.clone() });
            each(&options.address, source, at).await?
        }
        What::Command(options) => Probe::Command(command(options)?),
    })
}

async fn each(address: &str, source: Option<IpAddr>, probe: impl Fn(SocketAddr) -> Probe) -> anyhow::Result<Probe> {
    let authority = Authority::parse(address)?;
    let port = authority.port.with_context(|| format!("'{address}' names no port"))?;
    at_each(&authority, port, source, probe).await
}

async fn at_each(
    authority: &Authority,
    port: u16,
    source: Option<IpAddr>,
    probe: impl Fn(SocketAddr) -> Probe,
) -> anyhow::Result<Probe> {
    let host = authority.host.to_resolve();
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let found = found.with_context(|| format!("cannot resolve {host}"))?;
    let fits = |address: &SocketAddr| source.is_none_or(|source| source.is_ipv4() == address.is_ipv4());
    let none = || format!("{host} has no address of the family of --source");
    Probe::at_each(found.filter(fits), probe).with_context(none)
}

/// Replaced by each address in turn.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

fn transport(udp: bool) -> Transport {
    if udp { Transport::Udp } else { Transport::Tcp }
}

fn http(options: &Http, url: &Url) -> anyhow::Result<HttpProbe> {
    let mut headers = options.header.iter().map(|header| split_header(header)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut by_url = HttpProbe::of_url(url, NOWHERE);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
        headers.append(&mut by_url.headers);
    }
    Ok(HttpProbe {
        version: if options.http2 { HttpVersion::Http2 } else { HttpVersion::Http1 },
        host: options.host.clone().or_else(|| by_url.host.take()),
        method: options.method.clone(),
        headers,
        body: options.data.clone().into_bytes(),
        redirects: match options.redirects {
            RedirectPolicy::Follow => Redirects::Follow { limit: Redirects::LIMIT },
            RedirectPolicy::SameHost => Redirects::SameHost,
            RedirectPolicy::Answer => Redirects::TakeAsAnswer,
        },
        healthy_statuses: statuses(&options.status).context("--status")?,
        ignored_statuses: options.ignore_status.as_deref().map(statuses).transpose().context("--ignore-status")?,
        expect: expectations(&options.expect)?,
        max_body: options.max_body,
        connection: if options.keep_alive { Reuse::KeepAlive } else { Reuse::Fresh },
        tls: tls(&options.tls)?,
        ..by_url
    })
}

fn split_header(header: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = split("--header", header)?;
    match name.to_ascii_lowercase().as_str() {
        "host" => bail!("--header '{header}': write --host {value}"),
        "connection" => bail!("--header '{header}': it follows from --keep-alive"),
        _ => Ok((name, value)),
    }
}

fn split(option: &str, header: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = header.split_once(':').with_context(|| format!("{option} '{header}': write NAME: VALUE"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn statuses(ranges: &str) -> anyhow::Result<StatusRanges> {
    let range = |text: &str| -> anyhow::Result<RangeInclusive<u16>> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let number = |text: &str| text.trim().parse::<u16>().with_context(|| format!("'{text}' is no status"));
        Ok(number(from)?..=number(to)?)
    };
    Ok(StatusRanges::new(ranges.split(',').map(range).collect::<anyhow::Result<Vec<_>>>()?))
}

fn grpc(options: &Grpc) -> anyhow::Result<GrpcProbe> {
    let tls = match options.settings.given() {
        Some(option) if !options.tls => bail!("{option} has no effect without --tls"),
        _ => options.tls.then(|| tls(&options.settings)).transpose()?,
    };
    let address = Authority::parse(&options.address)?;
    let authority = Some(options.authority.clone().unwrap_or_else(|| address.header(0)));
    let metadata = options.metadata.iter().map(|text| split("--metadata", text)).collect::<anyhow::Result<_>>()?;
    Ok(GrpcProbe { authority, service: options.service.clone(), metadata, tls, ..GrpcProbe::new(NOWHERE) })
}

fn exchange(options: &Exchange) -> anyhow::Result<ExchangeProbe> {
    let send = unescape(&options.send).context("--send")?;
    let expect = expectations(&options.expect)?;
    Ok(ExchangeProbe { expect, ..ExchangeProbe::new(transport(options.udp), NOWHERE, send) })
}

/// `PING\r\n` as it is typed in a shell.
fn unescape(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (byte, length) = match escaped.chars().next() {
            Some('r') => (b'\r', 1),
            Some('n') => (b'\n', 1),
            Some('t') => (b'\t', 1),
            Some('0') => (0, 1),
            Some('\\') => (b'\\', 1),
            Some('x') => (hex(escaped)?, 3),
            other => bail!("'\\{}' is not known", other.map_or_else(String::new, String::from)),
        };
        bytes.push(byte);
        rest = escaped.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

fn hex(escaped: &str) -> anyhow::Result<u8> {
    let digits = escaped.get(1..3).context("'\\x' wants two digits")?;
    u8::from_str_radix(digits, 16).with_context(|| format!("'\\x{digits}' is not known"))
}

fn tls(options: &TlsOptions) -> anyhow::Result<Tls> {
    let verification = match &options.ca {
        Some(file) => Verification::Roots(read(file)?),
        None if options.verify => Verification::SystemRoots,
        None => Verification::None,
    };
    let identity = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => Some(ClientIdentity { certificates: read(cert)?, key: read(key)? }),
        _ => None,
    };
    Ok(Tls { verification, server_name: options.sni.clone(), identity, expires_within: options.expires_within })
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn command(options: &options::Command) -> anyhow::Result<CommandProbe> {
    let variable = |text: &String| {
        let (name, value) = text.split_once('=').with_context(|| format!("--env '{text}': write NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    let own: Vec<(String, String)> = options.env.iter().map(variable).collect::<anyhow::Result<_>>()?;
    let inherited = std::env::vars().filter(|(name, _)| own.iter().all(|(other, _)| other != name));
    let command = match options.argv.as_slice() {
        [shell] => Command::Shell(shell.clone()),
        argv => Command::Exec { path: argv.first().cloned().unwrap_or_default(), argv: argv.to_vec() },
    };
    Ok(CommandProbe {
        environment: inherited.chain(own.clone()).collect(),
        working_directory: options.directory.clone(),
        user: options.user.as_deref().map(credentials).transpose()?,
        ..CommandProbe::new(command)
    })
}

fn credentials(text: &str) -> anyhow::Result<Credentials> {
    let (uid, gid) = text.split_once(':').unwrap_or((text, text));
    let number = |text: &str| text.parse::<u32>().with_context(|| format!("--user: '{text}' is no number"));
    let gid = number(gid)?;
    Ok(Credentials { uid: number(uid)?, gid, groups: vec![gid] })
}

/// The place to ask from.
pub(super) fn place(netns: Option<&str>) -> anyhow::Result<Place> {
    Ok(match netns {
        None => Place::Host,
        Some(text) => match text.parse::<i32>() {
            Ok(pid) => Place::of_pid(pid).with_context(|| format!("--netns {pid}"))?,
            Err(_) => Place::network_namespace(PathBuf::from(text)).with_context(|| format!("--netns {text}"))?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_for_bytes() {
        assert_eq!(unescape(r"PING\r\n").unwrap(), b"PING\r\n");
        assert_eq!(unescape(r"\x00\xff\\x\0").unwrap(), b"\x00\xff\\x\0");
        for wrong in [r"\q", r"\x4", r"\xzz", "\\"] {
            assert!(unescape(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn statuses_are_lists_of_ranges() {
        let ranges = statuses("200-299, 404").unwrap();
        assert!(ranges.contains(204) && ranges.contains(404) && !ranges.contains(300));
        assert!(statuses("2xx").is_err() && statuses("").is_err());
    }
}
