//! The status-update manager: every update of every task reaches the framework at least once and in order.
//!
//! Pure. Comes in: updates of executors and of the agent itself, acknowledgements of frameworks, the time, and whether
//! there is a master. Goes out: [`UpdateAction`]s, and when to be woken. Changes that are to be persisted are durable
//! before anything else of the same batch is carried out.
//!
//! Each task has a [`Stream`]. Only its oldest update is in flight, repeated ever more slowly until its framework
//! acknowledges it. The acknowledgement of a terminal update ends the stream.

mod stream;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mesos::states::is_terminal;
use mesos::v1::task_status::Source;
use mesos::v1::{FrameworkId, TaskState, TaskStatus};

use self::stream::Stream;
pub(crate) use self::stream::UpdateRecord;
use crate::ids::TaskKey;

/// The wait before the first repetition of an update.
pub(crate) const RETRY_MIN: Duration = Duration::from_secs(10);

/// The longest wait before any repetition.
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(600);

/// A step of the manager, to be carried out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum UpdateAction {
    /// To disk, before everything else.
    Persist(UpdateChange),
    /// The executor need not keep this update any longer.
    AcknowledgeExecutor { key: TaskKey, uuid: Vec<u8> },
    /// To the master.
    Forward {
        key: TaskKey,
        status: Box<TaskStatus>,
        /// The task's state by now.
        latest: TaskState,
    },
    /// The framework knows how the task ended: nothing more is to be done for it.
    Remove(TaskKey),
}

/// A change of the durable records of one stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum UpdateChange {
    /// The record with this number is now this.
    Put {
        key: TaskKey,
        /// Its place in the stream.
        number: u64,
        /// An update, or the note that it was acknowledged.
        record: Box<UpdateRecord>,
    },
    /// These records are no longer needed.
    Delete { key: TaskKey, numbers: Vec<u64> },
}

/// Why an acknowledgement changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unexpected {
    #[error("no update of the task is waiting for an acknowledgement")]
    NoStream,
    #[error("it is not the oldest update of the task that is acknowledged")]
    NotTheOldest,
}

#[derive(Debug, Default)]
pub(crate) struct StatusUpdates {
    streams: BTreeMap<TaskKey, Stream>,
    /// The time at which each stream repeats its oldest update.
    retries: BTreeSet<(Duration, TaskKey)>,
    /// Set while there is a master to send to.
    connected: bool,
}

impl StatusUpdates {
    /// An update has been made. One that is known already is acknowledged again, and so is one that comes after the
    /// task's end; neither goes any further.
    pub(crate) fn receive(&mut self, now: Duration, key: &TaskKey, status: TaskStatus) -> Vec<UpdateAction> {
        let uuid = status.uuid().to_vec();
        let from_executor = status.source() == Source::Executor;
        let stream = self.streams.entry(key.clone()).or_default();
        let mut actions = Vec::new();
        if !stream.knows(&uuid) && !stream.has_ended() {
            let is_next = stream.oldest().is_none();
            actions.push(UpdateAction::Persist(stream.push(key, status)));
            if is_next && self.connected {
                actions.extend(self.send(now, key, RETRY_MIN));
            }
        }
        if from_executor {
            actions.push(UpdateAction::AcknowledgeExecutor { key: key.clone(), uuid });
        }
        actions
    }

    /// The framework has an update. It must be the oldest one.
    pub(crate) fn acknowledge(
        &mut self,
        now: Duration,
        key: &TaskKey,
        uuid: &[u8],
    ) -> Result<Vec<UpdateAction>, Unexpected> {
        let stream = self.streams.get_mut(key).ok_or(Unexpected::NoStream)?;
        let oldest = stream.oldest().ok_or(Unexpected::NoStream)?;
        if oldest.uuid() != uuid {
            return Err(Unexpected::NotTheOldest);
        }
        if is_terminal(oldest.state()) {
            return Ok(self.end(key));
        }
        let mut actions: Vec<UpdateAction> = stream.pop(key).into_iter().map(UpdateAction::Persist).collect();
        self.cancel_retry(key);
        actions.extend(self.send_if_connected(now, key));
        Ok(actions)
    }

    /// There is no master: nothing is sent until there is one again.
    pub(crate) fn pause(&mut self) {
        self.connected = false;
        self.retries.clear();
        self.streams.values_mut().for_each(|stream| stream.retry = None);
    }

    /// There is a master: every stream sends its oldest update at once.
    pub(crate) fn resume(&mut self, now: Duration) -> Vec<UpdateAction> {
        self.pause();
        self.connected = true;
        let keys: Vec<TaskKey> = self.streams.keys().cloned().collect();
        keys.iter().filter_map(|key| self.send(now, key, RETRY_MIN)).collect()
    }

    /// Repeats what is due.
    pub(crate) fn wake(&mut self, now: Duration) -> Vec<UpdateAction> {
        let mut actions = Vec::new();
        while let Some((at, key)) = self.retries.first().cloned().filter(|(at, _)| *at <= now) {
            self.retries.remove(&(at, key.clone()));
            let waited = self.streams.get(&key).and_then(|stream| stream.retry).map_or(RETRY_MIN, |retry| retry.after);
            actions.extend(self.send(now, &key, (waited * 2).min(RETRY_MAX)));
        }
        actions
    }

    /// The time at which [`StatusUpdates::wake`] is due.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        self.retries.first().map(|(at, _)| *at)
    }

    /// The framework is gone: nobody will acknowledge anything.
    pub(crate) fn remove_framework(&mut self, framework: &FrameworkId) -> Vec<UpdateAction> {
        let keys: Vec<TaskKey> = self.streams.keys().filter(|key| key.framework == *framework).cloned().collect();
        keys.iter().flat_map(|key| self.end(key)).collect()
    }

    /// Takes a record back in after a restart. Records of a stream come in the order of their numbers.
    pub(crate) fn recover(&mut self, key: &TaskKey, number: u64, record: UpdateRecord) {
        self.streams.entry(key.clone()).or_default().recover(number, record);
    }

    /// True if an update of this task waits for its framework.
    pub(crate) fn is_waiting(&self, key: &TaskKey) -> bool {
        self.oldest(key).is_some()
    }

    /// The update of this task that its framework is, or will be, told of next.
    pub(crate) fn oldest(&self, key: &TaskKey) -> Option<&TaskStatus> {
        self.streams.get(key)?.oldest()
    }

    /// True if no update waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.streams.values().all(|stream| stream.oldest().is_none())
    }

    fn end(&mut self, key: &TaskKey) -> Vec<UpdateAction> {
        self.cancel_retry(key);
        let Some(stream) = self.streams.remove(key) else { return Vec::new() };
        let delete = UpdateChange::Delete { key: key.clone(), numbers: stream.numbers() };
        vec![UpdateAction::Persist(delete), UpdateAction::Remove(key.clone())]
    }

    fn send_if_connected(&mut self, now: Duration, key: &TaskKey) -> Option<UpdateAction> {
        if self.connected { self.send(now, key, RETRY_MIN) } else { None }
    }

    fn send(&mut self, now: Duration, key: &TaskKey, after: Duration) -> Option<UpdateAction> {
        self.cancel_retry(key);
        let stream = self.streams.get_mut(key)?;
        let status = Box::new(stream.oldest()?.clone());
        stream.retry = Some(stream::Retry { at: now + after, after });
        self.retries.insert((now + after, key.clone()));
        Some(UpdateAction::Forward { key: key.clone(), status, latest: stream.latest() })
    }

    fn cancel_retry(&mut self, key: &TaskKey) {
        if let Some(retry) = self.streams.get_mut(key).and_then(|stream| stream.retry.take()) {
            self.retries.remove(&(retry.at, key.clone()));
        }
    }
}
