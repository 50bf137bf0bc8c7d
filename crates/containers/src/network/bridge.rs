//! The network of containers that ask for none by name: a bridge of this machine, without plugins.
//!
//! A member has an address of the bridge's [`Subnet`] on a link of its own, the bridge is its way out, and ports of the
//! host lead to it. [`Bridge`] owns the bridge, the links to its members, the table of mapped ports and the leases, and
//! is owned by one thread. What an agent before it left behind is found by the leases, the links by their names.
//!
//! Everything that is made has its lease before and loses it after, so a kill at any point leaves nothing unknown.

mod keeper;
mod leases;
mod routes;

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;

pub(super) use self::keeper::Keeper;
use self::leases::{Lease, Leases};
use super::links::{self, Pair};
use super::namespaces::{Made, Namespaces};
use super::netlink::{Message, Netlink};
use super::ports::{self, Mapped, PortMapping, Table};
use super::program::Program;
use super::{NetworkError, Subnet};

/// The time that `nft` may take to replace a table.
const NFT_LIMIT: Duration = Duration::from_secs(60);
/// The beginning of the text that a bridge has; the rest is its owner.
const OWNER: &str = "cygnet agent in ";
/// The beginning of the names of links to members; the rest is the address.
const LINK: &str = "veth";

/// The operator's settings of the bridge.
#[derive(Clone, Debug)]
pub struct BridgeSettings {
    /// Its name on the machine, which no other agent's has.
    pub name: String,
    /// The work directory of the agent that it belongs to; it is written on the link.
    pub owner: PathBuf,
    /// Its addresses.
    pub subnet: Subnet,
    /// The longest packet of its members in bytes, where the way out carries less than 1500.
    pub mtu: Option<u32>,
}

/// A bridge that is up, with its members.
#[derive(Debug)]
pub struct Bridge {
    settings: BridgeSettings,
    table: Table,
    leases: Leases,
    route: Netlink,
    netfilter: Netlink,
}

/// The agent that a bridge belongs to, by its work directory, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeOwner(Option<PathBuf>);

impl fmt::Display for BridgeOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(directory) => write!(f, "which is that of the agent with the work directory {}", directory.display()),
            None => f.write_str("which is of no agent that is known"),
        }
    }
}

impl BridgeSettings {
    fn check(&self) -> Result<(), NetworkError> {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        let begins = self.name.starts_with(|letter: char| letter.is_ascii_alphabetic());
        let is_name = begins && self.name.len() <= links::LONGEST_NAME && self.name.chars().all(allowed);
        is_name.then_some(()).ok_or_else(|| NetworkError::BridgeName(self.name.clone()))
    }
}

impl Bridge {
    /// The bridge of this machine, made if it is not there. Containers that have a lease and are not among `living` lose
    /// it, with their links and ports. Packets are forwarded by this machine from now on.
    pub fn open(settings: BridgeSettings, namespaces: &Namespaces, living: &[String]) -> Result<Bridge, NetworkError> {
        settings.check()?;
        let failed = |errno: Errno| NetworkError::Bridge { bridge: settings.name.clone(), source: errno.into() };
        let (route, netfilter) = (Netlink::route().map_err(failed)?, Netlink::netfilter().map_err(failed)?);
        routes::check(&settings)?;
        let leases = Leases::read(namespaces, settings.subnet, living)?;
        let table = Table::new(&settings.name, settings.subnet);
        let bridge = Bridge { settings, table, leases, route, netfilter };
        let index = bridge.index()?;
        bridge.sweep_links(index)?;
        nft(&bridge.table.replacement(&bridge.leases.mapped()))?;
        Ok(bridge)
    }

    /// True if the bridge is there, and this agent has made it or taken it.
    fn is_ours(settings: &BridgeSettings) -> Result<bool, NetworkError> {
        let failed = |errno: Errno| NetworkError::Bridge { bridge: settings.name.clone(), source: errno.into() };
        let route = Netlink::route().map_err(failed)?;
        let Some(index) = links::index(&route, &settings.name).map_err(failed)? else { return Ok(false) };
        let text = links::description(&route, index).map_err(failed)?;
        Ok(text.as_ref() == Some(&described(&settings.owner)))
    }

    /// Makes the bridge and the table as they should be, whoever has changed them.
    pub fn repair(&self) -> Result<(), NetworkError> {
        self.index()?;
        nft(&self.table.replacement(&self.leases.mapped()))
    }

    /// The settings it has.
    pub fn settings(&self) -> &BridgeSettings {
        &self.settings
    }

    /// Joins a container to it by a link that is called `interface` inside. Returns its address.
    ///
    /// # Errors
    ///
    /// Nothing is left of a container that could not be joined but its namespace.
    pub fn attach(&mut self, made: &Made, interface: &str, ports: &[PortMapping]) -> Result<Ipv4Addr, NetworkError> {
        let container = made.container();
        self.leases.check(container, ports)?;
        if let Some(mapping) = ports.iter().copied().find(|mapping| ports::is_taken(*mapping)) {
            return Err(NetworkError::PortInUse { mapping });
        }
        let wanted: Vec<Mapped> =
            ports.iter().map(|mapping| Mapped { mapping: *mapping, address: Ipv4Addr::UNSPECIFIED }).collect();
        self.check_elsewhere(&wanted)?;
        let exhausted = || NetworkError::NoAddress { bridge: self.settings.name.clone(), subnet: self.settings.subnet };
        let address = self.leases.free_address().ok_or_else(exhausted)?;
        self.leases.add(container, Lease { address, ports: ports.to_vec() })?;
        let joined = self.index().and_then(|index| self.join(made, index, interface, address));
        // Another agent may have mapped one meanwhile, and seen no other then.
        let joined = joined.and_then(|()| self.check_elsewhere(&wanted));
        match joined {
            Ok(()) => Ok(address),
            Err(error) => {
                let _the_first_error_counts = self.detach(container);
                Err(error)
            }
        }
    }

    /// Parts a container from it, if it is a member: its ports, its link and its lease are free.
    pub fn detach(&mut self, container: &str) -> Result<(), NetworkError> {
        let Some(lease) = self.leases.of(container) else { return Ok(()) };
        let failed = |errno| self.of_member("remove", container, errno);
        ports::remove(&self.netfilter, &self.table, &lease.mapped()).map_err(failed)?;
        ports::forget(&self.netfilter, &lease.ports);
        self.delete_link(&link_to(lease.address)).map_err(failed)?;
        self.leases.remove(container)
    }

    /// The address of a member.
    pub fn address(&self, container: &str) -> Option<Ipv4Addr> {
        self.leases.of(container).map(|lease| lease.address)
    }

    /// The number of its members.
    pub fn members(&self) -> usize {
        self.leases.count()
    }

    /// Ends it, with the links to all its members.
    pub fn remove(self) -> Result<(), NetworkError> {
        nft(&self.table.removal())?;
        let failed = |errno| self.of_bridge(errno);
        let links = self.index().and_then(|index| links::members(&self.route, index).map_err(failed))?;
        links.iter().try_for_each(|link| self.delete_link(link)).map_err(failed)?;
        self.delete_link(&self.settings.name).map_err(failed)
    }

    fn join(&self, made: &Made, index: u32, interface: &str, address: Ipv4Addr) -> Result<(), NetworkError> {
        let container = made.container();
        let failed = |errno| self.of_member("join", container, errno);
        let namespace = File::open(made.handle()).map_err(|source| NetworkError::file(&made.handle(), source))?;
        let link = link_to(address);
        let (namespace, mtu) = (namespace.as_fd(), self.settings.mtu);
        let pair = Pair { outer: &link, inner: interface, namespace, address, mtu };
        self.route.carry_out(&[links::new_pair(&pair, index), links::hairpin(&link)]).map_err(failed)?;
        let inside =
            links::index(made.inside(), interface).and_then(|index| index.ok_or(Errno::NODEV)).map_err(failed)?;
        let subnet = self.settings.subnet;
        let configuration = [
            links::up(inside),
            links::new_address(inside, address, subnet),
            links::new_default_route(inside, subnet.gateway()),
        ];
        made.inside().carry_out(&configuration).map_err(failed)?;
        self.map_ports(container)
    }

    /// A check that no other agent's bridge has mapped one of these.
    fn check_elsewhere(&self, wanted: &[Mapped]) -> Result<(), NetworkError> {
        let failed = |errno| self.of_bridge(errno);
        let Some((Mapped { mapping, .. }, table)) =
            ports::elsewhere(&self.netfilter, &self.table, wanted).map_err(failed)?
        else {
            return Ok(());
        };
        let bridge = table.bridge().to_owned();
        let owner = self.owner(&bridge).map_err(failed)?;
        Err(NetworkError::PortElsewhere { mapping, bridge, owner })
    }

    /// The agent that a bridge belongs to.
    fn owner(&self, bridge: &str) -> rustix::io::Result<BridgeOwner> {
        let Some(index) = links::index(&self.route, bridge)? else { return Ok(BridgeOwner(None)) };
        let text = links::description(&self.route, index)?;
        Ok(BridgeOwner(text.and_then(|text| text.strip_prefix(OWNER).map(PathBuf::from))))
    }

    /// Maps the ports of a member; those of all, if somebody has emptied the machine's tables.
    fn map_ports(&self, container: &str) -> Result<(), NetworkError> {
        let Some(lease) = self.leases.of(container) else { return Ok(()) };
        match ports::add(&self.netfilter, &self.table, &lease.mapped()) {
            Err(Errno::NOENT) => nft(&self.table.replacement(&self.leases.mapped()))?,
            added => added.map_err(|errno| self.of_member("join", container, errno))?,
        }
        ports::forget(&self.netfilter, &lease.ports);
        Ok(())
    }

    /// The index of the bridge, which is made if somebody has removed it.
    fn index(&self) -> Result<u32, NetworkError> {
        let failed = |errno| self.of_bridge(errno);
        let BridgeSettings { name, subnet, .. } = &self.settings;
        if let Some(index) = links::index(&self.route, name).map_err(failed)? {
            self.check_owner(index)?;
            self.configure(index)?;
            return Ok(index);
        }
        self.route.carry_out(&[links::new_bridge(name, subnet.gateway())]).map_err(failed)?;
        let index = links::index(&self.route, name).map_err(failed)?.ok_or_else(|| failed(Errno::NODEV))?;
        self.configure(index)?;
        Ok(index)
    }

    /// A bridge of nobody's is taken, and so is one whose agent's work directory is gone.
    fn check_owner(&self, index: u32) -> Result<(), NetworkError> {
        let described = links::description(&self.route, index).map_err(|errno| self.of_bridge(errno))?;
        let owner = described.as_deref().and_then(|text| text.strip_prefix(OWNER));
        match owner.filter(|owner| Path::new(owner) != self.settings.owner && Path::new(owner).exists()) {
            Some(owner) => Err(NetworkError::Owned { bridge: self.settings.name.clone(), owner: owner.to_owned() }),
            None => Ok(()),
        }
    }

    /// Also for a bridge that was found: its maker may have been killed in the middle.
    fn configure(&self, index: u32) -> Result<(), NetworkError> {
        let BridgeSettings { name, subnet, .. } = &self.settings;
        let set = |messages: &[Message]| match self.route.carry_out(messages) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(self.of_bridge(errno)),
        };
        set(&[links::up(index), links::describe(index, &described(&self.settings.owner))])?;
        set(&[links::new_address(index, subnet.gateway(), *subnet)])?;
        let switches = ["net/ipv4/ip_forward".to_owned(), format!("net/ipv4/conf/{name}/route_localnet")];
        let switched = switches.iter().try_for_each(|switch| turn_on(switch));
        switched.map_err(|source| NetworkError::Bridge { bridge: name.clone(), source })
    }

    /// Removes the links to members that are none.
    fn sweep_links(&self, index: u32) -> Result<(), NetworkError> {
        let failed = |errno| self.of_bridge(errno);
        let known = self.leases.links();
        let links = links::members(&self.route, index).map_err(failed)?;
        let ours = links.iter().filter(|link| link.strip_prefix(LINK).is_some_and(|rest| rest.len() == 8));
        let strange = ours.filter(|link| !known.contains(link));
        strange
            .inspect(|link| tracing::warn!("The link {link} leads to no container that lives and is removed"))
            .try_for_each(|link| self.delete_link(link))
            .map_err(failed)
    }

    fn delete_link(&self, name: &str) -> rustix::io::Result<()> {
        match self.route.carry_out(&[links::delete(name)]) {
            Ok(()) | Err(Errno::NODEV) => Ok(()),
            failed => failed,
        }
    }

    fn of_bridge(&self, errno: Errno) -> NetworkError {
        NetworkError::Bridge { bridge: self.settings.name.clone(), source: errno.into() }
    }

    fn of_member(&self, what: &'static str, container: &str, errno: Errno) -> NetworkError {
        let (container, bridge) = (container.to_owned(), self.settings.name.clone());
        NetworkError::Member { what, container, bridge, source: errno.into() }
    }
}

impl Lease {
    fn mapped(&self) -> Vec<Mapped> {
        self.ports.iter().map(|mapping| Mapped { mapping: *mapping, address: self.address }).collect()
    }
}

fn nft(rules: &str) -> Result<(), NetworkError> {
    Program::new("nft", &["-f", "-"]).reading(rules.as_bytes()).succeed(NFT_LIMIT)?;
    Ok(())
}

/// The kernel keeps 255 bytes: who has a longer name is told by its beginning.
fn described(owner: &Path) -> String {
    const LONGEST: usize = 255;
    let text = format!("{OWNER}{}", owner.display());
    text.char_indices().take_while(|(at, letter)| at + letter.len_utf8() <= LONGEST).map(|(_, letter)| letter).collect()
}

/// The name of the host's end of a member's link.
fn link_to(address: Ipv4Addr) -> String {
    format!("{LINK}{:08x}", address.to_bits())
}

/// A switch of the kernel's, of the network namespace of the calling thread.
fn turn_on(switch: &str) -> io::Result<()> {
    let path = format!("/proc/sys/{switch}");
    if fs::read(&path)?.starts_with(b"1") {
        return Ok(());
    }
    tracing::info!("{} is turned on for containers on a bridge", switch.replace('/', "."));
    fs::write(&path, "1")
}
