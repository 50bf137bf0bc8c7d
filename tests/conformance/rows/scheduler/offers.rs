//! Offers: made, accepted, declined, rescinded, and what comes of calls about those that are gone.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = table(&[
        ("3.5 OFFERS: with MULTI_ROLE", |target, form| {
            let info =
                framework::info_with(json!({"roles": ["conformance"], "capabilities": [{"type": "MULTI_ROLE"}]}));
            let stream = subscribe(target, form, &json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}));
            let stream = stream.expect("200");
            let offer = stream.event("OFFERS")["offers"]["offers"][0].clone();
            assert_eq!(offer["allocation_info"]["role"], "conformance", "{offer}");
            for resource in offer["resources"].as_array().expect("resources") {
                assert_eq!(resource["allocation_info"]["role"], "conformance", "{resource}");
            }
        }),
        ("3.5 ACCEPT: an offer that is gone, without PARTITION_AWARE", |target, form| {
            let info = framework::info_with(json!({"capabilities": []}));
            let framework = Framework::subscribe_as(target, form, &info);
            let status = stale_launch(&framework);
            assert_eq!((&status["state"], &status["reason"]), (&json!("TASK_LOST"), &json!("REASON_INVALID_OFFERS")));
        }),
    ]);
    rows.extend(framed(&[
        ("3.5 OFFERS: an offer", an_offer),
        ("3.5 ACCEPT: what is not used is offered again", |_, framework| {
            framework.run(task("t", "exec sleep 1000"));
            framework.offer();
        }),
        ("3.5 ACCEPT: an empty launch declines", |_, framework| {
            framework.operate(|_| vec![launch([])]);
            framework.offer();
        }),
        ("3.5 ACCEPT: operations in order, tasks each on their own", |_, framework| {
            framework.operate(|offer| {
                vec![
                    launch([filled(task("bad/id", "true"), offer), filled(task("first", "exec sleep 1000"), offer)]),
                    launch([filled(task("second", "exec sleep 1000"), offer)]),
                ]
            });
            let mut running = Vec::new();
            while running.len() < 2 {
                let status = framework.update();
                match status["task_id"]["value"].as_str() {
                    Some("bad/id") => assert_eq!(status["state"], "TASK_ERROR"),
                    Some(id) if status["state"] == "TASK_RUNNING" => running.push(id.to_owned()),
                    _ => assert_eq!(status["state"], "TASK_STARTING"),
                }
            }
        }),
        ("3.5 ACCEPT: an offer that is gone", gone_offer),
        ("3.5 ACCEPT: an offer named twice", |_, framework| {
            let offer = framework.offer();
            let operation = launch([filled(task("t", "true"), &offer)]);
            framework.accepted(json!({"type": "ACCEPT", "accept":
                {"offer_ids": [offer["id"], offer["id"]], "operations": [operation]}}));
            let status = framework.expect("TASK_DROPPED");
            assert_eq!(status["reason"], "REASON_INVALID_OFFERS", "{status}");
            framework.offer();
        }),
        ("3.5 ACCEPT: an operation with an id", |_, framework| {
            framework.operate(|offer| {
                let mut operation = launch([filled(task("t", "true"), offer)]);
                operation["id"] = json!({"value": "feedback"});
                vec![operation]
            });
            framework.expect("TASK_ERROR");
        }),
        ("3.5 DECLINE: filters, unknown ids, REVIVE", |_, framework| {
            let offer = framework.offer();
            let decline = |ids: Value, seconds: f64| {
                framework.accepted(json!({"type": "DECLINE", "decline":
                    {"offer_ids": ids, "filters": {"refuse_seconds": seconds}}}));
            };
            decline(json!([offer["id"]]), 1000.0);
            decline(json!([{"value": "no-such-offer"}]), 0.0);
            // Reviving clears the filter of a thousand seconds.
            let offer = framework.offer();
            decline(json!([offer["id"]]), 0.0);
            framework.offer();
        }),
        ("3.5 REVIVE and SUPPRESS: an invalid role drops the call", |_, framework| {
            framework.accepted(json!({"type": "REVIVE", "revive": {"roles": ["not a role"]}}));
            framework.accepted(json!({"type": "SUPPRESS", "suppress": {"roles": ["not a role"]}}));
        }),
        ("3.5 inverse offers: no-ops", |_, framework| {
            let ids = json!({"inverse_offer_ids": [{"value": "none"}]});
            framework.accepted(json!({"type": "ACCEPT_INVERSE_OFFERS", "accept_inverse_offers": ids}));
            framework.accepted(json!({"type": "DECLINE_INVERSE_OFFERS", "decline_inverse_offers": ids}));
        }),
    ]));
    rows
}

fn an_offer(target: &Target, framework: Framework) {
    let offer = framework.offer();
    let text = |pointer: &str| offer.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
    let numbered = |id: &str, mark: &str| {
        let (_, number) = id.rsplit_once(mark).unwrap_or_else(|| panic!("{mark} in {id}"));
        assert!(number.parse::<u64>().is_ok(), "{id}");
    };
    numbered(&text("/id/value"), "-O");
    numbered(&text("/agent_id/value"), "-S");
    assert_eq!(text("/framework_id/value"), framework.id);
    assert_eq!((text("/url/scheme"), text("/url/path")), ("http".to_owned(), "/slave(1)".to_owned()));
    assert_eq!(offer["url"]["address"]["port"], json!(target.agent().port()));
    assert!(offer["allocation_info"].is_null(), "only frameworks with MULTI_ROLE get it: {offer}");
    let resources = offer["resources"].as_array().expect("resources");
    for name in ["cpus", "mem", "disk", "ports"] {
        let resource = resources.iter().find(|resource| resource["name"] == name);
        let resource = resource.unwrap_or_else(|| panic!("{name} in {offer}"));
        assert_eq!(resource["role"], "*", "without RESERVATION_REFINEMENT: {resource}");
        assert!(resource["allocation_info"].is_null(), "{resource}");
    }
}

fn gone_offer(_: &Target, framework: Framework) {
    let status = stale_launch(&framework);
    assert_eq!((&status["state"], &status["reason"]), (&json!("TASK_DROPPED"), &json!("REASON_INVALID_OFFERS")));
    assert_eq!((&status["source"], &status["uuid"]), (&json!("SOURCE_MASTER"), &Value::Null));
    let message = status["message"].as_str().unwrap_or_default();
    assert!(message.contains("is no longer valid"), "{message}");
}

/// Launches on an offer that was used before.
fn stale_launch(framework: &Framework) -> Value {
    let offer = framework.operate(|_| vec![]);
    let operation = launch([filled(task("t", "true"), &offer)]);
    framework.accepted(json!({"type": "ACCEPT", "accept": {"offer_ids": [offer["id"]], "operations": [operation]}}));
    framework.update()
}
