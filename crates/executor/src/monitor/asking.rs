//! The pace at which people may have a task's checks made: who asks again at once is given the attempts of who asked before.
//!
//! In: a question, and the time. Out: the question that counts. Pure.

use std::time::{Duration, SystemTime};

use crate::clock::Moment;

/// The least time from one question that has checks made to the next.
const PACE: Duration = Duration::from_secs(1);

/// A question that has checks made: attempts that begin then or later are its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub at: SystemTime,
    /// The time for which it has been asked; none: it is this one.
    pub ago: Option<Duration>,
}

/// The last question that had checks made.
#[derive(Debug, Default)]
pub(super) struct Asking(Option<(Moment, SystemTime)>);

impl Asking {
    /// The question that counts.
    pub(super) fn ask(&mut self, now: Moment, time_of_day: SystemTime) -> Question {
        match self.0 {
            Some((last, at)) if now.since(last) < PACE => Question { at, ago: Some(now.since(last)) },
            _ => {
                self.0 = Some((now, time_of_day));
                Question { at: time_of_day, ago: None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_in_a_loop_has_checks_made_once_a_second() {
        let mut asking = Asking::default();
        let at =
            |ms| (Moment::after_boot(Duration::from_millis(ms)), SystemTime::UNIX_EPOCH + Duration::from_millis(ms));
        let mut ask = |ms| {
            let (now, time_of_day) = at(ms);
            asking.ask(now, time_of_day)
        };
        let asked: Vec<u64> = (500..3500).filter(|ms| ask(*ms).ago.is_none()).collect();
        assert_eq!(asked, [500, 1500, 2500]);
        assert_eq!(ask(3499), Question { at: at(2500).1, ago: Some(Duration::from_millis(999)) });
    }
}
