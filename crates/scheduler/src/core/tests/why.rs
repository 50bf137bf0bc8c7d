//! Stories of reasons: what `embed=apps.health` says of an instance, from its first failure to its end.

use super::*;
use crate::instance::Goal;

impl World {
    /// An executor of ours tells of an attempt that failed, so many in a row that counted, and so many that did not.
    pub(super) fn fails(&mut self, task: &str, counted: u32, forgiven: u32) {
        let status = self.failure(task, counted, forgiven);
        self.tell(|core, now| core.update(&status, now));
    }

    /// The status by which it tells so.
    pub(super) fn failure(&self, task: &str, counted: u32, forgiven: u32) -> TaskStatus {
        let mut status = status(task, TaskState::TaskRunning);
        let verdict = if counted > 0 { task_health::Verdict::Unhealthy } else { task_health::Verdict::Unknown };
        let check = HealthCheckResult {
            verdict: Some(verdict.into()),
            consecutive_failures: Some(counted),
            forgiven_failures: Some(forgiven),
            kind: Some("status".into()),
            cause: Some("503 Service Unavailable".into()),
            reported_at: Some(self.now.wall.millis() as f64 / 1000.0),
            duration_seconds: Some(0.004),
            excerpt: Some("database is away".into()),
            ..HealthCheckResult::default()
        };
        status.healthy = (counted > 0).then_some(false);
        status.reason = Some(Reason::TaskHealthCheckStatusUpdated.into());
        status.health = Some(TaskHealth { verdict: check.verdict, checks: vec![check] });
        status
    }

    /// The app with its reasons; a list and a single app say the same.
    pub(super) fn reasons(&mut self) -> Value {
        let embed = Embed { tasks: true, health: true, ..Embed::default() };
        let one = self.core.view().app_json(&web(), &embed, self.now).unwrap();
        assert_eq!(self.apps(&embed)["apps"][0]["tasks"], one["tasks"]);
        one
    }

    fn health(&mut self) -> Value {
        self.reasons()["tasks"][0]["health"].clone()
    }
}

#[test]
fn failures_within_the_grace_period_are_told_with_their_number_and_cause() {
    let (mut world, task) = World::running(json!({}));
    let health = world.health();
    assert_eq!((&health["verdict"], &health["checks"][0]["verdict"]), (&json!("unknown"), &json!("unknown")));
    let port = world.app()["tasks"][0]["ports"][0].clone();
    assert_eq!(health["checks"][0]["name"], format!("GET / at port {port}"));
    assert_eq!(
        (&health["nextAction"]["kind"], &health["nextAction"]["text"]),
        (&json!("check"), &json!("waits for its first health check"))
    );
    for failure in 1..=3 {
        world.pass(Duration::from_secs(5));
        world.fails(&task, 0, failure);
    }
    let health = world.health();
    let check = &health["checks"][0];
    assert_eq!(check["grace"]["failures"], 3);
    assert_eq!(check["lastAttempt"]["excerpt"], "database is away");
    assert_eq!(check["lastAttempt"]["durationSeconds"], 0.004);
    assert_eq!(health["nextAction"]["kind"], "grace");
    assert_eq!(
        (&health["nextAction"]["at"], &health["nextAction"]["link"]),
        (&check["grace"]["until"], &json!("from"))
    );
    assert_eq!(
        health["nextAction"]["text"],
        "failures count after its grace period (3 failures so far, last: 503 Service Unavailable)"
    );
    assert_eq!(health["changes"], json!([]));
}

#[test]
fn an_unhealthy_instance_says_at_which_failure_it_is_killed_and_its_next_one_keeps_what_was() {
    let (mut world, task) = World::running(json!({}));
    world.update(&task, TaskState::TaskRunning, Some(true));
    world.fails(&task, 1, 0);
    let at = world.now.wall;
    let health = world.health();
    assert_eq!(health["nextAction"]["text"], "is killed at failure 3 (1 so far)");
    assert_eq!(health["nextAction"]["at"], json!(at.plus(Duration::from_secs(120))), "two intervals from the last one");
    assert!(health["checks"][0]["since"].is_string());
    let verdicts = |health: &Value| {
        health["changes"].as_array().unwrap().iter().map(|one| one["verdict"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&health), ["unhealthy", "healthy"]);
    assert_eq!(health["changes"][0]["cause"], "503 Service Unavailable");
    world.pass(Duration::from_secs(60));
    world.fails(&task, 2, 0);
    world.fails(&task, 3, 0);
    assert_eq!(world.health()["nextAction"]["kind"], "end");
    world.update(&task, TaskState::TaskKilled, None);
    let waiting = world.reasons()["waiting"][0].clone();
    assert_eq!((&waiting["restarts"], &waiting["nextAction"]["kind"]), (&json!(1), &json!("offer")));
    assert_eq!(verdicts(&waiting), ["unhealthy", "healthy"]);
    let mut world = world.restart();
    assert_eq!(verdicts(&world.reasons()["waiting"][0]), ["unhealthy", "healthy"], "also after a restart");
}

#[test]
fn a_crash_says_when_it_is_launched_again_and_a_pause_that_nothing_is_checked() {
    let (mut world, task) = World::running(json!({}));
    let id = world.core.view().instances.values().next().unwrap().id.clone();
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::Open), now));
    assert_eq!(
        (&world.health()["nextAction"]["kind"], &world.health()["nextAction"]["link"]),
        (&json!("paused"), &Value::Null)
    );
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::For(Duration::from_secs(60))), now));
    assert_eq!(world.health()["nextAction"]["link"], "until");
    world.update(&task, TaskState::TaskFailed, None);
    let next = world.reasons()["waiting"][0]["nextAction"].clone();
    assert_eq!((&next["kind"], &next["text"]), (&json!("launch"), &json!("is launched again after 1 failure")));
    assert_eq!(next["at"], json!(world.now.wall.plus(Duration::from_secs(1))));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.reasons()["waiting"][0]["nextAction"]["kind"], "offer");
}

#[test]
fn the_last_ten_ends_are_kept_with_what_the_task_said_last() {
    let (mut world, first) = World::running(json!({"backoffSeconds": 0, "maxLaunchDelaySeconds": 0}));
    let mut task = first;
    for crash in 1..=12 {
        let mut failed = status(&task, TaskState::TaskFailed);
        let last_errors = Some(format!("crash {crash}"));
        let attempt = CheckAttempt { started_ms: 1, duration_us: 2, kind: "refused".into(), code: None, phases: None };
        let checks = vec![CheckHistory { attempts: vec![attempt], ..CheckHistory::default() }];
        failed.end = Some(TaskEnd { exit_status: Some(127), signal: None, last_errors, checks });
        world.tell(|core, now| core.update(&failed, now));
        task = world.launch().remove(0);
        world.update(&task, TaskState::TaskRunning, None);
    }
    let mut world = world.restart();
    let ended = world.reasons()["ended"].clone();
    let numbers = ended.as_array().unwrap().iter().map(|one| one["lastErrors"].as_str().unwrap().to_owned());
    let expected = (3..=12).rev().map(|crash| format!("crash {crash}"));
    assert!(numbers.eq(expected), "{ended}");
    assert_eq!((&ended[0]["exitStatus"], &ended[0]["state"]), (&json!(127), &json!("TASK_FAILED")));
    assert_eq!(ended[0]["checks"][0]["attempts"][0]["kind"], "refused");
    assert_eq!(ended[0]["incarnation"], 12);
    let id = world.core.view().instances.values().next().unwrap().id.clone();
    world.tell(|core, now| core.kill(&id, Goal::Running, now));
    world.update(&task, TaskState::TaskKilled, None);
    assert_eq!(world.reasons()["ended"][0]["incarnation"], 12, "somebody asked for that end");
}

#[test]
fn a_failure_is_told_with_its_cause_to_those_who_ask() {
    let (mut world, task) = World::one(json!({}));
    world.fails(&task, 1, 0);
    let told = world.events.iter().find(|event| event.kind == "failed_health_check_event").unwrap();
    let cause = told.cause.clone().unwrap();
    assert_eq!((&cause["kind"], &cause["text"]), (&json!("status"), &json!("503 Service Unavailable")));
    assert_eq!((&cause["taskId"], &cause["incarnation"]), (&json!(task), &json!(1)));
    assert_eq!((&cause["check"]["index"], &cause["consecutiveFailures"]), (&json!(0), &json!(1)));
    assert!(cause["check"]["name"].as_str().unwrap().starts_with("GET / at port"));
    assert_eq!(told.data.get("cause"), None, "Marathon's clients read what Marathon's event has");
}

#[test]
fn an_app_that_is_read_with_all_there_is_of_it_can_be_sent_back() {
    let (mut world, task) = World::running(json!({}));
    world.fails(&task, 1, 0);
    world.update(&task, TaskState::TaskFailed, None);
    let embed = Embed {
        tasks: true,
        counts: true,
        deployments: true,
        last_task_failure: true,
        task_stats: true,
        readiness: true,
        brake: true,
        health: true,
        checkers: true,
    };
    let read = world.core.view().app_json(&web(), &embed, world.now).unwrap();
    let sent: AppUpdate = serde_json::from_value(read.clone()).unwrap();
    let group: GroupUpdate = serde_json::from_value(json!({"id": "/", "apps": [read]})).unwrap();
    let manner = Manner { partial: false, create: false, terms: Terms::forced(true) };
    let accepted = world.tell(|core, now| core.change_app(&web(), sent, manner, now)).unwrap();
    assert_eq!(world.app()["version"], json!(accepted.version), "and nothing differs by it");
    world.tell(|core, now| core.put_group(&AppId::root(), group, Terms::forced(true), now)).unwrap();
}
