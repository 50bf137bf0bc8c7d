//! All networks of an agent's, and the way of a container into them and out again.
//!
//! Owns one thread, which owns the bridge: what it does takes a millisecond. Plugins may take a minute, so those run on
//! the threads of the callers, one for each container at a time. Nothing is made on the machine before a container wants it.

use std::net::IpAddr;
use std::path::PathBuf;

use mesos::v1::NetworkInfo;

use super::NetworkError;
use super::bridge::{BridgeSettings, Keeper};
use super::cni::{Cni, CniError, CniSettings};
use super::files::Dns;
use super::namespaces::{Made, Namespaces};
use super::plan::{By, Join, with_addresses};

/// The operator's settings of networks.
#[derive(Clone, Debug)]
pub struct NetworkSettings {
    /// The directory of namespaces, and what is remembered of them; better in memory, as they do not live longer.
    pub directory: PathBuf,
    /// The agent's own bridge; containers that want it are refused if there is none.
    pub bridge: Option<BridgeSettings>,
    /// The networks by name; there are none if absent.
    pub cni: Option<CniSettings>,
}

/// The networks of an agent's; a cheap handle.
#[derive(Clone, Debug)]
pub struct Networks {
    namespaces: Namespaces,
    bridge: Option<Keeper>,
    cni: Cni,
}

/// A container that has joined its networks.
#[derive(Clone, Debug, PartialEq)]
pub struct Attached {
    /// The handle of its namespace, to be entered.
    pub namespace: PathBuf,
    /// Its networks with their addresses, for its status.
    pub networks: Vec<NetworkInfo>,
    /// The first of its addresses.
    pub address: Option<IpAddr>,
    /// The resolvers that its networks name.
    pub dns: Vec<Dns>,
}

/// Why a container did not join its networks, or did not part from them.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Namespaces and the bridge.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Networks by name.
    #[error(transparent)]
    Cni(#[from] Box<CniError>),
    /// The agent has no bridge.
    #[error("this agent has no bridge of its own")]
    NoBridge,
}

impl From<CniError> for JoinError {
    fn from(error: CniError) -> JoinError {
        Box::new(error).into()
    }
}

impl Networks {
    /// The networks of these settings.
    pub fn new(settings: NetworkSettings) -> Result<Networks, JoinError> {
        let namespaces = Namespaces::new(settings.directory);
        let bridge = settings.bridge.map(|bridge| Keeper::start(bridge, namespaces.clone())).transpose()?;
        let cni = Cni::new(settings.cni, namespaces.clone());
        Ok(Networks { namespaces, bridge, cni })
    }

    /// Makes a namespace for a container, which joins these networks.
    ///
    /// # Errors
    ///
    /// Everything that was made for the container is removed again. What could not be is left for [`Networks::detach`].
    pub fn attach(&self, container: &str, joins: &[Join]) -> Result<Attached, JoinError> {
        let made = self.namespaces.make(container)?;
        self.join_all(made, joins).inspect_err(|_first_error_counts| {
            let left = self.detach(container);
            let _parted_later = left.inspect_err(|error| tracing::warn!("{error}"));
        })
    }

    /// Parts a container from all its networks, also one that another agent joined to them, and lets its namespace go.
    /// A container which has no namespace stays as it is.
    pub fn detach(&self, container: &str) -> Result<(), JoinError> {
        self.cni.detach(container)?;
        if let Some(bridge) = &self.bridge {
            bridge.detach(container)?;
        }
        Ok(self.namespaces.release(container)?)
    }

    /// Makes the bridge and its table as they should be, if containers are on it, whoever has changed them.
    /// False if none is.
    pub fn repair(&self) -> Result<bool, JoinError> {
        self.bridge.as_ref().map_or(Ok(false), |bridge| Ok(bridge.repair()?))
    }

    /// Removes the bridge and the directory, if no container is there. True if there was a bridge and is none any more.
    pub fn retire(&self) -> Result<bool, JoinError> {
        self.namespaces.retire();
        self.bridge.as_ref().map_or(Ok(false), |bridge| Ok(bridge.retire()?))
    }

    /// The containers that have a namespace, whether they live or not.
    pub fn containers(&self) -> Result<Vec<String>, JoinError> {
        Ok(self.namespaces.containers()?)
    }

    /// The handle of a container's namespace.
    pub fn namespace(&self, container: &str) -> PathBuf {
        self.namespaces.handle(container)
    }

    /// The networks by name, for questions about them.
    pub fn cni(&self) -> &Cni {
        &self.cni
    }

    fn join_all(&self, mut made: Made, joins: &[Join]) -> Result<Attached, JoinError> {
        let namespace = made.handle();
        let mut attached = Attached { namespace, networks: Vec::new(), address: None, dns: Vec::new() };
        for Join { interface, by, info } in joins {
            let addresses = match by {
                By::Bridge(ports) => {
                    let bridge = self.bridge.as_ref().ok_or(JoinError::NoBridge)?;
                    let address;
                    (made, address) = bridge.attach(made, interface, ports)?;
                    vec![IpAddr::from(address)]
                }
                By::Cni => {
                    let result = self.cni.attach(&made, interface, info)?;
                    attached.dns.push(result.dns);
                    result.addresses
                }
            };
            attached.address = attached.address.or_else(|| addresses.first().copied());
            attached.networks.push(with_addresses(info, &addresses));
        }
        Ok(attached)
    }
}
