//! One framework as the master knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mesos::v1;
use mesos::v1::framework_info::capability::Type;
use shell::Now;

use super::super::capabilities;
use super::super::counters::FrameworkCounters;
use super::super::framework_rules;
use super::Tasks;
use crate::allocator::{Constraints, Interest};
use crate::ids::{FrameworkId, StreamId};
use crate::stock::EVERYONE;

/// The way to a framework's scheduler.
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

/// The turns in a framework's life: moments since the UNIX epoch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) registered: Duration,
    pub(crate) reregistered: Option<Duration>,
    pub(crate) unregistered: Option<Duration>,
}

#[derive(Debug, Clone)]
pub(crate) struct Framework {
    id: FrameworkId,
    info: Arc<v1::FrameworkInfo>,
    link: Link,
    constraints: Arc<Constraints>,
    times: Times,
    pub(crate) tasks: Tasks,
    pub(crate) counters: FrameworkCounters,
}

impl Framework {
    pub(crate) fn new(id: FrameworkId, info: v1::FrameworkInfo, link: Link, unix: Duration) -> Self {
        Framework {
            info: Arc::new(v1::FrameworkInfo { id: Some(id.clone()), ..info }),
            id,
            link,
            constraints: Arc::default(),
            times: Times { registered: unix, ..Times::default() },
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
        self.info.role.as_deref().unwrap_or(EVERYONE)
    }

    pub(crate) fn failover_timeout(&self) -> Duration {
        framework_rules::failover_timeout(&self.info).unwrap_or_default()
    }

    /// Takes new information in; what is fixed for a framework's life stays as it was.
    pub(crate) fn change_info(&mut self, info: v1::FrameworkInfo) {
        let old = &self.info;
        self.info = Arc::new(v1::FrameworkInfo {
            id: old.id.clone(),
            user: old.user.clone(),
            checkpoint: old.checkpoint,
            principal: old.principal.clone(),
            ..info
        });
    }

    /// Its scheduler is back, or another one took over, at this moment since the UNIX epoch.
    pub(crate) fn reconnect(&mut self, stream: StreamId, unix: Duration) {
        self.link = Link::Connected(stream);
        self.times.reregistered = Some(unix);
    }

    /// Its scheduler is away; it has until this moment to come back.
    pub(crate) fn disconnect(&mut self, until: Duration) {
        self.link = Link::Disconnected { until };
    }

    /// It is over.
    pub(super) fn end(&mut self, now: Now) {
        self.disconnect(now.elapsed);
        self.times.unregistered = Some(now.unix);
    }

    /// True if its scheduler did not come back in time.
    pub(super) fn is_late(&self, now: Duration) -> bool {
        matches!(self.link, Link::Disconnected { until } if until <= now)
    }

    /// The agents it wants offers of.
    pub(crate) fn constrain(&mut self, constraints: Arc<Constraints>) {
        self.constraints = constraints;
    }

    pub(crate) fn constraints(&self) -> &Arc<Constraints> {
        &self.constraints
    }

    pub(crate) fn id(&self) -> &FrameworkId {
        &self.id
    }

    pub(crate) fn info(&self) -> &Arc<v1::FrameworkInfo> {
        &self.info
    }

    /// The state it is shown for a task that is in `state`.
    pub(crate) fn visible(&self, state: v1::TaskState) -> v1::TaskState {
        capabilities::visible(&self.info, state)
    }

    /// True if it is known from its agents only.
    pub(crate) fn is_recovered(&self) -> bool {
        self.link == Link::Recovered
    }

    pub(crate) fn times(&self) -> Times {
        self.times
    }

    /// The roles a call names; all if it names none, `None` if one of them is not the framework's.
    pub(crate) fn named_roles(&self, named: Vec<String>) -> Option<BTreeSet<String>> {
        let own = self.roles();
        if named.is_empty() {
            return Some(own);
        }
        named.iter().all(|role| own.contains(role)).then(|| named.into_iter().collect())
    }

    /// The part it takes in allocation, but for these roles.
    pub(crate) fn interest(&self, suppressed: BTreeSet<String>) -> Interest {
        Interest {
            roles: self.roles(),
            suppressed,
            gpus: self.info.is_capable_of(Type::GpuResources),
            minimums: minimums_of(&self.info),
            constraints: self.constraints.clone(),
            active: self.is_connected(),
        }
    }
}

/// The roles a framework asks to be in.
pub(crate) fn roles_of(info: &v1::FrameworkInfo) -> BTreeSet<String> {
    if info.is_capable_of(Type::MultiRole) {
        return info.roles.iter().cloned().collect();
    }
    [info.role.as_deref().unwrap_or(EVERYONE).to_owned()].into()
}

/// The least that offers must hold, for the roles it said so for.
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
