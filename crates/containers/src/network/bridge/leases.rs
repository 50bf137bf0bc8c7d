//! The addresses of a bridge, and the containers that have them: a small file in each container's directory.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::link_to;
use crate::network::namespaces::{Namespaces, remember};
use crate::network::ports::{Mapped, PortMapping, Transport};
use crate::network::{NetworkError, Subnet};

const FILE: &str = "bridge.json";

/// An address that a container has, and the ports of the host that lead to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) address: Ipv4Addr,
    pub(super) ports: Vec<PortMapping>,
}

/// The leases of one bridge, as they are on file.
#[derive(Debug)]
pub(super) struct Leases {
    namespaces: Namespaces,
    subnet: Subnet,
    by_container: HashMap<String, Lease>,
    by_address: BTreeMap<Ipv4Addr, String>,
    by_port: HashMap<(Transport, u16), String>,
    /// The address that was leased last. The next one is behind it, so that addresses rest before they are used again.
    last: Ipv4Addr,
}

impl Leases {
    /// The leases of the living. The files of the others go, and those that no bridge with these addresses can have written.
    pub(super) fn read(namespaces: &Namespaces, subnet: Subnet, living: &[String]) -> Result<Leases, NetworkError> {
        let mut leases = Leases {
            namespaces: namespaces.clone(),
            subnet,
            by_container: HashMap::new(),
            by_address: BTreeMap::new(),
            by_port: HashMap::new(),
            last: subnet.gateway(),
        };
        for container in namespaces.containers()? {
            match leases.on_file(&container)? {
                Some(lease) if living.contains(&container) => leases.index(&container, lease),
                Some(_) => leases.forget_file(&container)?,
                None => {}
            }
        }
        leases.last = leases.by_address.keys().last().copied().unwrap_or(leases.last);
        Ok(leases)
    }

    /// True if a container has a lease, or had one when its agent was killed.
    pub(super) fn is_on_file(namespaces: &Namespaces, container: &str) -> bool {
        file(namespaces, container).exists()
    }

    pub(super) fn of(&self, container: &str) -> Option<&Lease> {
        self.by_container.get(container)
    }

    pub(super) fn count(&self) -> usize {
        self.by_container.len()
    }

    /// The names of the links to all members.
    pub(super) fn links(&self) -> Vec<String> {
        self.by_address.keys().map(|address| link_to(*address)).collect()
    }

    /// Everything that is mapped.
    pub(super) fn mapped(&self) -> Vec<Mapped> {
        self.by_container.values().flat_map(Lease::mapped).collect()
    }

    /// A check that a container may have these ports, and a lease at all.
    pub(super) fn check(&self, container: &str, ports: &[PortMapping]) -> Result<(), NetworkError> {
        if let Some(Lease { address, .. }) = self.of(container) {
            return Err(NetworkError::Twice { container: container.to_owned(), address: *address });
        }
        let holder = |mapping: &PortMapping| self.by_port.get(&(mapping.transport, mapping.host_port));
        match ports.iter().find_map(|mapping| holder(mapping).map(|holder| (*mapping, holder.clone()))) {
            Some((mapping, container)) => Err(NetworkError::PortMapped { mapping, container }),
            None => Ok(()),
        }
    }

    pub(super) fn free_address(&self) -> Option<Ipv4Addr> {
        self.subnet.members_after(self.last).find(|address| !self.by_address.contains_key(address))
    }

    /// The container has it, and on file first.
    pub(super) fn add(&mut self, container: &str, lease: Lease) -> Result<(), NetworkError> {
        let path = self.file(container);
        let content = serde_json::to_vec(&lease);
        let content = content.map_err(|error| NetworkError::File { path: path.clone(), source: error.into() })?;
        remember(&path, &content)?;
        self.last = lease.address;
        self.index(container, lease);
        Ok(())
    }

    /// The container has none any more.
    pub(super) fn remove(&mut self, container: &str) -> Result<(), NetworkError> {
        self.forget_file(container)?;
        if let Some(lease) = self.by_container.remove(container) {
            self.by_address.remove(&lease.address);
            self.by_port.retain(|_, holder| holder != container);
        }
        Ok(())
    }

    fn index(&mut self, container: &str, lease: Lease) {
        self.by_address.insert(lease.address, container.to_owned());
        let ports = lease.ports.iter().map(|mapping| (mapping.transport, mapping.host_port));
        self.by_port.extend(ports.map(|port| (port, container.to_owned())));
        self.by_container.insert(container.to_owned(), lease);
    }

    /// The lease on file. One that is of no use is as none, and its container on its own.
    fn on_file(&self, container: &str) -> Result<Option<Lease>, NetworkError> {
        let path = self.file(container);
        let content = match fs::read(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            content => content.map_err(|source| NetworkError::file(&path, source))?,
        };
        let lease = serde_json::from_slice(&content).ok();
        let usable = lease.filter(|lease: &Lease| {
            self.subnet.is_member(lease.address) && !self.by_address.contains_key(&lease.address)
        });
        if usable.is_none() {
            let path = path.display();
            tracing::warn!("{path} is no lease of {}: container {container} is cut off", self.subnet);
            self.forget_file(container)?;
        }
        Ok(usable)
    }

    fn forget_file(&self, container: &str) -> Result<(), NetworkError> {
        let path = self.file(container);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|source| NetworkError::file(&path, source)),
        }
    }

    fn file(&self, container: &str) -> PathBuf {
        file(&self.namespaces, container)
    }
}

fn file(namespaces: &Namespaces, container: &str) -> PathBuf {
    namespaces.directory(container).join(FILE)
}
