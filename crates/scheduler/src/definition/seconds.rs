//! A span of time as definitions write it: seconds, whole ones as Marathon has them, or with a fraction.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::IntoDeserializer as _};

/// Seconds, not negative. Written without a fraction where there is none, up to the 136 years a check can wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct Seconds(Duration);

impl Seconds {
    pub(crate) const fn whole(seconds: u32) -> Self {
        Seconds(Duration::from_secs(seconds as u64))
    }

    pub(crate) const fn duration(self) -> Duration {
        self.0
    }

    /// As Mesos has it.
    pub(crate) fn as_f64(self) -> f64 {
        self.0.as_secs_f64()
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 && self.0.as_secs() <= u64::from(u32::MAX) {
            serializer.serialize_u64(self.0.as_secs())
        } else {
            serializer.serialize_f64(self.0.as_secs_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let in_range = (0.0..=f64::from(u32::MAX)).contains(&seconds);
        let duration = in_range.then(|| mesos::duration::from_seconds(seconds)).flatten();
        duration.map(Seconds).ok_or_else(|| de::Error::custom(format!("error.min: got {seconds}, expected 0 or more")))
    }
}

/// Reads seconds that may be more than a check can wait for: `1e10` is how people write never.
pub(super) fn however_long<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Seconds, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    if seconds > f64::from(u32::MAX) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and cut to the longest"
        )]
        return Ok(Seconds(Duration::from_secs(seconds as u64)));
    }
    Seconds::deserialize(seconds.into_deserializer())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_stay_integers() {
        for text in ["0", "60", "0.25", "1.5"] {
            let seconds: Seconds = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&seconds).unwrap(), text);
        }
        assert_eq!(serde_json::from_str::<Seconds>("2.0").unwrap(), Seconds::whole(2));
        for bad in ["-1", "1e300", "\"1\"", "null"] {
            assert!(serde_json::from_str::<Seconds>(bad).is_err(), "{bad}");
        }
    }
}
