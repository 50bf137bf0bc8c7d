//! `cygnet task check`: all health checks of a task made now, and what each found. In: the scheduler's answer, and then
//! histories and apps until each check has an attempt that began after it was asked for. Out: a line for each check, or all
//! as one JSON object. A client of the API: what it says is nowhere kept.

use std::process::ExitCode;
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use super::ids;
use crate::api::{Api, encoded, path};
use crate::command::table::{items, text};
use crate::output::{json_line, line};

/// Between two looks.
const APART: Duration = Duration::from_millis(200);

const FAILED: u8 = 1;
const NOT_KNOWN: u8 = 3;

/// Asks, waits no longer than this, and says what was found.
pub(super) async fn run(api: &Api, id: &str, within: Duration) -> anyhow::Result<ExitCode> {
    let id = ids::known(api, id).await?;
    let asked = api.send(Method::POST, &format!("/v2/tasks/{}/checks", encoded(&id)), Some(&json!({}))).await?.body;
    let mut found = vec![None; items(&asked["checks"]).len()];
    let looked = tokio::time::timeout(within, look(api, &asked, &mut found)).await;
    looked.unwrap_or(Ok(()))?;
    if !api.json && items(&asked["checks"]).iter().any(|check| check["askedBefore"] == true) {
        line(text(&asked["nextAction"]["text"]));
    }
    let outcomes: Vec<Value> =
        items(&asked["checks"]).iter().zip(&found).map(|(check, found)| outcome(check, found)).collect();
    match api.json {
        true => json_line(json!({"task": id, "checks": outcomes})),
        false => outcomes.iter().for_each(|outcome| line(shown(outcome))),
    }
    Ok(code(&outcomes))
}

/// Looks until every check that is made was heard of.
async fn look(api: &Api, asked: &Value, found: &mut [Option<Value>]) -> anyhow::Result<()> {
    let checks = items(&asked["checks"]);
    let task = text(&asked["taskId"]);
    loop {
        let missing = |by: &str, found: &[Option<Value>]| {
            checks
                .iter()
                .zip(found)
                .any(|(check, found)| found.is_none() && check["madeBy"] == by && !check["askedAt"].is_null())
        };
        if missing("executor", found) {
            let history = api.get(&format!("/v2/tasks/{}/history", encoded(&task))).await?;
            fill(checks, found, |check| in_history(&history, check));
        }
        if missing("scheduler", found) {
            let app = api.get(&format!("{}?embed=apps.health", path("apps", &text(&asked["appId"])))).await?;
            fill(checks, found, |check| in_app(&app["app"], &task, check));
        }
        if !missing("executor", found) && !missing("scheduler", found) {
            return Ok(());
        }
        tokio::time::sleep(APART).await;
    }
}

fn fill(checks: &[Value], found: &mut [Option<Value>], look: impl Fn(&Value) -> Option<Value>) {
    for (check, found) in checks.iter().zip(found).filter(|(_, found)| found.is_none()) {
        *found = look(check);
    }
}

/// The first attempt of an executor's check that began after it was asked for: `{kind, code, seconds}`.
fn in_history(history: &Value, check: &Value) -> Option<Value> {
    let asked = milliseconds(&check["askedAt"])?;
    let index = check["index"].to_string();
    // The only check of a task has no id.
    let is_it = |past: &&Value| past["id"].as_str().is_none_or(|id| id == index);
    let past = items(&history["checks"]).iter().find(is_it)?;
    let is_new = |attempt: &&Value| attempt["startedMs"].as_u64().is_some_and(|started| started >= asked);
    let attempt = items(&past["attempts"]).iter().find(is_new)?;
    let seconds = attempt["durationUs"].as_f64().map(|micros| micros / 1e6);
    Some(json!({"kind": attempt["kind"], "code": attempt["code"], "seconds": seconds}))
}

/// The last attempt of a check of the scheduler's, if it began after it was asked for, to the millisecond that its end is
/// told in.
fn in_app(app: &Value, task: &str, check: &Value) -> Option<Value> {
    let task = items(&app["tasks"]).iter().find(|found| found["id"] == task)?;
    let of = items(&task["health"]["checks"]).iter().find(|known| known["index"] == check["index"])?;
    let attempt = &of["lastAttempt"];
    let took = attempt["durationSeconds"].as_f64().map_or(0.0, |seconds| seconds * 1000.0);
    let [ended, asked] = [&attempt["at"], &check["askedAt"]].map(|at| milliseconds(at).map(|at| at as f64));
    let is_new = ended? + 1.0 - took > asked?;
    is_new.then(|| json!({"kind": attempt["kind"], "code": null, "seconds": attempt["durationSeconds"]}))
}

fn milliseconds(moment: &Value) -> Option<u64> {
    let moment = humantime::parse_rfc3339_weak(moment.as_str()?).ok()?;
    let since = moment.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

/// A check with what it found; `found` is null if nothing was heard in time, or it is paused.
fn outcome(check: &Value, found: &Option<Value>) -> Value {
    json!({"index": check["index"], "name": check["name"], "madeBy": check["madeBy"], "paused": check["paused"], "found": found})
}

fn shown(outcome: &Value) -> String {
    let name = text(&outcome["name"]);
    let found = &outcome["found"];
    if outcome["paused"] == true {
        return format!("{name}: is paused");
    }
    let Some(kind) = found["kind"].as_str() else { return format!("{name}: not heard of in time") };
    let code = found["code"].as_u64().filter(|_| kind != "success").map_or_else(String::new, |code| format!(" {code}"));
    let took =
        found["seconds"].as_f64().map_or_else(String::new, |seconds| format!(", took {:.1} ms", seconds * 1000.0));
    format!("{name}: {kind}{code}{took}")
}

/// One failure is enough; what says nothing is not known.
fn code(outcomes: &[Value]) -> ExitCode {
    let says = |kind: &Value| kind.as_str().filter(|kind| *kind != "inconclusive").map(|kind| kind == "success");
    let found: Vec<Option<bool>> = outcomes.iter().map(|outcome| says(&outcome["found"]["kind"])).collect();
    match () {
        () if found.contains(&Some(false)) => ExitCode::from(FAILED),
        () if found.contains(&None) => ExitCode::from(NOT_KNOWN),
        () => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_began_before_it_was_asked_for_is_no_answer() {
        let check = json!({"index": 0, "askedAt": "1970-01-01T00:00:05.000Z"});
        let attempt =
            |started: u64, kind: &str| json!({"startedMs": started, "durationUs": 20_000, "kind": kind, "code": 503});
        let history = |attempts: &[Value]| json!({"checks": [{"id": "0", "attempts": attempts}]});
        let before = attempt(4_999, "success");
        assert_eq!(in_history(&history(std::slice::from_ref(&before)), &check), None, "though it ended later");
        let after = json!({"kind": "status", "code": 503, "seconds": 0.02});
        assert_eq!(in_history(&history(&[before, attempt(5_000, "status")]), &check), Some(after));
        let app = |at: &str, took: f64| {
            json!({"tasks": [{"id": "t", "health": {"checks": [{"index": 0,
            "lastAttempt": {"at": at, "kind": "refused", "durationSeconds": took}}]}}]})
        };
        assert_eq!(in_app(&app("1970-01-01T00:00:04.999Z", 0.0), "t", &check), None);
        assert_eq!(in_app(&app("1970-01-01T00:00:05.100Z", 0.2), "t", &check), None, "it was under way");
        assert!(in_app(&app("1970-01-01T00:00:05.000Z", 0.0003), "t", &check).is_some());
    }

    #[test]
    fn each_check_is_a_line_and_one_failure_is_enough() {
        let found = |kind: &str| json!({"name": "front", "paused": false, "found": {"kind": kind, "code": 503, "seconds": 0.002}});
        let none = json!({"name": "front", "paused": false, "found": null});
        assert_eq!(shown(&found("status")), "front: status 503, took 2.0 ms");
        assert_eq!(shown(&found("success")), "front: success, took 2.0 ms");
        assert_eq!(shown(&none), "front: not heard of in time");
        assert_eq!(code(&[found("success")]), ExitCode::SUCCESS);
        assert_eq!(code(&[none.clone(), found("status")]), ExitCode::from(FAILED));
        assert_eq!(code(&[found("success"), none]), ExitCode::from(NOT_KNOWN));
    }
}
