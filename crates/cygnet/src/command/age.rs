//! Ages of things, for people.

use std::time::{Duration, SystemTime};

/// The age of a moment, to the second; nothing if it is none.
#[expect(clippy::disallowed_methods, reason = "shows the time, decides nothing")]
pub(crate) fn since(moment: &str) -> String {
    let Ok(moment) = humantime::parse_rfc3339_weak(moment) else { return String::new() };
    let passed = SystemTime::now().duration_since(moment).unwrap_or_default();
    shown(passed)
}

/// The time until a moment, or since then, in words: "in 12s", "12s ago"; nothing if it is none.
#[expect(clippy::disallowed_methods, reason = "shows the time, decides nothing")]
pub(crate) fn when(moment: &str) -> String {
    let Ok(moment) = humantime::parse_rfc3339_weak(moment) else { return String::new() };
    match moment.duration_since(SystemTime::now()) {
        // The second that has begun counts: nothing is due yet.
        Ok(left) => format!("in {}", shown(left + Duration::from_millis(999))),
        Err(passed) => format!("{} ago", shown(passed.duration())),
    }
}

/// The time from one moment to another; nothing if either is none.
pub(crate) fn between(from: &str, to: &str) -> String {
    let [from, to] = [from, to].map(|moment| humantime::parse_rfc3339_weak(moment).ok());
    let passed = from.zip(to).map(|(from, to)| to.duration_since(from).unwrap_or_default());
    passed.map(shown).unwrap_or_default()
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
        assert_eq!(between("2026-01-01T00:00:00Z", "2026-01-01T00:01:05.5Z"), "1m 5s");
        assert_eq!((between("", "2026-01-01T00:00:00Z"), when("")), (String::new(), String::new()));
        let [past, future] = [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33)]
            .map(|moment| when(&humantime::format_rfc3339_millis(moment).to_string()));
        assert!(past.ends_with(" ago") && future.starts_with("in "), "{past}, {future}");
        let long_ago = humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH).to_string();
        assert!(since(&long_ago).contains("year"));
    }
}
