//! ACCEPT: offers are checked and put together into one lot, operations are carried out on it in order, and what is
//! left goes back.

use std::collections::BTreeSet;

use mesos::Union;
use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::offer::Operation;
use mesos::v1::offer::operation::{self, Content};
use mesos::v1::scheduler::call;
use mesos::v1::task_status::Reason;
use v1::TaskState;

use super::offers::{Offer, Offers};
use super::{Core, events, status};
use crate::ids::{AgentId, FrameworkId, OfferId};

/// The accepted offers together, less what operations took so far.
#[derive(Debug)]
pub(super) struct Lot {
    pub(super) agent: AgentId,
    pub(super) role: String,
    pub(super) left: Resources,
}

/// Why offers cannot be used together.
#[derive(Debug, thiserror::Error)]
enum OfferError {
    #[error("No offers specified")]
    None,
    #[error("Duplicate offer {0} in offer list")]
    Twice(OfferId),
    #[error("Offer {0} is no longer valid")]
    Invalid(OfferId),
    #[error("Offer {id} has invalid framework {owner} while framework {framework} is expected")]
    OtherFramework { id: OfferId, owner: FrameworkId, framework: FrameworkId },
    #[error("Aggregated offers must belong to one single agent. Offer {id} uses agent {own} and agent {first}")]
    Agents { id: OfferId, own: AgentId, first: AgentId },
    #[error(
        "Aggregated offers must be allocated to the same role. Offer {id} uses role {own} but another is using role \
         {first}"
    )]
    Roles { id: OfferId, own: String, first: String },
}

impl Core {
    pub(super) fn accept(&mut self, framework: &FrameworkId, accept: call::Accept) {
        match self.gather(framework, &accept.offer_ids) {
            Ok(lot) => self.carry_out(framework, lot, accept),
            Err(problem) => self.reject(framework, accept, &problem),
        }
    }

    fn carry_out(&mut self, framework: &FrameworkId, mut lot: Lot, accept: call::Accept) {
        for operation in accept.operations {
            let (id, kind) = (operation.id.clone(), operation.r#type());
            self.frameworks.count(framework, |counters| counters.operations.add(kind));
            match operation.content() {
                Ok(Content::Launch(launch)) => self.launch(framework, &mut lot, launch, id.as_ref()),
                Ok(Content::LaunchGroup(group)) => self.launch_group(framework, &mut lot, group, id.as_ref()),
                // A launch of nothing.
                Err(_) if [operation::Type::Launch, operation::Type::LaunchGroup].contains(&kind) => {}
                Ok(_) | Err(_) => self.drop_operation(framework, &lot.agent, kind, id.as_ref()),
            }
        }
        self.give_back(framework, &lot.agent, &lot.left, accept.filters.as_ref());
    }

    /// Reservations, volumes and disks are not supported: what would have used the operation stays as it is. Who asked
    /// for feedback gets it; anybody else finds the resources offered again, unchanged.
    fn drop_operation(
        &mut self,
        framework: &FrameworkId,
        agent: &AgentId,
        kind: operation::Type,
        id: Option<&v1::OperationId>,
    ) {
        self.counters.operations_dropped.add(kind);
        let message = format!("{} operations are not supported", kind.as_str_name());
        tracing::warn!(%framework, message, "operation dropped");
        if let Some(id) = id {
            self.tell(framework, events::operation_refused(id, agent, message));
        }
    }

    /// Checks the named offers and takes them out of the outstanding ones; on a problem none is taken.
    fn gather(&mut self, framework: &FrameworkId, ids: &[OfferId]) -> Result<Lot, OfferError> {
        self.offers.check(framework, ids)?;
        let offers = self.offers.take_own(framework, ids);
        self.frameworks.count(framework, |counters| counters.offers_accepted += offers.len() as u64);
        let first = offers.first().ok_or(OfferError::None)?;
        let mut lot = Lot { agent: first.agent.clone(), role: first.role.clone(), left: Resources::default() };
        for offer in &offers {
            lot.left += &offer.resources;
        }
        Ok(lot)
    }

    /// The offers cannot be used: those that are the framework's are discarded, and every task is answered.
    fn reject(&mut self, framework: &FrameworkId, accept: call::Accept, problem: &OfferError) {
        let message = format!("Task launched with invalid offers: {problem}");
        for task in accept.operations.iter().flat_map(tasks_of) {
            self.answer_task(framework, task, (TaskState::TaskDropped, Reason::InvalidOffers), &message);
        }
        for offer in self.offers.take_own(framework, &accept.offer_ids) {
            self.allocator.recover(framework, &offer.agent, &offer.resources);
        }
    }

    /// Tells a framework that one of its tasks will not run.
    pub(super) fn answer_task(
        &mut self,
        framework: &FrameworkId,
        task: &v1::TaskInfo,
        (state, reason): (TaskState, Reason),
        message: &str,
    ) {
        let Some(known) = self.frameworks.get(framework) else { return };
        let state = known.visible(state);
        let (id, agent) = (task.task_id.clone(), Some(&task.agent_id));
        let status = status::from_master(self.now.unix, id, agent, (state, reason), message);
        self.counters.ended.add(state);
        self.counters.count_status(&status);
        self.frameworks.count(framework, |counters| counters.ended.add(state));
        self.tell(framework, events::update(status));
    }
}

impl Offers {
    /// The reason why these offers cannot be used together, if there is one.
    fn check(&self, framework: &FrameworkId, ids: &[OfferId]) -> Result<(), OfferError> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = ids.iter().find(|id| !seen.insert(*id)) {
            return Err(OfferError::Twice(twice.clone()));
        }
        let mut first: Option<&Offer> = None;
        for id in ids {
            let (id, offer) = (id.clone(), self.get(id).ok_or_else(|| OfferError::Invalid(id.clone()))?);
            if offer.framework != *framework {
                let (owner, framework) = (offer.framework.clone(), framework.clone());
                return Err(OfferError::OtherFramework { id, owner, framework });
            }
            let first = *first.get_or_insert(offer);
            if first.agent != offer.agent {
                return Err(OfferError::Agents { id, own: offer.agent.clone(), first: first.agent.clone() });
            }
            if first.role != offer.role {
                return Err(OfferError::Roles { id, own: offer.role.clone(), first: first.role.clone() });
            }
        }
        first.map(|_| ()).ok_or(OfferError::None)
    }
}

/// Every task an operation would have launched.
fn tasks_of(operation: &Operation) -> Vec<&v1::TaskInfo> {
    let launch = operation.launch.iter().flat_map(|launch| &launch.task_infos);
    let group = operation.launch_group.iter().flat_map(|group| &group.task_group.tasks);
    match operation.r#type() {
        operation::Type::Launch => launch.collect(),
        operation::Type::LaunchGroup => group.collect(),
        _ => Vec::new(),
    }
}
