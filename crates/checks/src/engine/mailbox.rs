//! The way handles talk to the engine's thread: one channel, and an eventfd that wakes the loop.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use tokio::sync::oneshot;

use super::check::Order;
use super::{ByHand, CheckReport, Late, Metrics, Series};
use crate::spec::Schedule;
use crate::timetable::Key;

/// A message to the thread. Checks are named by a key that is never used twice.
#[derive(Debug)]
pub(super) enum Message {
    Add(Key, Box<Order>),
    Remove(Key),
    Pause(Key),
    Snooze(Key, Duration),
    Resume(Key),
    CheckNow(Key),
    SetSchedule(Key, Box<Schedule>),
    SetVerdict(Key, Box<ByHand>),
    ClearVerdict(Key),
    Report(Key, oneshot::Sender<CheckReport>),
    Metrics(oneshot::Sender<Metrics>),
    Series(oneshot::Sender<Vec<Series>>),
    Late(oneshot::Sender<Vec<Late>>),
    /// The last handle is gone.
    Stop,
    /// All checks are to end; what is sent back is dropped when they have.
    ShutDown(oneshot::Sender<Never>),
}

/// Nothing is ever sent: an end shows by hanging up.
#[derive(Debug)]
pub(super) enum Never {}

/// The handles' end. It never waits for the thread: those who write may be async, or dropping a handle.
#[derive(Debug)]
pub(super) struct Sender {
    messages: mpsc::Sender<Message>,
    bell: Arc<OwnedFd>,
    keys: AtomicU64,
}

/// The thread's end. When it is dropped, those that wait for the end of the thread wake up.
#[derive(Debug)]
pub(super) struct Receiver {
    messages: mpsc::Receiver<Message>,
    waiting_for_the_end: Vec<oneshot::Sender<Never>>,
    bell: Arc<OwnedFd>,
}

pub(super) fn mailbox() -> io::Result<(Sender, Receiver)> {
    let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let (sender, receiver) = mpsc::channel();
    let keys = AtomicU64::new(0);
    let thread = Receiver { messages: receiver, waiting_for_the_end: Vec::new(), bell: Arc::clone(&bell) };
    Ok((Sender { messages: sender, bell, keys }, thread))
}

impl Sender {
    pub(super) fn next_key(&self) -> Key {
        self.keys.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a message. Without the thread there is nothing to do: its checks are gone, too.
    pub(super) fn send(&self, message: Message) {
        if self.messages.send(message).is_ok() {
            ring(&self.bell);
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.send(Message::Stop);
    }
}

impl Receiver {
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    pub(super) fn silence(&self) {
        let _count = rustix::io::read(&self.bell, &mut [0_u8; 8]);
    }

    /// There is more to read.
    pub(super) fn ring(&self) {
        ring(&self.bell);
    }

    pub(super) fn hang_up_at_the_end(&mut self, to: oneshot::Sender<Never>) {
        self.waiting_for_the_end.push(to);
    }

    pub(super) fn next(&self) -> Option<Message> {
        self.messages.try_recv().ok()
    }
}

fn ring(bell: &OwnedFd) {
    // Full means that it rings already.
    let _rings = rustix::io::write(bell, &1_u64.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_writes_waits_for_nobody() {
        let (sender, receiver) = mailbox().unwrap();
        (0..100_000).for_each(|key| sender.send(Message::CheckNow(key)));
        drop(sender);
        assert_eq!(std::iter::from_fn(|| receiver.next()).count(), 100_001, "and that there is no more to come");
    }
}
