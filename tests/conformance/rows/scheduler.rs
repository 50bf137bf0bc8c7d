//! 3.5: what each call of the scheduler API does, and what each event says.

use harness::http;
use serde_json::{Value, json};

use crate::executor::{self, Executor};
use crate::row::{Row, both, framed, skipped};
use crate::target::Target;
use harness::framework::{self, Framework, filled, launch, launch_group, scalar, subscribe, subscription, task};
use harness::wire::Form;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = subscribing();
    rows.extend(offers());
    rows.extend(tasks());
    rows.extend(reconciliation());
    rows.extend(failover());
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

fn offers() -> Vec<Row> {
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

fn tasks() -> Vec<Row> {
    let mut rows = table(&[
        ("3.5 KILL: a policy of its own", |target, form| {
            if !target.tells_kill_policies() {
                return skipped("3.5 KILL: a policy of its own", "its agent has no --http_command_executor");
            }
            let framework = Framework::subscribe(target, form);
            let mut stubborn = task("t", "trap '' TERM; touch ready; while :; do sleep 0.1; done");
            stubborn["kill_policy"] = json!({"grace_period": {"nanoseconds": 1_000_000_000_000_u64}});
            run_ready(&framework, stubborn);
            framework.accepted(json!({"type": "KILL", "kill": {"task_id": {"value": "t"},
                "kill_policy": {"grace_period": {"nanoseconds": 100_000_000}}}}));
            framework.expect("TASK_KILLING");
            assert_eq!(framework.expect("TASK_KILLED")["message"], "Command terminated with signal Killed");
        }),
        ("3.5 KILL: without TASK_KILLING_STATE", |target, form| {
            let info = framework::info_with(json!({"capabilities": []}));
            let framework = Framework::subscribe_as(target, form, &info);
            framework.run(task("t", "exec sleep 1000"));
            framework.kill("t");
            framework.expect("TASK_KILLED");
        }),
    ]);
    rows.extend(framed(&[
        ("3.5 LAUNCH: updates of a task", a_task),
        ("3.5 LAUNCH: exit status 3", |_, framework| {
            framework.run(task("t", "exit 3"));
            let status = framework.expect("TASK_FAILED");
            assert_eq!(status["message"], "Command exited with status 3");
            assert!(status["reason"].is_null(), "{status}");
        }),
        ("3.5 LAUNCH: an id in use", |_, framework| {
            framework.run(task("t", "exec sleep 1000"));
            framework.launch(task("t", "exec sleep 1000"));
            let status = framework.expect("TASK_ERROR");
            assert_eq!(status["reason"], "REASON_TASK_INVALID", "{status}");
        }),
        ("3.5 LAUNCH_GROUP: its executor must be whole", executors_of_groups),
        ("3.5 KILL", |_, framework| {
            run_ready(&framework, task("t", "touch ready; exec sleep 1000"));
            framework.kill("t");
            let killing = framework.expect("TASK_KILLING");
            assert!(killing["reason"].is_null() && killing["healthy"].is_null(), "{killing}");
            let killed = framework.expect("TASK_KILLED");
            assert!(killed["reason"].is_null() && killed["healthy"].is_null(), "{killed}");
            assert_eq!(killed["message"], "Command terminated with signal Terminated");
        }),
        ("3.5 KILL: an unknown task is answered by reconciliation", |_, framework| {
            framework.kill("nobody");
            let status = framework.expect("TASK_UNKNOWN");
            assert_eq!((&status["reason"], &status["uuid"]), (&json!("REASON_RECONCILIATION"), &Value::Null));
        }),
        ("3.5 KILL: another agent is ignored", |_, framework| {
            framework.run(task("t", "exec sleep 1000"));
            framework.accepted(json!({"type": "KILL", "kill":
                {"task_id": {"value": "t"}, "agent_id": {"value": "other"}}}));
            let status = framework.reconcile(&[json!({"task_id": {"value": "t"}})]);
            assert_eq!(status["state"], "TASK_RUNNING", "{status}");
        }),
        ("3.5 SHUTDOWN: of an executor", |target, framework| {
            let executor = Executor::start(target, &framework);
            executor.updated(executor.status("t", "TASK_RUNNING", 1));
            let agent_id = framework.expect("TASK_RUNNING")["agent_id"].clone();
            let shutdown = |agent_id: &Value| {
                framework.accepted(json!({"type": "SHUTDOWN", "shutdown":
                    {"executor_id": {"value": "e"}, "agent_id": agent_id}}));
            };
            shutdown(&json!({"value": "nobody"}));
            shutdown(&agent_id);
            executor.stream.event("SHUTDOWN");
        }),
        ("3.5 MESSAGE: both ways", |target, framework| {
            let executor = Executor::start(target, &framework);
            executor.updated(executor.status("t", "TASK_RUNNING", 1));
            let agent_id = framework.expect("TASK_RUNNING")["agent_id"].clone();
            framework.accepted(json!({"type": "MESSAGE", "message":
                {"agent_id": agent_id, "executor_id": {"value": "e"}, "data": "aGVsbG8="}}));
            assert_eq!(executor.stream.event("MESSAGE")["message"], json!({"data": "aGVsbG8="}));
            assert_eq!(executor.call(json!({"type": "MESSAGE", "message": {"data": "AP8="}})).status, 202);
            let message = framework.stream.event("MESSAGE")["message"].clone();
            assert_eq!(message, json!({"agent_id": agent_id, "executor_id": {"value": "e"}, "data": "AP8="}));
        }),
        ("3.5 ACKNOWLEDGE: the next update waits for it", |_, framework| {
            framework.launch(task("t", "exit 0"));
            let starting = framework.unacknowledged();
            assert_eq!(starting["state"], "TASK_STARTING");
            let mut wrong = starting.clone();
            wrong["uuid"] = executor::uuid(7);
            framework.acknowledge(&wrong);
            wrong["agent_id"] = json!({"value": "nobody"});
            framework.acknowledge(&wrong);
            // An update comes again, unchanged, if it is not acknowledged.
            assert_eq!(framework.unacknowledged(), starting);
            framework.acknowledge(&starting);
            // Each may come again before it hears of that.
            let after = |last: &Value| {
                loop {
                    let next = framework.update();
                    if next != *last {
                        return next;
                    }
                }
            };
            let running = after(&starting);
            assert_eq!(running["state"], "TASK_RUNNING", "{running}");
            assert_eq!(after(&running)["state"], "TASK_FINISHED");
        }),
    ]));
    rows
}

/// Launches a task whose command makes a file `ready`, and waits for that. TASK_RUNNING may come before it has begun.
fn run_ready(framework: &Framework, mut task: Value) {
    task["check"] = json!({"type": "COMMAND", "command": {"command": {"value": "test -e ready"}},
        "delay_seconds": 0.0, "interval_seconds": 0.1});
    framework.run(task);
    while framework.expect_reason("REASON_TASK_CHECK_STATUS_UPDATED")["check_status"]["command"]["exit_code"] != 0 {}
}

fn a_task(target: &Target, framework: Framework) {
    let offer = framework.launch(task("t", "exit 0"));
    for state in ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"] {
        let status = framework.expect(state);
        assert_eq!(status["task_id"]["value"], "t");
        assert_eq!((&status["agent_id"], &status["executor_id"]["value"]), (&offer["agent_id"], &json!("t")));
        assert_eq!(status["source"], "SOURCE_EXECUTOR", "{status}");
        assert_eq!(status["uuid"].as_str().map(str::len), Some(24), "{status}");
        assert!(status["timestamp"].as_f64().is_some_and(|seconds| seconds > 1.7e9), "{status}");
        assert!(status["healthy"].is_null() && status["check_status"].is_null() && status["reason"].is_null());
        let container = &status["container_status"];
        assert!(container["container_id"]["value"].is_string(), "{status}");
        let address = &container["network_infos"][0]["ip_addresses"][0];
        assert_eq!(address["ip_address"], json!(target.agent().ip().to_string()), "{status}");
    }
}

/// The parts that an executor of a group must have.
fn executors_of_groups(_: &Target, framework: Framework) {
    for (what, field, value) in [
        ("no type", "type", Value::Null),
        ("no framework id", "framework_id", Value::Null),
        ("too little cpus", "resources", json!([scalar("cpus", 0.001), scalar("mem", 32.0), scalar("disk", 1.0)])),
        ("too little mem", "resources", json!([scalar("cpus", 0.1), scalar("mem", 1.0), scalar("disk", 1.0)])),
        ("no disk", "resources", json!([scalar("cpus", 0.1), scalar("mem", 32.0)])),
        ("a command for the default executor", "command", json!({"value": "true"})),
    ] {
        framework.operate(|offer| {
            let mut operation = launch_group(&framework.id, "e", [filled(task("t", "true"), offer)]);
            operation["launch_group"]["executor"][field] = value.clone();
            vec![operation]
        });
        let status = framework.expect("TASK_ERROR");
        assert_eq!(status["reason"], "REASON_TASK_GROUP_INVALID", "{what}: {status}");
    }
}

fn reconciliation() -> Vec<Row> {
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

fn failover() -> Vec<Row> {
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
