//! The things that containers need of the machine and that outlive executors, made ready: images and networks.
//!
//! Comes in: what the tasks of a run need, or a container of the operator API, and the ends of both. Goes out: a
//! [`containers::provision::Provision`] for each task in the state of its executor, and for each such container in its
//! directory, and the word that it is there, or why not. Owns: a task, which knows the runs, and one for each run or
//! container that is being provided for. What is made for a run is let go when the run is over, never before
//! everything that was under way for it has ended.

mod collector;
mod credentials;
mod download;
mod error;
mod holder;
mod images;
mod leases;
mod maker;
mod puller;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use containers::provision::{Provision, ProvisionedNetwork};
use mesos::v1::{ContainerId, TaskId};
use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::collector::ImageCollector;
pub(crate) use self::error::ProvisionError;
use self::holder::Holder;
pub(crate) use self::images::Images;
pub(crate) use self::maker::Maker;
pub(crate) use self::source::Source;
use crate::core::{Provisioning, TaskNeeds};

/// The way to the provisioner; a cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Provisioner {
    orders: mpsc::UnboundedSender<Order>,
    /// Nothing is waited for any more: the agent ends.
    end: CancellationToken,
}

/// The network that a run has joined, if it has one of its own.
type Provided = Result<Option<ProvisionedNetwork>, ProvisionError>;

/// All that a container of the operator API needs. Its directory is there, and has its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContainerNeeds {
    pub(crate) container: ContainerId,
    /// The network of those around it, if that is not the host's.
    pub(crate) network: Option<ProvisionedNetwork>,
    pub(crate) images: TaskNeeds,
}

/// The things that are ready for such a container.
type Contained = Result<Provision, ProvisionError>;

enum Order {
    Provide(Box<Provisioning>, oneshot::Sender<Provided>),
    /// Given up with the token.
    Contain(Box<ContainerNeeds>, CancellationToken, oneshot::Sender<Contained>),
    Drop(ContainerId, oneshot::Sender<()>),
    Abandon(ContainerId, Vec<TaskId>),
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
    launches: Vec<Launch>,
    /// The network that all its tasks are in.
    joined: Arc<OnceCell<ProvisionedNetwork>>,
}

/// The tasks that wait for the same, and the word to give that up, which is also said when it is made.
struct Launch {
    tasks: BTreeSet<TaskId>,
    over: CancellationToken,
}

impl Provisioner {
    pub(crate) fn start(maker: Maker) -> Provisioner {
        let (orders, inbox) = mpsc::unbounded_channel();
        let end = CancellationToken::new();
        let runs = Runs { maker, runs: BTreeMap::new(), end: end.clone() };
        tokio::spawn(runs.serve(inbox));
        Provisioner { orders, end }
    }

    /// Makes ready what these tasks need, beginning with the call. One whose run is over meanwhile is not waited for.
    pub(crate) fn provide(&self, wanted: Box<Provisioning>) -> impl Future<Output = Provided> + use<> {
        let (answer, answered) = oneshot::channel();
        let _ended = self.orders.send(Order::Provide(wanted, answer));
        async { answered.await.unwrap_or(Err(ProvisionError::Over)) }
    }

    /// Makes ready what a container of the operator API needs, until it is given up.
    pub(crate) async fn contain(&self, wanted: ContainerNeeds, over: CancellationToken) -> Contained {
        let (answer, answered) = oneshot::channel();
        let _ended = self.orders.send(Order::Contain(Box::new(wanted), over, answer));
        answered.await.unwrap_or(Err(ProvisionError::Over))
    }

    /// Lets the images of such a container go. Nothing may be under way for it.
    pub(crate) async fn let_go(&self, container: &ContainerId) {
        let (done, is_done) = oneshot::channel();
        let _ended = self.orders.send(Order::Drop(container.clone(), done));
        let _ended = is_done.await;
    }

    /// These tasks of a run wait for nothing any more.
    pub(crate) fn abandon(&self, container: ContainerId, tasks: Vec<TaskId>) {
        let _ended = self.orders.send(Order::Abandon(container, tasks));
    }

    /// Lets everything go that was made ready for a run.
    pub(crate) async fn release(&self, container: &ContainerId) {
        let (done, is_done) = oneshot::channel();
        let _ended = self.orders.send(Order::Release(container.clone(), done));
        let _ended = is_done.await;
    }

    /// Lets everything go that was made ready for runs other than these. What is asked for meanwhile is made afterwards.
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
                Order::Contain(wanted, over, answer) => self.contain(*wanted, over, answer),
                Order::Drop(container, done) => {
                    let maker = self.maker.clone();
                    tokio::spawn(async move {
                        maker.release_images(Holder::container(&container)).await;
                        let _gone = done.send(());
                    });
                }
                Order::Abandon(container, tasks) => self.abandon(&container, &tasks),
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
        let (maker, over, joined) = (self.maker.clone(), run.over.child_token(), run.joined.clone());
        run.launches.retain(|launch| !launch.over.is_cancelled());
        let tasks = wanted.tasks.iter().map(|needs| needs.task.clone()).collect();
        run.launches.push(Launch { tasks, over: over.clone() });
        run.busy.spawn(async move {
            let _done = over.clone().drop_guard();
            // Who asked may have gone.
            drop(answer.send(maker.make(&wanted, &joined, &over).await));
        });
    }

    fn contain(&self, wanted: ContainerNeeds, over: CancellationToken, answer: oneshot::Sender<Contained>) {
        let maker = self.maker.clone();
        tokio::spawn(async move { answer.send(maker.contain(&wanted, &over).await) });
    }

    fn abandon(&mut self, container: &ContainerId, tasks: &[TaskId]) {
        let Some(run) = self.runs.get_mut(&container.to_string()) else { return };
        for launch in &mut run.launches {
            launch.tasks.retain(|task| !tasks.contains(task));
            if launch.tasks.is_empty() {
                launch.over.cancel();
            }
        }
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
