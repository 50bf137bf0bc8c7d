//! The files by which a container knows names: `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`. Pure texts.

mod default;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use self::default::{DefaultDns, DefaultDnsError};

/// The resolvers of a container, as plugins of CNI and `resolv.conf` have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dns {
    /// The addresses of servers, in the order in which they are asked.
    pub nameservers: Vec<String>,
    /// The domain that short names are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The domains that short names are looked for in.
    pub search: Vec<String>,
    /// The resolver's options.
    pub options: Vec<String>,
}

/// The files in which a host has its resolvers, in the order in which they are read: systemd's own has the servers that
/// its stub, which answers on the host's loopback only, asks.
pub const HOST_RESOLVERS: [&str; 2] = ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"];

/// `/etc/hosts`: the loopback, and the container by its first address.
pub fn hosts(hostname: &str, address: Option<IpAddr>) -> String {
    let own = address.map(|address| format!("{address} {hostname}\n")).unwrap_or_default();
    format!("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{own}")
}

/// `/etc/hostname`.
pub fn hostname_file(hostname: &str) -> String {
    format!("{hostname}\n")
}

/// The name of a container: the one that was asked for, else its id, as far as a hostname can be that long.
pub fn hostname(wanted: Option<&str>, container: &str) -> String {
    const LONGEST: usize = 63;
    wanted.filter(|name| !name.is_empty()).unwrap_or(container).chars().take(LONGEST).collect()
}

/// The resolvers of a container: those that the networks say, the last one's domain and all servers; else the operator's
/// for its network (`--default_container_dns`); else the host's that answer from elsewhere, too.
///
/// `host` is the content of the host's files, in the order of [`HOST_RESOLVERS`]: the first that names a server counts.
pub fn resolvers<'a>(of_networks: &[Dns], default: Option<&Dns>, host: impl IntoIterator<Item = &'a str>) -> Dns {
    let merged = of_networks.iter().fold(Dns::default(), merge);
    let given = [Some(&merged), default].into_iter().flatten().find(|dns| !dns.nameservers.is_empty());
    given.cloned().unwrap_or_else(|| {
        let usable = host.into_iter().map(|text| without_loopback(Dns::read(text)));
        usable.reduce(|first, next| if first.nameservers.is_empty() { next } else { first }).unwrap_or_default()
    })
}

fn merge(mut all: Dns, next: &Dns) -> Dns {
    all.nameservers.extend_from_slice(&next.nameservers);
    all.search.extend_from_slice(&next.search);
    all.options.extend_from_slice(&next.options);
    Dns { domain: next.domain.clone().or(all.domain), ..all }
}

fn without_loopback(mut dns: Dns) -> Dns {
    let answers_inside = |server: &String| {
        let address = server.split('%').next().unwrap_or_default().parse();
        address.is_ok_and(|address: IpAddr| !address.is_loopback() && !address.is_unspecified())
    };
    dns.nameservers.retain(answers_inside);
    dns
}

impl Dns {
    /// Reads a `resolv.conf`.
    pub fn read(text: &str) -> Dns {
        let mut dns = Dns::default();
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace().map(str::to_owned);
            match words.next().as_deref() {
                Some("nameserver") => dns.nameservers.extend(words.next()),
                Some("domain") => dns.domain = words.next(),
                // The last one counts.
                Some("search") => dns.search = words.collect(),
                Some("options") => dns.options.extend(words),
                _ => {}
            }
        }
        dns
    }

    /// The text of `resolv.conf`. A word that has a space or a line's end in it would be another line, and is left out.
    pub fn text(&self) -> String {
        let is_word = |word: &&String| !word.is_empty() && !word.contains(|letter: char| letter.is_whitespace());
        let joined = |words: &[String]| words.iter().filter(is_word).cloned().collect::<Vec<_>>().join(" ");
        let line = |name: &str, words: String| if words.is_empty() { words } else { format!("{name} {words}\n") };
        let domain = joined(self.domain.as_slice());
        let servers = self.nameservers.iter().filter(is_word).map(|server| line("nameserver", server.clone()));
        [line("domain", domain), line("search", joined(&self.search)), line("options", joined(&self.options))]
            .into_iter()
            .chain(servers)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(servers: &[&str]) -> Dns {
        Dns { nameservers: servers.iter().map(|server| (*server).to_owned()).collect(), ..Dns::default() }
    }

    #[test]
    fn names_of_the_container_itself() {
        let text = hosts("web", Some("10.0.0.2".parse().unwrap()));
        assert_eq!(text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n10.0.0.2 web\n");
        assert!(!hosts("web", None).contains("web"));
        assert_eq!((hostname(Some("web"), "id"), hostname(None, "id")), ("web".to_owned(), "id".to_owned()));
        assert_eq!(hostname(Some(""), &"x".repeat(100)).len(), 63);
        assert_eq!(hostname_file("web"), "web\n");
    }

    #[test]
    fn a_stub_of_the_hosts_is_no_resolver_of_a_containers() {
        let stub = "# systemd-resolved\nnameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n";
        let real = "nameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch lan ; comment\n";
        let found = resolvers(&[], None, [real, stub]);
        assert_eq!(found.text(), "search lan\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n");
        let found = resolvers(&[], None, [stub]);
        assert_eq!(found.text(), "search lan\noptions edns0 trust-ad\n");
        assert_eq!(resolvers(&[], None, ["nameserver ::1\nnameserver 0.0.0.0\n", real]).nameservers.len(), 2);
        assert_eq!(resolvers(&[], None, []), Dns::default());
    }

    #[test]
    fn networks_go_before_the_operator_and_the_operator_before_the_host() {
        let host = "nameserver 192.0.2.53\n";
        let domain = |name: &str, servers| Dns { domain: Some(name.to_owned()), ..dns(servers) };
        let networks = [domain("a", &["10.0.0.1"]), dns(&["10.0.0.2"]), domain("b", &[])];
        let text = resolvers(&networks, Some(&dns(&["10.9.9.9"])), [host]).text();
        assert_eq!(text, "domain b\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n");
        assert_eq!(resolvers(&[Dns::default()], Some(&dns(&["10.9.9.9"])), [host]), dns(&["10.9.9.9"]));
        let hostile = Dns { search: vec!["a\nnameserver 6.6.6.6".to_owned(), "b".to_owned()], ..dns(&["1.1.1.1 x"]) };
        assert_eq!(hostile.text(), "search b\n");
    }
}
