//! 3.9: the endpoints that tools read, in JSON, and their shapes.

use harness::http::{self, Answer};
use serde_json::{Value, json};

use crate::answer::{executor_of, only_of, tells_of_frameworks, told};
use crate::row::{Row, row, skipped};
use crate::shape::{golden, has_shape};
use crate::target::Target;
use harness::framework::{self, Framework, task};
use harness::wire::Form;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = shapes();
    rows.extend([
        row("3.9 jsonp", jsonp),
        row("3.9 master /slaves?slave_id=", slaves),
        row("3.9 master /frameworks?framework_id=", frameworks),
        row("3.9 master /tasks", tasks),
        row("3.9 master /redirect", |target| {
            let answer = get(target.master(), "/redirect");
            assert_eq!(answer.status, 307);
            let location = answer.header("location").expect("a location");
            let hostname = get(target.master(), "/state").json()["hostname"].as_str().expect("a name").to_owned();
            assert_eq!(location, format!("//{hostname}:{}", target.master().port()));
            assert_eq!(get(target.master(), "/redirect/somewhere").status, 404);
        }),
        row("3.9 POST /teardown", teardown),
        row("3.9 /flags", |target| {
            for address in [target.master(), target.agent()] {
                let flags = get(address, "/flags").json()["flags"].clone();
                let flags = flags.as_object().expect("an object");
                assert!(flags.contains_key("port") && flags.values().all(Value::is_string), "{flags:?}");
            }
        }),
        row("3.9 /metrics/snapshot", metrics),
        row("3.9 version: dotted integers", |target| {
            for address in [target.master(), target.agent()] {
                let version = get(address, "/version").json()["version"].as_str().expect("text").to_owned();
                let parts: Vec<_> = version.split('.').map(str::parse::<u32>).collect();
                assert!(parts.len() == 3 && parts.iter().all(Result::is_ok), "{version}");
            }
        }),
        row("3.9 agent /files", files),
        row("3.9 agent /files: virtual roots", virtual_roots),
        row("3.9 agent /containers: parameters", containers),
        row("3.9 only GET", |target| {
            if target.is_foreign() {
                return skipped("3.9 only GET", "without an authorizer Mesos takes any method");
            }
            for (address, path) in
                [(target.master(), "/state"), (target.master(), "/health"), (target.agent(), "/state")]
            {
                let answer = http::request(address, "PUT", path, &[], b"").expect("an answer");
                assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")), "{path}");
            }
        }),
    ]);
    rows
}

#[track_caller]
fn get(address: std::net::SocketAddr, path: &str) -> Answer {
    http::get(address, path).expect("an answer")
}

/// A framework with a task that has all that is shown.
fn populated(target: &Target) -> Framework {
    let info = framework::info_with(json!({"labels": {"labels": [{"key": "a", "value": "b"}]}}));
    let framework = Framework::subscribe_as(target, Form::Json, &info);
    framework.run(task("done", "exit 0"));
    framework.expect("TASK_FINISHED");
    let mut shown = task("shown", "echo hello; exec sleep 1000");
    shown["labels"] = json!({"labels": [{"key": "k", "value": "v"}]});
    shown["health_check"] = json!({"type": "COMMAND", "delay_seconds": 0.0, "command": {"value": "true"}});
    framework.run(shown);
    assert_eq!(framework.expect("TASK_RUNNING")["healthy"], true);
    framework
}

type Place = (&'static str, fn(&Target) -> std::net::SocketAddr, &'static str, &'static str);

fn shapes() -> Vec<Row> {
    let places: [Place; 12] = [
        ("master /state", Target::master, "/state", golden!("master_state")),
        ("master /slaves", Target::master, "/slaves", golden!("master_slaves")),
        ("master /frameworks", Target::master, "/frameworks", golden!("master_frameworks")),
        ("master /tasks", Target::master, "/tasks", golden!("master_tasks")),
        ("master /roles", Target::master, "/roles", golden!("master_roles")),
        ("master /state-summary", Target::master, "/state-summary", golden!("master_state-summary")),
        ("master /version", Target::master, "/version", golden!("master_version")),
        ("agent /version", Target::agent, "/version", golden!("master_version")),
        ("agent /state", Target::agent, "/state", golden!("agent_state")),
        ("agent /containers", Target::agent, "/containers", golden!("agent_containers")),
        ("agent /monitor/statistics", Target::agent, "/monitor/statistics", golden!("agent_statistics")),
        ("agent /slave(1)/state", Target::agent, "/slave(1)/state", golden!("agent_state")),
    ];
    let shape = |(name, address, path, golden): Place| {
        row(format!("3.9 shape of {name}"), move |target| {
            let shown = populated(target);
            assert_eq!(get(address(target), path).header("content-type"), Some("application/json"));
            let answer = told(address(target), path, |answer| {
                (!tells_of_frameworks(golden) || answer.to_string().contains(&shown.id)).then(|| answer.clone())
            });
            has_shape(golden, &only_of(&shown.id, answer));
        })
    };
    places.into_iter().map(shape).collect()
}

fn jsonp(target: &Target) {
    for (address, path) in [
        (target.master(), "/state"),
        (target.master(), "/slaves"),
        (target.agent(), "/state"),
        (target.agent(), "/flags"),
    ] {
        let answer = get(address, &format!("{path}?jsonp=call.me"));
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/javascript")), "{path}");
        let text = answer.text();
        let inner =
            text.strip_prefix("call.me(").and_then(|rest| rest.trim_end().trim_end_matches(';').strip_suffix(')'));
        serde_json::from_str::<Value>(inner.expect("the call")).expect("JSON in a call");
    }
}

fn slaves(target: &Target) {
    let all = get(target.master(), "/slaves").json();
    let id = all["slaves"][0]["id"].as_str().expect("an agent").to_owned();
    let one = get(target.master(), &format!("/slaves?slave_id={id}")).json();
    assert_eq!((one["slaves"].as_array().map(Vec::len), &one["slaves"][0]["id"]), (Some(1), &json!(id)));
    let none = get(target.master(), "/slaves?slave_id=nobody").json();
    assert_eq!(none["slaves"], json!([]));
    assert_eq!(one["slaves"][0]["pid"], json!(format!("slave(1)@{}", target.agent())));
}

fn frameworks(target: &Target) {
    let framework = Framework::subscribe(target, Form::Json);
    let one = get(target.master(), &format!("/frameworks?framework_id={}", framework.id)).json();
    assert_eq!(
        (one["frameworks"].as_array().map(Vec::len), &one["frameworks"][0]["id"]),
        (Some(1), &json!(framework.id))
    );
    assert_eq!(one["unregistered_frameworks"], json!([]));
}

fn tasks(target: &Target) {
    let framework = Framework::subscribe(target, Form::Json);
    for id in ["first", "second"] {
        framework.run(task(id, "exec sleep 1000"));
    }
    let ids = |query: &str| -> Vec<String> {
        let answer = get(target.master(), &format!("/tasks?framework_id={}{query}", framework.id)).json();
        let tasks = answer["tasks"].as_array().expect("tasks").iter();
        tasks.map(|task| task["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(""), ["second", "first"], "descending by default");
    assert_eq!(ids("&order=asc"), ["first", "second"]);
    assert_eq!(ids("&order=asc&limit=1"), ["first"]);
    assert_eq!(ids("&order=asc&offset=1"), ["second"]);
    assert_eq!(ids("&task_id=first"), ["first"]);
}

fn teardown(target: &Target) {
    let framework = Framework::subscribe(target, Form::Json);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post =
        |body: &str| http::request(target.master(), "POST", "/teardown", &form, body.as_bytes()).expect("an answer");
    assert_eq!(get(target.master(), "/teardown").status, 405);
    assert_eq!(post("").status, 400);
    assert_eq!(post("frameworkId=nobody").status, 400);
    assert_eq!(post(&format!("frameworkId={}", framework.id)).status, 200);
    while framework.stream.next().is_some() {}
}

fn metrics(target: &Target) {
    for (address, names) in [(target.master(), MASTER_METRICS), (target.agent(), AGENT_METRICS)] {
        let answer = get(address, "/metrics/snapshot?timeout=5secs");
        assert_eq!(answer.status, 200);
        let snapshot = answer.json();
        let snapshot = snapshot.as_object().expect("an object");
        assert!(snapshot.values().all(Value::is_number));
        let all = names.iter().flat_map(|(begin, ends)| ends.split(' ').map(move |end| format!("{begin}{end}")));
        let missing: Vec<_> = all.filter(|name| !snapshot.contains_key(name)).collect();
        assert!(missing.is_empty(), "missing: {missing:?}");
        let text = answer.text();
        let places: Vec<_> = snapshot.keys().filter_map(|name| text.find(&format!("\"{name}\":"))).collect();
        assert!(places.is_sorted(), "names are sorted");
        assert_eq!(get(address, "/metrics/snapshot?timeout=soon").status, 400);
    }
}

/// The beginnings of names, and how they go on.
const MASTER_METRICS: &[(&str, &str)] = &[
    ("allocator/mesos/", "allocation_run_latency_ms allocation_run_ms/p99 event_queue_dispatches"),
    ("registrar/", "log/recovered queued_operations state_fetch_ms state_store_ms/max"),
    ("master/slaves_", "connected disconnected active inactive unreachable"),
    ("master/frameworks_", "connected disconnected active inactive"),
    (
        "master/tasks_",
        "staging starting running killing finished failed killed lost error dropped unreachable gone gone_by_operator",
    ),
    ("master/cpus_", "total used percent revocable_total"),
    ("master/gpus_", "total used percent"),
    ("master/mem_", "total used percent revocable_used"),
    ("master/disk_", "total used percent"),
    ("master/slave_", "registrations reregistrations removals"),
    ("master/messages_", "register_framework kill_task"),
    ("master/", "uptime_secs elected outstanding_offers valid_status_updates invalid_status_updates"),
];

const AGENT_METRICS: &[(&str, &str)] = &[
    ("slave/tasks_", "staging starting running killing finished failed killed lost gone"),
    ("slave/executors_", "registering running terminating terminated preempted"),
    ("slave/cpus_", "total used percent"),
    ("slave/gpus_", "total"),
    ("slave/mem_", "total used percent"),
    ("slave/disk_", "total used percent"),
    (
        "slave/",
        "uptime_secs registered frameworks_active valid_status_updates invalid_status_updates container_launch_errors",
    ),
];

fn files(target: &Target) {
    let framework = Framework::subscribe(target, Form::Json);
    framework.run(task("t", "mkdir below; printf 0123456789 > digits; exec sleep 1000"));
    let executor = executor_of(target.agent(), &framework.id);
    let sandbox = executor["directory"].as_str().expect("a path");
    let at =
        |endpoint: &str, path: &str, more: &str| get(target.agent(), &format!("/files/{endpoint}?path={path}{more}"));
    harness::wait::until("the file to be written", harness::cluster::START, || {
        (at("read", &format!("{sandbox}/digits"), "&offset=0").text().contains("0123456789")).then_some(())
    });

    let listed = at("browse", sandbox, "");
    has_shape(golden!("agent_files_browse"), &listed.json());
    let entries = listed.json();
    let paths: Vec<_> = entries.as_array().expect("a list").iter().filter_map(|entry| entry["path"].as_str()).collect();
    assert!(paths.is_sorted() && paths.contains(&format!("{sandbox}/stdout").as_str()), "{paths:?}");
    let below = entries.as_array().and_then(|all| all.iter().find(|entry| entry["path"] == format!("{sandbox}/below")));
    assert!(below.expect("the directory")["mode"].as_str().is_some_and(|mode| mode.starts_with("drwx")));

    let digits = format!("{sandbox}/digits");
    let read = |more: &str| at("read", &digits, more);
    has_shape(golden!("agent_files_read"), &read("&offset=0").json());
    for (query, offset, data) in [
        ("&offset=0", 0, "0123456789"),
        ("&offset=2&length=3", 2, "234"),
        ("&offset=0&length=-1", 0, "0123456789"),
        ("&offset=7&length=100", 7, "789"),
        ("&offset=-1", 10, ""),
        ("", 10, ""),
        ("&offset=10", 10, ""),
        ("&offset=99", 99, ""),
    ] {
        let answer = read(query).json();
        assert_eq!(answer["data"], data, "{query}: {answer}");
        if query != "&offset=99" {
            assert_eq!(answer["offset"].as_f64(), Some(f64::from(offset)), "{query}: {answer}");
        }
    }
    for query in ["&offset=-2", "&offset=x", "&length=-2&offset=0", "&length=x"] {
        assert_eq!(read(query).status, 400, "{query}");
    }

    let download = at("download", &digits, "");
    assert_eq!((download.status, download.text().as_str()), (200, "0123456789"));
    assert_eq!(download.header("content-disposition"), Some("attachment; filename=digits"));
    assert_eq!(download.header("content-type"), Some("application/octet-stream"));

    for endpoint in ["browse", "read", "download"] {
        assert_eq!(get(target.agent(), &format!("/files/{endpoint}")).status, 400, "{endpoint} without a path");
        assert_eq!(at(endpoint, "/etc/passwd", "").status, 404, "{endpoint} of what is not attached");
        assert_eq!(at(endpoint, &format!("{sandbox}/none"), "").status, 404, "{endpoint} of what is not there");
    }
    assert_eq!(at("read", &format!("{sandbox}/below"), "&offset=0").status, 400, "a directory is not read");
    assert_eq!(at("download", &format!("{sandbox}/below"), "").status, 400);
}

fn virtual_roots(target: &Target) {
    let framework = Framework::subscribe(target, Form::Json);
    framework.run(task("t", "exec sleep 1000"));
    let executor = executor_of(target.agent(), &framework.id);
    let sandbox = executor["directory"].as_str().expect("a path");
    let (runs, _) = sandbox.rsplit_once('/').expect("a run");
    let short = format!("/frameworks/{}/executors/{}/runs/latest", framework.id, executor["id"].as_str().expect("id"));
    for root in [format!("{runs}/latest"), short] {
        told(target.agent(), &format!("/files/browse?path={root}"), |entries| {
            let is_stdout = |entry: &Value| entry["path"] == format!("{root}/stdout");
            entries.as_array()?.iter().any(is_stdout).then_some(())
        });
    }
}

fn containers(target: &Target) {
    let framework = Framework::subscribe(target, Form::Json);
    framework.run(task("t", "exec sleep 1000"));
    let container = executor_of(target.agent(), &framework.id)["container"].as_str().expect("a container").to_owned();
    let mut queries = vec![format!("container_id={container}")];
    if target.is_since(1, 12) {
        queries.push(format!("framework_id={}", framework.id));
        queries.push(format!("framework_id={}&executor_id=t", framework.id));
    }
    for query in queries {
        let found = told(target.agent(), &format!("/containers?{query}"), |found| {
            let has_status = found[0]["status"].is_object();
            has_status.then(|| found.clone())
        });
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{query}: {found}");
        assert_eq!(found[0]["container_id"], json!(container), "{query}");
    }
    let bad = ["executor_id=t".to_owned(), format!("container_id={container}&framework_id={}", framework.id)];
    for query in bad.iter().filter(|_| target.is_since(1, 12)) {
        assert_eq!(get(target.agent(), &format!("/containers?{query}")).status, 400, "{query}");
    }
}
