//! 3.7 and 3.8: the operator APIs of master and agent, call by call, and the stream of events.

use harness::cluster::START;
use harness::http::{self, Answer};
use serde_json::{Value, json};

use crate::answer::{only_of, tells_of_frameworks};
use crate::row::{Row, both, row};
use crate::shape::{golden, has_shape};
use crate::target::Target;
use harness::framework::{Framework, task, with_health_check};
use harness::stream::Stream;
use harness::wire::Form;

/// Whom a call goes to.
#[derive(Clone, Copy)]
pub(crate) struct Operator {
    address: fn(&Target) -> std::net::SocketAddr,
    call: &'static str,
    response: &'static str,
}

pub(crate) const MASTER: Operator =
    Operator { address: Target::master, call: "master.Call", response: "master.Response" };
pub(crate) const AGENT: Operator = Operator { address: Target::agent, call: "agent.Call", response: "agent.Response" };

impl Operator {
    #[track_caller]
    pub(crate) fn ask(self, target: &Target, form: Form, call: &Value) -> Answer {
        let headers = [("content-type", form.media_type()), ("accept", form.media_type())];
        let body = form.encode(self.call, call);
        http::request((self.address)(target), "POST", "/api/v1", &headers, &body).expect("an answer")
    }

    /// The response of a call that must have one.
    #[track_caller]
    pub(crate) fn response(self, target: &Target, form: Form, call: &Value) -> Value {
        let answer = self.ask(target, form, call);
        assert_eq!(answer.status, 200, "{call}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some(form.media_type()));
        form.decode(self.response, &answer.body)
    }

    /// The value found in the response, as soon as it is there: what others do at the same agent may make it stumble
    /// for a moment.
    #[track_caller]
    pub(crate) fn response_with<T>(
        self,
        target: &Target,
        form: Form,
        call: &Value,
        found: impl Fn(&Value) -> Option<T>,
    ) -> T {
        harness::wait::until_ok(&format!("what a row looks for in the response of {call}"), START, || {
            let answer = self.ask(target, form, call);
            let response = (answer.status == 200).then(|| form.decode(self.response, &answer.body));
            response.as_ref().and_then(&found).ok_or_else(|| match &response {
                Some(response) => response.to_string(),
                None => format!("{} {}", answer.status, answer.text()),
            })
        })
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = reads();
    rows.extend(shapes());
    rows.extend(invalid());
    rows.extend(both("3.7 SUBSCRIBE: what happens is told", events));
    rows.extend(both("3.7 SUBSCRIBE: health updates are told", health_events));
    rows.extend(both("3.7 TEARDOWN", |target, form| {
        let framework = Framework::subscribe(target, form);
        let teardown = |id: &str| {
            MASTER.ask(target, form, &json!({"type": "TEARDOWN", "teardown": {"framework_id": {"value": id}}})).status
        };
        assert_eq!((teardown("nobody"), teardown(&framework.id)), (400, 200));
        while framework.stream.next().is_some() {}
    }));
    rows.extend(both("3.7 GET_TASKS: a task's life", a_task));
    rows.extend(both("3.7 files", |target, form| {
        let call = json!({"type": "LIST_FILES", "list_files": {"path": "/no/such/path"}});
        assert_eq!(MASTER.ask(target, form, &call).status, 404);
        let call = json!({"type": "READ_FILE", "read_file": {"path": "/no/such/path", "offset": 0}});
        assert_eq!(MASTER.ask(target, form, &call).status, 404);
    }));
    rows.extend(both("3.8 files", agent_files));
    rows
}

/// Calls that only read, and the member their response has.
const READS: &[(Operator, &str, &str)] = &[
    (MASTER, "GET_HEALTH", "get_health"),
    (MASTER, "GET_VERSION", "get_version"),
    (MASTER, "GET_FLAGS", "get_flags"),
    (MASTER, "GET_METRICS", "get_metrics"),
    (MASTER, "GET_LOGGING_LEVEL", "get_logging_level"),
    (MASTER, "GET_MASTER", "get_master"),
    (MASTER, "GET_AGENTS", "get_agents"),
    (MASTER, "GET_FRAMEWORKS", "get_frameworks"),
    (MASTER, "GET_EXECUTORS", "get_executors"),
    (MASTER, "GET_TASKS", "get_tasks"),
    (MASTER, "GET_STATE", "get_state"),
    (MASTER, "GET_ROLES", "get_roles"),
    (AGENT, "GET_HEALTH", "get_health"),
    (AGENT, "GET_VERSION", "get_version"),
    (AGENT, "GET_FLAGS", "get_flags"),
    (AGENT, "GET_METRICS", "get_metrics"),
    (AGENT, "GET_LOGGING_LEVEL", "get_logging_level"),
    (AGENT, "GET_STATE", "get_state"),
    (AGENT, "GET_TASKS", "get_tasks"),
    (AGENT, "GET_EXECUTORS", "get_executors"),
    (AGENT, "GET_FRAMEWORKS", "get_frameworks"),
    (AGENT, "GET_AGENT", "get_agent"),
    (AGENT, "GET_CONTAINERS", "get_containers"),
];

fn call(kind: &str) -> Value {
    match kind {
        "GET_METRICS" => json!({"type": kind, "get_metrics": {"timeout": {"nanoseconds": 5_000_000_000_u64}}}),
        _ => json!({"type": kind}),
    }
}

fn section(operator: Operator) -> &'static str {
    if operator.call == MASTER.call { "3.7" } else { "3.8" }
}

fn reads() -> Vec<Row> {
    let read = |&(operator, kind, member): &(Operator, &'static str, &'static str)| {
        both(format!("{} {kind}", section(operator)), move |target, form| {
            let response = operator.response(target, form, &call(kind));
            assert_eq!(response["type"], kind);
            // A message that has nothing to say may be all that is there.
            assert!(response[member].is_object(), "{response}");
        })
    };
    READS.iter().flat_map(read).collect()
}

fn shapes() -> Vec<Row> {
    const SHAPES: &[(Operator, &str, &str)] = &[
        (AGENT, "GET_VERSION", golden!("agent_GET_VERSION")),
        (AGENT, "GET_FLAGS", golden!("agent_GET_FLAGS")),
        (AGENT, "GET_METRICS", golden!("agent_GET_METRICS")),
        (AGENT, "GET_LOGGING_LEVEL", golden!("agent_GET_LOGGING_LEVEL")),
        (AGENT, "GET_AGENT", golden!("agent_GET_AGENT")),
        (AGENT, "GET_FRAMEWORKS", golden!("agent_GET_FRAMEWORKS")),
        (AGENT, "GET_EXECUTORS", golden!("agent_GET_EXECUTORS")),
        (AGENT, "GET_TASKS", golden!("agent_GET_TASKS")),
        (AGENT, "GET_STATE", golden!("agent_GET_STATE")),
        (AGENT, "GET_CONTAINERS", golden!("agent_GET_CONTAINERS")),
    ];
    let shape = |&(operator, kind, golden): &(Operator, &'static str, &'static str)| {
        row(format!("{} shape of {kind}", section(operator)), move |target| {
            let framework = Framework::subscribe(target, Form::Json);
            framework.run(task("t", "exec sleep 1000"));
            let response = operator.response_with(target, Form::Json, &call(kind), |response| {
                (!tells_of_frameworks(golden) || response.to_string().contains(&framework.id)).then(|| response.clone())
            });
            has_shape(golden, &only_of(&framework.id, response));
        })
    };
    SHAPES.iter().map(shape).collect()
}

/// Calls without what they need, and what nobody takes.
fn invalid() -> Vec<Row> {
    let mut rows = Vec::new();
    for (operator, kinds) in [
        (MASTER, &["GET_METRICS", "SET_LOGGING_LEVEL", "LIST_FILES", "READ_FILE", "TEARDOWN"][..]),
        (
            AGENT,
            &[
                "GET_METRICS",
                "LIST_FILES",
                "READ_FILE",
                "LAUNCH_NESTED_CONTAINER",
                "WAIT_NESTED_CONTAINER",
                "KILL_NESTED_CONTAINER",
                "REMOVE_NESTED_CONTAINER",
                "LAUNCH_CONTAINER",
                "WAIT_CONTAINER",
            ],
        ),
    ] {
        rows.extend(both(format!("{} calls without their message", section(operator)), move |target, form| {
            for kind in kinds {
                let answer = operator.ask(target, form, &json!({"type": kind}));
                assert_eq!(answer.status, 400, "{kind}: {}", answer.text());
            }
        }));
        rows.extend(both(format!("{} UNKNOWN", section(operator)), move |target, form| {
            assert_eq!(operator.ask(target, form, &json!({"type": "UNKNOWN"})).status, 501);
        }));
    }
    rows
}

fn subscribe(target: &Target, form: Form) -> Stream {
    let body = form.encode("master.Call", &json!({"type": "SUBSCRIBE"}));
    Stream::open(target.master(), "/api/v1", form, &body, "master.Event").expect("200")
}

/// The next event of this kind in which `ours` is found.
#[track_caller]
fn event(stream: &Stream, kind: &str, ours: &str) -> Value {
    loop {
        let event = stream.event(kind);
        if event.to_string().contains(ours) {
            return event;
        }
    }
}

fn check_shape(form: Form, shape: &str, event: &Value) {
    if form == Form::Json {
        has_shape(shape, event);
    }
}

fn events(target: &Target, form: Form) {
    let stream = subscribe(target, form);
    let first = stream.next().expect("an event");
    assert_eq!(
        (&first["type"], &first["subscribed"]["heartbeat_interval_seconds"]),
        (&json!("SUBSCRIBED"), &json!(15.0))
    );
    assert_eq!(stream.next().expect("an event"), json!({"type": "HEARTBEAT"}));

    let framework = Framework::subscribe(target, form);
    let added = event(&stream, "FRAMEWORK_ADDED", &framework.id);
    check_shape(form, golden!("operator_event_FRAMEWORK_ADDED"), &added);
    framework.run(task("t", "exit 0"));
    framework.expect("TASK_FINISHED");
    let first = subscribe(target, form).next().expect("an event");
    check_shape(form, golden!("operator_event_SUBSCRIBED"), &only_of(&framework.id, first));
    let added = event(&stream, "TASK_ADDED", &framework.id);
    assert_eq!(added["task_added"]["task"]["state"], "TASK_STAGING", "{added}");
    check_shape(form, golden!("operator_event_TASK_ADDED"), &added);
    for state in ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"] {
        let updated = event(&stream, "TASK_UPDATED", &framework.id);
        assert_eq!(updated["task_updated"]["status"]["state"], state, "{updated}");
        check_shape(form, golden!("operator_event_TASK_UPDATED"), &updated);
    }
    let id = framework.id.clone();
    drop(framework);
    let removed = event(&stream, "FRAMEWORK_REMOVED", &id);
    check_shape(form, golden!("operator_event_FRAMEWORK_REMOVED"), &removed);
}

/// Also when the state stays the same.
fn health_events(target: &Target, form: Form) {
    let stream = subscribe(target, form);
    let framework = Framework::subscribe(target, form);
    let check = json!({"type": "COMMAND", "consecutive_failures": 2, "command": {"value": "false"}});
    framework.run(with_health_check(task("t", "exec sleep 1000"), check));
    for (state, healthy) in [
        ("TASK_STARTING", Value::Null),
        ("TASK_RUNNING", Value::Null),
        ("TASK_RUNNING", json!(false)),
        ("TASK_RUNNING", json!(false)),
    ] {
        if !healthy.is_null() {
            framework.expect("TASK_RUNNING");
        }
        let status = event(&stream, "TASK_UPDATED", &framework.id)["task_updated"]["status"].clone();
        assert_eq!((&status["state"], &status["healthy"]), (&json!(state), &healthy), "{status}");
    }
}

fn a_task(target: &Target, form: Form) {
    let framework = Framework::subscribe(target, form);
    framework.run(task("t", "exec sleep 1000"));
    let ours = |list: &'static str| {
        let id = framework.id.as_str();
        let is_ours = move |task: &&Value| task["framework_id"]["value"] == id;
        move |response: &Value| response["get_tasks"][list].as_array()?.iter().find(is_ours).cloned()
    };
    let tasks = json!({"type": "GET_TASKS"});
    let live = MASTER.response_with(target, form, &tasks, ours("tasks"));
    assert_eq!((&live["state"], &live["task_id"]["value"]), (&json!("TASK_RUNNING"), &json!("t")));
    assert_eq!(live["statuses"].as_array().map(Vec::len), Some(2), "STARTING and RUNNING: {live}");
    framework.kill("t");
    framework.expect("TASK_KILLING");
    framework.expect("TASK_KILLED");
    let completed = MASTER.response_with(target, form, &tasks, ours("completed_tasks"));
    assert_eq!(completed["state"], "TASK_KILLED");
    assert_eq!(ours("tasks")(&MASTER.response(target, form, &tasks)), None);
}

fn agent_files(target: &Target, form: Form) {
    let framework = Framework::subscribe(target, form);
    framework.run(task("t", "printf hello; exec sleep 1000"));
    let root = format!("/frameworks/{}/executors/t/runs/latest", framework.id);
    let list = json!({"type": "LIST_FILES", "list_files": {"path": root}});
    let stdout = AGENT.response_with(target, form, &list, |listed| {
        let files = listed["list_files"]["file_infos"].as_array()?;
        files.iter().find(|file| file["path"] == format!("{root}/stdout")).cloned()
    });
    assert!(stdout["mtime"]["nanoseconds"].is_number() && stdout["mode"].is_number(), "{stdout}");
    let path = json!({"path": format!("{root}/stdout"), "offset": 0});
    let read = json!({"type": "READ_FILE", "read_file": path});
    let read = AGENT.response_with(target, form, &read, |response| {
        Some(response["read_file"].clone()).filter(|file| file["data"].as_str().is_some_and(|data| !data.is_empty()))
    });
    assert_eq!((&read["data"], &read["size"]), (&json!("aGVsbG8="), &json!(5)));
    let piece = json!({"path": format!("{root}/stdout"), "offset": 1, "length": 2});
    let read = AGENT.response(target, form, &json!({"type": "READ_FILE", "read_file": piece}));
    assert_eq!(read["read_file"]["data"], "ZWw=");
    for (path, status) in [("/no/such".to_owned(), 404), (root, 400)] {
        let call = json!({"type": "READ_FILE", "read_file": {"path": path, "offset": 0}});
        assert_eq!(AGENT.ask(target, form, &call).status, status, "{path}");
    }
}
