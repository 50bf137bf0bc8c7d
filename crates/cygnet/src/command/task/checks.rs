//! The checks of tasks, in words. Pure.

use serde_json::Value;

use crate::command::table::text;

/// One bad result is enough to say so; for *healthy*, every check has to have had its say.
pub(crate) fn judged(results: &[Value], defined: usize) -> &'static str {
    match results {
        [] if defined == 0 => "-",
        results if results.iter().any(|result| result["alive"] != true) => "unhealthy",
        results if results.len() < defined => "unknown",
        _ => "healthy",
    }
}

/// The description of a check: its name, the address it asks, and its question.
pub(crate) fn named(check: &Value) -> String {
    let port = ["port", "portName", "portIndex"].into_iter().find(|name| !check[*name].is_null());
    let port = port.map_or_else(String::new, |name| match name {
        "port" => format!(" at port {}", text(&check[name])),
        "portName" => format!(" at the port {}", text(&check[name])),
        _ => format!(" at the port with index {}", text(&check[name])),
    });
    let asked =
        [&check["path"], &check["service"], &check["command"]["value"]].into_iter().find(|asked| asked.is_string());
    let asked = asked.map_or_else(String::new, |asked| format!(" {}", text(asked)));
    let what = format!("{}{asked}{port}", check["protocol"].as_str().unwrap_or("HTTP"));
    match check["name"].as_str() {
        Some(name) => format!("{name} ({what})"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_healthy_only_when_each_of_its_checks_has_answered() {
        let well = || json!({"alive": true});
        for (results, word) in [
            (vec![], "unknown"),
            (vec![well()], "unknown"),
            (vec![well(), well()], "healthy"),
            (vec![json!({"alive": false})], "unhealthy"),
        ] {
            assert_eq!(judged(&results, 2), word, "{results:?}");
        }
        assert_eq!(judged(&[], 0), "-");
    }

    #[test]
    fn a_check_is_shown_by_its_name_and_by_what_it_is() {
        let front = json!({"protocol": "HTTP", "path": "/health", "portIndex": 0, "name": "front"});
        assert_eq!(named(&front), "front (HTTP /health at the port with index 0)");
        assert_eq!(named(&json!({"protocol": "COMMAND", "command": {"value": "test -e up"}})), "COMMAND test -e up");
    }
}
