//! Stories of results: each check has its own, and they outlive the scheduler.

use super::*;

#[test]
fn several_checks_of_the_executor_each_have_their_own_result() {
    let checks = json!([{"protocol": "MESOS_HTTP", "portIndex": 0}, {"protocol": "MESOS_TCP", "portIndex": 0}]);
    let mut world = World::with(1, json!({"healthChecks": checks}));
    let task = world.offer().remove(0);
    assert_eq!((task.health_check.is_some(), task.health_checks.len()), (true, 1));
    let tell = |world: &mut World, healthy: [Option<bool>; 2]| {
        world.results(&task.task_id.value, healthy.map(result).to_vec());
    };
    tell(&mut world, [Some(true), None]);
    assert_eq!(world.app()["tasksHealthy"], 0, "nothing is known of the second");
    tell(&mut world, [Some(true); 2]);
    assert_eq!(world.app()["tasksHealthy"], 1);
    world.told();
    tell(&mut world, [Some(true), Some(false)]);
    let results = world.app()["tasks"][0]["healthCheckResults"].clone();
    assert_eq!((&results[0]["alive"], &results[1]["alive"]), (&json!(true), &json!(false)));
    assert_eq!(results[1]["lastFailureCause"], "connection refused");
    assert_eq!(world.told().iter().filter(|kind| **kind == "failed_health_check_event").count(), 1);
}

#[test]
fn results_are_found_by_the_ids_of_their_checks_wherever_they_stand() {
    use ::checks::Verdict;
    let checks = json!([{"protocol": "HTTP", "portIndex": 0}, {"protocol": "MESOS_HTTP", "portIndex": 0},
        {"protocol": "MESOS_TCP", "portIndex": 0}]);
    let mut world = World::with(1, json!({"healthChecks": checks}));
    let task = world.offer().remove(0);
    let ids: Vec<_> = task.health_check.iter().chain(&task.health_checks).map(|check| check.id.clone()).collect();
    assert_eq!(ids, [Some("1".into()), Some("2".into())]);
    let named = |id: &Option<String>, healthy| HealthCheckResult { id: id.clone(), ..result(Some(healthy)) };
    let checks = vec![named(&ids[1], false), named(&Some("0".into()), false), named(&ids[0], true)];
    world.results(&task.task_id.value, checks);
    let verdicts: Vec<_> =
        world.core.instances.values().flat_map(|one| one.checked.health.clone()).map(|one| one.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Unknown, Verdict::Healthy, Verdict::Unhealthy],
        "the scheduler's own is none of the executor's business"
    );
}

#[test]
fn a_restart_keeps_instances_and_their_health() {
    let (world, tasks) = World::up(2, json!({}));
    let before = world.app();
    let mut world = world.restart();
    assert_eq!(world.app(), before);
    let asked = world.take(call::Type::Reconcile);
    assert_eq!(asked[0].reconcile.as_ref().map(|reconcile| reconcile.tasks.len()), Some(2));
    world.told();
    for task in &tasks {
        let mut answer = status(task, TaskState::TaskRunning);
        answer.healthy = Some(true);
        answer.reason = Some(Reason::Reconciliation.into());
        world.tell(|core, now| core.update(&answer, now));
    }
    assert_eq!((world.app(), world.told().len()), (before, 0), "nothing flips");
}
