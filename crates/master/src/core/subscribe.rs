//! A scheduler subscribes: as a new framework, as one that was away, or in place of its older self.

use std::collections::BTreeSet;

use mesos::framework_error::FrameworkError;
use mesos::v1::FrameworkInfo;
use mesos::v1::master::response::get_frameworks;
use mesos::v1::master::{Event, event};
use mesos::v1::scheduler::{self, call};

use super::framework_rules::SubscribeRefusal;
use super::frameworks::{Framework, Link};
use super::snapshot::Depth;
use super::{Action, Core, commands, events, framework_rules};
use crate::ids::{FrameworkId, StreamId};
use shell::Now;

/// Why what a framework says anew about itself is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum UpdateRefusal {
    #[error("Supplied FrameworkInfo is not valid: {0}")]
    Info(SubscribeRefusal),
    #[error("FrameworkInfo update is not valid: {0}")]
    Change(SubscribeRefusal),
    #[error("'UpdateFramework' call is not valid: {0}")]
    Call(SubscribeRefusal),
}

/// A framework that was let in, with the roles it wants no offers for.
type Admitted = (FrameworkId, BTreeSet<String>);

impl Core {
    /// A valid SUBSCRIBE has arrived on a new stream. Refusals are an ERROR event and the end of the stream.
    pub(crate) fn subscribe(&mut self, now: Now, stream: StreamId, subscribe: call::Subscribe) {
        self.now = now;
        match self.admit(&stream, subscribe) {
            Ok((framework, suppressed)) => self.welcome(&framework, suppressed),
            Err(refusal) => {
                let message = refusal.to_string();
                tracing::info!(%stream, message, "subscription refused");
                self.out.push(Action::ToFramework(stream.clone(), Box::new(events::error(message))));
                self.out.push(Action::Close(stream));
            }
        }
    }

    fn admit(&mut self, stream: &StreamId, subscribe: call::Subscribe) -> Result<Admitted, SubscribeRefusal> {
        let call::Subscribe { framework_info: info, suppressed_roles, offer_constraints } = subscribe;
        framework_rules::check(&info, self.settings.roles.as_ref())?;
        let (suppressed, constraints) = framework_rules::wishes(&info, suppressed_roles, offer_constraints)?;
        let given = info.id.as_ref().filter(|id| !id.value.is_empty()).cloned();
        if given.as_ref().is_some_and(|id| self.frameworks.has_completed(id)) {
            return Err(FrameworkError::Removed.into());
        }
        let id = match given {
            Some(id) if self.frameworks.contains(&id) => self.fail_over(&id, stream, info)?,
            Some(id) => self.add_framework(id, stream, info),
            None => {
                let id = self.frameworks.next_id();
                self.add_framework(id, stream, info)
            }
        };
        if let Some(framework) = self.frameworks.get_mut(&id) {
            framework.constrain(constraints);
        }
        self.count_call(&id, call::Type::Subscribe);
        Ok((id, suppressed))
    }

    fn add_framework(&mut self, id: FrameworkId, stream: &StreamId, info: FrameworkInfo) -> FrameworkId {
        self.counters.frameworks.first += 1;
        tracing::info!(framework = %id, name = info.name, "framework subscribed");
        let framework = Framework::new(id.clone(), info, Link::Connected(stream.clone()), self.now.unix);
        self.frameworks.add(framework);
        self.announce_framework_added(&id);
        id
    }

    /// The framework is known: its scheduler has restarted, or another one takes over.
    fn fail_over(
        &mut self,
        id: &FrameworkId,
        stream: &StreamId,
        info: FrameworkInfo,
    ) -> Result<FrameworkId, SubscribeRefusal> {
        let Some(framework) = self.frameworks.get(id) else { return Ok(id.clone()) };
        if framework.info().principal() != info.principal() {
            return Err(SubscribeRefusal::OtherPrincipal);
        }
        self.counters.frameworks.again += 1;
        tracing::info!(framework = %id, "framework subscribed again");
        if let Some(older) = framework.stream().cloned() {
            let error = events::error(FrameworkError::FailedOver.to_string());
            self.out.push(Action::ToFramework(older.clone(), Box::new(error)));
            self.out.push(Action::Close(older));
        }
        self.drop_offers_of(id);
        // What the older self refused, the new one may want.
        self.allocator.deactivate_framework(id);
        let now = self.now.unix;
        if let Some(framework) = self.frameworks.get_mut(id) {
            framework.reconnect(stream.clone(), now);
            framework.change_info(info);
        }
        self.tell_others_of(id);
        Ok(id.clone())
    }

    /// SUBSCRIBED, a heartbeat at once, and offers as soon as there are any.
    fn welcome(&mut self, id: &FrameworkId, suppressed: BTreeSet<String>) {
        self.tell(id, events::subscribed(id, self.identity.master_info()));
        self.tell(id, scheduler::Event::heartbeat());
        if let Some(framework) = self.frameworks.get(id) {
            self.allocator.set_framework(id.clone(), framework.interest(suppressed));
        }
        self.allocate_soon();
    }

    /// UPDATE_FRAMEWORK: the stream stays, what the framework says about itself changes.
    pub(super) fn update_framework(
        &mut self,
        id: &FrameworkId,
        update: call::UpdateFramework,
    ) -> Result<(), UpdateRefusal> {
        let call::UpdateFramework { framework_info: info, suppressed_roles, offer_constraints } = update;
        framework_rules::check(&info, self.settings.roles.as_ref()).map_err(UpdateRefusal::Info)?;
        let Some(framework) = self.frameworks.get_mut(id) else { return Ok(()) };
        framework_rules::check_update(framework.info(), &info).map_err(UpdateRefusal::Change)?;
        let (suppressed, constraints) =
            framework_rules::wishes(&info, suppressed_roles, offer_constraints).map_err(UpdateRefusal::Call)?;
        let before = framework.info().clone();
        framework.change_info(info);
        let is_new = *framework.info() != before;
        framework.constrain(constraints);
        let (roles, interest) = (framework.roles(), framework.interest(suppressed));
        self.allocator.set_framework(id.clone(), interest);
        self.rescind_offers(|offer| offer.framework == *id && !roles.contains(&offer.role));
        if is_new {
            self.tell_others_of(id);
        }
        self.allocate_soon();
        Ok(())
    }

    pub(super) fn announce_framework_added(&mut self, id: &FrameworkId) {
        self.announce_framework(id, |framework| Event::framework_added(event::FrameworkAdded { framework }));
    }

    fn announce_framework(&mut self, id: &FrameworkId, event: fn(get_frameworks::Framework) -> Event) {
        if let Some(framework) = self.frameworks.get(id) {
            let view = self.framework_view(framework, None, Depth::WithoutTasks);
            self.out.announce(|| event(view.announced()));
        }
    }

    /// Operators and agents with work of this framework learn its new information; the agents send what is
    /// unacknowledged again.
    fn tell_others_of(&mut self, id: &FrameworkId) {
        self.announce_framework(id, |framework| Event::framework_updated(event::FrameworkUpdated { framework }));
        let Some(info) = self.frameworks.info(id) else { return };
        for agent in self.agents.with_work_of(id) {
            self.command(&agent, commands::update_framework(info.clone()));
        }
    }
}
