//! The thread that owns the bridge. It makes the bridge when the first container wants it, and finds it when one that has
//! a lease is to go: a machine without containers stays as it is.
//!
//! In: what is to be done on the bridge, by any thread. Out: the answer, to the thread that asked. Ends with the last handle.

use std::net::Ipv4Addr;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread;

use super::leases::Leases;
use super::{Bridge, BridgeSettings};
use crate::network::NetworkError;
use crate::network::namespaces::{Made, Namespaces};
use crate::network::ports::PortMapping;

/// The way to the bridge; a cheap handle.
#[derive(Clone, Debug)]
pub(in crate::network) struct Keeper(Sender<Job>);

type Job = Box<dyn FnOnce(&mut Kept) + Send>;

/// The bridge, if it has been wanted yet.
struct Kept {
    settings: BridgeSettings,
    namespaces: Namespaces,
    bridge: Option<Bridge>,
}

impl Keeper {
    pub(in crate::network) fn start(settings: BridgeSettings, namespaces: Namespaces) -> Result<Keeper, NetworkError> {
        let (jobs, waiting) = channel::<Job>();
        let name = settings.name.clone();
        let mut kept = Kept { settings, namespaces, bridge: None };
        let work = move || waiting.into_iter().for_each(|job| job(&mut kept));
        let started = thread::Builder::new().name("bridge".to_owned()).spawn(work);
        started.map_err(|source| NetworkError::Bridge { bridge: name, source })?;
        Ok(Keeper(jobs))
    }

    /// As [`Bridge::attach`]; what was made comes back.
    pub(in crate::network) fn attach(
        &self,
        made: Made,
        interface: &str,
        ports: &[PortMapping],
    ) -> Result<(Made, Ipv4Addr), NetworkError> {
        let (interface, ports) = (interface.to_owned(), ports.to_vec());
        self.ask(move |kept| {
            let address = kept.wanted()?.attach(&made, &interface, &ports)?;
            Ok((made, address))
        })
    }

    /// As [`Bridge::detach`], also of a container that an agent before this one has attached.
    pub(in crate::network) fn detach(&self, container: &str) -> Result<(), NetworkError> {
        let container = container.to_owned();
        self.ask(move |kept| {
            if !Leases::is_on_file(&kept.namespaces, &container) {
                return Ok(());
            }
            kept.wanted()?.detach(&container)
        })
    }

    /// As [`Bridge::repair`], if the bridge has members. False if it has none.
    pub(in crate::network) fn repair(&self) -> Result<bool, NetworkError> {
        self.ask(|kept| if kept.has_members()? { kept.wanted()?.repair().map(|()| true) } else { Ok(false) })
    }

    /// As [`Bridge::remove`], if this agent or one before it made the bridge and it has no members. False if it stays.
    pub(in crate::network) fn retire(&self) -> Result<bool, NetworkError> {
        self.ask(|kept| {
            if !Bridge::is_ours(&kept.settings)? || kept.wanted()?.members() > 0 {
                return Ok(false);
            }
            kept.bridge.take().map_or(Ok(false), |bridge| bridge.remove().map(|()| true))
        })
    }

    fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Kept) -> Result<T, NetworkError> + Send + 'static,
    ) -> Result<T, NetworkError> {
        let (answer, answered) = sync_channel(1);
        let job = move |kept: &mut Kept| {
            let _asker_may_have_gone = answer.send(job(kept));
        };
        let sent = self.0.send(Box::new(job)).is_ok();
        let answer = sent.then(|| answered.recv().ok()).flatten();
        answer.unwrap_or(Err(NetworkError::Thread))
    }
}

impl Kept {
    /// The bridge, with everybody on it who has a lease: those that do not live are detached one by one.
    fn wanted(&mut self) -> Result<&mut Bridge, NetworkError> {
        let bridge = match self.bridge.take() {
            Some(bridge) => bridge,
            None => Bridge::open(self.settings.clone(), &self.namespaces, &self.namespaces.containers()?)?,
        };
        Ok(self.bridge.insert(bridge))
    }

    fn has_members(&self) -> Result<bool, NetworkError> {
        let containers = self.namespaces.containers()?;
        Ok(containers.iter().any(|container| Leases::is_on_file(&self.namespaces, container)))
    }
}
