//! 3.5: what each call of the scheduler API does, and what each event says.

mod failover;
mod offers;
mod reconciliation;
mod tasks;

use harness::http;
use serde_json::{Value, json};

use crate::executor::{self, Executor};
use crate::row::{Row, both, framed, skipped};
use crate::target::Target;
use harness::framework::{self, Framework, filled, launch, launch_group, scalar, subscribe, subscription, task};
use harness::wire::Form;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = subscribing();
    rows.extend(offers::rows());
    rows.extend(tasks::rows());
    rows.extend(reconciliation::rows());
    rows.extend(failover::rows());
    rows
}

type Check = fn(&Target, Form);

fn table(rows: &[(&str, Check)]) -> Vec<Row> {
    rows.iter().flat_map(|&(name, run)| both(name, run)).collect()
}

fn subscribing() -> Vec<Row> {
    let mut rows = table(&[
        ("3.5 SUBSCRIBE: a new framework", new_framework),
        ("3.5 SUBSCRIBE: an empty id is none", |target, form| {
            let info = framework::info_with(json!({"id": {"value": ""}}));
            let framework = Framework::subscribe_as(target, form, &info);
            assert!(framework.id.len() > 5, "{}", framework.id);
        }),
        ("3.5 SUBSCRIBE: an unknown id is kept", |target, form| {
            let info = framework::info_with(json!({"id": {"value": format!("elsewhere-{}", form.name())}}));
            let framework = Framework::subscribe_as(target, form, &info);
            assert_eq!(framework.id, info["id"]["value"]);
        }),
        ("3.5 SUBSCRIBE and UPDATE_FRAMEWORK: offer constraints", offer_constraints),
        ("3.5 SUBSCRIBE: a negative failover timeout is none", |target, form| {
            let info = framework::info_with(json!({"failover_timeout": -1.0}));
            drop(Framework::subscribe_as(target, form, &info));
        }),
    ]);
    rows.extend(framed(&[
        ("3.5 HEARTBEAT: at once, then every 15 s", |_, framework| {
            for _ in 0..2 {
                assert_eq!(framework.stream.event("HEARTBEAT"), json!({"type": "HEARTBEAT"}));
            }
        }),
        ("3.5 TEARDOWN", teardown),
        ("3.5 UPDATE_FRAMEWORK", update_framework),
    ]));
    for (name, change) in refused() {
        rows.extend(both(format!("3.5 SUBSCRIBE refused by ERROR: {name}"), move |target, form| {
            let mut call = subscription(&framework::info());
            change(&mut call);
            is_refused(target, form, &call);
        }));
    }
    rows
}

type Change = fn(&mut Value);

/// Subscriptions that are answered with 200, an ERROR event, and the end.
fn refused() -> Vec<(&'static str, Change)> {
    fn multi_role(call: &mut Value, roles: Value) {
        let info = &mut call["subscribe"]["framework_info"];
        info["roles"] = roles;
        info["capabilities"] = json!([{"type": "MULTI_ROLE"}]);
        call["subscribe"]["suppressed_roles"] = json!([]);
    }
    vec![
        ("a role twice", |call| multi_role(call, json!(["a", "a"]))),
        ("invalid role", |call| multi_role(call, json!(["a b"]))),
        ("role is a path", |call| multi_role(call, json!(["/a"]))),
        ("role begins with a dash", |call| multi_role(call, json!(["-a"]))),
        ("role with MULTI_ROLE", |call| {
            multi_role(call, json!([]));
            call["subscribe"]["framework_info"]["role"] = json!("a");
        }),
        ("roles without MULTI_ROLE", |call| call["subscribe"]["framework_info"]["roles"] = json!(["a"])),
        ("suppressed roles are not its own", |call| call["subscribe"]["suppressed_roles"] = json!(["other"])),
        ("framework id", |call| {
            let id = json!({"value": "a/b"});
            call["subscribe"]["framework_info"]["id"] = id.clone();
            call["framework_id"] = id;
        }),
        ("offer constraints of no group", |call| {
            call["subscribe"]["offer_constraints"] = json!({"role_constraints": {"*": {"groups": []}}});
        }),
        ("an offer constraint with a broken pattern", |call| {
            call["subscribe"]["offer_constraints"] = rack(json!({"text_matches": {"regex": "("}}));
        }),
        ("failover timeout out of range", |call| {
            call["subscribe"]["framework_info"]["failover_timeout"] = json!(1e300)
        }),
    ]
}

/// The answer of `/frameworks` about it.
fn shown(target: &Target, framework: &str) -> Value {
    let path = format!("/frameworks?framework_id={framework}");
    http::get(target.master(), &path).expect("the master answers").json()
}

/// Offer constraints on the attribute `conformance-rack`, which no agent has.
fn rack(test: Value) -> Value {
    let constraint = json!({"selector": {"attribute_name": "conformance-rack"}, "predicate": test});
    json!({"role_constraints": {"*": {"groups": [{"attribute_constraints": [constraint]}]}}})
}

/// A change is answered with 200 and shown, one of what may not change with 400.
fn update_framework(target: &Target, framework: Framework) {
    assert_eq!(framework.change(json!({"name": "renamed"})).status, 200);
    let shown = shown(target, &framework.id);
    assert_eq!(shown["frameworks"][0]["name"], "renamed");
    for fixed in [json!({"user": "somebody"}), json!({"checkpoint": false}), json!({"role": "/bad"})] {
        assert_eq!(framework.change(fixed.clone()).status, 400, "{fixed}");
    }
    let stranger = json!({"framework_info": framework::info()});
    assert_eq!(framework.call(json!({"type": "UPDATE_FRAMEWORK", "update_framework": stranger})).status, 400);
}

fn offer_constraints(target: &Target, form: Form) {
    let mut call = subscription(&framework::info());
    call["subscribe"]["offer_constraints"] = rack(json!({"not_exists": {}}));
    let stream = subscribe(target, form, &call).expect("200");
    let id = stream.event("SUBSCRIBED")["subscribed"]["framework_id"]["value"].as_str().expect("an id").to_owned();
    let framework = Framework::of(target, form, id, stream);
    framework.decline([&framework.offer()].into_iter());
    let shown = shown(target, &framework.id);
    assert_eq!(shown["frameworks"][0]["offer_constraints"], rack(json!({"not_exists": {}})));
    let info = framework.info();
    let update = |test: Value| {
        let update = json!({"framework_info": info, "suppressed_roles": ["*"], "offer_constraints": rack(test)});
        framework.call(json!({"type": "UPDATE_FRAMEWORK", "update_framework": update}))
    };
    assert_eq!(update(json!({"text_not_equals": {"value": "r1"}})).status, 200);
    framework.decline([&framework.offer()].into_iter());
    let refused = update(json!({"text_matches": {"regex": "("}}));
    assert!(refused.status == 400 && refused.text().contains("regex"), "{}", refused.text());
}

#[track_caller]
fn is_refused(target: &Target, form: Form, call: &Value) -> String {
    let stream = subscribe(target, form, call).expect("it is refused by an event, not by a status");
    let event = stream.next().expect("an event");
    assert_eq!(event["type"], "ERROR", "{event}");
    assert!(stream.next().is_none(), "the stream ends");
    event["error"]["message"].as_str().expect("a message").to_owned()
}

fn new_framework(target: &Target, form: Form) {
    let stream = subscribe(target, form, &subscription(&framework::info())).expect("200");
    let event = stream.next().expect("an event");
    assert_eq!(event["type"], "SUBSCRIBED");
    let subscribed = &event["subscribed"];
    assert_eq!(subscribed["heartbeat_interval_seconds"], 15.0, "{event}");
    let (id, master) = (subscribed["framework_id"]["value"].as_str().expect("an id"), &subscribed["master_info"]);
    let number = id.strip_prefix(master["id"].as_str().expect("an id")).and_then(|rest| rest.strip_prefix('-'));
    assert!(number.is_some_and(|digits| digits.len() >= 4 && digits.parse::<u32>().is_ok()), "{id}");
    for field in ["ip", "port", "pid", "hostname", "version", "address", "capabilities"] {
        assert!(!master[field].is_null(), "{field} in {master}");
    }
    let version: Vec<_> = master["version"].as_str().expect("a version").split('.').map(str::parse::<u32>).collect();
    assert!(version.len() == 3 && version.iter().all(Result::is_ok), "clients read dotted integers: {master}");
    assert_eq!(stream.next().expect("an event")["type"], "HEARTBEAT");
}

/// The framework goes, its tasks go without a word, and its id is used up.
fn teardown(target: &Target, framework: Framework) {
    framework.run(task("t", "exec sleep 1000"));
    framework.accepted(json!({"type": "TEARDOWN"}));
    while let Some(event) = framework.stream.next() {
        assert!(event["type"] != "UPDATE", "{event}");
    }
    let answer = framework.call(json!({"type": "REVIVE"}));
    assert_eq!((answer.status, answer.text().as_str()), (400, "Framework cannot be found"));
    let info = framework.info();
    assert!(is_refused(target, framework.form, &subscription(&info)).contains("Framework has been removed"));
}
