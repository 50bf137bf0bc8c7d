//! The pace at which people may have a task's checks made: who asks again at once is given the attempts of who asked before.
//!
//! In: a question, and the time. Out: the time of the question that counts. Pure.

use std::time::{Duration, SystemTime};

use crate::clock::Moment;

/// The least time from one question that has checks made to the next.
const PACE: Duration = Duration::from_secs(1);

/// The times of attempts are kept with so much of a mistake: one that ended so shortly before a question is an answer to it.
const MISTAKE: Duration = Duration::from_millis(10);

/// The last question that had checks made.
#[derive(Debug, Default)]
pub(super) struct Asking(Option<(Moment, SystemTime)>);

impl Asking {
    /// The time from which on attempts answer the question that counts, and true if it is this one.
    pub(super) fn ask(&mut self, now: Moment, time_of_day: SystemTime) -> (SystemTime, bool) {
        match self.0 {
            Some((last, asked)) if now.since(last) < PACE => (asked, false),
            _ => {
                let asked = time_of_day.checked_sub(MISTAKE).unwrap_or(time_of_day);
                self.0 = Some((now, asked));
                (asked, true)
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
        let asked: Vec<u64> = (500..3500).filter(|ms| ask(*ms).1).collect();
        assert_eq!(asked, [500, 1500, 2500]);
        assert_eq!(ask(3499), (at(2490).1, false));
    }
}
