//! The state of a subscription that is kept up: when to subscribe again, and what of it to tell. Pure; the shell around it
//! waits, connects and reads.

use std::time::Duration;

/// See the module. A subscription is disconnected, subscribing, or subscribed.
#[derive(Debug, Clone)]
pub struct Subscriber {
    longest: Duration,
    /// The pause before the next attempt, if it is not shortened by chance.
    next: Duration,
    first: Duration,
    /// True if the last attempt failed.
    is_away: bool,
}

impl Subscriber {
    /// Disconnected. Pauses double from the first up to the longest.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Subscriber {
        Subscriber { longest, next: first, first, is_away: false }
    }

    /// The time to wait before the next attempt: this share, in 0..1, of the pause, so that many do not come at once.
    pub fn pause(&mut self, share: f64) -> Duration {
        let pause = self.next.mul_f64(share.clamp(0.0, 1.0));
        self.next = (self.next * 2).min(self.longest);
        pause
    }

    /// Nobody answers. Says whether that is new.
    pub fn failed(&mut self) -> bool {
        !std::mem::replace(&mut self.is_away, true)
    }

    /// There is a stream. Says whether nobody had answered before.
    pub fn connected(&mut self) -> bool {
        std::mem::take(&mut self.is_away)
    }

    /// Subscribed: the next pause is the first one again.
    pub fn subscribed(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_until_it_is_subscribed() {
        let mut subscriber = Subscriber::new(Duration::from_secs(1), Duration::from_secs(5));
        let pauses = |subscriber: &mut Subscriber| [1.0, 1.0, 0.5, 1.0].map(|share| subscriber.pause(share).as_secs());
        assert_eq!(pauses(&mut subscriber), [1, 2, 2, 5]);
        subscriber.subscribed();
        assert_eq!(pauses(&mut subscriber), [1, 2, 2, 5]);
    }

    #[test]
    fn it_is_told_once_that_nobody_answers_and_once_that_somebody_does() {
        let mut subscriber = Subscriber::new(Duration::from_secs(1), Duration::from_secs(5));
        assert!(!subscriber.connected(), "it was not away");
        assert_eq!([subscriber.failed(), subscriber.failed()], [true, false]);
        assert_eq!([subscriber.connected(), subscriber.connected()], [true, false]);
        assert!(subscriber.failed());
    }
}
