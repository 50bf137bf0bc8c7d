//! One pull of an image, however many wait for it, and only some pulls at a time.
//!
//! Comes in: waiters, who go when they are dropped. Goes out: how it ended, and how far it has come. Owns a task, which
//! ends with the last handle, and one for each pull.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use containers::registry::{Meter, Order, Progress, Pulls};
use containers::store::Store;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::error::BringError;
use super::source::{Source, Wanted};

/// Images that are pulled at the same time.
const PULLS: usize = 4;

type Outcome = Result<(), Arc<BringError>>;

/// The way to the task that pulls.
#[derive(Debug, Clone)]
pub(super) struct Puller {
    wishes: mpsc::UnboundedSender<Wish>,
    next: Arc<AtomicU64>,
}

enum Wish {
    Wait(Wanted, u64, Waiter),
    Leave(Wanted, u64),
}

struct Waiter {
    done: oneshot::Sender<Outcome>,
    progress: oneshot::Sender<watch::Receiver<Progress>>,
}

/// Someone who waits for a pull. Without anybody who waits, it is given up.
pub(super) struct Waiting {
    wanted: Wanted,
    number: u64,
    wishes: mpsc::UnboundedSender<Wish>,
    done: oneshot::Receiver<Outcome>,
    /// The progress of the pull, once that is known.
    pub(super) progress: oneshot::Receiver<watch::Receiver<Progress>>,
}

impl Puller {
    pub(super) fn start(store: Store, source: Source) -> Puller {
        let (wishes, inbox) = mpsc::unbounded_channel();
        let under_way =
            UnderWay { store, source, pulls: Pulls::new(PULLS), waiters: BTreeMap::new(), pulled: BTreeMap::new() };
        tokio::spawn(under_way.serve(inbox));
        Puller { wishes, next: Arc::default() }
    }

    pub(super) fn pull(&self, wanted: Wanted) -> Waiting {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (done, is_done) = oneshot::channel();
        let (tell, progress) = oneshot::channel();
        let _ended = self.wishes.send(Wish::Wait(wanted.clone(), number, Waiter { done, progress: tell }));
        Waiting { wanted, number, wishes: self.wishes.clone(), done: is_done, progress }
    }
}

impl Waiting {
    pub(super) async fn done(&mut self) -> Outcome {
        (&mut self.done).await.unwrap_or_else(|_ended| Err(Arc::new(BringError::Stopped)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ended = self.wishes.send(Wish::Leave(self.wanted.clone(), self.number));
    }
}

/// The pulls that are wanted.
struct UnderWay {
    store: Store,
    source: Source,
    pulls: Pulls<Wanted, u64>,
    waiters: BTreeMap<u64, oneshot::Sender<Outcome>>,
    /// The word to stop, and the progress, of each.
    pulled: BTreeMap<Wanted, (CancellationToken, Meter, watch::Receiver<Progress>)>,
}

impl UnderWay {
    async fn serve(mut self, mut inbox: mpsc::UnboundedReceiver<Wish>) {
        let mut work = JoinSet::new();
        loop {
            let orders = tokio::select! {
                wish = inbox.recv() => match wish {
                    Some(wish) => self.take(wish),
                    None => return,
                },
                Some(Ok((wanted, outcome))) = work.join_next() => self.ended(&wanted, outcome),
            };
            for order in orders {
                match order {
                    Order::Start(wanted) => drop(work.spawn(self.begin(wanted))),
                    Order::Stop(wanted) => self.pulled.get(&wanted).into_iter().for_each(|(stop, ..)| stop.cancel()),
                }
            }
        }
    }

    fn take(&mut self, wish: Wish) -> Vec<Order<Wanted>> {
        match wish {
            Wish::Wait(wanted, number, waiter) => {
                let (.., progress) = self.pulled.entry(wanted.clone()).or_insert_with(new);
                let _gone = waiter.progress.send(progress.clone());
                self.waiters.insert(number, waiter.done);
                self.pulls.want(wanted, number)
            }
            Wish::Leave(wanted, number) => {
                self.waiters.remove(&number);
                let orders = self.pulls.leave(&wanted, &number);
                if orders.is_empty() && !self.is_wanted(&wanted) {
                    self.pulled.remove(&wanted);
                }
                orders
            }
        }
    }

    fn is_wanted(&self, wanted: &Wanted) -> bool {
        self.pulls.waiters(wanted).next().is_some()
    }

    fn begin(&mut self, wanted: Wanted) -> impl Future<Output = (Wanted, Result<(), BringError>)> + use<> {
        let (stop, meter, _) = self.pulled.entry(wanted.clone()).or_insert_with(new).clone();
        let (store, source, image) = (self.store.clone(), self.source.clone(), wanted.clone());
        async move {
            let bring = async move { source.bring(store, image, meter).await };
            let bring = AbortOnDropHandle::new(tokio::spawn(bring));
            let outcome = tokio::select! {
                () = stop.cancelled() => Err(BringError::Stopped),
                outcome = bring => outcome.unwrap_or_else(|panicked| Err(panicked.into())),
            };
            (wanted, outcome)
        }
    }

    fn ended(&mut self, wanted: &Wanted, outcome: Result<(), BringError>) -> Vec<Order<Wanted>> {
        let outcome = outcome.map_err(Arc::new);
        let (waiters, orders) = self.pulls.ended(wanted, outcome.is_ok());
        match self.is_wanted(wanted) {
            // Those who came after the word to stop see it begin anew.
            true => self.pulled.get_mut(wanted).into_iter().for_each(|(stop, ..)| *stop = CancellationToken::new()),
            false => drop(self.pulled.remove(wanted)),
        }
        for waiter in waiters.iter().filter_map(|number| self.waiters.remove(number)) {
            let _gone = waiter.send(outcome.clone());
        }
        orders
    }
}

fn new() -> (CancellationToken, Meter, watch::Receiver<Progress>) {
    let (meter, progress) = Meter::new();
    (CancellationToken::new(), meter, progress)
}
