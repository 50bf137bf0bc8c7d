//! The framework, as the master sees it: one subscription, kept up, and calls in the order they are made.
//!
//! In: calls, over one channel. Out: [`Report`]s to the actor. Owns two tasks while it runs: one reads the stream and
//! subscribes again when it breaks, at the next of the masters it knows if there are several (whichever answers leads, or
//! knows who does), one makes the calls. Calls made while there is no subscription are dropped; whatever
//! matters of them follows again from the subscription (kills, reconciliation, what the agents repeat).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesos::Codec;
use mesos::client::{Client, ClientError, EventStream, Stranger};
use mesos::framework_error::FrameworkError;
use mesos::v1::framework_info::{Capability, capability};
use mesos::v1::scheduler::event::Content;
use mesos::v1::scheduler::{Call, Event, call};
use mesos::v1::{FrameworkInfo, MasterInfo};
use shell::Subscriber;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::bounds::bounded;
use crate::handle::{Handle, Report};
use crate::options::Options;
use crate::standing::Standing;

const PATH: &str = "/api/v1/scheduler";

/// The number of heartbeats that may stay away before the stream counts as broken.
const HEARTBEATS: f64 = 5.0;

/// The shortest and the longest wait before subscribing again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The destination of calls, and the framework and the stream they belong to.
#[derive(Clone)]
struct Session {
    master: Client,
    framework_id: String,
    stream_id: String,
}

pub(crate) struct Framework {
    /// Never empty.
    masters: Vec<Client>,
    info: FrameworkInfo,
    actor: Handle,
    /// Told when the subscription is to be made anew.
    abdication: Arc<Notify>,
    /// Only who acts subscribes.
    standing: watch::Receiver<Standing>,
}

impl Framework {
    pub(crate) fn new(options: &Options, address: SocketAddr, actor: Handle, abdication: Arc<Notify>) -> Framework {
        let capability = |kind: capability::Type| Capability { r#type: Some(kind.into()) };
        let credential = options.credential.as_ref();
        let info = FrameworkInfo {
            user: options.user.clone(),
            name: options.framework_name.clone(),
            failover_timeout: Some(options.failover_timeout.as_secs_f64()),
            checkpoint: Some(true),
            principal: options.principal.clone().or_else(|| credential.map(|own| own.principal().to_owned())),
            // Where tools such as Mesos-DNS look for it.
            hostname: Some(options.host(address)),
            webui_url: Some(format!("http://{}", options.authority(address))),
            capabilities: vec![
                capability(capability::Type::TaskKillingState),
                capability(capability::Type::PartitionAware),
                capability(capability::Type::MultiRole),
            ],
            ..FrameworkInfo::default()
        };
        let client = |master| Client::new(master, Codec::Protobuf).with_credential(credential);
        let standing = actor.standing();
        Framework { masters: options.masters().map(client).collect(), info, actor, abdication, standing }
    }

    /// Keeps a subscription up until `shutdown`.
    pub(crate) async fn run(self, calls: mpsc::UnboundedReceiver<Call>, shutdown: CancellationToken) {
        let (session, current) = watch::channel(None);
        let caller = Caller { info: self.info.clone(), session: current, abdication: self.abdication.clone() };
        let caller = tokio::spawn(caller.run(calls));
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.stay_subscribed(&session) => {}
        }
        caller.abort();
    }

    async fn stay_subscribed(&self, session: &watch::Sender<Option<Session>>) {
        let (mut subscriber, mut standing) = (Subscriber::new(BACKOFF.0, BACKOFF.1), self.standing.clone());
        for master in self.masters.iter().cycle() {
            if standing.wait_for(|standing| standing.is_acting()).await.is_err() {
                return;
            }
            let Some((id, roles)) = self.actor.registration().await else { return };
            // What the last stream told is taken in by now, be it that another took our place.
            if !standing.borrow().is_acting() {
                continue;
            }
            match master.subscribe::<Call, Event>(PATH, &self.subscribe_call(id, roles)).await {
                Ok(stream) => {
                    if subscriber.connected() {
                        tracing::info!("the master answers again");
                    }
                    if self.follow(stream, master, session).await {
                        subscriber.subscribed();
                    }
                    session.send_replace(None);
                    self.actor.report(Report::Disconnected).await;
                }
                Err(error) if subscriber.failed() => complain(master, &error).await,
                Err(error) => tracing::debug!(%error, "still no master"),
            }
            tokio::time::sleep(subscriber.pause(0.5 + fastrand::f64() / 2.0)).await;
        }
    }

    fn subscribe_call(&self, id: Option<String>, roles: Vec<String>) -> Call {
        let framework_id = id.map(Into::into);
        let framework_info = FrameworkInfo { id: framework_id.clone(), roles, ..self.info.clone() };
        Call { framework_id, ..Call::subscribe(call::Subscribe { framework_info, ..call::Subscribe::default() }) }
    }

    /// Reads one stream to its end; says whether we were subscribed by it.
    async fn follow(
        &self,
        mut stream: EventStream<Event>,
        master: &Client,
        session: &watch::Sender<Option<Session>>,
    ) -> bool {
        let (mut patience, mut subscribed) = (Duration::from_secs(75), false);
        let mut standing = self.standing.clone();
        loop {
            let next = tokio::select! {
                next = stream.next_within(patience) => next,
                () = self.abdication.notified() => return subscribed,
                _ = standing.wait_for(|standing| !standing.is_acting()) => return subscribed,
            };
            let event = match next {
                Ok(Some(event)) => event,
                Ok(None) => {
                    tracing::warn!("the master closed the subscription");
                    return subscribed;
                }
                Err(error) => {
                    tracing::warn!(%error, "the subscription broke");
                    return subscribed;
                }
            };
            if let Content::Subscribed(hello) = &event {
                session.send_replace(Some(Session {
                    master: master.clone(),
                    framework_id: hello.framework_id.value.clone(),
                    stream_id: stream.stream_id().unwrap_or_default().to_owned(),
                }));
                let seconds = hello.heartbeat_interval_seconds.unwrap_or(15.0) * HEARTBEATS;
                patience = mesos::duration::from_seconds(seconds).unwrap_or(patience);
                subscribed = true;
            }
            self.pass_on(event, stream.peer()).await;
        }
    }

    async fn pass_on(&self, event: Content, master: &str) {
        let report = match event {
            Content::Subscribed(hello) => Some(Report::Subscribed {
                master: hello.master_info.as_ref().map_or_else(|| master.to_owned(), place),
                framework_id: hello.framework_id.value,
            }),
            Content::Offers(offers) => Some(Report::Offers(offers.offers)),
            Content::Message(message) => Some(Report::Message {
                executor_id: message.executor_id.value,
                agent_id: message.agent_id.value,
                data: message.data,
            }),
            Content::Update(update) => Some(Report::Update(Box::new(bounded(update.status)))),
            Content::Error(error) => {
                tracing::error!(message = error.message, "the master refused us");
                FrameworkError::of(&error.message).map(|error| match error {
                    FrameworkError::FailedOver => Report::Superseded,
                    FrameworkError::Removed => Report::Removed,
                })
            }
            _ => None,
        };
        if let Some(report) = report {
            self.actor.report(report).await;
        }
    }
}

/// The address that a master gives for itself.
fn place(master: &MasterInfo) -> String {
    let host = master.hostname.as_deref().filter(|host| !host.is_empty());
    let address = master.address.as_ref();
    let host = host.or_else(|| address?.hostname.as_deref()).or_else(|| address?.ip.as_deref()).unwrap_or_default();
    format!("{host}:{}", master.port)
}

/// Makes the calls of others, one after the other.
struct Caller {
    info: FrameworkInfo,
    session: watch::Receiver<Option<Session>>,
    abdication: Arc<Notify>,
}

/// Says why there is no subscription, and, where somebody else listens than a master, who that is.
async fn complain(master: &Client, error: &ClientError) {
    let Some(found) = Stranger::behind(master, error).await else {
        return tracing::warn!(%error, "cannot subscribe at the master; trying again");
    };
    let advice = match found {
        Stranger::Mesos(_) | Stranger::Cygnet(_) => "but not a master: is this the port of an agent?",
        Stranger::Unknown => "there is no master to subscribe at",
    };
    tracing::warn!(master = master.authority(), %found, "cannot subscribe: {advice}; trying again");
}

impl Caller {
    async fn run(self, mut calls: mpsc::UnboundedReceiver<Call>) {
        while let Some(call) = calls.recv().await {
            let Some(session) = self.session.borrow().clone() else { continue };
            let kind = call.r#type();
            let call = self.complete(call, session.framework_id);
            if let Err(error) = session.master.call(PATH, &call, Some(&session.stream_id)).await {
                tracing::warn!(%error, ?kind, "a call to the master failed");
                if kind == call::Type::UpdateFramework {
                    // Masters of before Mesos 1.9 take other roles with a subscription only.
                    self.abdication.notify_one();
                }
            }
        }
    }

    /// Calls are made without our id and principal, which are put in here.
    fn complete(&self, call: Call, framework_id: String) -> Call {
        let mut call = Call { framework_id: Some(framework_id.as_str().into()), ..call };
        if let Some(update) = &mut call.update_framework {
            let roles = std::mem::take(&mut update.framework_info.roles);
            update.framework_info = FrameworkInfo { id: Some(framework_id.into()), roles, ..self.info.clone() };
        }
        call
    }
}
