//! Reconciliation: what the master says of tasks that it knows, and of those it does not.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = table(&[("3.5 RECONCILE: without PARTITION_AWARE all unknown ones are lost", |target, form| {
        let info = framework::info_with(json!({"capabilities": []}));
        let framework = Framework::subscribe_as(target, form, &info);
        let status = framework.reconcile(&[json!({"task_id": {"value": "t"}})]);
        assert_eq!(status["state"], "TASK_LOST", "{status}");
    })]);
    rows.extend(framed(&[
        ("3.5 RECONCILE: explicit, a task that is known", |_, framework| {
            let running = framework.run(task("t", "exec sleep 1000"));
            let named = [
                json!({"task_id": {"value": "t"}}),
                json!({"task_id": {"value": "t"}, "agent_id": running["agent_id"]}),
            ];
            for asked in named {
                is_latest(&framework.reconcile(&[asked]), &running);
            }
        }),
        ("3.5 RECONCILE: explicit, tasks that are not", |_, framework| {
            let agent_id = framework.offer()["agent_id"].clone();
            for (state, agent_id) in
                [("TASK_UNKNOWN", Value::Null), ("TASK_GONE", agent_id), ("TASK_UNKNOWN", json!({"value": "nobody"}))]
            {
                let status = framework.reconcile(&[json!({"task_id": {"value": "t"}, "agent_id": agent_id})]);
                assert_eq!(status["state"], state, "{status}");
                assert_eq!((&status["source"], &status["uuid"]), (&json!("SOURCE_MASTER"), &Value::Null));
            }
        }),
        ("3.5 RECONCILE: implicit", |_, framework| {
            framework.operate(|offer| vec![launch(["a", "b"].map(|id| filled(task(id, "exec sleep 1000"), offer)))]);
            let running: Vec<Value> = std::iter::repeat_with(|| framework.update())
                .filter(|status| status["state"] == "TASK_RUNNING")
                .take(2)
                .collect();
            framework.accepted(json!({"type": "RECONCILE", "reconcile": {}}));
            for _ in 0..2 {
                let status = framework.update();
                let known = running.iter().find(|running| running["task_id"] == status["task_id"]);
                is_latest(&status, known.expect("one of ours"));
            }
        }),
    ]));
    rows
}

#[track_caller]
fn is_latest(answer: &Value, latest: &Value) {
    assert_eq!((&answer["source"], &answer["reason"]), (&json!("SOURCE_MASTER"), &json!("REASON_RECONCILIATION")));
    assert_eq!(answer["message"], "Reconciliation: Latest task state");
    assert!(answer["uuid"].is_null(), "{answer}");
    for field in ["task_id", "state", "agent_id", "healthy", "check_status", "container_status"] {
        assert_eq!(answer[field], latest[field], "{field}");
    }
}
