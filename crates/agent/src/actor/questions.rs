//! The questions to executors and pools that are not answered yet.
//!
//! In: questions, and the answers of executors and pools. Out: the answers, to those that still wait for them. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use shell::Answer;
use uuid::Uuid;

/// The most questions that may wait for answers at a time.
const WAITING: usize = 512;

/// The most of these about one thing: what does not answer leaves room for all others.
const WAITING_FOR_ONE: usize = 16;

/// The time for which an unanswered question counts.
const LONGEST: Duration = Duration::from_secs(30);

/// By the numbers under which they were asked.
pub(super) struct Questions<K, T>(BTreeMap<Vec<u8>, Asked<K, T>>);

struct Asked<K, T> {
    about: K,
    answer: Answer<T>,
    at: Duration,
}

impl<K, T> Default for Questions<K, T> {
    fn default() -> Questions<K, T> {
        Questions(BTreeMap::new())
    }
}

impl<K: PartialEq, T> Questions<K, T> {
    /// A question whose answer goes there. Returns its number, or the way for the answer back if too many wait already. One
    /// that nobody waits for any more is forgotten only after a while: it may still lie in the stream of its executor.
    pub(super) fn add(&mut self, about: K, answer: Answer<T>, now: Duration) -> Result<Vec<u8>, Answer<T>> {
        self.0.retain(|_, asked| !asked.answer.is_closed() || now < asked.at.saturating_add(LONGEST));
        let about_it = self.0.values().filter(|asked| asked.about == about).count();
        if self.0.len() >= WAITING || about_it >= WAITING_FOR_ONE {
            return Err(answer);
        }
        let uuid = Uuid::new_v4().as_bytes().to_vec();
        self.0.insert(uuid.clone(), Asked { about, answer, at: now });
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
        let uuid = questions.add("one", first, Duration::ZERO).unwrap();
        questions.add("two", second, Duration::ZERO).unwrap();
        questions.answer(b"unknown", "lost");
        questions.answer(&uuid, "found");
        assert_eq!(one.try_recv().unwrap(), "found");
        assert!(two.try_recv().is_err());
        drop(two);
        let _third = questions.add("two", oneshot::channel().0, LONGEST);
        assert_eq!(questions.0.len(), 1, "nobody waits for the second any more");
    }

    #[test]
    fn an_executor_that_does_not_read_is_not_asked_for_ever() {
        let mut questions = Questions::<usize, ()>::default();
        let mut ask = |about, at| questions.add(about, oneshot::channel().0, at);
        assert!((0..WAITING_FOR_ONE).all(|_| ask(0, Duration::ZERO).is_ok()));
        assert!(ask(0, Duration::ZERO).is_err());
        assert!((WAITING_FOR_ONE..WAITING).all(|other| ask(other, Duration::ZERO).is_ok()), "others are");
        assert!(ask(WAITING, Duration::ZERO).is_err());
        assert!(ask(0, LONGEST).is_ok());
        let (answer, refused) = oneshot::channel();
        (1..WAITING_FOR_ONE).for_each(|_| drop(questions.add(0, oneshot::channel().0, LONGEST)));
        questions.add(0, answer, LONGEST).unwrap_err().send(()).unwrap();
        assert_eq!(refused.blocking_recv(), Ok(()));
    }
}
