//! One framework as the master knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mesos::v1;

use super::super::capabilities::Capabilities;
use super::super::counters::FrameworkCounters;
use super::super::framework_rules;
use super::Tasks;
use crate::allocator::{Constraints, Interest};
use crate::ids::{FrameworkId, StreamId};
use crate::stock::EVERYONE;

/// How a framework's scheduler is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// Over this stream.
    Connected(StreamId),
    /// Not now; it may come back until this moment.
    Disconnected {
        /// On the scale of [`shell::Now::elapsed`].
        until: Duration,
    },
    /// Known from an agent that came back after the master was restarted; its scheduler did not yet.
    Recovered,
}

/// See the module's words.
#[derive(Debug, Clone)]
pub(crate) struct Framework {
    pub(crate) id: FrameworkId,
    pub(crate) info: Arc<v1::FrameworkInfo>,
    pub(crate) capabilities: Capabilities,
    pub(crate) link: Link,
    pub(crate) suppressed: BTreeSet<String>,
    pub(crate) constraints: Arc<Constraints>,
    /// Moments since the UNIX epoch.
    pub(crate) registered: Duration,
    pub(crate) reregistered: Option<Duration>,
    pub(crate) unregistered: Option<Duration>,
    pub(crate) tasks: Tasks,
    pub(crate) counters: FrameworkCounters,
}

impl Framework {
    pub(crate) fn new(id: FrameworkId, info: v1::FrameworkInfo, link: Link, unix: Duration) -> Self {
        Framework {
            capabilities: Capabilities::of(&info),
            info: Arc::new(v1::FrameworkInfo { id: Some(id.clone()), ..info }),
            id,
            link,
            suppressed: BTreeSet::new(),
            constraints: Arc::default(),
            registered: unix,
            reregistered: None,
            unregistered: None,
            tasks: Tasks::default(),
            counters: FrameworkCounters::default(),
        }
    }

    pub(crate) fn stream(&self) -> Option<&StreamId> {
        match &self.link {
            Link::Connected(stream) => Some(stream),
            Link::Disconnected { .. } | Link::Recovered => None,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.stream().is_some()
    }

    pub(crate) fn roles(&self) -> BTreeSet<String> {
        roles_of(&self.info)
    }

    /// The role of a framework that can have only one.
    pub(crate) fn sole_role(&self) -> &str {
        named_role(&self.info).unwrap_or(EVERYONE)
    }

    pub(crate) fn failover_timeout(&self) -> Duration {
        framework_rules::failover_timeout(&self.info).unwrap_or_default()
    }

    /// How it takes part in allocation.
    pub(crate) fn interest(&self) -> Interest {
        Interest {
            roles: self.roles(),
            suppressed: self.suppressed.clone(),
            gpus: self.capabilities.gpu_resources,
            minimums: minimums_of(&self.info),
            constraints: self.constraints.clone(),
            active: self.is_connected(),
        }
    }
}

/// The roles a framework asks to be in.
pub(crate) fn roles_of(info: &v1::FrameworkInfo) -> BTreeSet<String> {
    if Capabilities::of(info).multi_role {
        return info.roles.iter().cloned().collect();
    }
    [named_role(info).unwrap_or(EVERYONE).to_owned()].into()
}

/// What offers must at least hold, for the roles it said so for.
fn minimums_of(info: &v1::FrameworkInfo) -> BTreeMap<String, Vec<BTreeMap<String, f64>>> {
    let amounts = |of: &v1::offer_filters::ResourceQuantities| {
        of.quantities.iter().map(|(name, least)| (name.clone(), least.value)).collect()
    };
    let minimums = |filters: &v1::OfferFilters| {
        let least = filters.min_allocatable_resources.as_ref()?;
        Some(least.quantities.iter().map(amounts).collect())
    };
    info.offer_filters.iter().filter_map(|(role, filters)| Some((role.clone(), minimums(filters)?))).collect()
}

/// The role in the field that frameworks with one role still use.
pub(crate) fn named_role(info: &v1::FrameworkInfo) -> Option<&str> {
    info.role.as_deref()
}
