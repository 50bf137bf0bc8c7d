//! The brake on kills for health, as an app wants it for itself. Beyond Marathon.

use serde::{Deserialize, Serialize};

use super::seconds::Seconds;
use super::validate::Faults;

/// The limits of an app that differ from the scheduler's own. They are in force from when they are sent, for all
/// instances: none is restarted for them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AppBrake {
    /// True if it holds anything; if not, all that are unhealthy are killed, at once.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub(crate) enabled: bool,
    /// The share of the app's instances that may be killed within the window, from 0 to 1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) share: Option<f64>,
    /// or so many, whichever is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) least: Option<u32>,
    /// The window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window_seconds: Option<Seconds>,
}

fn yes() -> bool {
    true
}

fn is_yes(flag: &bool) -> bool {
    *flag
}

impl AppBrake {
    /// Adds what makes no sense in it.
    pub(crate) fn validate(&self, at: &str, faults: &mut Faults) {
        let share = self.share.unwrap_or(0.0);
        let error = format!("got {share}, expected between 0.0 and 1.0");
        faults.require((0.0..=1.0).contains(&share), format!("{at}/share"), error);
        let some = self.window_seconds.is_none_or(|window| !window.is_zero());
        faults.require(some, format!("{at}/windowSeconds"), "got 0, expected more: with enabled false nothing is held");
        let alone = self.enabled || (self.share, self.least, self.window_seconds) == (None, None, None);
        faults.require(alone, at, "with enabled false nothing else has a meaning");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: serde_json::Value) -> Vec<String> {
        let brake: AppBrake = serde_json::from_value(json).unwrap();
        let mut faults = Faults::default();
        brake.validate("/brake", &mut faults);
        faults.iter().map(|fault| fault.path.clone()).collect()
    }

    #[test]
    fn limits_that_make_no_sense_are_named() {
        use serde_json::json;
        assert_eq!(faults(json!({})), Vec::<String>::new());
        assert_eq!(faults(json!({"share": 0.1, "least": 1, "windowSeconds": 0.5})), Vec::<String>::new());
        assert_eq!(faults(json!({"enabled": false})), Vec::<String>::new());
        assert_eq!(faults(json!({"share": 1.1, "windowSeconds": 0})), ["/brake/share", "/brake/windowSeconds"]);
        assert_eq!(faults(json!({"enabled": false, "share": 0.5})), ["/brake"]);
        assert_eq!(json!(serde_json::from_value::<AppBrake>(json!({"share": 0.5})).unwrap()), json!({"share": 0.5}));
    }
}
