//! Rows of Marathon's own tests on the health of instances, its events and deployments that wait for it: each test
//! named after its row.
//!
//! Not here: what is internal to Marathon (protobuf records, actors' inventories and purges: health lives with its instance),
//! and what needs volumes (resident tasks). Definitions are in `definition/rows.rs`, the planner's rows beside the planner, real
//! tasks in the system's tests.

use super::*;

/// So many executor-made checks of one app, each with its own result.
fn checks(count: usize) -> Value {
    (0..count).map(|index| json!({"protocol": "MESOS_TCP", "port": 1000 + index})).collect()
}

impl World {
    /// An app with these checks whose instances run, and nothing is known of them.
    fn unreported(instances: u32, checks: Value) -> (World, Vec<String>) {
        let mut world = World::with(instances, json!({"healthChecks": checks}));
        let tasks = world.launch();
        for task in &tasks {
            world.update(task, TaskState::TaskRunning, None);
        }
        world.told();
        (world, tasks)
    }

    /// The events of this type that were told since.
    fn told_of(&mut self, kind: &str) -> Vec<Value> {
        let told = std::mem::take(&mut self.events).into_iter();
        told.filter(|event| event.kind == kind).map(|event| event.data).collect()
    }

    /// The changes of instances' health that were told since.
    fn healthy_told(&mut self) -> Vec<Value> {
        self.told_of("instance_health_changed_event").into_iter().map(|event| event["healthy"].clone()).collect()
    }

    fn counts(&self) -> [u64; 4] {
        let app = self.app();
        ["tasksStaged", "tasksRunning", "tasksHealthy", "tasksUnhealthy"].map(|name| app[name].as_u64().unwrap())
    }
}

#[test]
fn health_serialize_correctly() {
    let at = Timestamp::from_millis;
    let id = InstanceId::new(&web(), "u");
    let mut health = crate::health::Health::default();
    assert_eq!(health.json(&id), json!({"alive": false, "consecutiveFailures": 0, "instanceId": id}), "never probed");
    health.succeeded(at(1));
    let success = json!({"alive": true, "consecutiveFailures": 0, "instanceId": id, "firstSuccess": at(1),
        "lastSuccess": at(1)});
    assert_eq!(health.json(&id), success);
    health.failed(at(2), "refused", 1);
    let failure = json!({"alive": false, "consecutiveFailures": 1, "instanceId": id, "firstSuccess": at(1),
        "lastSuccess": at(1), "lastFailure": at(2), "lastFailureCause": "refused"});
    assert_eq!(health.json(&id), failure);
}

#[test]
fn health_status_changed_event_serialize() {
    let (mut world, tasks) = World::unreported(1, checks(1));
    world.results(&tasks[0], [Some(true)].map(result).to_vec());
    let told = world.told_of("health_status_changed_event").remove(0);
    let mut names: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alive", "appId", "eventType", "instanceId", "timestamp", "version"]);
    assert_eq!((&told["appId"], &told["alive"]), (&json!("/web"), &json!(true)));
}

#[test]
fn health_check_actor_no_dispatch_for_staging_lost_and_unreachable() {
    let more = json!({"healthChecks": [{"protocol": "HTTP", "portIndex": 0}], "unreachableStrategy": "disabled"});
    let mut world = World::with(1, more);
    let task = world.launch().remove(0);
    assert!(world.checks.is_empty(), "staging");
    world.update(&task, TaskState::TaskStarting, None);
    assert!(world.checks.is_empty(), "starting");
    world.update(&task, TaskState::TaskRunning, None);
    assert!(matches!(world.checks.as_slice(), [CheckOrder::Start(_)]));
    world.checks.clear();
    world.update(&task, TaskState::TaskUnreachable, None);
    assert!(matches!(world.checks.as_slice(), [CheckOrder::Stop(_)]), "unreachable");
    world.update(&task, TaskState::TaskRunning, None);
    assert!(matches!(world.checks.last(), Some(CheckOrder::Start(_))));
    world.update(&task, TaskState::TaskLost, None);
    assert!(matches!(world.checks.last(), Some(CheckOrder::Stop(_))), "lost");
}

#[test]
fn app_health_check_actor_event_when_all_checks_are_healthy() {
    let (mut world, tasks) = World::unreported(1, checks(2));
    world.results(&tasks[0], [Some(true), None].map(result).to_vec());
    assert!(world.healthy_told().is_empty(), "not before all have reported");
    world.results(&tasks[0], [Some(true), Some(true)].map(result).to_vec());
    assert_eq!(world.healthy_told(), [json!(true)]);
}

#[test]
fn app_health_check_actor_event_when_one_becomes_unhealthy() {
    let (mut world, tasks) = World::unreported(1, checks(2));
    world.results(&tasks[0], [Some(true), Some(true)].map(result).to_vec());
    world.told();
    world.results(&tasks[0], [Some(true), Some(false)].map(result).to_vec());
    world.results(&tasks[0], [Some(false), Some(false)].map(result).to_vec());
    assert_eq!(world.healthy_told(), [json!(false)], "exactly one");
}

#[test]
fn app_health_check_actor_unregistered_check_gives_no_event() {
    let (mut world, tasks) = World::unreported(1, json!([]));
    world.results(&tasks[0], [Some(false)].map(result).to_vec());
    world.update(&tasks[0], TaskState::TaskRunning, Some(false));
    let told = world.told();
    assert!(!told.iter().any(|kind| kind.contains("health")), "{told:?}");
    assert_eq!(world.counts(), [0, 1, 0, 0]);
}

#[test]
fn app_health_check_actor_several_instances_become_healthy_one_by_one() {
    let (mut world, tasks) = World::unreported(2, checks(2));
    for task in &tasks {
        world.results(task, [Some(true), None].map(result).to_vec());
        assert!(world.healthy_told().is_empty());
        world.results(task, [Some(true), Some(true)].map(result).to_vec());
        let told = world.told_of("instance_health_changed_event");
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["instanceId"], json!(InstanceId::of_task(task).unwrap()));
    }
}

#[test]
fn app_health_check_actor_results_of_dead_instances_disappear() {
    let (mut world, tasks) = World::unreported(2, checks(1));
    tasks.iter().for_each(|task| world.results(task, [Some(true)].map(result).to_vec()));
    assert_eq!(world.counts(), [0, 2, 2, 0]);
    world.update(&tasks[0], TaskState::TaskFailed, None);
    assert_eq!(world.counts(), [0, 1, 1, 0]);
    world.pass(Duration::from_secs(10));
    let next = world.launch().remove(0);
    world.update(&next, TaskState::TaskRunning, None);
    assert_eq!(world.counts(), [0, 2, 1, 0], "the next incarnation knows nothing of the last");
}

#[test]
fn marathon_health_check_manager_update_and_statuses() {
    let (mut world, tasks) = World::unreported(2, checks(1));
    let alive = |world: &World| -> Vec<Vec<Value>> {
        let app = world.app();
        let results = app["tasks"].as_array().unwrap().iter().map(|task| task["healthCheckResults"].clone());
        results.map(|all| all.as_array().unwrap().iter().map(|one| one["alive"].clone()).collect()).collect()
    };
    assert_eq!(alive(&world), [Vec::<Value>::new(), vec![]], "an empty list, never null");
    world.update(&tasks[0], TaskState::TaskRunning, Some(false));
    assert_eq!(world.counts(), [0, 2, 0, 1]);
    world.update(&tasks[0], TaskState::TaskRunning, Some(true));
    world.update(&tasks[1], TaskState::TaskRunning, Some(true));
    assert_eq!(alive(&world), [vec![json!(true)], vec![json!(true)]], "a result for each check of each instance");
}

#[test]
fn marathon_health_check_manager_reconcile_adds_and_removes() {
    let mut world = World::with(1, json!({}));
    world.bring_up();
    assert_eq!(world.told_of("add_health_check_event").len(), 1);
    let added = json!([{"protocol": "MESOS_HTTP", "portIndex": 0}, {"protocol": "MESOS_TCP", "portIndex": 0}]);
    world.change(json!({"healthChecks": added}), false).unwrap();
    let told = world.told_of("add_health_check_event");
    assert_eq!(told.iter().map(|event| &event["healthCheck"]["protocol"]).collect::<Vec<_>>(), [&json!("MESOS_TCP")]);
    world.change(json!({"instances": 2}), true).unwrap();
    let told = world.told();
    assert!(!told.iter().any(|kind| kind.ends_with("health_check_event")), "nothing changed of the checks: {told:?}");
    world.change(json!({"healthChecks": []}), true).unwrap();
    assert_eq!(world.told_of("remove_health_check_event").len(), 2);
}

#[test]
fn marathon_health_check_manager_reconcile_loads_the_last_known_state_without_events() {
    let (mut world, tasks) = World::unreported(1, checks(1));
    world.results(&tasks[0], [Some(true)].map(result).to_vec());
    let mut world = world.restart();
    assert_eq!(world.counts(), [0, 1, 1, 0]);
    let told = world.told();
    assert!(!told.iter().any(|kind| kind.contains("health")), "{told:?}");
}

#[test]
fn task_counts_by_state_and_by_health() {
    let mut world = World::with(1, json!({"healthChecks": checks(2)}));
    assert_eq!(world.counts(), [0; 4], "none has a task");
    let task = world.launch().remove(0);
    assert_eq!(world.counts(), [1, 0, 0, 0], "no state is staged");
    world.update(&task, TaskState::TaskStaging, None);
    assert_eq!(world.counts(), [1, 0, 0, 0]);
    world.update(&task, TaskState::TaskStarting, None);
    assert_eq!(world.counts(), [0; 4], "starting is in none of the four");
    world.update(&task, TaskState::TaskRunning, None);
    assert_eq!(world.counts(), [0, 1, 0, 0], "running with no result is neither healthy nor unhealthy");
    for (results, healthy, unhealthy) in
        [([Some(true), Some(true)], 1, 0), ([Some(false), Some(false)], 0, 1), ([Some(true), Some(false)], 0, 1)]
    {
        world.results(&task, results.map(result).to_vec());
        assert_eq!(world.counts(), [0, 1, healthy, unhealthy], "{results:?}");
    }
}

#[test]
fn post_to_event_stream_health_only_when_it_changes() {
    let (mut world, tasks) = World::unreported(1, checks(1));
    world.update(&tasks[0], TaskState::TaskRunning, None);
    assert!(world.healthy_told().is_empty(), "no change");
    for (healthy, told) in [(true, 1), (true, 0), (false, 1), (false, 0)] {
        world.update(&tasks[0], TaskState::TaskRunning, Some(healthy));
        let events = world.told_of("instance_health_changed_event");
        assert_eq!(events.len(), told, "{healthy}");
        let fields = ["instanceId", "runSpecId", "runSpecVersion", "healthy", "timestamp", "eventType"];
        assert!(events.iter().all(|event| fields.iter().all(|name| !event[name].is_null())));
    }
}

#[test]
fn history_actor_unhealthy_task_killed() {
    let (mut world, tasks) = World::unreported(1, checks(1));
    world.results(&tasks[0], [Some(true)].map(result).to_vec());
    let id = InstanceId::of_task(&tasks[0]).unwrap();
    world.tell(|core, now| core.kill_for_health(&id, now));
    world.update(&tasks[0], TaskState::TaskKilled, None);
    let failure = world.app()["lastTaskFailure"].clone();
    assert_eq!((&failure["state"], &failure["taskId"]), (&json!("TASK_KILLED"), &json!(tasks[0])));
    assert!(failure["message"].as_str().unwrap().starts_with("Task was killed since health check failed. Reason: "));
}

#[test]
fn apps_resource_index_has_counts_and_deployments_by_default() {
    let mut world = World::with(1, json!({}));
    let all = world.apps(&Embed::counts_and_deployments());
    let app = &all["apps"][0];
    assert_eq!((&app["tasksStaged"], app["deployments"].as_array().map(Vec::len)), (&json!(0), Some(1)));
    let mut embed = Embed::counts_and_deployments();
    embed.add("apps.failures");
    let task = world.launch().remove(0);
    world.update(&task, TaskState::TaskFailed, None);
    let all = world.apps(&embed);
    let app = &all["apps"][0];
    assert_eq!((&app["lastTaskFailure"]["state"], &app["tasksStaged"]), (&json!("TASK_FAILED"), &json!(0)));
}

#[test]
fn task_start_with_checks_with_no_instance_and_without_checks() {
    let (mut world, tasks) = World::unreported(1, checks(1));
    assert_eq!(world.app()["deployments"].as_array().map(Vec::len), Some(1), "running is not enough");
    world.results(&tasks[0], [Some(true)].map(result).to_vec());
    assert!(world.told().contains(&"deployment_success"));

    let mut world = World::with(0, json!({}));
    assert!(world.told().contains(&"deployment_success"), "nothing to wait for");

    let (world, _) = World::unreported(1, json!([]));
    assert_eq!(world.app()["deployments"], json!([]), "without checks, running is all there is to wait for");
}

#[test]
fn group_deploy_what_is_locked_stays_and_that_is_told() {
    let mut world = World::with(1, json!({}));
    world.told();
    let refused = [
        world.change(json!({"instances": 2}), false).unwrap_err().status(),
        world.tell(|core, now| core.remove(&web(), false, now)).unwrap_err().status(),
        world.tell(|core, now| core.remove_group(&AppId::root(), false, now)).unwrap_err().status(),
    ];
    assert_eq!(refused, [409; 3]);
    let told = world.told_of("group_change_failed");
    assert_eq!(told.iter().map(|event| &event["groupId"]).collect::<Vec<_>>(), [&json!("/"); 3]);
    assert!(told.iter().all(|event| event["reason"].as_str().unwrap().starts_with("App is locked")));
}

#[test]
fn task_unreachable_inactive_is_told_before_the_replacement_runs() {
    let more = json!({"unreachableStrategy": {"inactiveAfterSeconds": 10, "expungeAfterSeconds": 300}});
    let (mut world, task) = World::one(more);
    let conditions = |world: &mut World| -> Vec<Value> {
        world.told_of("instance_changed_event").into_iter().map(|event| event["condition"].clone()).collect()
    };
    world.told();
    world.update(&task, TaskState::TaskUnreachable, None);
    assert_eq!(conditions(&mut world), ["Unreachable"]);
    world.pass(Duration::from_secs(10));
    assert_eq!(conditions(&mut world), ["UnreachableInactive"]);
    world.bring_up();
    let app = world.app();
    let mut states: Vec<_> = app["tasks"].as_array().unwrap().iter().map(|task| task["state"].clone()).collect();
    states.sort_by_key(|state| state.to_string());
    assert_eq!(states, ["TASK_RUNNING", "TASK_UNREACHABLE"]);
}

#[test]
fn readiness_behavior_is_removed_when_the_task_dies() {
    let more = json!({"healthChecks": [], "portDefinitions": [{"port": 0, "name": "http-api"}],
        "readinessChecks": [{}]});
    let mut world = World::with(1, more);
    let task = world.launch().remove(0);
    assert!(world.checks.is_empty(), "not before it runs");
    world.update(&task, TaskState::TaskRunning, None);
    assert!(matches!(world.checks.as_slice(), [CheckOrder::Start(_)]), "right after it runs");
    world.update(&task, TaskState::TaskFailed, None);
    assert!(matches!(world.checks.last(), Some(CheckOrder::Stop(_))));
    let current = world.deployments()[0]["currentActions"][0].clone();
    assert_eq!(current["readinessCheckResults"], json!([]));
}

#[test]
fn metrics_marathon_has_counters_of_what_was_done() {
    let (world, _) = World::up(2, json!({}));
    let metrics = world.core.view().metrics(world.now.plus(Duration::from_secs(7)));
    let counted = |name: &str| metrics.counters.iter().find(|(found, _)| found == name).map(|(_, count)| *count);
    for (name, count) in [
        ("marathon.deployments.counter", 1),
        ("marathon.deployments.dismissed.counter", 0),
        ("marathon.tasks.launched.counter", 2),
        ("marathon.mesos.offers.incoming.counter", 1),
        ("marathon.mesos.offers.used.counter", 1),
        ("marathon.mesos.offers.declined.counter", 0),
        ("marathon.mesos.offer-operations.launch.counter", 1),
        ("marathon.mesos.task-updates.task_starting.counter", 2),
        ("marathon.mesos.task-updates.task_running.counter", 4),
    ] {
        assert_eq!(counted(name), Some(count), "{name}");
    }
    let gauge = |name: &str| metrics.gauges.iter().find(|(found, _)| *found == name).map(|(_, value)| *value);
    assert_eq!((gauge("marathon.groups.active.gauge"), gauge("marathon.uptime.gauge.seconds")), (Some(1), Some(7)));
}
