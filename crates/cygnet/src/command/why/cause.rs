//! The checks that fail, in a few words: by their names, with their causes. Pure.

use serde_json::Value;

use crate::command::table::{items, text};

/// The failing checks with their causes, without what changes from attempt to attempt.
pub(crate) fn causes(task: &Value) -> String {
    let failing = |check: &&Value| {
        check["verdict"] == "unhealthy" || check["grace"]["failures"].as_u64().is_some_and(|failures| failures > 0)
    };
    let checks = items(&task["health"]["checks"]).iter().filter(failing);
    let told = checks.map(|check| match check["verdict"] == "unhealthy" {
        true => format!("{}: {}", text(&check["name"]), cause(check)),
        false => format!("{}: {}, within grace", text(&check["name"]), text(&check["lastAttempt"]["cause"])),
    });
    told.collect::<Vec<_>>().join("; ")
}

/// The cause of the last failure.
pub(crate) fn cause(check: &Value) -> String {
    let last = &check["lastFailureCause"];
    text(if last.is_null() { &check["lastAttempt"]["cause"] } else { last })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_check_that_fails_is_named_also_within_grace() {
        let attempt = json!({"cause": "exit status 3"});
        let checks = json!([{"name": "front", "verdict": "healthy"},
            {"name": "luck", "verdict": "unknown", "grace": {"failures": 2}, "lastAttempt": attempt},
            {"name": "back", "verdict": "unhealthy", "lastFailureCause": "timeout", "lastAttempt": attempt}]);
        let task = json!({"health": {"checks": checks}});
        assert_eq!(causes(&task), "luck: exit status 3, within grace; back: timeout");
    }
}
