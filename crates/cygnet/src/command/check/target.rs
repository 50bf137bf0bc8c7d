//! What to check and where, from what was typed. Names are resolved and files are read here.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use checks::Place;
use checks::spec::{
    ClientIdentity, Command, CommandProbe, Credentials, ExchangeProbe, Expectation, GrpcProbe, HttpProbe, HttpVersion,
    ListenProbe, Probe, Redirects, Reuse, Scheme, StatusRanges, TcpMode, TcpProbe, Tls, Transport, Verification,
};

use super::options::{self, Exchange, Expect, Grpc, Http, RedirectPolicy, TlsOptions, What, Where};

/// What to ask.
pub(super) async fn probe(what: &What, from: &Where) -> anyhow::Result<Probe> {
    let source = from.source;
    Ok(match what {
        What::Http(options) => Probe::Http(HttpProbe { source, ..http(options).await? }),
        What::Grpc(options) => Probe::Grpc(GrpcProbe { source, ..grpc(options).await? }),
        What::Tcp(options) => {
            let mode = if options.connect { TcpMode::Connect } else { TcpMode::HalfOpen };
            Probe::Tcp(TcpProbe { address: resolve(&options.address).await?, source, mode })
        }
        What::Listen(options) => {
            let address = resolve(&options.address).await?;
            Probe::Listen(ListenProbe { transport: transport(options.udp), address })
        }
        What::Exchange(options) => Probe::Exchange(ExchangeProbe { source, ..exchange(options).await? }),
        What::Command(options) => Probe::Command(command(options)?),
    })
}

fn transport(udp: bool) -> Transport {
    if udp { Transport::Udp } else { Transport::Tcp }
}

async fn http(options: &Http) -> anyhow::Result<HttpProbe> {
    let (scheme, authority, path) = split(&options.url)?;
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let target = if has_port { authority.to_owned() } else { format!("{authority}:{}", scheme.default_port()) };
    Ok(HttpProbe {
        scheme,
        version: if options.http2 { HttpVersion::Http2 } else { HttpVersion::Http1 },
        address: resolve(&target).await?,
        host: Some(options.host.clone().unwrap_or_else(|| authority.to_owned())),
        method: options.method.clone(),
        path: path.to_owned(),
        headers: options.header.iter().map(|header| split_header(header)).collect::<anyhow::Result<_>>()?,
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
        tell_answer: false,
        connection: if options.keep_alive { Reuse::KeepAlive } else { Reuse::Fresh },
        tls: tls(&options.tls)?,
        source: None,
    })
}

fn split(url: &str) -> anyhow::Result<(Scheme, &str, &str)> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        Some((other, _)) => bail!("{other}:// is not known; there are http:// and https://"),
        None => (Scheme::Http, url),
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    Ok((scheme, authority, path))
}

fn split_header(header: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = header.split_once(':').with_context(|| format!("--header '{header}': write NAME: VALUE"))?;
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

fn expectations(expect: &Expect) -> anyhow::Result<Vec<Expectation>> {
    let contains = expect.contains.iter().map(|text| Ok(Expectation::Contains(text.clone().into_bytes())));
    let matches = expect.matches.iter().map(|pattern| Ok(Expectation::Matches(pattern.clone())));
    let json_path = expect.json_path.iter().map(|text| {
        let (path, value) = text.rsplit_once('=').with_context(|| format!("--json-path '{text}': write PATH=VALUE"))?;
        Ok(Expectation::JsonPathEquals { path: path.trim().to_owned(), value: value.trim().to_owned() })
    });
    contains.chain(matches).chain(json_path).collect()
}

async fn grpc(options: &Grpc) -> anyhow::Result<GrpcProbe> {
    let address = resolve(&options.address).await?;
    let tls = options.tls.then(|| tls(&options.settings)).transpose()?;
    let authority = Some(options.address.clone());
    Ok(GrpcProbe { authority, service: options.service.clone(), tls, ..GrpcProbe::new(address) })
}

async fn exchange(options: &Exchange) -> anyhow::Result<ExchangeProbe> {
    Ok(ExchangeProbe {
        transport: transport(options.udp),
        address: resolve(&options.address).await?,
        source: None,
        send: unescape(&options.send).context("--send")?,
        expect: expectations(&options.expect)?,
    })
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
    Ok(CommandProbe {
        command: match options.argv.as_slice() {
            [shell] => Command::Shell(shell.clone()),
            argv => Command::Exec { path: argv.first().cloned().unwrap_or_default(), argv: argv.to_vec() },
        },
        environment: inherited.chain(own.clone()).collect(),
        working_directory: options.directory.clone(),
        user: options.user.as_deref().map(credentials).transpose()?,
    })
}

fn credentials(text: &str) -> anyhow::Result<Credentials> {
    let (uid, gid) = text.split_once(':').unwrap_or((text, text));
    let number = |text: &str| text.parse::<u32>().with_context(|| format!("--user: '{text}' is no number"));
    let gid = number(gid)?;
    Ok(Credentials { uid: number(uid)?, gid, groups: vec![gid] })
}

async fn resolve(address: &str) -> anyhow::Result<SocketAddr> {
    let mut found = tokio::net::lookup_host(address).await.with_context(|| format!("cannot resolve {address}"))?;
    found.next().with_context(|| format!("{address} has no address"))
}

/// Where to ask from.
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

    #[test]
    fn urls() {
        assert_eq!(split("127.0.0.1:80/x").unwrap(), (Scheme::Http, "127.0.0.1:80", "/x"));
        assert_eq!(split("https://a.example").unwrap(), (Scheme::Https, "a.example", "/"));
        assert!(split("ftp://a.example").is_err());
    }

    #[test]
    fn a_json_path_ends_at_the_last_equals_sign() {
        let json_path = vec![r#"$.checks[?@.name=="db"].up=true"#.to_owned()];
        let expect = Expect { contains: vec![], matches: vec![], json_path };
        let path = r#"$.checks[?@.name=="db"].up"#.to_owned();
        assert_eq!(expectations(&expect).unwrap(), [Expectation::JsonPathEquals { path, value: "true".to_owned() }]);
    }
}
