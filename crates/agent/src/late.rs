//! The question to pools whose checks are late: one at a time for each pool, however many ask. So one that does not read is not
//! asked for ever, and it is known since when it does not answer.
//!
//! In: who asks, the streams and answers of pools, and the time. Out: the number of a question that is to be sent, and the way
//! to its answer. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::v1::FrameworkId;
use mesos::v1::cygnet::pool_call::Late;
use tokio::sync::watch;
use uuid::Uuid;

use crate::core::Unasked;
use crate::ids::StreamId;

/// The question to a pool that counts. Times are since the agent's start.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The time since when it has no answer, as long as it has none.
    pub(crate) since: Duration,
    /// The time of the answer to the one before.
    pub(crate) heard: Option<Duration>,
    pub(crate) answer: Option<Late>,
}

/// The way to its answer.
pub(crate) type Answering = watch::Receiver<Asked>;

/// By the pools' frameworks.
#[derive(Default)]
pub(crate) struct AskedPools(BTreeMap<FrameworkId, Pool>);

struct Pool {
    /// The stream of the pool, if it has said that it answers.
    tells: Option<StreamId>,
    /// The stream by which the last question went, and its number.
    asked: Option<StreamId>,
    uuid: Vec<u8>,
    /// True from a question to its answer.
    is_open: bool,
    inquiry: watch::Sender<Asked>,
}

impl Pool {
    fn new(now: Duration) -> Pool {
        let (inquiry, _) = watch::channel(Asked { since: now, heard: None, answer: None });
        Pool { tells: None, asked: None, uuid: Vec::new(), is_open: false, inquiry }
    }

    fn ask(&mut self, stream: Option<StreamId>, now: Duration) -> Option<Vec<u8>> {
        let is_open = std::mem::replace(&mut self.is_open, true);
        if !is_open {
            self.inquiry.send_modify(|inquiry| (inquiry.since, inquiry.answer) = (now, None));
        }
        // What was asked by a stream that is gone, nobody may have heard.
        if stream.is_none() || (is_open && self.asked == stream) {
            return None;
        }
        self.asked = stream;
        self.uuid = Uuid::new_v4().as_bytes().to_vec();
        Some(self.uuid.clone())
    }
}

impl AskedPools {
    /// A pool has this stream, and says whether it answers. The number of a question that waits for it.
    pub(crate) fn subscribed(
        &mut self,
        framework: &FrameworkId,
        stream: StreamId,
        tells: bool,
        now: Duration,
    ) -> Option<Vec<u8>> {
        let pool = self.0.entry(framework.clone()).or_insert_with(|| Pool::new(now));
        pool.tells = tells.then_some(stream);
        let is_awaited = tells && pool.is_open && pool.inquiry.receiver_count() > 0;
        // Silence counts from a question of somebody, and those of before wait no more.
        pool.is_open &= is_awaited;
        is_awaited.then(|| pool.ask(Some(stream), now)).flatten()
    }

    /// Somebody asks the pool, which has this stream if it is there. The way to the answer, and the number of the question if it
    /// is not asked already.
    pub(crate) fn ask(
        &mut self,
        framework: &FrameworkId,
        stream: Option<StreamId>,
        now: Duration,
    ) -> Result<(Answering, Option<Vec<u8>>), Unasked> {
        let pool = self.0.entry(framework.clone()).or_insert_with(|| Pool::new(now));
        if stream.is_some() && stream != pool.tells {
            return Err(Unasked::Deaf);
        }
        let uuid = pool.ask(stream, now);
        Ok((pool.inquiry.subscribe(), uuid))
    }

    /// The answer of a pool, if it is to the question that counts.
    pub(crate) fn answer(&mut self, framework: &FrameworkId, late: Late, now: Duration) {
        // A question that was not put yet has no number.
        let counts = |pool: &&mut Pool| pool.is_open && !pool.uuid.is_empty() && pool.uuid == late.uuid;
        let Some(pool) = self.0.get_mut(framework).filter(counts) else { return };
        pool.is_open = false;
        pool.inquiry.send_modify(|inquiry| (inquiry.heard, inquiry.answer) = (Some(now), Some(late)));
    }

    /// Forgets pools that are no more.
    pub(crate) fn keep(&mut self, is_there: impl Fn(&FrameworkId) -> bool) {
        self.0.retain(|framework, _| is_there(framework));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn subscribed() -> (AskedPools, FrameworkId) {
        let (mut all, framework) = (AskedPools::default(), FrameworkId::from("F"));
        assert_eq!(all.subscribed(&framework, StreamId(1), true, Duration::ZERO), None, "nobody asks");
        (all, framework)
    }

    #[test]
    fn a_pool_is_asked_again_only_once_it_has_answered() {
        let (mut all, framework) = subscribed();
        let (answer, uuid) = all.ask(&framework, Some(StreamId(1)), SECOND).unwrap();
        let (other, none) = all.ask(&framework, Some(StreamId(1)), 5 * SECOND).unwrap();
        assert_eq!((other.borrow().since, none), (SECOND, None), "it is silent since the first question");
        all.answer(&framework, Late { uuid: b"another".to_vec(), ..Late::default() }, 6 * SECOND);
        assert!(answer.borrow().answer.is_none());
        all.answer(&framework, Late { uuid: uuid.unwrap(), ..Late::default() }, 6 * SECOND);
        assert!(answer.borrow().answer.is_some() && other.borrow().answer.is_some());
        let (next, uuid) = all.ask(&framework, Some(StreamId(1)), 9 * SECOND).unwrap();
        assert!(uuid.is_some() && next.borrow().answer.is_none());
        assert_eq!((next.borrow().since, next.borrow().heard), (9 * SECOND, Some(6 * SECOND)));
    }

    #[test]
    fn a_pool_that_is_back_is_asked_what_it_was_not_and_its_silence_began_before() {
        let (mut all, framework) = subscribed();
        let (answer, uuid) = all.ask(&framework, None, SECOND).unwrap();
        assert_eq!(uuid, None, "there is nobody to ask");
        let uuid = all.subscribed(&framework, StreamId(2), true, 2 * SECOND);
        assert!(uuid.is_some() && answer.borrow().since == SECOND);
        drop(answer);
        assert_eq!(all.subscribed(&framework, StreamId(3), true, 3 * SECOND), None, "nobody waits any more");
        assert!(all.ask(&framework, Some(StreamId(3)), 4 * SECOND).unwrap().1.is_some());
    }

    #[test]
    fn one_that_does_not_know_the_question_is_not_asked_and_one_that_is_no_more_forgotten() {
        let (mut all, framework) = subscribed();
        all.subscribed(&framework, StreamId(2), false, SECOND);
        assert_eq!(all.ask(&framework, Some(StreamId(2)), SECOND).unwrap_err(), Unasked::Deaf);
        all.keep(|_| false);
        assert!(all.0.is_empty());
    }
}
