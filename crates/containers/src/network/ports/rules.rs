//! The table of a bridge: the text that `nft` reads, from what is mapped. Pure.

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::{PortMapping, Transport};
use crate::network::Subnet;

/// A port of the host, and the container it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The two ports.
    pub mapping: PortMapping,
    /// The address of the container.
    pub address: Ipv4Addr,
}

/// The beginning of the names of tables.
const PREFIX: &str = "cygnet-";

/// The table that belongs to a bridge.
#[derive(Clone, Debug)]
pub struct Table {
    bridge: String,
    subnet: Subnet,
}

impl Table {
    /// The table of the bridge of this name.
    pub fn new(bridge: &str, subnet: Subnet) -> Table {
        Table { bridge: bridge.to_owned(), subnet }
    }

    /// Its name.
    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.bridge)
    }

    /// The bridge it belongs to.
    pub(in crate::network) fn bridge(&self) -> &str {
        &self.bridge
    }

    /// A table of this name, if that is one of ours, whoever has made it. Its addresses are not known.
    pub(super) fn beside(&self, name: &str) -> Option<Table> {
        name.strip_prefix(PREFIX).map(|bridge| Table::new(bridge, self.subnet))
    }

    /// The map of a transport's ports in it.
    pub fn map(transport: Transport) -> &'static str {
        match transport {
            Transport::Tcp => "tcp_ports",
            Transport::Udp => "udp_ports",
        }
    }

    /// One transaction that replaces the table, whatever is in it, by one that maps these.
    ///
    /// A packet to a mapped port of any address of the host, also from the host itself or from a member of the bridge,
    /// goes to the container. What could not find its way back is sent on in the name of the bridge: what comes from the
    /// host's loopback, and what a member sends to another, or itself, by way of the host. `guard` keeps members from
    /// the host's loopback, which `route_localnet` opens to them.
    pub fn replacement(&self, mapped: &[Mapped]) -> String {
        let Table { bridge, subnet } = self;
        let table = self.name();
        let maps: String = [Transport::Tcp, Transport::Udp].map(|transport| map(transport, mapped)).concat();
        let to_ports: String = [Transport::Tcp, Transport::Udp].map(destination).concat();
        format!(
            "table ip {table} {{}}
delete table ip {table}
table ip {table} {{
{maps}\tchain guard {{
\t\ttype filter hook prerouting priority -300; policy accept;
\t\tiifname \"{bridge}\" ip daddr 127.0.0.0/8 drop
\t}}
\tchain prerouting {{
\t\ttype nat hook prerouting priority -100; policy accept;
{to_ports}\t}}
\tchain output {{
\t\ttype nat hook output priority -100; policy accept;
{to_ports}\t}}
\tchain postrouting {{
\t\ttype nat hook postrouting priority 100; policy accept;
\t\tip saddr 127.0.0.0/8 oifname \"{bridge}\" masquerade
\t\tip saddr {subnet} oifname \"{bridge}\" ct status dnat masquerade
\t\tip saddr {subnet} oifname != \"{bridge}\" masquerade
\t}}
}}
"
        )
    }

    /// One transaction that removes the table.
    pub fn removal(&self) -> String {
        let table = self.name();
        format!("table ip {table} {{}}\ndelete table ip {table}\n")
    }
}

fn map(transport: Transport, mapped: &[Mapped]) -> String {
    let of_transport = mapped.iter().filter(|mapped| mapped.mapping.transport == transport);
    let elements: Vec<String> = of_transport
        .map(|Mapped { mapping, address }| format!("{} : {address} . {}", mapping.host_port, mapping.container_port))
        .collect();
    let mut text = format!("\tmap {} {{\n\t\ttype inet_service : ipv4_addr . inet_service\n", Table::map(transport));
    if !elements.is_empty() {
        let _never_fails = writeln!(text, "\t\telements = {{ {} }}", elements.join(",\n\t\t\t"));
    }
    text + "\t}\n"
}

fn destination(transport: Transport) -> String {
    format!("\t\tfib daddr type local dnat ip to {} dport map @{}\n", transport.name(), Table::map(transport))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maps_have_what_is_mapped() {
        let table = Table::new("mesos-bridge", "10.9.0.0/24".parse().unwrap());
        let mapped = |transport, host_port| {
            let mapping = PortMapping { transport, host_port, container_port: 80 };
            Mapped { mapping, address: "10.9.0.2".parse().unwrap() }
        };
        let text = table.replacement(&[
            mapped(Transport::Tcp, 31000),
            mapped(Transport::Udp, 31000),
            mapped(Transport::Tcp, 31001),
        ]);
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let tcp = "map tcp_ports { type inet_service : ipv4_addr . inet_service \
                   elements = { 31000 : 10.9.0.2 . 80, 31001 : 10.9.0.2 . 80 } }";
        assert!(flat.contains(tcp), "{text}");
        assert!(flat.contains("elements = { 31000 : 10.9.0.2 . 80 } }"), "{text}");
        let begin =
            "table ip cygnet-mesos-bridge {} delete table ip cygnet-mesos-bridge table ip cygnet-mesos-bridge {";
        assert!(flat.starts_with(begin), "{text}");
        assert!(!table.replacement(&[]).contains("elements"));
    }
}
