//! The books at one moment, for whoever wants to read them at leisure.
//!
//! Taking one costs the core little: tasks, executors and definitions are shared, and copied only if they change while
//! somebody still reads. So answers of any size are written outside the core's task, piece by piece.

mod agent;
mod framework;

use std::collections::BTreeMap;
use std::sync::Arc;

use mesos::resources::Resources;
use mesos::v1;

use super::offers::Offers;
use super::{Core, Identity};
use crate::ids::{AgentId, FrameworkId};
use crate::stock;
pub(crate) use agent::AgentView;
pub(crate) use framework::FrameworkView;

pub(crate) use super::frameworks::TaskLists;

/// The tasks that a question is about; they are many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    WithoutTasks,
    WithTasks,
}

#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) identity: Identity,
    pub(crate) agents: Vec<AgentView>,
    pub(crate) recovered: Vec<Arc<v1::AgentInfo>>,
    pub(crate) unreachable_agents: usize,
    pub(crate) frameworks: Vec<FrameworkView>,
    pub(crate) completed_frameworks: Vec<FrameworkView>,
    pub(crate) roles: Vec<RoleView>,
}

/// One role somebody is in, holds something in, or has a weight for.
#[derive(Debug, Default)]
pub(crate) struct RoleView {
    pub(crate) name: String,
    pub(crate) weight: f64,
    pub(crate) frameworks: Vec<FrameworkId>,
    pub(crate) used: Resources,
    pub(crate) offered: Resources,
    pub(crate) reserved: Resources,
}

/// Resources offered of each agent, and to each framework.
#[derive(Default)]
struct Offered {
    on: BTreeMap<AgentId, Resources>,
    to: BTreeMap<FrameworkId, Resources>,
}

impl Offered {
    fn of(offers: &Offers) -> Offered {
        let mut offered = Offered::default();
        for offer in offers.iter() {
            *offered.on.entry(offer.agent.clone()).or_default() += &offer.resources;
            *offered.to.entry(offer.framework.clone()).or_default() += &offer.resources;
        }
        offered
    }
}

impl Core {
    /// The books as they are now.
    pub(crate) fn snapshot(&self, depth: Depth) -> Snapshot {
        let offered = Offered::of(&self.offers);
        let agents = self.agents.here().map(|agent| self.agent_view(agent, offered.on.get(agent.id())));
        let live = self.frameworks.live();
        let live = live.map(|of| self.framework_view(of, offered.to.get(of.id()), depth));
        let completed = self.frameworks.completed().map(|of| self.framework_view(of, None, depth));
        Snapshot {
            identity: self.identity.clone(),
            agents: agents.collect(),
            recovered: self.agents.absent().recovered.values().cloned().collect(),
            unreachable_agents: self.agents.absent().unreachable.len(),
            frameworks: live.collect(),
            completed_frameworks: completed.collect(),
            roles: self.role_views(),
        }
    }

    fn role_views(&self) -> Vec<RoleView> {
        let mut roles: BTreeMap<String, RoleView> = BTreeMap::new();
        roles.entry(stock::EVERYONE.to_owned()).or_default();
        for role in self.allocator.weights().keys() {
            roles.entry(role.clone()).or_default();
        }
        for framework in self.frameworks.live() {
            for role in framework.roles() {
                roles.entry(role).or_default().frameworks.push(framework.id().clone());
            }
        }
        for used in self.agents.used() {
            for (role, part) in stock::by_role(used) {
                roles.entry(role).or_default().used += &part;
            }
        }
        for offer in self.offers.iter() {
            roles.entry(offer.role.clone()).or_default().offered += &offer.resources;
        }
        for (role, part) in self.agents.here().flat_map(|agent| agent.total().reservations()) {
            roles.entry(role).or_default().reserved += &part;
        }
        let named = |(name, view): (String, RoleView)| RoleView { weight: self.allocator.weight(&name), name, ..view };
        roles.into_iter().map(named).collect()
    }
}

impl Snapshot {
    /// Every framework there is or was.
    pub(crate) fn all_frameworks(&self) -> impl Iterator<Item = &FrameworkView> {
        self.frameworks.iter().chain(&self.completed_frameworks)
    }
}

impl RoleView {
    /// Resources that frameworks hold in it, used or offered.
    pub(crate) fn held(&self) -> Resources {
        self.used.clone() + &self.offered
    }
}
