//! Offers: made from allocations, taken back, declined.

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::framework_info::capability::Type;
use mesos::v1::scheduler::{Event, call, event};

use super::Core;
use crate::allocator::{Allocation, refusal};
use crate::ids::{AgentId, FrameworkId, OfferId};
use crate::stock;

/// Part of an agent, offered to a framework and not answered yet.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) id: OfferId,
    pub(crate) framework: FrameworkId,
    pub(crate) agent: AgentId,
    pub(crate) role: String,
    /// They carry the role.
    pub(crate) resources: Resources,
    /// The time at which it is rescinded if nobody answers.
    pub(crate) expires: Option<Duration>,
}

/// Outstanding offers, and the counter that names them.
#[derive(Debug)]
pub(crate) struct Offers {
    prefix: String,
    next: u64,
    outstanding: BTreeMap<OfferId, Offer>,
}

impl Offers {
    pub(crate) fn new(master: &str) -> Self {
        Offers { prefix: format!("{master}-O"), next: 0, outstanding: BTreeMap::new() }
    }

    fn add(&mut self, allocation: Allocation, expires: Option<Duration>) -> Offer {
        let Allocation { framework, agent, role, resources } = allocation;
        let id = OfferId::from(format!("{}{}", self.prefix, self.next));
        self.next += 1;
        let offer = Offer { id: id.clone(), framework, agent, role, resources, expires };
        self.outstanding.insert(id, offer.clone());
        offer
    }

    pub(crate) fn get(&self, id: &OfferId) -> Option<&Offer> {
        self.outstanding.get(id)
    }

    /// Takes those of these offers that are the framework's.
    pub(super) fn take_own(&mut self, framework: &FrameworkId, ids: &[OfferId]) -> Vec<Offer> {
        let mut own = ids.to_vec();
        own.retain(|id| self.get(id).is_some_and(|offer| offer.framework == *framework));
        own.iter().filter_map(|id| self.outstanding.remove(id)).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Offer> {
        self.outstanding.values()
    }

    fn take(&mut self, chosen: impl Fn(&Offer) -> bool) -> Vec<Offer> {
        let ids: Vec<OfferId> = self.iter().filter(|offer| chosen(offer)).map(|offer| offer.id.clone()).collect();
        ids.iter().filter_map(|id| self.outstanding.remove(id)).collect()
    }
}

impl Core {
    /// Offers everything the allocator gives out, in one event for each framework.
    pub(super) fn make_offers(&mut self) {
        let expires = self.settings.offer_timeout.map(|timeout| self.now.elapsed + timeout);
        let mut made: BTreeMap<FrameworkId, Vec<v1::Offer>> = BTreeMap::new();
        for allocation in self.allocator.allocate(self.now.elapsed) {
            let offer = self.offers.add(allocation, expires);
            if let Some(wire) = self.offer_wire(&offer) {
                made.entry(offer.framework).or_default().push(wire);
            }
        }
        self.counters.allocation_runs += 1;
        for (framework, offers) in made {
            self.frameworks.count(&framework, |counters| counters.offers_sent += offers.len() as u64);
            self.tell(&framework, Event::offers(event::Offers { offers }));
        }
    }

    /// The offer as its framework sees it.
    pub(super) fn offer_wire(&self, offer: &Offer) -> Option<v1::Offer> {
        let (agent, framework) = (self.agents.get(&offer.agent)?, self.frameworks.get(&offer.framework)?);
        let executors = agent.work().executors_of(&offer.framework);
        let [multi_role, refined] =
            [Type::MultiRole, Type::ReservationRefinement].map(|kind| framework.info().is_capable_of(kind));
        let allocation = v1::resource::AllocationInfo { role: Some(offer.role.clone()) };
        Some(v1::Offer {
            id: offer.id.clone(),
            framework_id: offer.framework.clone(),
            agent_id: offer.agent.clone(),
            hostname: agent.info().hostname.clone(),
            url: agent_url(&agent.program().pid, &agent.info().hostname),
            resources: stock::for_framework(&offer.resources, multi_role, refined),
            attributes: agent.info().attributes.clone(),
            executor_ids: executors.map(|of| of.executor_id.clone()).collect(),
            allocation_info: multi_role.then_some(allocation),
            domain: agent.info().domain.clone(),
            ..v1::Offer::default()
        })
    }

    /// DECLINE: what was offered is free, and stays away from this framework for a while.
    pub(super) fn decline(&mut self, framework: &FrameworkId, decline: &call::Decline) {
        for offer in self.offers.take_own(framework, &decline.offer_ids) {
            self.frameworks.count(framework, |counters| counters.offers_declined += 1);
            self.give_back(framework, &offer.agent, &offer.resources, decline.filters.as_ref());
        }
    }

    /// Returns what a framework did not use of an offer.
    pub(super) fn give_back(
        &mut self,
        framework: &FrameworkId,
        agent: &AgentId,
        resources: &Resources,
        filters: Option<&v1::Filters>,
    ) {
        if resources.is_empty() {
            return;
        }
        self.allocator.recover(framework, agent, resources);
        if let Some(refusal) = refusal(filters.and_then(|filters| filters.refuse_seconds)) {
            self.allocator.refuse(framework, agent, resources, (self.now.elapsed, refusal));
        }
    }

    /// Takes offers back and says so.
    pub(super) fn rescind_offers(&mut self, chosen: impl Fn(&Offer) -> bool) {
        for offer in self.offers.take(chosen) {
            self.allocator.recover(&offer.framework, &offer.agent, &offer.resources);
            self.frameworks.count(&offer.framework, |counters| counters.offers_rescinded += 1);
            self.tell(&offer.framework, Event::rescind(event::Rescind { offer_id: offer.id }));
        }
    }

    /// Takes a framework's offers back without a word: nobody is there to hear it, or it starts anew.
    pub(super) fn drop_offers_of(&mut self, framework: &FrameworkId) {
        for offer in self.offers.take(|offer| offer.framework == *framework) {
            self.allocator.recover(framework, &offer.agent, &offer.resources);
        }
    }

    pub(super) fn expire_offers(&mut self) {
        let now = self.now.elapsed;
        self.rescind_offers(|offer| offer.expires.is_some_and(|expires| expires <= now));
    }
}

/// `slave(1)@ip:port` as the URL offers carry.
fn agent_url(pid: &str, hostname: &str) -> Option<v1::Url> {
    let (process, address) = pid.split_once('@')?;
    let (ip, port) = address.rsplit_once(':')?;
    Some(v1::Url {
        scheme: "http".to_owned(),
        address: v1::Address { hostname: Some(hostname.to_owned()), ip: Some(ip.to_owned()), port: port.parse().ok()? },
        path: Some(format!("/{process}")),
        ..v1::Url::default()
    })
}
