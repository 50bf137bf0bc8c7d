//! The checks of tasks, in words: what each is, and what it found. Pure, but for [`Checks::ask`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::Api;
use crate::command::age::since;
use crate::command::table::{items, text};

/// The checks that apps define.
#[derive(Debug, Default)]
pub(crate) struct Checks(BTreeMap<String, Defined>);

#[derive(Debug)]
struct Defined {
    /// The configuration they belong to.
    version: Option<String>,
    checks: Vec<Value>,
}

impl Checks {
    /// The checks of all apps.
    pub(super) async fn ask(api: &Api) -> anyhow::Result<Checks> {
        Ok(Checks::of(items(&api.get("/v2/apps").await?["apps"])))
    }

    /// The checks of these apps.
    pub(crate) fn of(apps: &[Value]) -> Checks {
        let defined = |app: &Value| {
            let version = app["versionInfo"]["lastConfigChangeAt"].as_str().map(str::to_owned);
            (text(&app["id"]), Defined { version, checks: items(&app["healthChecks"]).to_vec() })
        };
        Checks(apps.iter().map(defined).collect())
    }

    /// The checks of a task; none are known of one with another configuration than its app has now.
    fn of_task(&self, task: &Value) -> Option<&[Value]> {
        let defined = self.0.get(task["appId"].as_str()?)?;
        let same = defined.version.as_ref().is_none_or(|version| task["version"] == version.as_str());
        same.then_some(&defined.checks[..])
    }

    /// One word for what a task's checks found.
    pub(super) fn health(&self, task: &Value) -> &'static str {
        let results = items(&task["healthCheckResults"]);
        judged(results, self.of_task(task).map_or(results.len(), <[Value]>::len))
    }

    /// A line for each check of a task.
    pub(super) fn lines(&self, task: &Value) -> Vec<String> {
        let results = items(&task["healthCheckResults"]);
        let checks = self.of_task(task).unwrap_or(&[]);
        if checks.len() == results.len() {
            return checks
                .iter()
                .zip(results)
                .map(|(check, result)| format!("{}: {}", named(check), found(result)))
                .collect();
        }
        // A check without an answer has no result, and results do not say whose they are.
        let answered = results.iter().map(|result| format!("check: {}", found(result)));
        let checks = checks.iter().map(|check| format!("{}: not every check has answered", named(check)));
        answered.chain(checks).collect()
    }
}

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
        Some(name) => format!("check {name} ({what})"),
        None => format!("check {what}"),
    }
}

/// The result of a check. Only changes are reported, so the last success is not known, but since when there was no failure.
fn found(result: &Value) -> String {
    let ago = |name: &str| result[name].as_str().map(since);
    if result["alive"] == true {
        let long = ago("lastSuccess").map_or_else(String::new, |time| format!(" for at least {time}"));
        let before = ago("lastFailure").map_or_else(String::new, |time| format!(", last failure {time} ago"));
        return format!("healthy{long}{before}");
    }
    let failures = &result["consecutiveFailures"];
    let last = ago("lastFailure").map_or_else(String::new, |time| format!(", the last reported {time} ago"));
    let cause = result["lastFailureCause"].as_str().map_or_else(String::new, |cause| format!(": {cause}"));
    format!("unhealthy, {failures} failures in a row{last}{cause}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checks() -> Checks {
        Checks::of(&[json!({"id": "/web", "versionInfo": {"lastConfigChangeAt": "V"}, "healthChecks": [
            {"protocol": "HTTP", "path": "/health", "portIndex": 0, "name": "front"},
            {"protocol": "COMMAND", "command": {"value": "test -e up"}}]})])
    }

    fn task(results: Value) -> Value {
        json!({"appId": "/web", "version": "V", "healthCheckResults": results})
    }

    #[test]
    fn a_task_is_healthy_only_when_each_of_its_checks_has_answered() {
        let well = || json!({"alive": true});
        for (results, word) in [
            (json!([]), "unknown"),
            (json!([well()]), "unknown"),
            (json!([well(), well()]), "healthy"),
            (json!([{"alive": false}]), "unhealthy"),
        ] {
            assert_eq!(checks().health(&task(results.clone())), word, "{results}");
        }
        assert_eq!(Checks::default().health(&task(json!([]))), "-");
    }

    #[test]
    fn a_check_is_shown_by_its_name_and_by_what_it_is() {
        let failing = json!({"alive": false, "consecutiveFailures": 2, "lastFailureCause": "exit status 1"});
        assert_eq!(
            checks().lines(&task(json!([{"alive": true}, failing]))),
            [
                "check front (HTTP /health at the port with index 0): healthy",
                "check COMMAND test -e up: unhealthy, 2 failures in a row: exit status 1"
            ]
        );
        assert_eq!(checks().lines(&task(json!([{"alive": true}]))).len(), 3);
        let mut old = task(json!([{"alive": true}]));
        old["version"] = json!("U");
        assert_eq!(checks().lines(&old), ["check: healthy"]);
    }
}
