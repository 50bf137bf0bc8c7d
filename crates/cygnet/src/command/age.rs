//! Ages of things, for people.

use std::time::{Duration, SystemTime};

/// The age of a moment, to the second; nothing if it is none.
#[expect(clippy::disallowed_methods, reason = "shows the time, decides nothing")]
pub(crate) fn since(moment: &str) -> String {
    let Ok(moment) = humantime::parse_rfc3339_weak(moment) else { return String::new() };
    let passed = SystemTime::now().duration_since(moment).unwrap_or_default();
    shown(passed)
}

/// The two largest units are enough.
fn shown(passed: Duration) -> String {
    let text = humantime::format_duration(Duration::from_secs(passed.as_secs())).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passed_is_short_and_in_whole_seconds() {
        assert_eq!(since(""), "");
        assert_eq!(shown(Duration::from_millis(2_999)), "2s");
        assert_eq!(shown(Duration::from_secs(90_061)), "1day 1h");
        let long_ago = humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH).to_string();
        assert!(since(&long_ago).contains("year"));
    }
}
