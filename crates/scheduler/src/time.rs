//! The two clocks: moments as Marathon writes them, and those that everything is decided by. The former are `yyyy-MM-ddTHH:mm:ss.SSSZ`, UTC, to the millisecond. A definition's version is one.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Timestamp(millis)
    }

    /// Now. For shells only: cores are told.
    #[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the clock")]
    pub(crate) fn now() -> Self {
        Timestamp::from(std::time::SystemTime::now())
    }

    /// Milliseconds since the epoch.
    pub(crate) fn millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero if it is the other way round.
    pub(crate) fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment and `later` more.
    pub(crate) fn plus(self, later: Duration) -> Self {
        Timestamp(self.0.saturating_add(i64::try_from(later.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Reads what [`fmt::Display`] writes, and other forms of RFC 3339.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|moment| Timestamp(moment.as_millisecond()))
    }
}

impl From<std::time::SystemTime> for Timestamp {
    fn from(moment: std::time::SystemTime) -> Self {
        let since = moment.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The longest age that is believed of what was stored: the clock may have been anything then.
const OLDEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A moment on a clock that never jumps, in milliseconds since the scheduler started: negative for what was before that.
/// Everything is decided by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    pub(crate) const NEVER: Moment = Moment(i64::MAX);

    #[cfg(test)]
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Moment(millis)
    }

    /// The time from `earlier` to this moment; zero if it is the other way round.
    pub(crate) fn since(self, earlier: Moment) -> Duration {
        Timestamp(self.0).since(Timestamp(earlier.0))
    }

    /// This moment and `later` more.
    pub(crate) fn plus(self, later: Duration) -> Self {
        Moment(Timestamp(self.0).plus(later).0)
    }
}

/// Both clocks at one moment: the one that never jumps, to decide by, and the wall's, for what is stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    pub(crate) moment: Moment,
    pub(crate) wall: Timestamp,
}

impl Now {
    /// The moment of something that was stored with this time: not later than now, nor longer ago than can be believed.
    pub(crate) fn moment_of(self, past: Timestamp) -> Moment {
        let age = self.wall.since(past).min(OLDEST);
        Moment(self.moment.0 - Moment(0).plus(age).0)
    }

    /// The moment of something stored with this time: not earlier than now, and not so late that it cannot be
    /// believed.
    pub(crate) fn moment_until(self, future: Timestamp) -> Moment {
        self.moment.plus(future.since(self.wall).min(OLDEST))
    }
}

#[cfg(test)]
impl Now {
    pub(crate) fn plus(self, later: Duration) -> Now {
        Now { moment: self.moment.plus(later), wall: self.wall.plus(later) }
    }
}

impl From<shell::Now> for Now {
    fn from(now: shell::Now) -> Now {
        let [moment, wall] = [now.elapsed, now.unix].map(|time| Timestamp(0).plus(time));
        Now { moment: Moment(moment.0), wall }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{moment:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).ok_or_else(|| de::Error::custom("error.expected.timestamp"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_decimals_always() {
        for (millis, text) in [(0, "1970-01-01T00:00:00.000Z"), (1_700_000_000_120, "2023-11-14T22:13:20.120Z")] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(Timestamp::from_millis(millis)));
        }
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn time_never_runs_backwards() {
        let (early, late) = (Timestamp::from_millis(1), Timestamp::from_millis(5));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
