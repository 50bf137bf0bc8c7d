//! 1.7: what is wrong with a task, its check or its health check. All tasks of the table go in one ACCEPT: each is judged
//! on its own, and what came of it is looked up by its id.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::executor::Executor;
use crate::row::{Row, both, row};
use crate::target::Target;
use harness::framework::{Framework, filled, launch, launch_group, scalar, task};
use harness::wire::Form;

/// The tasks that are launched.
enum Launched {
    Task(Value),
    Group(Vec<Value>),
}

/// The outcome that must come of it.
#[derive(Clone, Copy)]
enum Outcome {
    /// TASK_ERROR with texts in its message.
    Error(&'static [&'static str]),
    Runs,
    /// The master takes it; the executor may find fault.
    Passes,
}

struct Case {
    row: String,
    launched: Launched,
    outcome: Outcome,
}

impl Case {
    fn error(row: &str, task: Value, texts: &'static [&'static str]) -> Case {
        Case { row: row.to_owned(), launched: Launched::Task(task), outcome: Outcome::Error(texts) }
    }

    fn runs(row: &str, task: Value) -> Case {
        Case { row: row.to_owned(), launched: Launched::Task(task), outcome: Outcome::Runs }
    }

    fn group(row: &str, tasks: Vec<Value>, outcome: Outcome) -> Case {
        Case { row: row.to_owned(), launched: Launched::Group(tasks), outcome }
    }

    fn ids(&self) -> Vec<String> {
        let tasks = match &self.launched {
            Launched::Task(task) => std::slice::from_ref(task),
            Launched::Group(tasks) => tasks,
        };
        tasks.iter().map(|task| task["task_id"]["value"].as_str().expect("an id").to_owned()).collect()
    }

    fn reason(&self) -> &'static str {
        match self.launched {
            Launched::Task(_) => "REASON_TASK_INVALID",
            Launched::Group(_) => "REASON_TASK_GROUP_INVALID",
        }
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let names: Vec<String> = cases().iter().map(|case| case.row.clone()).collect();
    let launched = names.into_iter().enumerate().flat_map(|(number, name)| {
        both(format!("1.7 {name}"), move |target, form| judge(&cases()[number], outcomes(target, form)))
    });
    launched.chain(check_statuses()).collect()
}

fn judge(case: &Case, outcomes: &HashMap<String, Value>) {
    for id in case.ids() {
        let status = outcomes.get(&id).unwrap_or_else(|| panic!("no update for task '{id}'"));
        match case.outcome {
            Outcome::Passes => assert_eq!(status["source"], "SOURCE_EXECUTOR", "{status}"),
            Outcome::Runs => assert_eq!(status["state"], "TASK_RUNNING", "{status}"),
            Outcome::Error(texts) => {
                assert_eq!(
                    (&status["state"], &status["reason"]),
                    (&json!("TASK_ERROR"), &json!(case.reason())),
                    "{status}"
                );
                let message = status["message"].as_str().unwrap_or_default();
                for text in texts {
                    assert!(message.contains(text), "'{text}' in: {message}");
                }
                assert_eq!(status["source"], "SOURCE_MASTER", "{status}");
                assert!(status["uuid"].is_null(), "what a master makes up is not acknowledged: {status}");
            }
        }
    }
}

/// The last status of every task of the table.
fn outcomes(target: &Target, form: Form) -> &'static HashMap<String, Value> {
    static JSON: OnceLock<HashMap<String, Value>> = OnceLock::new();
    static PROTOBUF: OnceLock<HashMap<String, Value>> = OnceLock::new();
    let once = match form {
        Form::Json => &JSON,
        Form::Protobuf => &PROTOBUF,
    };
    once.get_or_init(|| launch_all(target, form))
}

fn launch_all(target: &Target, form: Form) -> HashMap<String, Value> {
    let framework = Framework::subscribe(target, form);
    let cases = cases();
    let operation = |offer: &Value, number: usize, case: &Case| match &case.launched {
        Launched::Task(task) => launch([filled(task.clone(), offer)]),
        Launched::Group(tasks) => {
            let tasks = tasks.iter().map(|task| filled(task.clone(), offer));
            launch_group(&framework.id, &format!("group-{number}"), tasks)
        }
    };
    framework.operate(|offer| cases.iter().enumerate().map(|(number, case)| operation(offer, number, case)).collect());
    let mut open: Vec<String> = cases.iter().flat_map(Case::ids).collect();
    let mut outcomes = HashMap::new();
    while !open.is_empty() {
        let status = framework.update();
        let id = status["task_id"]["value"].as_str().expect("an id").to_owned();
        if status["state"] != "TASK_STARTING" {
            open.retain(|other| *other != id);
        }
        outcomes.insert(id, status);
    }
    outcomes
}

fn cases() -> Vec<Case> {
    [health_checks(), checks(), environments(), groups(), tasks(), accepted()].into_iter().flatten().collect()
}

fn with_health_check(id: &str, check: Value) -> Value {
    with("health_check", id, check)
}

fn with_check(id: &str, check: Value) -> Value {
    with("check", id, check)
}

fn with(field: &str, id: &str, check: Value) -> Value {
    let mut task = task(id, "exec sleep 1000");
    task[field] = check;
    task
}

/// Two cases of a check in this field: what is found at fault, and the words before it.
fn faults(field: &str, (row, check, texts): Invalid, prefix: &'static [&'static str]) -> [Case; 2] {
    [
        Case::error(row, with(field, row, check.clone()), texts),
        Case::error(&format!("{row} prefix"), with(field, &format!("{row}-p"), check), prefix),
    ]
}

/// The row of an invalid check, and texts of its error.
type Invalid = (&'static str, Value, &'static [&'static str]);

/// A task that brings an executor along, and no command of its own.
fn with_executor(id: &str, mut executor: Value) -> Value {
    executor["executor_id"] = json!({"value": id});
    json!({"name": id, "task_id": {"value": id}, "executor": executor})
}

fn health_checks() -> Vec<Case> {
    let tcp = |field: &str| json!({"type": "TCP", "tcp": {"port": 80}, field: -1.0});
    let mut cases: Vec<Invalid> = vec![
        ("H1", json!({}), &["HealthCheck must specify 'type'"]),
        ("H2", json!({"type": "COMMAND"}), &["'command'", "COMMAND health check"]),
        ("H3", json!({"type": "COMMAND", "command": {}}), &["shell command"]),
        ("H4", json!({"type": "COMMAND", "command": {"shell": false}}), &["executable path"]),
        (
            "H5",
            json!({"type": "COMMAND", "command": {"value": "true", "environment": {"variables": [{"name": "A"}]}}}),
            &["CommandInfo", " is invalid"],
        ),
        ("H6", json!({"type": "HTTP"}), &["'http'"]),
        ("H7", json!({"type": "HTTP", "http": {"port": 80, "scheme": "ftp"}}), &["scheme", "ftp"]),
        ("H8", json!({"type": "HTTP", "http": {"port": 80, "path": "health"}}), &["must start with '/'"]),
        ("H9", json!({"type": "TCP"}), &["'tcp'"]),
        ("H10", json!({"type": "UNKNOWN"}), &["'UNKNOWN' is not a valid"]),
    ];
    for (row, field) in [
        ("H11", "delay_seconds"),
        ("H12", "grace_period_seconds"),
        ("H13", "interval_seconds"),
        ("H14", "timeout_seconds"),
    ] {
        cases.push((row, tcp(field), &["to be non-negative"]));
    }
    cases.into_iter().flat_map(|case| faults("health_check", case, &["Task uses invalid health check: "])).collect()
}

fn checks() -> Vec<Case> {
    let tcp = |field: &str| json!({"type": "TCP", "tcp": {"port": 80}, field: -1.0});
    let command = |command: Value| json!({"type": "COMMAND", "command": {"command": command}});
    let cases: Vec<Invalid> = vec![
        ("C1", json!({}), &["CheckInfo must specify 'type'"]),
        ("C2", json!({"type": "COMMAND"}), &["Expecting 'command' to be set for COMMAND check"]),
        ("C3", command(json!({})), &["Command check must contain 'shell command'"]),
        ("C4", command(json!({"shell": false})), &["executable path"]),
        (
            "C5",
            command(json!({"value": "true", "environment": {"variables": [{"name": "A"}]}})),
            &["CommandInfo", " is invalid"],
        ),
        ("C6", json!({"type": "HTTP"}), &["Expecting 'http' to be set for HTTP check"]),
        (
            "C7",
            json!({"type": "HTTP", "http": {"port": 80, "path": "x"}}),
            &["The path 'x' of HTTP check must start with '/'"],
        ),
        ("C8", json!({"type": "TCP"}), &["Expecting 'tcp' to be set for TCP check"]),
        ("C9", json!({"type": "UNKNOWN"}), &["'UNKNOWN' is not a valid check type"]),
        ("C10", tcp("delay_seconds"), &["Expecting 'delay_seconds' to be non-negative"]),
        ("C11", tcp("interval_seconds"), &["Expecting 'interval_seconds' to be non-negative"]),
        ("C12", tcp("timeout_seconds"), &["Expecting 'timeout_seconds' to be non-negative"]),
    ];
    cases.into_iter().flat_map(|case| faults("check", case, &["Task uses invalid check: "])).collect()
}

/// E-rows, in a task's own command.
fn environments() -> Vec<Case> {
    let value = json!({"type": "VALUE", "value": {"data": "eA=="}});
    [
        ("E1", json!({"type": "SECRET"})),
        ("E2", json!({"type": "SECRET", "value": "x", "secret": value})),
        ("E3 reference without reference", json!({"type": "SECRET", "secret": {"type": "REFERENCE"}})),
        (
            "E3 reference with value",
            json!({"type": "SECRET", "secret":
            {"type": "REFERENCE", "reference": {"name": "n"}, "value": {"data": "eA=="}}}),
        ),
        ("E3 value without value", json!({"type": "SECRET", "secret": {"type": "VALUE"}})),
        (
            "E3 value with reference",
            json!({"type": "SECRET", "secret":
            {"type": "VALUE", "reference": {"name": "n"}, "value": {"data": "eA=="}}}),
        ),
        ("E4", json!({"type": "SECRET", "secret": {"type": "VALUE", "value": {"data": "eAB5"}}})),
        ("E5", json!({"type": "VALUE"})),
        ("E5 by default", json!({})),
        ("E6", json!({"type": "VALUE", "value": "x", "secret": value})),
        ("E7", json!({"type": "UNKNOWN", "value": "x"})),
    ]
    .into_iter()
    .map(|(row, mut variable)| {
        variable["name"] = json!("A");
        let mut task = task(&row.replace(' ', "-"), "exec sleep 1000");
        task["command"]["environment"] = json!({"variables": [variable]});
        Case::error(row, task, &[])
    })
    .collect()
}

fn groups() -> Vec<Case> {
    let networked = |id: &str, health_check: Value| {
        let mut task = with_health_check(id, health_check);
        task["container"] = json!({"type": "MESOS", "network_infos": [{"name": "n"}]});
        task
    };
    let http = json!({"type": "HTTP", "http": {"port": 80}});
    vec![
        Case::group("G1 HTTP", vec![networked("G1-http", http.clone())], Outcome::Error(&["not supported"])),
        Case::group(
            "G1 TCP",
            vec![networked("G1-tcp", json!({"type": "TCP", "tcp": {"port": 80}}))],
            Outcome::Error(&[]),
        ),
        Case::group(
            "group names the task",
            vec![with_health_check("G-named", json!({"type": "UNKNOWN"}))],
            Outcome::Error(&["Task 'G-named' is invalid: "]),
        ),
        Case::group(
            "group all or nothing",
            vec![task("G-good", "exec sleep 1000"), with_health_check("G-bad", json!({"type": "TCP"}))],
            Outcome::Error(&[]),
        ),
        Case::group(
            "group no back-fill",
            vec![with_health_check("G-fill", json!({"http": {"port": 80}}))],
            Outcome::Error(&["HealthCheck must specify 'type'"]),
        ),
    ]
}

/// The rest of a task's validation, 3.5.
fn tasks() -> Vec<Case> {
    let changed = |id: &str, change: &dyn Fn(&mut Value)| {
        let mut task = task(id, "exec sleep 1000");
        change(&mut task);
        task
    };
    let named = |id: &str| changed(id, &|_| ());
    vec![
        Case::error("task id ..", named(".."), &[]),
        Case::error("task id .", named("."), &[]),
        Case::error("task id slash", named("a/b"), &[]),
        Case::error("task id backslash", named("a\\b"), &[]),
        Case::error("task id control character", named("a\tb"), &[]),
        Case::error("task id too long", named(&"x".repeat(256)), &[]),
        Case::error("other agent", changed("other-agent", &|task| task["agent_id"] = json!({"value": "other"})), &[]),
        Case::error(
            "kill policy negative",
            changed("kill-policy", &|task| task["kill_policy"] = json!({"grace_period": {"nanoseconds": -1}})),
            &[],
        ),
        Case::error(
            "completion time negative",
            changed("completion", &|task| task["max_completion_time"] = json!({"nanoseconds": -1})),
            &[],
        ),
        Case::error("no resources", changed("no-resources", &|task| task["resources"] = json!([])), &[]),
        Case::error(
            "more than offered",
            changed("too-much", &|task| task["resources"] = json!([scalar("cpus", 1e6), scalar("mem", 8.0)])),
            &[],
        ),
        Case::error(
            "executor of type DEFAULT",
            with_executor("default-executor", json!({"type": "DEFAULT"})),
            &["CUSTOM"],
        ),
        Case::error("executor without a command", with_executor("no-command", json!({})), &["'ExecutorInfo.command'"]),
        Case::error(
            "neither command nor executor",
            changed("neither", &|task| drop(task.as_object_mut().map(|fields| fields.remove("command")))),
            &[],
        ),
    ]
}

/// Cases that are not validated, and the back-fill of types.
fn accepted() -> Vec<Case> {
    let later = |mut check: Value| {
        check["delay_seconds"] = json!(1000.0);
        check
    };
    let health = |id: &str, check: Value| Case::runs(&format!("accepted {id}"), with_health_check(id, later(check)));
    let check = |id: &str, check: Value| Case::runs(&format!("accepted {id}"), with_check(id, later(check)));
    let port = later(json!({"type": "TCP", "tcp": {"port": 70000}}));
    vec![
        Case {
            row: "accepted by the master: port range".to_owned(),
            launched: Launched::Task(with_health_check("health-port-range", port)),
            outcome: Outcome::Passes,
        },
        health("health-timeout-0", json!({"type": "TCP", "tcp": {"port": 80}, "timeout_seconds": 0.0})),
        health("health-http-port-only", json!({"type": "HTTP", "http": {"port": 80}})),
        health("health-failures-0", json!({"type": "TCP", "tcp": {"port": 80}, "consecutive_failures": 0})),
        health("health-two-members", json!({"type": "TCP", "tcp": {"port": 80}, "http": {"port": 80}})),
        health("back-fill-command", json!({"command": {"value": "true"}})),
        health("back-fill-http", json!({"http": {"port": 80}})),
        check("check-timeout-0", json!({"type": "HTTP", "http": {"port": 80}, "timeout_seconds": 0.0})),
        check("check-http-port-only", json!({"type": "HTTP", "http": {"port": 80}})),
    ]
}

/// S-rows: `check_status` in an executor's update.
fn check_statuses() -> Vec<Row> {
    let table = [
        ("S1", json!({}), "CheckStatusInfo must specify 'type'"),
        ("S2", json!({"type": "COMMAND"}), "Expecting 'command' to be set for COMMAND check's status"),
        ("S3", json!({"type": "HTTP"}), "Expecting 'http' to be set for HTTP check's status"),
        ("S4", json!({"type": "TCP"}), "Expecting 'tcp' to be set for TCP check's status"),
        ("S5", json!({"type": "UNKNOWN"}), "'UNKNOWN' is not a valid check's status type"),
    ];
    Form::ALL
        .into_iter()
        .map(|form| {
            let table = table.clone();
            row(format!("1.7 S1-S5 [{}]", form.name()), move |target| {
                let framework = Framework::subscribe(target, form);
                let executor = Executor::start(target, &framework);
                for (row, check_status, text) in table {
                    let mut status = executor.status("t", "TASK_RUNNING", 1);
                    status["check_status"] = check_status;
                    let answer = executor.update(status);
                    assert_eq!(answer.status, 400, "{row}: {}", answer.text());
                    assert!(answer.text().contains(text), "{row}: {text} in {}", answer.text());
                }
            })
        })
        .collect()
}
