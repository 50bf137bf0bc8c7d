//! The shares of frameworks in what is free: weighted dominant-resource fairness over hierarchical roles.
//!
//! Comes in: agents, frameworks, what they refuse, want and give back, each with the time it matters for.
//! Goes out: [`Allocation`]s, from [`Allocator::allocate`], which the core turns into offers. What was allocated stays
//! allocated until it is recovered; whether it is still offered or used by a task makes no difference here.
//! Pure: no clock, no I/O.

mod constraints;
mod filters;
mod shares;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mesos::resources::Resources;
use mesos::v1::AgentInfo;

use crate::ids::{AgentId, FrameworkId};
use crate::stock;
pub(crate) use constraints::{ConstraintError, Constraints};
use filters::Filters;
pub(crate) use filters::refusal;
use shares::{Quantities, Usage};

/// An offer has at least this much of one of the two, or is not made.
const MIN_CPUS: f64 = 0.01;
const MIN_MEM_MB: f64 = 32.0;

/// Part of an agent, given to a framework in one of its roles. The resources carry the role.
#[derive(Debug, Clone)]
pub(crate) struct Allocation {
    pub(crate) framework: FrameworkId,
    pub(crate) agent: AgentId,
    pub(crate) role: String,
    pub(crate) resources: Resources,
}

/// The part that a framework takes in allocation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interest {
    pub(crate) roles: BTreeSet<String>,
    pub(crate) suppressed: BTreeSet<String>,
    /// Agents with GPUs are kept for frameworks that know what these are.
    pub(crate) gpus: bool,
    /// By role, what an offer must at least hold, one of several; what is usual where nothing is said.
    pub(crate) minimums: BTreeMap<String, Vec<BTreeMap<String, f64>>>,
    /// On which agents it wants offers at all.
    pub(crate) constraints: Arc<Constraints>,
    pub(crate) active: bool,
}

/// One agent.
#[derive(Debug)]
struct Site {
    info: Arc<AgentInfo>,
    total: Resources,
    available: Resources,
    allocated: BTreeMap<(String, FrameworkId), Resources>,
    active: bool,
}

impl Site {
    /// Finds out what is left. An agent that came back smaller than what runs on it has nothing left, until enough of
    /// that is over.
    fn weigh(&mut self) {
        let held: Resources = self.allocated.values().map(Resources::unallocate).sum();
        self.available = self.total.clone() - &held;
    }
}

#[derive(Debug, Default)]
pub(crate) struct Allocator {
    /// No filter is shorter: what a framework just refused is not offered again in the same breath.
    interval: Duration,
    weights: BTreeMap<String, f64>,
    agents: BTreeMap<AgentId, Site>,
    frameworks: BTreeMap<FrameworkId, Interest>,
    filters: Filters,
    total: Quantities,
    usage: Usage,
}

impl Allocator {
    pub(crate) fn new(interval: Duration, weights: BTreeMap<String, f64>) -> Self {
        Allocator { interval, weights, ..Allocator::default() }
    }

    /// Takes an agent in, active, with what is used on it already.
    pub(crate) fn add_agent<'a>(
        &mut self,
        agent: AgentId,
        info: Arc<AgentInfo>,
        total: Resources,
        used: impl IntoIterator<Item = (&'a FrameworkId, &'a Resources)>,
    ) {
        self.remove_agent(&agent);
        self.total.add(&Quantities::of(&total.to_wire()));
        let site = Site { info, available: total.clone(), total, allocated: BTreeMap::new(), active: true };
        self.agents.insert(agent.clone(), site);
        for (framework, resources) in used {
            self.take(framework, &agent, resources);
        }
    }

    pub(crate) fn remove_agent(&mut self, agent: &AgentId) {
        let Some(site) = self.agents.remove(agent) else { return };
        self.total.subtract(&Quantities::of(&site.total.to_wire()));
        for (holder, resources) in site.allocated {
            self.count_back(holder, &resources);
        }
        self.filters.forget_agent(agent);
    }

    pub(crate) fn set_agent_active(&mut self, agent: &AgentId, active: bool) {
        if let Some(site) = self.agents.get_mut(agent) {
            site.active = active;
        }
    }

    /// Adds a framework or changes how it takes part.
    pub(crate) fn set_framework(&mut self, framework: FrameworkId, interest: Interest) {
        self.frameworks.insert(framework, interest);
    }

    pub(crate) fn deactivate_framework(&mut self, framework: &FrameworkId) {
        if let Some(interest) = self.frameworks.get_mut(framework) {
            interest.active = false;
        }
        self.filters.forget_framework(framework);
    }

    pub(crate) fn remove_framework(&mut self, framework: &FrameworkId) {
        self.frameworks.remove(framework);
        self.filters.forget_framework(framework);
    }

    /// No more offers for these roles until revived.
    pub(crate) fn suppress(&mut self, framework: &FrameworkId, roles: &BTreeSet<String>) {
        if let Some(interest) = self.frameworks.get_mut(framework) {
            interest.suppressed.extend(roles.iter().cloned());
        }
    }

    /// Offers for these roles again, also of what was refused.
    pub(crate) fn revive(&mut self, framework: &FrameworkId, roles: &BTreeSet<String>) {
        if let Some(interest) = self.frameworks.get_mut(framework) {
            interest.suppressed.retain(|role| !roles.contains(role));
        }
        for role in roles {
            self.filters.forget_role(framework, role);
        }
    }

    /// Takes back what a framework held on an agent.
    pub(crate) fn recover(&mut self, framework: &FrameworkId, agent: &AgentId, resources: &Resources) {
        let Some(site) = self.agents.get_mut(agent) else { return };
        let mut recovered = Vec::new();
        for (role, part) in stock::by_role(resources) {
            let holder = (role, framework.clone());
            let Some(held) = site.allocated.get_mut(&holder).filter(|held| held.contains(&part)) else { continue };
            *held -= &part;
            if held.is_empty() {
                site.allocated.remove(&holder);
            }
            recovered.push((holder, part));
        }
        site.weigh();
        for (holder, part) in recovered {
            self.count_back(holder, &part);
        }
    }

    /// Keeps what a framework refused away from it for a while.
    pub(crate) fn refuse(
        &mut self,
        framework: &FrameworkId,
        agent: &AgentId,
        resources: &Resources,
        (now, refusal): (Duration, Duration),
    ) {
        let until = now + refusal.max(self.interval);
        for (role, part) in stock::by_role(resources) {
            self.filters.add((framework.clone(), role, agent.clone()), part, until);
        }
    }

    /// Gives out everything somebody may have, fairest first.
    pub(crate) fn allocate(&mut self, now: Duration) -> Vec<Allocation> {
        self.filters.expire(now);
        let candidates = self.candidates();
        if candidates.is_empty() {
            return Vec::new();
        }
        let open = |(id, site): (&AgentId, &Site)| (site.active && !site.available.is_empty()).then(|| id.clone());
        let agents: Vec<AgentId> = self.agents.iter().filter_map(open).collect();
        agents.iter().flat_map(|agent| self.allocate_agent(agent, &candidates)).collect()
    }

    fn candidates(&self) -> Vec<(String, FrameworkId)> {
        let wanting = |(id, interest): (&FrameworkId, &Interest)| {
            let roles = interest.roles.difference(&interest.suppressed);
            roles.map(|role| (role.clone(), id.clone())).collect::<Vec<_>>()
        };
        self.frameworks.iter().filter(|(_, interest)| interest.active).flat_map(wanting).collect()
    }

    fn allocate_agent(&mut self, agent: &AgentId, candidates: &[(String, FrameworkId)]) -> Vec<Allocation> {
        let order = shares::order(candidates.to_vec(), &self.usage, &self.weights, &self.total);
        let mut made = Vec::new();
        for (role, framework) in order {
            let Some(resources) = self.offerable(agent, &role, &framework) else { continue };
            self.take(&framework, agent, &resources);
            made.push(Allocation { framework, agent: agent.clone(), role, resources });
        }
        made
    }

    /// The part of the agent that this framework can be offered in this role, if it is enough and not refused.
    fn offerable(&self, agent: &AgentId, role: &str, framework: &FrameworkId) -> Option<Resources> {
        let (site, interest) = (self.agents.get(agent)?, self.frameworks.get(framework)?);
        if site.total.scalar("gpus") > 0.0 && !interest.gpus {
            return None;
        }
        if !interest.constraints.fit(role, &site.info) {
            return None;
        }
        let offer = stock::allocatable_to(&site.available, role).allocate(role);
        let hidden = self.filters.hides(&(framework.clone(), role.to_owned(), agent.clone()), &offer);
        let minimums = interest.minimums.get(role).map(Vec::as_slice);
        (is_enough(&offer, minimums) && !hidden).then_some(offer)
    }

    fn take(&mut self, framework: &FrameworkId, agent: &AgentId, resources: &Resources) {
        let Some(site) = self.agents.get_mut(agent) else { return };
        for (role, part) in stock::by_role(resources) {
            let holder = (role, framework.clone());
            *site.allocated.entry(holder.clone()).or_default() += &part;
            self.usage.entry(holder).or_default().add(&Quantities::of(&part.to_wire()));
        }
        site.weigh();
    }

    fn count_back(&mut self, holder: (String, FrameworkId), resources: &Resources) {
        let Some(held) = self.usage.get_mut(&holder) else { return };
        held.subtract(&Quantities::of(&resources.to_wire()));
        if *held == Quantities::default() {
            self.usage.remove(&holder);
        }
    }

    pub(crate) fn is_suppressed(&self, framework: &FrameworkId, role: &str) -> bool {
        self.frameworks.get(framework).is_some_and(|interest| interest.suppressed.contains(role))
    }

    /// Filters in force, by role.
    pub(crate) fn filters_by_role(&self) -> BTreeMap<&str, usize> {
        self.filters.by_role()
    }

    /// The share of the cluster that each role holds, not weighted.
    pub(crate) fn shares(&self) -> BTreeMap<String, f64> {
        shares::of_roles(&self.usage, &self.total)
    }

    pub(crate) fn weight(&self, role: &str) -> f64 {
        self.weights.get(role).copied().unwrap_or(1.0)
    }

    /// The weights that somebody has set.
    pub(crate) fn weights(&self) -> &BTreeMap<String, f64> {
        &self.weights
    }

    pub(crate) fn set_weight(&mut self, role: &str, weight: f64) {
        self.weights.insert(role.to_owned(), weight);
    }
}

/// True if it is worth an offer to somebody with these minimums: one of them is enough.
fn is_enough(resources: &Resources, minimums: Option<&[BTreeMap<String, f64>]>) -> bool {
    let holds = |minimum: &BTreeMap<String, f64>| minimum.iter().all(|(name, least)| resources.scalar(name) >= *least);
    match minimums {
        None => resources.cpus() >= MIN_CPUS || resources.mem() >= MIN_MEM_MB,
        Some(minimums) => !resources.is_empty() && (minimums.is_empty() || minimums.iter().any(holds)),
    }
}
