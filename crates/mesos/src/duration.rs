//! Durations as Mesos spells them: `5secs`, `15mins`, `1weeks`. In: text or durations. Out: the other.

use std::time::Duration;

use crate::v1::{DurationInfo, TimeInfo};

/// Units from the largest to the smallest, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("weeks", 604_800_000_000_000),
    ("days", 86_400_000_000_000),
    ("hrs", 3_600_000_000_000),
    ("mins", 60_000_000_000),
    ("secs", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// No number, or a negative one.
    #[error("'{0}' does not begin with a number that is not negative")]
    Number(String),
    /// No unit, or one nobody knows.
    #[error("'{0}' does not end in ns, us, ms, secs, mins, hrs, days or weeks")]
    Unit(String),
    /// More than fits into 64 bits of nanoseconds.
    #[error("'{0}' is longer than 292 years")]
    TooLong(String),
}

/// Reads a duration such as `5secs` or `1.5hrs`.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let &(_, nanoseconds) =
        UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(|| DurationError::Unit(text.to_owned()))?;
    let total = match number.parse::<u64>() {
        Ok(whole) => u128::from(whole) * u128::from(nanoseconds),
        // The cast saturates, and what saturates is too long.
        Err(_) => {
            (fraction(number).ok_or_else(|| DurationError::Number(text.to_owned()))? * nanoseconds as f64) as u128
        }
    };
    match i64::try_from(total) {
        Ok(total) => Ok(Duration::from_nanos(total.unsigned_abs())),
        Err(_) => Err(DurationError::TooLong(text.to_owned())),
    }
}

/// Writes a duration in the largest unit that needs no fraction.
pub fn format(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    let unit = UNITS.iter().find(|(_, unit)| nanoseconds != 0 && nanoseconds.is_multiple_of(u128::from(*unit)));
    match unit {
        Some((name, unit)) => format!("{}{name}", nanoseconds / u128::from(*unit)),
        None => "0ns".to_owned(),
    }
}

fn fraction(number: &str) -> Option<f64> {
    number.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}

/// Seconds as the API carries them, cut to whole nanoseconds. Nothing if negative, not a number, or too long.
pub fn from_seconds(seconds: f64) -> Option<Duration> {
    let nanoseconds = seconds * 1e9;
    // 2^63 is a double, 2^63 - 1 is not.
    (0.0..9_223_372_036_854_775_808.0).contains(&nanoseconds).then(|| Duration::from_nanos(nanoseconds as u64))
}

impl From<Duration> for DurationInfo {
    fn from(duration: Duration) -> Self {
        Self { nanoseconds: i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) }
    }
}

impl DurationInfo {
    /// The duration, unless it is negative.
    pub fn to_duration(&self) -> Option<Duration> {
        u64::try_from(self.nanoseconds).ok().map(Duration::from_nanos)
    }
}

impl TimeInfo {
    /// The time this long after the epoch.
    pub fn since_epoch(duration: Duration) -> Self {
        Self { nanoseconds: DurationInfo::from(duration).nanoseconds }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_mesos_writes() {
        for (text, seconds) in
            [("5secs", 5), ("15mins", 900), ("6hrs", 21_600), ("1weeks", 604_800), ("2days", 172_800)]
        {
            let duration = Duration::from_secs(seconds);
            assert_eq!(parse(text), Ok(duration));
            assert_eq!(format(duration), text);
        }
        assert_eq!(parse("1.5secs"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("0ns"), Ok(Duration::ZERO));
        assert_eq!(format(Duration::ZERO), "0ns");
        assert_eq!(format(Duration::from_millis(1500)), "1500ms");
    }

    #[test]
    fn refuses_everything_else() {
        for (text, error) in [
            ("5", DurationError::Unit("5".to_owned())),
            ("5 fortnights", DurationError::Unit("5 fortnights".to_owned())),
            ("secs", DurationError::Number("secs".to_owned())),
            ("1.2.3secs", DurationError::Number("1.2.3secs".to_owned())),
            ("99999999999999weeks", DurationError::TooLong("99999999999999weeks".to_owned())),
        ] {
            assert_eq!(parse(text), Err(error));
        }
        assert!(parse("-5secs").is_err());
    }

    #[test]
    fn seconds_that_overflow_are_refused() {
        assert_eq!(from_seconds(1.5), Some(Duration::from_millis(1500)));
        assert_eq!(from_seconds(1e10), None);
        assert_eq!(from_seconds(-0.1), None);
        assert_eq!(from_seconds(f64::NAN), None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanoseconds in 0..=i64::MAX) {
            let duration = Duration::from_nanos(nanoseconds.unsigned_abs());
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
