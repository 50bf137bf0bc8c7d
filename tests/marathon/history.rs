//! The past attempts of health checks through the scheduler, and attempts that somebody asks for.

use std::net::SocketAddr;

use harness::cluster::{Pair, Running, START, binary, free_address};
use harness::{http, process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

/// An app with a check that succeeds, one that fails and harms nothing, and one that the scheduler makes.
fn app() -> Value {
    let check = |name: &str, command: &str| {
        json!({"protocol": "COMMAND", "name": name, "command": {"value": command}, "delaySeconds": 0,
            "intervalSeconds": 1, "gracePeriodSeconds": 3600})
    };
    let own = json!({"protocol": "TCP", "portIndex": 0, "gracePeriodSeconds": 3600, "maxConsecutiveFailures": 0});
    json!({"id": "/seen", "cmd": "exec sleep 1000", "cpus": 0.1, "mem": 32, "backoffSeconds": 3600,
        "maxLaunchDelaySeconds": 3600, "healthChecks": [check("front", "true"), check("back", "exit 7"), own]})
}

fn shown(api: SocketAddr) -> Option<Value> {
    Some(http::get(api, "/v2/apps/seen?embed=apps.health")?.json()["app"].clone())
}

/// The check of this place, of the only task.
fn check(app: &Value, index: usize) -> &Value {
    &app["tasks"][0]["health"]["checks"][index]
}

/// An app whose checks are made once an hour.
pub(crate) fn hourly() -> Value {
    let check = |name: &str, command: &str| {
        json!({"protocol": "COMMAND", "name": name, "command": {"value": command}, "delaySeconds": 0,
            "intervalSeconds": 3600, "timeoutSeconds": 60, "gracePeriodSeconds": 0, "maxConsecutiveFailures": 100})
    };
    json!({"id": "/asked", "cmd": "exec sleep 1001", "cpus": 0.1, "mem": 32,
        "healthChecks": [check("front", "true"), check("back", "test ! -e broken")]})
}

/// The number of attempts of each check, by its history.
fn made(history: &Value) -> Vec<usize> {
    history["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|check| check["attempts"].as_array().map_or(0, Vec::len))
        .collect()
}

/// A scheduler beside the master and the agent, once it answers.
pub(crate) fn scheduler_of(pair: &Pair) -> (SocketAddr, Running) {
    let (api, log) = (free_address(), pair.directory().join("log"));
    let (work_dir, master) = (pair.directory().join("scheduler").display().to_string(), pair.master.to_string());
    let port = api.port().to_string();
    let scheduler = ["scheduler", "--work-dir", &work_dir, "--port", &port, "--master", &master].map(str::to_owned);
    let running = Running::start(&scheduler, &log);
    wait::until("the API", START, || http::get(api, "/ping"));
    (api, running)
}

fn said_by_the_command_line(api: SocketAddr, task: &str) {
    let mut command = std::process::Command::new(binary());
    let shown = command.args(["task", "check", task, "--api", &api.to_string()]).output().expect("a command");
    let said = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.status.success() && said.contains("front: success") && said.contains("back: success"), "{shown:?}");
}

#[test]
fn checks_are_made_when_somebody_asks_and_not_in_a_loop() {
    let mut pair = Pair::start();
    let (api, _running) = scheduler_of(&pair);
    assert_eq!(http::send(api, "POST", "/v2/apps", &hourly()).expect("an answer").status, 201);
    let get = |path: &str| http::get(api, path).expect("an answer").json();
    let task =
        wait::until("the task", START, || Some(get("/v2/apps/asked/tasks")["tasks"][0]["id"].as_str()?.to_owned()));
    let (history, checks) = (format!("/v2/tasks/{task}/history"), format!("/v2/tasks/{task}/checks"));
    let ask = || http::send(api, "POST", &checks, &json!({})).expect("an answer");
    let asked = wait::until("a task that runs", START, || Some(ask()).filter(|answer| answer.status == 200)).json();
    assert_eq!((&asked["checks"][1]["name"], &asked["checks"][1]["madeBy"]), (&json!("back"), &json!("executor")));
    assert_eq!(asked["nextAction"]["text"], "all 2 checks of it are made now; a failure counts");
    wait::until("both answers", START, || made(&get(&history)).iter().all(|count| *count >= 1).then_some(()));

    let before = made(&get(&history));
    let asked_at = |_| ask().json()["checks"][0]["askedAt"].to_string();
    let (times, took) = wait::timed(|| (0..40).map(asked_at).collect::<std::collections::BTreeSet<_>>());
    // Once a second, and one more at the beginning.
    let most = usize::try_from(took.as_secs()).expect("few") + 2;
    let new: Vec<_> = made(&get(&history)).iter().zip(before).map(|(now, before)| now - before).collect();
    assert!(times.len() <= most && new.iter().all(|new| *new <= most), "{times:?} {new:?} {most}");
    let again =
        (0..9).map(|_| ask().json()).find(|again| again["checks"][0]["askedBefore"] == true).expect("one of them");
    let text = again["nextAction"]["text"].as_str().expect("a text");
    assert!(text.starts_with("all 2 checks of it were made ") && text.ends_with("once a second is the most"), "{text}");

    let pause = |paused: bool| http::send(api, "PUT", &checks, &json!({"paused": paused})).expect("an answer").status;
    assert_eq!(pause(true), 200);
    let refused = ask();
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.message().ends_with("its checks are paused until somebody resumes them"), "{}", refused.message());
    assert_eq!(pause(false), 200);
    pair.agent_process().signal(Signal::STOP);
    let late = ask();
    pair.agent_process().signal(Signal::CONT);
    assert!(late.status == 504 && late.message().starts_with("The agent "), "{} {}", late.status, late.text());
    wait::until("the agent again", START, || (ask().status == 200).then_some(()));
    said_by_the_command_line(api, &task);
}

#[test]
fn of_a_task_whose_agent_does_not_answer_no_check_is_made() {
    let mut pair = Pair::start();
    let (api, _running) = scheduler_of(&pair);
    let mut app = hourly();
    let own = json!({"protocol": "TCP", "portIndex": 0, "delaySeconds": 0, "intervalSeconds": 3600, "gracePeriodSeconds": 3600,
        "maxConsecutiveFailures": 0});
    app["healthChecks"].as_array_mut().expect("checks").push(own);
    assert_eq!(http::send(api, "POST", "/v2/apps", &app).expect("an answer").status, 201);
    let shown = || http::get(api, "/v2/apps/asked?embed=apps.health").expect("an answer").json()["app"].clone();
    let attempt = |shown: &Value| Some(check(shown, 2)["lastAttempt"]["at"].as_str()?.to_owned());
    let (task, first) = wait::until("the scheduler's first attempt", START, || {
        let shown = shown();
        Some((shown["tasks"][0]["id"].as_str()?.to_owned(), attempt(&shown)?))
    });
    let ask = || http::send(api, "POST", &format!("/v2/tasks/{task}/checks"), &json!({})).expect("an answer");
    pair.agent_process().signal(Signal::STOP);
    let late = ask();
    assert_eq!((late.status, attempt(&shown())), (504, Some(first.clone())), "{}", late.text());
    pair.agent_process().signal(Signal::CONT);
    let asked = wait::until("the agent again", START, || Some(ask()).filter(|answer| answer.status == 200)).json();
    let by = |by: &str| asked["checks"].as_array().expect("checks").iter().filter(|one| one["madeBy"] == by).count();
    assert_eq!((by("executor"), by("scheduler")), (2, 1), "{asked}");
    wait::until("the scheduler's attempt", START, || attempt(&shown()).filter(|at| *at != first));
    let all_before =
        |again: &Value| again["checks"].as_array().is_some_and(|all| all.iter().all(|one| one["askedBefore"] == true));
    let again = (0..9).map(|_| ask().json()).find(all_before).expect("one of them");
    let text = again["nextAction"]["text"].as_str().expect("a text");
    assert!(text.starts_with("all 3 checks of it were made ") && text.ends_with("once a second is the most"), "{text}");
}

#[test]
fn the_attempts_of_each_check_are_told_while_a_task_runs_and_when_it_is_dead() {
    let mut pair = Pair::start();
    let (api, _running) = scheduler_of(&pair);
    assert_eq!(http::send(api, "POST", "/v2/apps", &app()).expect("an answer").status, 201);
    let seen = wait::until("both checks heard of", START, || {
        shown(api).filter(|app| [0, 1].iter().all(|&index| check(app, index)["lastHeard"].is_string()))
    });
    assert!(check(&seen, 0)["p50Seconds"].is_number() && check(&seen, 1)["p99Seconds"].is_number(), "{seen}");
    assert!(check(&seen, 2)["lastHeard"].is_null() && seen["untold"].is_null(), "the scheduler's own: {seen}");
    let list = http::get(api, "/v2/apps?embed=apps.health").expect("an answer").json();
    assert!(check(&list["apps"][0], 0)["p50Seconds"].is_null(), "lists ask nobody");

    let task = seen["tasks"][0]["id"].as_str().expect("an id").to_owned();
    let history = || http::get(api, &format!("/v2/tasks/{task}/history")).expect("an answer");
    let told = history().json();
    let named: Vec<_> = (0..2).map(|at| told["checks"][at]["name"].clone()).collect();
    assert_eq!(named, [json!("front"), json!("back")], "{told}");
    assert_eq!(told["checks"][0]["attempts"][0]["kind"], "success");
    assert_eq!(told["checks"][1]["attempts"][0]["code"], 7);
    let attempt = &told["checks"][0]["attempts"][0];
    let (started, took) = (&attempt["phases"]["started"], attempt["durationUs"].as_f64().expect("a duration") / 1e6);
    assert!(started.as_f64().is_some_and(|started| started <= took), "a command's first phase: {attempt}");

    pair.agent_process().signal(Signal::STOP);
    let (late, time) = wait::timed(history);
    assert_eq!(late.status, 504, "{}", late.text());
    assert!(late.message().starts_with("The agent ") && time.as_secs() < 10, "{} in {time:?}", late.message());
    let app = shown(api).expect("an answer");
    assert!(check(&app, 0)["p50Seconds"].is_null() && app["untold"][0]["agentId"].is_string(), "{app}");
    assert!(check(&app, 0)["verdict"].is_string(), "what is known is told all the same");
    pair.agent_process().signal(Signal::CONT);
    wait::until("the agent again", START, || (history().status == 200).then_some(()));

    let sleeper = || process::running("sleep 1000", pair.directory()).first().copied();
    process::signal(wait::until("the task's process", START, sleeper), Signal::KILL);
    let dead = wait::until("its end", START, || Some(history().json()).filter(|told| told["ended"].is_object()));
    assert_eq!((&dead["ended"]["signal"], &dead["checks"][1]["attempts"][0]["code"]), (&json!(9), &json!(7)), "{dead}");
}
