//! The handle of a check that is being carried out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::mailbox::{Message, Sender};
use super::report::{ByHand, CheckReport};
use crate::spec::{Schedule, SpecError};
use crate::timetable::Key;

/// A check that is being carried out. Dropping this ends it. Nothing here waits for the engine's thread.
#[derive(Debug)]
#[must_use = "the check ends when its handle is dropped"]
pub struct CheckHandle {
    sender: Arc<Sender>,
    key: Key,
}

impl CheckHandle {
    pub(super) fn new(sender: Arc<Sender>, key: Key) -> CheckHandle {
        CheckHandle { sender, key }
    }

    /// No attempts from now on; one that runs is dropped. Grace goes on, counters stay.
    pub fn pause(&self) {
        self.sender.send(Message::Pause(self.key));
    }

    /// No attempts for so long; one that runs is dropped. Then an attempt at once.
    pub fn snooze(&self, time: Duration) {
        self.sender.send(Message::Snooze(self.key, time));
    }

    /// An attempt at once, if it was paused or snoozed.
    pub fn resume(&self) {
        self.sender.send(Message::Resume(self.key));
    }

    /// An attempt at once, or as soon as one that runs has ended; none if it is paused or snoozed.
    pub fn check_now(&self) {
        self.sender.send(Message::CheckNow(self.key));
    }

    /// Another schedule from now on; counters, verdict and grace stay. The next attempt is when it was planned, or an interval
    /// from now if that is sooner; its delay counts no more. An attempt that runs keeps its timeout.
    pub fn set_schedule(&self, schedule: Schedule) -> Result<(), SpecError> {
        schedule.validate()?;
        self.sender.send(Message::SetSchedule(self.key, Box::new(schedule)));
        Ok(())
    }

    /// Sets the verdict from now on, whatever attempts find. They go on, and are reported. One that does not last is refused.
    pub fn set_verdict(&self, by_hand: ByHand) -> Result<(), SpecError> {
        by_hand.validate()?;
        self.sender.send(Message::SetVerdict(self.key, Box::new(by_hand)));
        Ok(())
    }

    /// Ends what [`CheckHandle::set_verdict`] began: attempts decide again, from that verdict on.
    pub fn clear_verdict(&self) {
        self.sender.send(Message::ClearVerdict(self.key));
    }

    /// The report of the check; nothing if the engine's thread has died, or the channel of its events is closed.
    pub async fn report(&self) -> Option<CheckReport> {
        let (answer, report) = oneshot::channel();
        self.sender.send(Message::Report(self.key, answer));
        report.await.ok()
    }

    /// The same as dropping it.
    pub fn remove(self) {}
}

impl Drop for CheckHandle {
    fn drop(&mut self) {
        self.sender.send(Message::Remove(self.key));
    }
}
