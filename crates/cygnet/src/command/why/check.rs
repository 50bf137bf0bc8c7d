//! A check of an instance, in words: what it found, for how long, and the last attempt that was told of.

use serde_json::Value;

use crate::command::age::{since, when};
use crate::command::table::text;

/// The verdict of a check with its streak and its cause.
pub(crate) fn found(check: &Value) -> String {
    let ago = |name: &str| check[name].as_str().map(since);
    let lasting = ago("since").map_or_else(String::new, |time| format!(" for {time}"));
    match check["verdict"].as_str() {
        Some("healthy") => {
            let before = ago("lastFailure").map_or_else(String::new, |time| format!("; last failure {time} ago"));
            format!("healthy{lasting}{before}{}", caused(&check["lastFailureCause"]))
        }
        Some("unhealthy") => {
            let cause = [&check["lastFailureCause"], &check["lastAttempt"]["cause"]];
            let cause = cause.into_iter().find(|cause| cause.is_string()).map(caused).unwrap_or_default();
            format!("unhealthy{lasting}, {} in a row{cause}", failures(&check["consecutiveFailures"]))
        }
        _ => not_known(check),
    }
}

fn not_known(check: &Value) -> String {
    let failed = check["lastAttempt"]["kind"].as_str().is_some_and(|kind| kind != "success");
    let cause = if failed { caused(&check["lastAttempt"]["cause"]) } else { String::new() };
    match check["grace"]["until"].as_str() {
        Some(until) => {
            let forgiven = failures(&check["grace"]["failures"]);
            format!("not known yet, within its grace period until {until} ({}), {forgiven} so far{cause}", when(until))
        }
        None if check["lastAttempt"].is_null() => "not known yet, no attempt so far".to_owned(),
        None => format!("not known yet{cause}"),
    }
}

/// The last attempt that was told of: when, how long it took, and how far it came.
pub(crate) fn attempt(check: &Value) -> String {
    let attempt = &check["lastAttempt"];
    if attempt.is_null() {
        return String::new();
    }
    let milliseconds = |seconds: f64| format!("{:.1} ms", seconds * 1000.0);
    let took = attempt["durationSeconds"].as_f64().map(|took| format!(", took {}", milliseconds(took)));
    let phases = [("started", "started"), ("connected", "connected"), ("secured", "TLS"), ("answered", "answered")];
    let reached = phases
        .into_iter()
        .filter_map(|(name, word)| Some(format!(", {word} at {}", milliseconds(attempt["phases"][name].as_f64()?))));
    let [cause, at] = ["cause", "at"].map(|name| text(&attempt[name]));
    format!("{cause}, {}{}{}", when(&at), took.unwrap_or_default(), reached.collect::<String>())
}

/// The last attempt that its executor made, told of or not, and how long attempts take.
pub(crate) fn heard(check: &Value) -> String {
    let Some(at) = check["lastHeard"].as_str() else { return String::new() };
    let within = |name: &str, part: &str| {
        let seconds = check[name].as_f64()?;
        Some(format!(", {part} within {:.1} ms", seconds * 1000.0))
    };
    let times = [within("p50Seconds", "half"), within("p99Seconds", "99 %")];
    format!("last attempt {}{}", when(at), times.into_iter().flatten().collect::<String>())
}

fn caused(cause: &Value) -> String {
    cause.as_str().map_or_else(String::new, |cause| format!(": {cause}"))
}

/// A number of failures in words.
pub(crate) fn failures(count: &Value) -> String {
    match count.as_u64().unwrap_or(0) {
        1 => "1 failure".to_owned(),
        count => format!("{count} failures"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LONG_AGO: &str = "2000-01-01T00:00:00Z";

    #[test]
    fn a_check_that_is_well_is_still_heard_of() {
        let check = json!({"lastHeard": LONG_AGO, "p50Seconds": 0.0012, "p99Seconds": 0.03});
        let text = heard(&check);
        assert!(
            text.starts_with("last attempt ") && text.ends_with(" ago, half within 1.2 ms, 99 % within 30.0 ms"),
            "{text}"
        );
        assert_eq!(heard(&json!({"lastHeard": null})), "");
    }

    #[test]
    fn what_a_check_found_is_told_with_its_streak_and_its_cause() {
        let attempt = json!({"at": LONG_AGO, "kind": "status", "cause": "503 Service Unavailable", "durationSeconds": 0.0016,
            "phases": {"connected": 0.0004}});
        let unhealthy =
            json!({"verdict": "unhealthy", "since": null, "consecutiveFailures": 1, "lastAttempt": attempt});
        assert_eq!(found(&unhealthy), "unhealthy, 1 failure in a row: 503 Service Unavailable");
        let text = super::attempt(&unhealthy);
        assert!(
            text.starts_with("503 Service Unavailable, ") && text.ends_with(", took 1.6 ms, connected at 0.4 ms"),
            "{text}"
        );
        let grace = json!({"verdict": "unknown", "grace": {"until": "2200-01-01T00:00:00Z", "failures": 12}, "lastAttempt": attempt});
        let text = found(&grace);
        assert!(text.starts_with("not known yet, within its grace period until 2200-01-01T00:00:00Z (in "), "{text}");
        assert!(text.ends_with("), 12 failures so far: 503 Service Unavailable"), "{text}");
        assert_eq!(found(&json!({"verdict": "unknown", "lastAttempt": null})), "not known yet, no attempt so far");
        let healthy = json!({"verdict": "healthy", "since": LONG_AGO, "lastFailure": null});
        assert!(found(&healthy).starts_with("healthy for 2"), "{}", found(&healthy));
    }
}
