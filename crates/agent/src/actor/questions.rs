//! The questions to executors and pools that are not answered yet.
//!
//! In: questions, and the answers of executors and pools. Out: the answers, to those that still wait for them. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use shell::Answer;
use uuid::Uuid;

/// The most questions that may wait for answers at a time: fewer than an executor's stream has room for.
const WAITING: usize = 512;

/// The time for which an unanswered question counts.
const LONGEST: Duration = Duration::from_secs(30);

/// By the numbers under which they were asked.
pub(super) struct Questions<T>(BTreeMap<Vec<u8>, Asked<T>>);

struct Asked<T> {
    answer: Answer<T>,
    at: Duration,
}

impl<T> Default for Questions<T> {
    fn default() -> Questions<T> {
        Questions(BTreeMap::new())
    }
}

impl<T> Questions<T> {
    /// A question whose answer goes there. Returns its number, or the way for the answer back if too many wait already. One
    /// that nobody waits for any more is forgotten only after a while: it may still lie in the stream of its executor.
    pub(super) fn add(&mut self, answer: Answer<T>, now: Duration) -> Result<Vec<u8>, Answer<T>> {
        self.0.retain(|_, asked| !asked.answer.is_closed() || now < asked.at.saturating_add(LONGEST));
        if self.0.len() >= WAITING {
            return Err(answer);
        }
        let uuid = Uuid::new_v4().as_bytes().to_vec();
        self.0.insert(uuid.clone(), Asked { answer, at: now });
        Ok(uuid)
    }

    /// The answer to a question, or why there is none.
    pub(super) fn answer(&mut self, uuid: &[u8], result: T) {
        if let Some(asked) = self.0.remove(uuid) {
            let _nobody_waits = asked.answer.send(result);
        }
    }

    /// There will be no answer.
    pub(super) fn drop(&mut self, uuid: &[u8]) {
        self.0.remove(uuid);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn an_answer_finds_its_question_and_no_other() {
        let mut questions = Questions::default();
        let (first, mut one) = oneshot::channel();
        let (second, mut two) = oneshot::channel();
        let uuid = questions.add(first, Duration::ZERO).unwrap();
        questions.add(second, Duration::ZERO).unwrap();
        questions.answer(b"unknown", "lost");
        questions.answer(&uuid, "found");
        assert_eq!(one.try_recv().unwrap(), "found");
        assert!(two.try_recv().is_err());
        drop(two);
        let _third = questions.add(oneshot::channel().0, LONGEST);
        assert_eq!(questions.0.len(), 1, "nobody waits for the second any more");
    }

    #[test]
    fn an_executor_that_does_not_read_is_not_asked_for_ever() {
        let mut questions = Questions::<()>::default();
        assert!((0..WAITING).all(|_| questions.add(oneshot::channel().0, Duration::ZERO).is_ok()));
        let (answer, refused) = oneshot::channel();
        questions.add(answer, Duration::ZERO).unwrap_err().send(()).unwrap();
        assert_eq!(refused.blocking_recv(), Ok(()));
        assert!(questions.add(oneshot::channel().0, LONGEST).is_ok());
    }
}
