//! The regularity with which targets are asked, as they see it.

use crate::clock::Moment;

/// One listener in so many is watched.
const EVERY: usize = 64;

/// The times between connections.
#[derive(Default)]
pub(super) struct Gaps {
    /// Of each listener that is watched, its last connection.
    last: Vec<Option<Moment>>,
    found_ms: Vec<f64>,
}

impl Gaps {
    /// A connection to this listener has come.
    pub(super) fn note(&mut self, listener: usize) {
        if !listener.is_multiple_of(EVERY) {
            return;
        }
        let place = listener / EVERY;
        if self.last.len() <= place {
            self.last.resize(place + 1, None);
        }
        let before = self.last[place].replace(Moment::now());
        self.found_ms.extend(before.map(|moment| moment.age().as_secs_f64() * 1000.0));
    }

    /// All since this was last asked, in milliseconds, as text. The gap across the question is not counted.
    pub(super) fn take(&mut self) -> String {
        self.last.clear();
        std::mem::take(&mut self.found_ms).iter().map(|gap| format!("{gap:.1} ")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_listeners_are_watched() {
        let mut gaps = Gaps::default();
        (0..3).for_each(|_| [0, 1, EVERY].into_iter().for_each(|listener| gaps.note(listener)));
        assert_eq!(gaps.take().split_whitespace().count(), 4);
        assert_eq!(gaps.take(), "");
    }
}
