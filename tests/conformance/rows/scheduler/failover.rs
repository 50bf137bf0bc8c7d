//! Failover: frameworks that come back, in time or too late.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = table(&[
        ("3.5 failover: the old stream is told", |target, form| {
            let old = Framework::subscribe(target, form);
            let offer = old.offer();
            let info = old.info();
            let new = Framework::subscribe_as(target, form, &info);
            assert_eq!(old.stream.event("ERROR")["error"]["message"], "Framework failed over");
            assert!(old.stream.next().is_none(), "the old stream ends");
            assert_eq!(old.call(json!({"type": "REVIVE"})).status, 400, "its stream id is no longer right");
            let operation = launch([filled(task("t", "true"), &offer)]);
            new.accepted(json!({"type": "ACCEPT", "accept": {"offer_ids": [offer["id"]], "operations": [operation]}}));
            assert_eq!(new.expect("TASK_DROPPED")["reason"], "REASON_INVALID_OFFERS", "old offers are dropped");
            old.break_stream();
        }),
        ("3.5 failover: no time for it is the default", |target, form| {
            let mut info = framework::info();
            info.as_object_mut().expect("an object").remove("failover_timeout");
            gone_after_its_stream(target, form, info);
        }),
        ("3.5 failover: too late", |target, form| {
            let info = framework::info_with(json!({"failover_timeout": 0.2}));
            gone_after_its_stream(target, form, info);
        }),
    ]);
    rows.extend(framed(&[
        ("3.5 failover: SUBSCRIBE in time", |target, framework| {
            framework.run(task("t", "exec sleep 1000"));
            let (info, form, old) = (framework.info(), framework.form, framework.stream.id.clone());
            framework.break_stream();
            let framework = Framework::subscribe_as(target, form, &info);
            assert_eq!(framework.id, info["id"]["value"]);
            assert_ne!(framework.stream.id, old);
            let status = framework.reconcile(&[]);
            assert_eq!((&status["task_id"]["value"], &status["state"]), (&json!("t"), &json!("TASK_RUNNING")));
        }),
        ("3.5 failover: updates that were not acknowledged come again", |target, framework| {
            framework.launch(task("t", "exec sleep 1000"));
            let starting = framework.unacknowledged();
            let (info, form) = (framework.info(), framework.form);
            framework.break_stream();
            let framework = Framework::subscribe_as(target, form, &info);
            assert_eq!(framework.unacknowledged(), starting);
        }),
    ]));
    rows
}

/// The framework's stream breaks, and once it is gone its id is refused.
fn gone_after_its_stream(target: &Target, form: Form, mut info: Value) {
    let framework = Framework::subscribe_as(target, form, &info);
    let id = framework.id.clone();
    framework.break_stream();
    harness::wait::until("the framework to be removed", harness::cluster::START, || {
        let state = harness::http::get(target.master(), "/frameworks")?.json();
        let completed = state["completed_frameworks"].as_array()?;
        completed.iter().any(|framework| framework["id"] == id.as_str()).then_some(())
    });
    info["id"] = json!({"value": id});
    assert!(is_refused(target, form, &subscription(&info)).contains("Framework has been removed"));
}
