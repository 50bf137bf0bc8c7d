//! The things that containers need of the machine and that outlive executors, made ready: images and networks.
//!
//! Comes in: what the tasks of a run need, and the ends of runs. Goes out: a [`containers::provision::Provision`] for each
//! task in the state of its executor, and the word that it is there, or why not. Owns: a task, which knows the runs, and
//! one for each run that is being provided for. What is made for a run is let go when the run is over, never before
//! everything that was under way for it has ended.

mod collector;
mod credentials;
mod download;
mod error;
mod images;
mod leases;
mod maker;
mod puller;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use containers::provision::ProvisionedNetwork;
use mesos::v1::ContainerId;
use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::collector::ImageCollector;
use self::error::ProvisionError;
pub(crate) use self::images::Images;
pub(crate) use self::maker::Maker;
pub(crate) use self::source::Source;
use crate::core::Provisioning;

/// The way to the provisioner; a cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Provisioner {
    orders: mpsc::UnboundedSender<Order>,
    /// Nothing is waited for any more: the agent ends.
    end: CancellationToken,
}

/// The network that a run has joined, if it has one of its own.
type Provided = Result<Option<ProvisionedNetwork>, ProvisionError>;

enum Order {
    Provide(Box<Provisioning>, oneshot::Sender<Provided>),
    Release(ContainerId, oneshot::Sender<()>),
    Sweep(BTreeSet<String>, oneshot::Sender<()>),
}

/// The runs that something is made for.
struct Runs {
    maker: Maker,
    runs: BTreeMap<String, Run>,
    end: CancellationToken,
}

/// A run, what is under way for it, and the word to give that up.
#[derive(Default)]
struct Run {
    over: CancellationToken,
    busy: TaskTracker,
    /// The network that all its tasks are in.
    joined: Arc<OnceCell<ProvisionedNetwork>>,
}

impl Provisioner {
    pub(crate) fn start(maker: Maker) -> Provisioner {
        let (orders, inbox) = mpsc::unbounded_channel();
        let end = CancellationToken::new();
        let runs = Runs { maker, runs: BTreeMap::new(), end: end.clone() };
        tokio::spawn(runs.serve(inbox));
        Provisioner { orders, end }
    }

    /// Makes ready what these tasks need. One whose run is over meanwhile is not waited for.
    pub(crate) async fn provide(&self, wanted: Box<Provisioning>) -> Provided {
        let (answer, answered) = oneshot::channel();
        let _ended = self.orders.send(Order::Provide(wanted, answer));
        answered.await.unwrap_or(Err(ProvisionError::Over))
    }

    /// Lets everything go that was made ready for a run.
    pub(crate) async fn release(&self, container: &ContainerId) {
        let (done, is_done) = oneshot::channel();
        let _ended = self.orders.send(Order::Release(container.clone(), done));
        let _ended = is_done.await;
    }

    /// Lets everything go that was made ready for runs other than these. Nothing is made meanwhile.
    pub(crate) async fn sweep(&self, live: BTreeSet<String>) {
        let (done, is_done) = oneshot::channel();
        let _ended = self.orders.send(Order::Sweep(live, done));
        let _ended = is_done.await;
    }

    /// The word to give up what is under way. What is there stays: the next agent finds it.
    pub(crate) fn end(&self) -> CancellationToken {
        self.end.clone()
    }
}

impl Runs {
    async fn serve(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        while let Some(order) = inbox.recv().await {
            match order {
                Order::Provide(wanted, answer) => self.provide(*wanted, answer),
                Order::Release(container, done) => self.release(container, done),
                Order::Sweep(live, done) => {
                    self.maker.sweep(live).await;
                    let _gone = done.send(());
                }
            }
        }
    }

    fn provide(&mut self, wanted: Provisioning, answer: oneshot::Sender<Provided>) {
        let new = || Run { over: self.end.child_token(), ..Run::default() };
        let run = self.runs.entry(wanted.container.to_string()).or_insert_with(new);
        let (maker, over, joined) = (self.maker.clone(), run.over.clone(), run.joined.clone());
        // Who asked may have gone.
        run.busy.spawn(async move { drop(answer.send(maker.make(&wanted, &joined, &over).await)) });
    }

    fn release(&mut self, container: ContainerId, done: oneshot::Sender<()>) {
        let run = self.runs.remove(&container.to_string()).unwrap_or_default();
        let maker = self.maker.clone();
        tokio::spawn(async move {
            run.over.cancel();
            run.busy.close();
            run.busy.wait().await;
            maker.release(&container).await;
            let _gone = done.send(());
        });
    }
}
