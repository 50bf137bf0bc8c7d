//! The things that are done besides sending a definition: to the app by the API, or to processes by signals.

use std::time::Duration;

use harness::apps::{address, ids};
use harness::{http, process, wait};
use rustix::process::Signal;
use serde_json::json;

use crate::definitions::unavailable;
use crate::signs::{unhealthy, unhealthy_twice};
use crate::stage::Stage;
use crate::ways::Way;

/// For all that is waited for here.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn nothing(_: &Stage, _: &Way) {}

/// Pauses the checks of the task once it is unhealthy.
pub(crate) fn pauses(stage: &Stage, way: &Way) {
    let task = wait::until("an unhealthy task", PATIENCE, || {
        let seen = stage.seen(way).filter(unhealthy)?;
        Some(seen.app["tasks"][0]["id"].as_str()?.to_owned())
    });
    let path = format!("/v2/tasks/{task}/checks");
    let answer = http::send(stage.api(way), "PUT", &path, &json!({"paused": true})).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Kills the agent, once the task runs.
pub(crate) fn vanishes(stage: &Stage, way: &Way) {
    runs(stage, way);
    process::signal(stage.agent(way).pid(), Signal::KILL);
}

/// Changes the app; one of the new instances is enough.
pub(crate) fn canary(stage: &Stage, way: &Way) {
    runs(stage, way);
    stage.change(way, "canary=1", &json!({"env": {"COLOUR": "blue"}}));
}

/// Changes the app to one that does not become healthy, and stops the deployment then.
pub(crate) fn cancels(stage: &Stage, way: &Way) {
    runs(stage, way);
    stage.change(way, "", &json!({"healthChecks": unavailable(&stage.peers)["healthChecks"]}));
    let deployment = wait::until("an unhealthy instance of what is new", PATIENCE, || {
        let seen = stage.seen(way).filter(unhealthy_twice)?;
        seen.app["deployments"][0]["id"].as_str().map(str::to_owned)
    });
    let path = format!("/v2/deployments/{deployment}?force=true");
    let answer = http::request(stage.api(way), "DELETE", &path, &[], b"").expect("an answer");
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// Stops the executor, for longer than a check may take.
pub(crate) fn starves(stage: &Stage, way: &Way) {
    wait::until("a healthy task", PATIENCE, || stage.seen(way).filter(|seen| seen.is_checked()).map(drop));
    executors(stage, way, Signal::STOP);
    // Somebody else's checks tell that enough seconds have passed.
    let failures = || stage.failures("/unavailable");
    let before = failures().unwrap_or_default();
    wait::until("five checks of somebody else", PATIENCE, || (failures()? >= before + 5).then_some(()));
}

/// Lets the executor go on: it is none of the task's faults.
pub(crate) fn outlives(stage: &Stage, way: &Way) {
    let before = stage.seen(way).expect("an answer").app;
    executors(stage, way, Signal::CONT);
    let server = address(&before["tasks"][0]);
    wait::until("a check after a gap of four seconds", PATIENCE, || {
        let gaps = http::get(server, "/gaps")?.text();
        gaps.split(|letter: char| !letter.is_ascii_digit())
            .any(|gap| gap.parse::<u64>().is_ok_and(|gap| gap > 4000))
            .then_some(())
    });
    let after = wait::until("nothing that is not well", PATIENCE, || {
        stage.seen(way).filter(|seen| seen.overview["notWellCount"] == 0)
    });
    assert!(after.is_checked(), "{after:?}");
    assert_eq!((ids(&after.app), &after.app["ended"]), (ids(&before), &json!([])));
}

/// Waits until the app has all its tasks, and no deployment.
fn runs(stage: &Stage, way: &Way) {
    wait::until("an app that runs", PATIENCE, || {
        let app = stage.seen(way)?.app;
        (app["tasksRunning"] == app["instances"] && app["deployments"].as_array()?.is_empty()).then_some(())
    });
}

fn executors(stage: &Stage, way: &Way, signal: Signal) {
    let all = process::marked(stage.agent(way).directory());
    let found: Vec<i32> =
        all.into_iter().filter(|pid| process::command_line(*pid).contains(" executor --pool")).collect();
    assert!(!found.is_empty(), "an executor");
    found.into_iter().for_each(|pid| _ = process::signal(pid, signal));
}
