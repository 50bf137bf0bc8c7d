//! Servers as they are named on the command line. Pure.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::{Context, ensure};
use checks::spec::Scheme;
use checks::urls::{Host, Url};

/// A server to talk to: `HOST:PORT` or `http://HOST:PORT/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server(String);

impl Server {
    /// `host:port`.
    pub(crate) fn authority(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<SocketAddr> for Server {
    fn from(address: SocketAddr) -> Server {
        Server(address.to_string())
    }
}

impl FromStr for Server {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Server> {
        let url = Url::parse(text.trim())?;
        let is_bare = url.path == "/" && url.basic_auth().is_none();
        ensure!(url.scheme == Scheme::Http, "only plain http is spoken here; write HOST:PORT");
        ensure!(is_bare, "there is more than a host and a port; write HOST:PORT");
        let port = url.authority.port.context("it names no port; write HOST:PORT")?;
        Ok(Server(match &url.authority.host {
            Host::Address { ip, zone: Some(zone) } => format!("[{ip}%{zone}]:{port}"),
            host => format!("{host}:{port}"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_may_be_named_by_url() {
        for name in ["h:80", "http://h:80", "http://h:80/", " h:80", "HTTP://h:80/"] {
            assert_eq!(name.parse::<Server>().unwrap().authority(), "h:80", "{name}");
        }
        assert_eq!("[::1]:80".parse::<Server>().unwrap().authority(), "[::1]:80");
    }

    #[test]
    fn what_names_no_server_is_refused_in_words() {
        for (name, error) in [
            ("h", "it names no port; write HOST:PORT"),
            ("http://h/", "it names no port; write HOST:PORT"),
            ("https://h:80", "only plain http is spoken here; write HOST:PORT"),
            ("h:80/v2/apps", "there is more than a host and a port; write HOST:PORT"),
            ("me@h:80", "there is more than a host and a port; write HOST:PORT"),
            ("h:99999", "there is no port 99999; ports are 1 to 65535"),
            ("zk://h:2181/mesos", "'zk' is neither http nor https"),
            ("h 80", "\"http://h 80\" has a blank or control character in it"),
        ] {
            assert_eq!(name.parse::<Server>().unwrap_err().to_string(), error, "{name}");
        }
    }
}
