//! A call of a scheduler: who sent it, whether its stream is the right one, and where it goes.

use mesos::v1::scheduler::call::{self, Content};

use super::Core;
use super::frameworks::Framework;
use super::subscribe::UpdateRefusal;
use crate::ids::{FrameworkId, StreamId};
use shell::Now;

/// Why a call is refused, each with the status it is answered with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum CallRefusal {
    #[error("Framework cannot be found")]
    UnknownFramework,
    #[error("Authenticated principal '{authenticated}' does not match principal '{own}' set in `FrameworkInfo`")]
    OtherPrincipal { authenticated: String, own: String },
    #[error("Framework is not subscribed")]
    NotSubscribed,
    #[error("All non-subscribe calls should include the 'Mesos-Stream-Id' header")]
    NoStreamId,
    #[error(
        "The stream ID '{sent}' included in this request didn't match the stream ID currently associated with \
         framework ID {framework}"
    )]
    OtherStreamId { sent: StreamId, framework: FrameworkId },
    #[error(transparent)]
    InvalidUpdate(#[from] UpdateRefusal),
    #[error("{0} is not supported: this master gives no {1}")]
    NotSupported(&'static str, &'static str),
    #[error("{0} is not implemented")]
    NotImplemented(String),
}

impl Core {
    /// A valid call other than SUBSCRIBE.
    pub(crate) fn scheduler_call(
        &mut self,
        now: Now,
        framework: &FrameworkId,
        (stream, principal): (Option<&StreamId>, Option<&str>),
        call: Content,
    ) -> Result<(), CallRefusal> {
        self.now = now;
        let known = self.frameworks.get(framework).ok_or(CallRefusal::UnknownFramework)?;
        check_principal(known, principal)?;
        check_stream(known, stream)?;
        self.count_call(framework, call.kind());
        self.route(framework, call)
    }

    pub(super) fn count_call(&mut self, framework: &FrameworkId, kind: call::Type) {
        self.counters.calls.add(kind);
        self.frameworks.count(framework, |counters| counters.calls.add(kind));
    }

    fn route(&mut self, framework: &FrameworkId, call: Content) -> Result<(), CallRefusal> {
        let name = call.kind().as_str_name();
        match call {
            Content::Teardown => self.remove_framework(framework),
            Content::Accept(accept) => self.accept(framework, accept),
            Content::Decline(decline) => self.decline(framework, &decline),
            Content::Revive(revive) => self.revive(framework, revive.unwrap_or_default().roles),
            Content::Suppress(suppress) => self.suppress(framework, suppress.unwrap_or_default().roles),
            Content::Kill(kill) => self.kill(framework, kill),
            Content::Shutdown(shutdown) => self.shutdown_executor(framework, shutdown),
            Content::Acknowledge(acknowledge) => self.acknowledge(framework, acknowledge),
            Content::Reconcile(reconcile) => self.reconcile(framework, &reconcile.tasks),
            Content::Message(message) => self.message_to_executor(framework, message),
            Content::UpdateFramework(update) => self.update_framework(framework, update)?,
            // Hints to an allocator that takes none, and answers to maintenance nobody announces.
            Content::Request(_) | Content::AcceptInverseOffers(_) | Content::DeclineInverseOffers(_) => {}
            Content::AcknowledgeOperationStatus | Content::ReconcileOperations => {
                return Err(CallRefusal::NotSupported(name, "operation feedback"));
            }
            Content::Unknown | Content::Subscribe(_) => return Err(CallRefusal::NotImplemented(name.to_owned())),
        }
        Ok(())
    }

    /// Offers again for these roles, or for all, whatever was refused or suppressed.
    fn revive(&mut self, id: &FrameworkId, roles: Vec<String>) {
        let Some(roles) = self.frameworks.get(id).and_then(|framework| framework.named_roles(roles)) else { return };
        self.allocator.revive(id, &roles);
        self.allocate_soon();
    }

    /// No offers for these roles, or for none at all, until revived.
    fn suppress(&mut self, id: &FrameworkId, roles: Vec<String>) {
        let Some(roles) = self.frameworks.get(id).and_then(|framework| framework.named_roles(roles)) else { return };
        self.allocator.suppress(id, &roles);
    }
}

/// The principal that was authenticated has to be the framework's own.
fn check_principal(framework: &Framework, authenticated: Option<&str>) -> Result<(), CallRefusal> {
    let own = framework.info().principal();
    match authenticated {
        Some(other) if other != own => {
            Err(CallRefusal::OtherPrincipal { authenticated: other.to_owned(), own: own.to_owned() })
        }
        _ => Ok(()),
    }
}

fn check_stream(framework: &Framework, sent: Option<&StreamId>) -> Result<(), CallRefusal> {
    let current = framework.stream().ok_or(CallRefusal::NotSubscribed)?;
    let sent = sent.ok_or(CallRefusal::NoStreamId)?;
    if sent != current {
        return Err(CallRefusal::OtherStreamId { sent: sent.clone(), framework: framework.id().clone() });
    }
    Ok(())
}
