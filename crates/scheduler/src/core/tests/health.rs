//! Stories of health: who kills, how many at a time, and who is left alone.

use mesos::v1::cygnet::HealthAction;

use super::*;

impl World {
    /// The report of an executor of ours when its check failed so often in a row; none: it succeeded.
    fn report(&mut self, task: &str, failures: Option<u32>) {
        let mut status = status(task, TaskState::TaskRunning);
        let check = HealthCheckResult { consecutive_failures: failures, ..result(Some(failures.is_none())) };
        status.healthy = Some(failures.is_none());
        status.reason = Some(Reason::TaskHealthCheckStatusUpdated.into());
        status.health = Some(TaskHealth { verdict: check.verdict, checks: vec![check] });
        self.tell(|core, now| core.update(&status, now));
    }

    /// The state of the brake, as `embed=apps.brake` shows it.
    fn brake(&self) -> Value {
        let embed = Embed { brake: true, counts: true, ..Embed::default() };
        self.core.view().app_json(&web(), &embed, self.now).unwrap()
    }
}

#[test]
fn an_executor_of_ours_reports_and_the_scheduler_kills_at_the_failure_it_is_told_to() {
    let mut world = World::with(1, json!({}));
    let launched = world.offer().remove(0);
    assert_eq!(launched.health_check.unwrap().action(), HealthAction::Report);
    let task = launched.task_id.value;
    world.update(&task, TaskState::TaskRunning, None);
    for (failures, kills) in [(1, 0), (2, 0), (2, 0), (3, 1)] {
        world.report(&task, Some(failures));
        assert_eq!(world.killed().len(), kills, "at failure {failures}");
    }
    assert!(world.told().contains(&"unhealthy_instance_kill_event"));
    world.update(&task, TaskState::TaskKilled, None);
    let failure = world.app()["lastTaskFailure"].clone();
    assert_eq!(failure["state"], "TASK_KILLED");
    assert_eq!(failure["message"], "Task was killed since health check failed. Reason: connection refused");
    assert_eq!(world.offer().len(), 1, "and launched again without a delay");
}

#[test]
fn another_executor_kills_by_itself() {
    let (mut world, tasks) = World::up(1, json!({}));
    for _ in 0..5 {
        world.update(&tasks[0], TaskState::TaskRunning, Some(false));
    }
    assert_eq!(world.killed().len(), 0);
}

#[test]
fn when_everything_is_sick_at_once_half_is_killed_and_the_rest_is_held_until_the_window_has_moved_on() {
    let (mut world, tasks) = World::up(10, json!({}));
    tasks.iter().for_each(|task| world.report(task, Some(3)));
    let killed = world.killed();
    assert_eq!(killed.len(), 5);
    assert_eq!(world.told().iter().filter(|kind| **kind == "unhealthy_instance_kill_held_event").count(), 5);
    let app = world.brake();
    assert_eq!((&app["tasksHeldUnhealthy"], &app["tasksUnhealthy"]), (&json!(5), &json!(10)));
    assert_eq!(app["heldUnhealthy"].as_array().unwrap().len(), 5);
    let kills = &app["healthKills"];
    assert_eq!((&kills["used"], &kills["most"], &kills["windowSeconds"]), (&json!(5), &json!(5), &json!(60.0)));
    assert!(kills["nextAt"].as_str().is_some_and(|at| at > world.now.wall.to_string().as_str()));
    assert_eq!(world.app()["tasksHeldUnhealthy"], Value::Null, "clients of Marathon refuse what they do not know");
    tasks.iter().filter(|task| !killed.contains(task)).for_each(|task| world.report(task, Some(4)));
    assert_eq!(world.told().iter().filter(|kind| kind.contains("held")).count(), 0, "said once");

    let held: Vec<_> = tasks.iter().filter(|task| !killed.contains(task)).cloned().collect();
    world.report(&held[0], None);
    assert!(world.told().contains(&"unhealthy_instance_kill_released_event"), "that one is well again");
    killed.iter().for_each(|task| world.update(task, TaskState::TaskKilled, Some(false)));
    world.bring_up();

    let mut world = world.restart();
    assert!(world.core.wake_at() <= world.now.plus(Duration::from_secs(60)).moment);
    world.report(&held[1], Some(5));
    assert_eq!(world.killed().len(), 0, "what was killed is remembered over a restart");
    world.pass(Duration::from_secs(60));
    assert_eq!(world.killed(), held[1..2], "held again by its report, and killed when the brake eased");
    held[2..].iter().for_each(|task| world.report(task, Some(5)));
    let rest = world.killed();
    assert_eq!(rest.len(), 3);
    assert_eq!(world.brake()["tasksHeldUnhealthy"], 0);
}

#[test]
fn an_app_may_have_a_brake_of_its_own_and_changes_it_without_a_restart() {
    let mut world = World::new();
    let mut strict = definition(10);
    strict["brake"] = json!({"share": 0.1, "least": 1, "windowSeconds": 300});
    world.create(strict).unwrap();
    let tasks = world.bring_up();
    tasks.iter().for_each(|task| world.report(task, Some(3)));
    let mut killed: BTreeSet<_> = world.killed().into_iter().collect();
    assert_eq!((killed.len(), &world.brake()["tasksHeldUnhealthy"]), (1, &json!(9)));
    let embed = Embed { tasks: true, health: true, ..Embed::default() };
    let app = world.core.view().app_json(&web(), &embed, world.now).unwrap();
    let next = app["tasks"].as_array().unwrap().iter().map(|task| &task["health"]["nextAction"]);
    let held = next.into_iter().find(|next| next["kind"] == "held").unwrap();
    assert_eq!(held["at"], world.brake()["healthKills"]["nextAt"], "by its own window, not by that of all");
    assert_eq!(held["link"], "at", "the brake admits one then");
    assert_eq!(world.app()["brake"], json!({"share": 0.1, "least": 1, "windowSeconds": 300}));
    world.pass(Duration::from_secs(61));
    killed.extend(world.killed());
    assert_eq!(killed.len(), 1, "its window is longer than that of others");
    let before = world.app()["versionInfo"]["lastConfigChangeAt"].clone();
    world.change(json!({"brake": {"share": 0.3}}), true).unwrap();
    killed.extend(world.killed());
    assert_eq!(killed.len(), 4, "one before, three within a minute now");
    assert_eq!(world.app()["versionInfo"]["lastConfigChangeAt"], before, "no instance is replaced for it");
    world.change(json!({"brake": {"enabled": false}}), true).unwrap();
    killed.extend(world.killed());
    assert_eq!((killed.len(), &world.brake()["tasksHeldUnhealthy"]), (10, &json!(0)));
    let refused = world.change(json!({"brake": {"share": 2}}), true).unwrap_err();
    assert_eq!(refused.body()["details"][0]["path"], "/brake/share");
}

#[test]
fn a_few_sick_instances_are_never_held() {
    let (mut world, tasks) = World::up(3, json!({}));
    tasks.iter().for_each(|task| world.report(task, Some(3)));
    assert_eq!(world.killed().len(), 3);
}

#[test]
fn an_unreachable_instance_is_not_killed_for_its_health() {
    let (mut world, task) = World::one(json!({"unreachableStrategy": "disabled"}));
    world.update(&task, TaskState::TaskUnreachable, None);
    let id = InstanceId::of_task(&task).unwrap();
    world.tell(|core, now| core.kill_for_health(&id, now));
    assert_eq!(world.killed().len(), 0);
}

#[test]
fn an_instance_whose_checks_are_paused_is_left_alone_until_they_go_on() {
    let (mut world, tasks) = World::up(1, json!({}));
    let id = InstanceId::of_task(&tasks[0]).unwrap();
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::For(Duration::from_secs(30))), now));
    assert!(world.brake()["checksPausedUntil"][&tasks[0]].is_string());
    world.report(&tasks[0], Some(3));
    assert_eq!(world.killed().len(), 0);
    assert!(world.core.wake_at() <= world.now.plus(Duration::from_secs(30)).moment);
    let mut world = world.restart();
    world.pass(Duration::from_secs(30));
    assert_eq!(world.brake()["checksPausedUntil"], json!({}));
    world.report(&tasks[0], Some(4));
    assert_eq!(world.killed().len(), 1);
}

#[test]
fn the_schedulers_own_checks_stop_while_they_are_paused_and_go_on_with_what_they_knew() {
    let (mut world, task) = World::running(json!({"healthChecks": [{"protocol": "HTTP", "portIndex": 0}]}));
    let id = InstanceId::of_task(&task).unwrap();
    world.checks.clear();
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::Open), now));
    world.pass(Duration::from_secs(100_000));
    assert_eq!(world.checks, [CheckOrder::Stop(id.clone())]);
    world.tell(|core, now| core.pause_checks(&id, None, now));
    assert!(matches!(world.checks.last(), Some(CheckOrder::Start(_))));
}

#[test]
fn a_pause_ends_with_the_task_it_was_for() {
    for pause in [Pause::Open, Pause::For(Duration::from_secs(100_000))] {
        let mut world = World::new();
        let mut definition = definition(1);
        definition["healthChecks"] =
            json!([{"protocol": "MESOS_HTTP", "portIndex": 0}, {"protocol": "HTTP", "portIndex": 0}]);
        definition["healthChecks"][0]["maxConsecutiveFailures"] = json!(3);
        world.create(definition).unwrap();
        let task = world.launch().remove(0);
        world.update(&task, TaskState::TaskRunning, None);
        let id = InstanceId::of_task(&task).unwrap();
        world.tell(|core, now| core.pause_checks(&id, Some(pause), now));
        world.update(&task, TaskState::TaskFinished, None);
        world.pass(Duration::from_secs(10));
        let next = world.launch().remove(0);
        world.checks.clear();
        world.update(&next, TaskState::TaskRunning, None);
        assert!(matches!(world.checks.as_slice(), [CheckOrder::Start(start)] if start.incarnation == 2));
        world.report(&next, Some(3));
        assert_eq!(world.killed(), [next]);
    }
}

#[test]
fn a_health_kill_slows_launches_down_only_where_that_was_asked_for() {
    for (asked, launched) in [(false, 1), (true, 0)] {
        let mut world = World::new();
        let mut definition = definition(1);
        definition["healthChecks"][0]["backoffAfterKill"] = json!(asked);
        world.create(definition).unwrap();
        let task = world.bring_up().remove(0);
        world.report(&task, Some(3));
        world.update(&task, TaskState::TaskKilled, Some(false));
        assert_eq!(world.offer().len(), launched);
    }
}

impl World {
    /// An app with scheduler-level checks, whose task runs; and what begins its checks.
    fn checked_by_us(checks: Value) -> (World, CheckStart) {
        let (world, _) = World::running(json!({"healthChecks": checks}));
        let Some(CheckOrder::Start(start)) = world.checks.first().cloned() else { panic!("{:?}", world.checks) };
        (world, *start)
    }
}

#[test]
fn test_failing_health_check_results_in_unhealthy_app() {
    let (mut world, start) = World::checked_by_us(json!([{"protocol": "HTTP", "maxConsecutiveFailures": 0}]));
    assert_eq!(
        (&world.app()["tasksUnhealthy"], &world.app()["tasks"][0]["healthCheckResults"]),
        (&json!(0), &json!([]))
    );
    world.told();
    world.find(&start, false, None);
    let app = world.app();
    let counts = ["tasksRunning", "tasksHealthy", "tasksUnhealthy"].map(|name| app[name].as_u64());
    assert_eq!(counts, [1, 0, 1].map(Some), "asked in vain, though within the grace period");
    let result = json!({"alive": false, "consecutiveFailures": 0, "instanceId": start.instance});
    assert_eq!(app["tasks"][0]["healthCheckResults"], json!([result]));
    assert_eq!((world.told(), world.killed().len()), (vec![], 0), "it does not count");
    world.find(&start, false, Some(VerdictEvent::Unhealthy { consecutive_failures: 1, kill: true }));
    assert_eq!((&world.app()["tasksUnhealthy"], world.killed().len()), (&json!(1), 0), "0 is never to kill");
    world.find(&start, true, Some(VerdictEvent::Healthy));
    let app = world.app();
    assert_eq!((&app["tasksHealthy"], &app["tasksUnhealthy"]), (&json!(1), &json!(0)));
}

#[test]
fn an_instance_killed_for_its_health_is_replaced_by_its_next_incarnation() {
    let (mut world, task) = World::one(json!({}));
    world.told();
    world.update(&task, TaskState::TaskRunning, Some(false));
    assert_eq!(world.app()["tasksUnhealthy"], 1);
    assert_eq!(
        world.told(),
        ["failed_health_check_event", "health_status_changed_event", "instance_health_changed_event"]
    );
    world.update(&task, TaskState::TaskRunning, Some(false));
    assert_eq!(world.app()["tasks"][0]["healthCheckResults"][0]["consecutiveFailures"], 2);
    assert_eq!(world.told(), ["failed_health_check_event"], "a verdict is told once");
    world.update(&task, TaskState::TaskKilled, Some(false));
    assert!(world.told().contains(&"unhealthy_instance_kill_event"));
    let failure = world.app()["lastTaskFailure"].clone();
    assert_eq!(failure["state"], "TASK_KILLED");
    assert_eq!(failure["message"], "Task was killed since health check failed. Reason: said so");
    let next = world.bring_up().remove(0);
    assert_eq!(next, task.replace("._app.1", "._app.2"));
    assert_eq!(world.app()["tasksHealthy"], 1);
}

#[test]
fn scheduler_level_checks_kill_at_the_failure_they_are_told_to() {
    let more = json!({"healthChecks": [{"protocol": "HTTP", "portIndex": 0, "maxConsecutiveFailures": 2}]});
    let (mut world, task) = World::running(more);
    let [CheckOrder::Start(start)] = world.checks.as_slice() else { panic!("{:?}", world.checks) };
    assert_eq!((start.incarnation, start.index), (1, 0));
    let start = start.clone();
    let failed = |consecutive_failures, kill| VerdictEvent::Unhealthy { consecutive_failures, kill };
    for (verdict, kills) in [(VerdictEvent::Healthy, 0), (failed(1, false), 0), (failed(2, true), 1)] {
        world.find(&start, verdict == VerdictEvent::Healthy, Some(verdict));
        assert_eq!(world.killed().len(), kills);
    }
    assert!(matches!(world.checks.last(), Some(CheckOrder::Stop(_))));
    world.pass(KILL_AGAIN);
    assert_eq!(world.take(call::Type::Kill).len(), 1, "repeated until it is over");
    world.update(&task, TaskState::TaskKilled, None);
    assert_eq!(world.offer().len(), 1);
}
