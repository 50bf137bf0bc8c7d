//! All networks of an agent's, and the way of a container into them and out again.
//!
//! Owns one thread, which owns the bridge: what it does takes a millisecond. Plugins may take a minute, so those run on
//! the threads of the callers, one for each container at a time.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread;

use mesos::v1::NetworkInfo;

use super::NetworkError;
use super::bridge::{Bridge, BridgeSettings};
use super::cni::{Cni, CniError, CniSettings};
use super::files::Dns;
use super::namespaces::{Made, Namespaces};
use super::plan::{By, Join, with_addresses};
use super::ports::PortMapping;

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
    bridge: Option<Sender<Job>>,
    cni: Cni,
}

type Job = Box<dyn FnOnce(&mut Bridge) + Send>;

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
    /// The networks of these settings. `living` are the containers that are to keep what they have on the bridge;
    /// [`Networks::sweep`] frees all else that others have.
    pub fn open(settings: NetworkSettings, living: &[String]) -> Result<Networks, JoinError> {
        let namespaces = Namespaces::open(settings.directory)?;
        let bridge = settings.bridge.map(|bridge| Bridge::open(bridge, &namespaces, living)).transpose()?;
        let bridge = bridge.map(on_its_thread).transpose()?;
        let cni = Cni::new(settings.cni, namespaces.clone());
        Ok(Networks { namespaces, bridge, cni })
    }

    /// Makes a namespace for a container, which joins these networks.
    ///
    /// # Errors
    ///
    /// Everything that was made for the container is removed again. What could not be is left for [`Networks::sweep`].
    pub fn attach(&self, container: &str, joins: &[Join]) -> Result<Attached, JoinError> {
        let made = self.namespaces.make(container)?;
        self.join_all(made, joins).inspect_err(|_first_error_counts| {
            let left = self.detach(container);
            let _swept_later = left.inspect_err(|error| tracing::warn!("{error}"));
        })
    }

    /// Parts a container from all its networks, also one that another agent joined to them, and lets its namespace go.
    /// That of a container which has none changes nothing.
    pub fn detach(&self, container: &str) -> Result<(), JoinError> {
        self.cni.detach(container)?;
        if self.bridge.is_some() {
            let name = container.to_owned();
            self.on_bridge(move |bridge| bridge.detach(&name))??;
        }
        Ok(self.namespaces.release(container)?)
    }

    /// Parts all containers that do not live from their networks, and repairs the bridge and its table. Returns those that
    /// it could not part, with the reasons.
    pub fn sweep(&self, living: &[String]) -> Result<Vec<(String, JoinError)>, JoinError> {
        if self.bridge.is_some() {
            self.on_bridge(|bridge| bridge.repair())??;
        }
        let mut known = self.namespaces.containers()?;
        known.retain(|container| !living.contains(container));
        let parted = known.into_iter().map(|container| self.detach(&container).map_err(|error| (container, error)));
        Ok(parted.filter_map(Result::err).collect())
    }

    /// The containers that have a namespace.
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
                    let address;
                    (made, address) = self.join_bridge(made, interface, ports)?;
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

    fn join_bridge(&self, made: Made, interface: &str, ports: &[PortMapping]) -> Result<(Made, Ipv4Addr), JoinError> {
        let (interface, ports) = (interface.to_owned(), ports.to_vec());
        let (made, joined) = self.on_bridge(move |bridge| {
            let joined = bridge.attach(&made, &interface, &ports);
            (made, joined)
        })?;
        Ok((made, joined?))
    }

    /// Does something on the bridge's thread.
    fn on_bridge<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Bridge) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let (answer, answered) = sync_channel(1);
        let job = move |bridge: &mut Bridge| {
            let _asker_may_have_gone = answer.send(job(bridge));
        };
        let sent = self.bridge.as_ref().is_some_and(|bridge| bridge.send(Box::new(job)).is_ok());
        let answer = sent.then(|| answered.recv().ok()).flatten();
        answer.ok_or(JoinError::NoBridge)
    }
}

/// The thread ends with the last handle.
fn on_its_thread(mut bridge: Bridge) -> Result<Sender<Job>, NetworkError> {
    let (jobs, waiting) = channel::<Job>();
    let name = bridge.settings().name.clone();
    let work = move || waiting.into_iter().for_each(|job| job(&mut bridge));
    let started = thread::Builder::new().name("bridge".to_owned()).spawn(work);
    started.map_err(|source| NetworkError::Bridge { bridge: name, source })?;
    Ok(jobs)
}
