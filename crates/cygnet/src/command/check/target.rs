//! What to check, from what was typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use checks::Place;
use checks::spec::{Command, CommandProbe, HttpProbe, Probe, Scheme, TcpMode, TcpProbe};

use super::What;

/// What to ask, with names resolved.
pub(super) async fn probe(what: &What) -> anyhow::Result<Probe> {
    Ok(match what {
        What::Http { url } => Probe::Http(http(url).await?),
        What::Tcp { address, half_open } => {
            let mode = if *half_open { TcpMode::HalfOpen } else { TcpMode::Connect };
            Probe::Tcp(TcpProbe { mode, ..TcpProbe::new(resolve(address).await?) })
        }
        What::Command { argv } => Probe::Command(CommandProbe {
            command: match argv.as_slice() {
                [shell] => Command::Shell(shell.clone()),
                argv => Command::Exec { path: argv.first().cloned().unwrap_or_default(), argv: argv.to_vec() },
            },
            environment: std::env::vars().collect(),
            working_directory: None,
            user: None,
        }),
    })
}

async fn http(url: &str) -> anyhow::Result<HttpProbe> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        Some((other, _)) => bail!("{other}:// is not known; there are http:// and https://"),
        None => (Scheme::Http, url),
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let target = if has_port { authority.to_owned() } else { format!("{authority}:{}", scheme.default_port()) };
    let address = resolve(&target).await?;
    Ok(HttpProbe { scheme, address, host: Some(authority.to_owned()), path: path.to_owned(), ..HttpProbe::default() })
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
