//! The networks of this agent's containers: a run joins its own before its executor hears of a task, and is parted from
//! them when it is over.
//!
//! In: the networks that runs ask for. Out: a namespace with its addresses and its files, for the executor and for
//! statuses. Owns the bridge, the namespaces and what plugins have made; nothing of it is there before the first
//! container wants it, and what an agent before this one left is found by the containers' directories. Whatever blocks
//! is done on threads that may.

mod ability;
mod options;
mod settings;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use containers::network::files::{self, DefaultDns, HOST_RESOLVERS};
use containers::network::plan::Join;
use containers::network::ports::{inspect, let_through, shut_out};
use containers::network::{Attached, JoinError, NetworkError, Networks as Kernel};
use containers::provision::ProvisionedNetwork;
use mesos::v1::ContainerId;
use tokio::sync::OnceCell;
use tokio::task::{self, JoinSet, spawn_blocking};

pub(crate) use self::ability::Lack;
pub use self::options::NetworkOptions;
use self::settings::Settings;
use crate::core::NetworkNeeds;
use crate::error::AgentError;
use crate::tries::{doubling, persistently};

/// The tries to get a port that a container before has not given back yet, after the first.
const MORE_TO_JOIN: usize = 99;
/// The tries to get a port that another agent has, or takes at the same moment, after the first.
const MORE_TO_SHARE: usize = 4;
/// The tries to part a container whose plugins fail, after the first.
const MORE_TO_PART: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// The networks of an agent's; a cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Networks {
    kernel: Result<Kernel, Lack>,
    /// The name of the bridge that containers are to have, if this machine can have one.
    bridge: Result<Option<String>, Lack>,
    dns: Arc<DefaultDns>,
    /// The machine's firewall was looked at.
    firewall: Arc<OnceCell<()>>,
}

/// Why a container has not joined its networks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkFault {
    #[error(transparent)]
    Lack(#[from] Lack),
    #[error(transparent)]
    Join(#[from] JoinError),
    #[error("joining the networks did not end: {0}")]
    Panicked(#[from] task::JoinError),
}

impl Networks {
    /// The networks of the agent with this work directory. A lack of the machine for them is said once.
    pub(crate) fn of(options: &NetworkOptions, work_dir: &Path) -> Result<Networks, AgentError> {
        let Settings { networks, dns } = Settings::of(options, work_dir)?;
        let able = ability::of_namespaces();
        let bridged = able.clone().and_then(|()| ability::of_bridge());
        if let Err(lack) = able.as_ref().and(bridged.as_ref()) {
            tracing::warn!(reason = %lack, "containers that ask for a network of their own are refused");
        }
        let bridge = networks.bridge.as_ref().map(|bridge| bridge.name.clone());
        let failed = |error: JoinError| AgentError::Option { name: "bridge_link", reason: error.to_string() };
        let kernel = Kernel::new(networks).map_err(failed)?;
        let bridge = bridged.map(|()| bridge);
        Ok(Networks { kernel: able.map(|()| kernel), bridge, dns: Arc::new(dns), firewall: Arc::default() })
    }

    /// The ability to have any.
    pub(crate) fn ability(&self) -> Result<(), Lack> {
        self.kernel.as_ref().map(|_| ()).map_err(Lack::clone)
    }

    /// Joins a container to its networks, whatever an attempt before this one has left.
    pub(crate) async fn join(
        &self,
        container: &ContainerId,
        wanted: &NetworkNeeds,
    ) -> Result<ProvisionedNetwork, NetworkFault> {
        let kernel = self.kernel.clone()?;
        if wanted.joins.iter().any(Join::is_on_bridge)
            && let Some(bridge) = self.bridge.clone()?
        {
            self.firewall.get_or_init(|| look_at_firewall(bridge)).await;
        }
        let (name, joins) = (container.value.clone(), wanted.joins.clone());
        let attach = move || {
            kernel.detach(&name)?;
            kernel.attach(&name, &joins)
        };
        let (own, mut shared) = (self.bridge.clone().ok().flatten().unwrap_or_default(), 0);
        let passes = |fault: &NetworkFault| {
            shared += usize::from(is_shared(fault, &own));
            is_given_back(fault) || (is_shared(fault, &own) && shared <= MORE_TO_SHARE)
        };
        let attached = persistently(pauses().take(MORE_TO_JOIN), || blocking(attach.clone()), passes).await?;
        let (hostname, dns) = (files::hostname(wanted.hostname.as_deref(), &container.value), self.dns.clone());
        Ok(spawn_blocking(move || provisioned(hostname, attached, &dns)).await?)
    }

    /// Parts a container from all its networks. One that has none changes nothing.
    pub(crate) async fn part(&self, container: &str) {
        let Ok(kernel) = self.kernel.clone() else { return };
        let name = container.to_owned();
        let detach = move || kernel.detach(&name);
        let passes = |fault: &NetworkFault| matches!(fault, NetworkFault::Join(_));
        if let Err(error) = persistently(pauses().take(MORE_TO_PART), || blocking(detach.clone()), passes).await {
            tracing::warn!(container, %error, "the networks of a container cannot be left yet; it is tried again");
        }
    }

    /// The containers that have networks and are none of these.
    pub(crate) fn left(&self, live: &BTreeSet<String>) -> Vec<String> {
        let found = self.kernel.as_ref().map_or(Ok(Vec::new()), Kernel::containers).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look for networks that are left over");
            Vec::new()
        });
        found.into_iter().filter(|container| !live.contains(container)).collect()
    }

    /// Parts all of these, and makes the bridge and its table as the others need them.
    pub(crate) async fn sweep(self, left: Vec<String>) {
        self.repair().await;
        let mut parting = JoinSet::new();
        for container in left {
            let networks = self.clone();
            parting.spawn(async move { networks.part(&container).await });
        }
        parting.join_all().await;
    }

    /// Others may have changed the bridge, its table, or the firewall around it, since they were made.
    async fn repair(&self) {
        let Ok(kernel) = self.kernel.clone() else { return };
        match (spawn_blocking(move || kernel.repair()).await, self.bridge.clone()) {
            (Ok(Ok(true)), Ok(Some(bridge))) => look_at_firewall(bridge).await,
            (Ok(Err(error)), _) => tracing::error!(%error, "ports of the host may not lead to containers that live"),
            // Nobody is on the bridge. One that panicked has logged it.
            _ => {}
        }
    }

    /// Leaves the machine as it was, but for forwarding, which others may have come to need, if no container is on the bridge.
    pub(crate) async fn retire(&self) {
        let (Ok(kernel), Ok(bridge)) = (self.kernel.clone(), self.bridge.clone()) else { return };
        let retire = move || {
            if kernel.retire()?
                && let Some(bridge) = bridge
            {
                shut_out(&inspect()?, &bridge)?;
            }
            Ok::<(), JoinError>(())
        };
        if let Ok(Err(error)) = spawn_blocking(retire).await {
            tracing::warn!(%error, "the bridge, or rules about it, stay");
        }
    }
}

fn pauses() -> impl Iterator<Item = Duration> {
    doubling(FIRST_PAUSE, LONGEST_PAUSE)
}

async fn blocking<T: Send + 'static>(
    action: impl FnOnce() -> Result<T, JoinError> + Send + 'static,
) -> Result<T, NetworkFault> {
    Ok(spawn_blocking(action).await??)
}

/// True of a port whose holder is on its way out: the master offers none that a task has.
fn is_given_back(fault: &NetworkFault) -> bool {
    matches!(fault, NetworkFault::Join(JoinError::Network(NetworkError::PortMapped { .. })))
}

/// True of a port that may be free again at once: of two agents that map one at the same moment both see the other and let go,
/// and one of them, by the names of their bridges, tries again.
fn is_shared(fault: &NetworkFault, own: &str) -> bool {
    match fault {
        NetworkFault::Join(JoinError::Network(NetworkError::PortElsewhere { bridge, .. })) => own < bridge.as_str(),
        _ => false,
    }
}

fn provisioned(hostname: String, attached: Attached, defaults: &DefaultDns) -> ProvisionedNetwork {
    let Attached { namespace, networks, address, dns } = attached;
    let default = networks.iter().find_map(|network| defaults.mesos(network.name()));
    let host: Vec<String> = HOST_RESOLVERS.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let dns = files::resolvers(&dns, default, host.iter().map(String::as_str));
    let hosts = files::hosts(&hostname, address);
    ProvisionedNetwork { namespace, networks, hostname, hosts, dns }
}

/// Packets of the bridge pass a firewall that drops what it does not know; one that cannot be told so is warned about.
async fn look_at_firewall(bridge: String) {
    let look = move || {
        let firewall = inspect()?;
        let Some(warning) = firewall.warning(&bridge) else { return Ok(None) };
        let passes = let_through(&firewall, &bridge).inspect_err(|error| tracing::warn!(%error, "{warning}"))?;
        Ok::<_, NetworkError>((!passes).then_some(warning))
    };
    match spawn_blocking(look).await {
        Ok(Ok(Some(warning))) => tracing::warn!("{warning}"),
        Ok(Err(error)) => tracing::warn!(%error, "cannot say whether the firewall lets the bridge's packets pass"),
        // One that panicked has logged it.
        Ok(Ok(None)) | Err(_) => {}
    }
}
