//! Stories of the core, in simulated time: a world with a clock, a master that offers, and nothing else.

mod clock;
mod deployments;
mod events;
mod groups;
mod health;
mod launches;
mod placement;
mod pods;
mod roles;
mod rollout;
mod rows;
mod scale;
mod unreachable;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ::checks::VerdictEvent;
use mesos::v1::cygnet::{HealthCheckResult, TaskHealth, task_health};
use mesos::v1::offer::Operation;
use mesos::v1::scheduler::call;
use mesos::v1::task_status::Reason;
use mesos::v1::{Offer, Resource, TaskInfo, TaskState, TaskStatus};
use serde_json::{Value, json};

use super::kills::KILL_AGAIN;
use super::*;
use crate::api::answer;
use crate::definition::{AppUpdate, GroupUpdate};
use crate::time::Timestamp;
use crate::view::{AppFilter, AppText, Embed, GroupEmbed, Texts};

impl Refusal {
    fn status(&self) -> u16 {
        answer::status(self)
    }

    fn body(&self) -> Value {
        answer::explanation(self)
    }
}

/// The core, a clock, and everything that came out since it was last looked at.
struct World {
    core: Core,
    texts: Texts,
    now: Now,
    calls: Vec<Call>,
    events: Vec<Event>,
    checks: Vec<CheckOrder>,
}

impl World {
    fn new() -> World {
        World::of(Loaded::default(), Timestamp::from_millis(1_000_000))
    }

    fn of(loaded: Loaded, wall: Timestamp) -> World {
        World::at(loaded, Now { moment: Moment::from_millis(0), wall })
    }

    fn at(loaded: Loaded, now: Now) -> World {
        let core = Core::new(loaded, Settings::default(), 1, now);
        let (calls, events, checks) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = World { core, texts: Texts::default(), now, calls, events, checks };
        world.core.registration();
        world.tell(|core, now| core.subscribed("framework", "master:5050", now));
        world
    }

    /// Another scheduler on the same store.
    fn restart(mut self) -> World {
        let json = |value: &Instance| serde_json::from_value::<Instance>(json!(value)).unwrap();
        let loaded = Loaded {
            framework_id: self.core.link.framework_id().map(str::to_owned),
            subscribers: self.core.out.subscribers().clone(),
            apps: self.core.definitions.records().map(|one| (one.app.id.clone(), one.clone())).collect(),
            groups: self.core.definitions.groups().map(|one| (one.id.clone(), one.clone())).collect(),
            instances: self.core.instances.values().map(|one| (one.id.clone(), json(one))).collect(),
            deployments: self.core.rollouts.all().map(|one| (one.id.clone(), one.clone())).collect(),
            departed: std::mem::take(self.core.kills.departed_mut()),
        };
        World::at(loaded, self.now)
    }

    fn tell<T>(&mut self, input: impl FnOnce(&mut Core, Now) -> T) -> T {
        self.now = self.now.plus(Duration::from_millis(1));
        let result = input(&mut self.core, self.now);
        self.core.instances.assert_whole();
        let paused = self.core.instances.values().filter(|found| found.checked.paused.is_some()).map(|found| &found.id);
        assert!(self.core.checking.paused().eq(paused), "paused is what has a pause in its record");
        self.core.tick(self.now);
        let effects = self.core.effects(self.now);
        self.calls.extend(effects.calls);
        self.events.extend(effects.events);
        self.checks.extend(effects.checks);
        result
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.tell(|_, _| ());
    }

    fn create(&mut self, definition: Value) -> Result<Accepted, Refusal> {
        let update: AppUpdate = serde_json::from_value(definition).unwrap();
        self.tell(|core, now| core.create(update, false, now))
    }

    /// Makes these apps what is given for each, in the order of what they depend on.
    fn change_set(
        &mut self,
        apps: &[(&str, Option<Value>)],
        order: &[(&str, &str)],
    ) -> Result<Option<String>, Refusal> {
        let now = self.now.plus(Duration::from_millis(1));
        let definition = |(name, json): &(&str, Option<Value>)| {
            let id = AppId::new(name);
            let update = json.clone().map(|json| serde_json::from_value::<AppUpdate>(json).unwrap());
            let before = self.core.definitions.wanted(&id).ok();
            let app = update.map(|update| match before {
                Some(before) => update.apply(before, now.wall).unwrap(),
                None => update.create(id.clone(), now.wall).unwrap(),
            });
            (id, app)
        };
        let wanted = apps.iter().map(definition).collect();
        let mut dependencies = crate::deployment::Dependencies::new();
        for (app, needs) in order {
            dependencies.entry(AppId::new(app)).or_default().insert(AppId::new(needs));
        }
        self.tell(|core, now| core.change_set(wanted, dependencies, Terms::default(), now))
    }

    fn change(&mut self, change: Value, force: bool) -> Result<Accepted, Refusal> {
        let update: AppUpdate = serde_json::from_value(change).unwrap();
        let manner = Manner { partial: true, create: false, terms: Terms::forced(force) };
        self.tell(|core, now| core.change_app(&web(), update, manner, now))
    }

    /// An app of so many instances, with these fields beside the usual ones.
    fn add(&mut self, instances: u32, more: Value) {
        let mut definition = definition(instances);
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.create(definition).unwrap();
    }

    /// A world with such an app.
    fn with(instances: u32, more: Value) -> World {
        let mut world = World::new();
        world.add(instances, more);
        world
    }

    /// A world whose app is up, and its tasks.
    fn up(instances: u32, more: Value) -> (World, Vec<String>) {
        let mut world = World::with(instances, more);
        let tasks = world.bring_up();
        world.told();
        world.calls.clear();
        (world, tasks)
    }

    /// A world whose app of one instance is up, and its task.
    fn one(more: Value) -> (World, String) {
        let (world, mut tasks) = World::up(1, more);
        (world, tasks.remove(0))
    }

    /// A world whose app of one instance runs, and its task, of whose health nothing is known.
    fn running(more: Value) -> (World, String) {
        let mut world = World::with(1, more);
        let task = world.launch().remove(0);
        world.update(&task, TaskState::TaskRunning, None);
        (world, task)
    }

    /// Takes the calls of this type that were made since.
    fn take(&mut self, kind: call::Type) -> Vec<Call> {
        let (taken, rest) = std::mem::take(&mut self.calls).into_iter().partition(|call| call.r#type() == kind);
        self.calls = rest;
        taken
    }

    /// The operations on these offers.
    fn operations(&mut self, offers: &[Offer]) -> impl Iterator<Item = Operation> + use<> {
        self.take(call::Type::Accept);
        self.tell(|core, now| core.offers(offers, now));
        let accepts = self.take(call::Type::Accept).into_iter().filter_map(|call| call.accept);
        accepts.flat_map(|accept| accept.operations)
    }

    /// The tasks that are launched on these offers.
    fn offer_these(&mut self, offers: &[Offer]) -> Vec<TaskInfo> {
        let launches = self.operations(offers).filter_map(|operation| operation.launch);
        launches.flat_map(|launch| launch.task_infos).collect()
    }

    /// A large offer, and what is launched on it.
    fn offer(&mut self) -> Vec<TaskInfo> {
        self.offer_these(&[large_offer()])
    }

    /// The same; the ids of the tasks.
    fn launch(&mut self) -> Vec<String> {
        self.offer().into_iter().map(|task| task.task_id.value).collect()
    }

    /// The tasks that were told to end since.
    fn killed(&mut self) -> Vec<String> {
        self.take(call::Type::Kill).into_iter().filter_map(|call| Some(call.kill?.task_id.value)).collect()
    }

    /// Ends every task that was told to end since.
    fn bury(&mut self) -> Vec<String> {
        let tasks = self.killed();
        tasks.iter().for_each(|task| self.update(task, TaskState::TaskKilled, None));
        tasks
    }

    /// Lets everything happen that can.
    fn run(&mut self) {
        while self.bring_up().len() + self.bury().len() > 0 {}
    }

    fn update(&mut self, task: &str, state: TaskState, healthy: Option<bool>) {
        let mut status = status(task, state);
        if let Some(healthy) = healthy {
            status.healthy = Some(healthy);
            status.reason = (state == TaskState::TaskRunning).then(|| Reason::TaskHealthCheckStatusUpdated.into());
        }
        self.tell(|core, now| core.update(&status, now));
    }

    /// An executor of ours reports these results of a task's checks.
    fn results(&mut self, task: &str, checks: Vec<HealthCheckResult>) {
        let health = TaskHealth { checks, ..TaskHealth::default() };
        let status = TaskStatus { health: Some(health), ..status(task, TaskState::TaskRunning) };
        self.tell(|core, now| core.update(&status, now));
    }

    /// A scheduler-level check found something.
    fn find(&mut self, start: &CheckStart, success: bool, verdict: Option<VerdictEvent>) {
        self.tell(|core, now| core.checked(&found(start, success, verdict), now));
    }

    /// Launches what waits, and lets it run; healthy, if it has a check.
    fn bring_up(&mut self) -> Vec<String> {
        let tasks = self.launch();
        for task in &tasks {
            self.update(task, TaskState::TaskStarting, None);
            self.update(task, TaskState::TaskRunning, None);
            self.update(task, TaskState::TaskRunning, Some(true));
        }
        tasks
    }

    fn app(&self) -> Value {
        self.core.view().app_json(&web(), &Embed::single(), self.now).unwrap_or_default()
    }

    /// The answer to `GET /v2/apps`.
    fn apps(&mut self, embed: &Embed) -> Value {
        let apps = self.texts.apps(self.core.view(), &AppFilter::default(), embed, self.now);
        serde_json::from_str(&AppText::list(&apps)).unwrap()
    }

    fn deployments(&self) -> Value {
        self.core.view().deployments_json(false, self.now)
    }

    /// A group, with all that is in it.
    fn group(&self, id: &str) -> Value {
        let embed = GroupEmbed::of(std::iter::empty());
        self.core.view().group_json(&AppId::new(id), &embed, self.now).unwrap_or_default()
    }

    fn put_group(&mut self, json: Value, force: bool) -> Result<Accepted, Refusal> {
        let update: GroupUpdate = serde_json::from_value(json).unwrap();
        self.tell(|core, now| core.put_group(&AppId::root(), update, Terms::forced(force), now))
    }

    fn told(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.events).into_iter().map(|event| event.kind).collect()
    }
}

/// The finding of one attempt of a check.
fn found(start: &CheckStart, success: bool, verdict: Option<VerdictEvent>) -> Finding {
    Finding {
        instance: start.instance.clone(),
        incarnation: start.incarnation,
        index: start.index,
        verdict,
        success,
        failure: !success,
        status: None,
        cause: "404 Not Found".into(),
        said: None,
    }
}

/// The result of an executor's check; none: it has found nothing yet.
fn result(healthy: Option<bool>) -> HealthCheckResult {
    let verdict = match healthy {
        None => task_health::Verdict::Unknown,
        Some(true) => task_health::Verdict::Healthy,
        Some(false) => task_health::Verdict::Unhealthy,
    };
    HealthCheckResult {
        verdict: Some(verdict.into()),
        consecutive_failures: Some(u32::from(healthy == Some(false))),
        cause: Some("connection refused".into()),
        ..HealthCheckResult::default()
    }
}

fn web() -> AppId {
    AppId::new("/web")
}

fn definition(instances: u32) -> Value {
    json!({"id": "/web", "cmd": "serve", "instances": instances, "cpus": 0.1, "mem": 1,
        "healthChecks": [{"protocol": "MESOS_HTTP", "portIndex": 0}]})
}

fn large_offer() -> Offer {
    let [cpus, mem] = [Resource::scalar("cpus", 100.0), Resource::scalar("mem", 10_000.0)];
    let resources = vec![cpus, mem, Resource::ports(31000..=32000)];
    Offer { agent_id: "agent".into(), hostname: "127.0.0.1".into(), resources, ..Offer::default() }
}

fn status(task: &str, state: TaskState) -> TaskStatus {
    TaskStatus {
        task_id: task.into(),
        state: state.into(),
        agent_id: Some("agent".into()),
        uuid: Some(vec![0; 16]),
        message: Some("said so".into()),
        ..TaskStatus::default()
    }
}

#[test]
fn an_app_is_launched_becomes_healthy_and_then_costs_nothing() {
    let mut world = World::new();
    let accepted = world.create(definition(3)).unwrap();
    assert_eq!((accepted.is_new, world.take(call::Type::Revive).len()), (true, 1));
    assert_eq!(world.bring_up().len(), 3);
    assert_eq!((&world.app()["tasksHealthy"], &world.app()["deployments"]), (&json!(3), &json!([])));
    assert!(world.told().contains(&"deployment_success"));
    assert_eq!(world.take(call::Type::Acknowledge).len(), 9);
    assert_eq!(world.take(call::Type::Suppress).len(), 1 + 1, "once before the app, once after");

    world.calls.clear();
    world.pass(Duration::from_secs(500));
    assert_eq!(world.calls.len(), 0, "a steady state says nothing");
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
fn an_instance_that_fails_is_launched_again_after_a_growing_delay() {
    let (mut world, task) = World::one(json!({}));
    world.update(&task, TaskState::TaskFailed, None);
    assert_eq!(world.app()["lastTaskFailure"]["message"], "said so");
    assert!(world.offer().is_empty(), "not before the delay is over");
    let queue = world.core.view().queue_json(false, world.now);
    assert_eq!((&queue["queue"][0]["count"], &queue["queue"][0]["delay"]["overdue"]), (&json!(1), &json!(true)));
    let wake = world.core.wake_at();
    assert!(wake > world.now.moment && wake <= world.now.plus(Duration::from_secs(1)).moment);
    world.take(call::Type::Revive);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.take(call::Type::Revive).len(), 1, "asks for offers when the delay is over");
    assert_eq!(world.offer().len(), 1);
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

#[test]
fn a_changed_app_is_replaced_without_going_below_its_capacity() {
    let more = json!({"upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0.0}});
    let (mut world, old) = World::up(2, more);
    world.change(json!({"cmd": "serve better"}), false).unwrap();
    for _ in 0..2 {
        let killed = world.killed();
        assert_eq!(killed.len(), 1, "one at a time");
        assert!(old.contains(&killed[0]));
        assert!(world.offer().is_empty(), "no room before the old one is gone");
        world.update(&killed[0], TaskState::TaskKilled, None);
        assert_eq!(world.bring_up().len(), 1);
    }
    assert_eq!((&world.app()["tasksHealthy"], &world.app()["deployments"]), (&json!(2), &json!([])));
}

#[test]
fn a_deployment_locks_its_app_and_can_be_taken_back() {
    let mut world = World::with(1, json!({}));
    let refusal = world.change(json!({"instances": 2}), false).unwrap_err();
    assert_eq!(refusal.status(), 409);
    assert!(refusal.body()["message"].as_str().unwrap().starts_with("App is locked by one or more deployments."));
    world.bring_up();
    let begun = world.change(json!({"instances": 3}), false).unwrap();
    let id = begun.deployment.unwrap();
    world.tell(|core, now| core.cancel(&id, false, now)).unwrap();
    assert!(world.told().contains(&"deployment_failed"));
    assert_eq!((&world.app()["instances"], &world.app()["deployments"]), (&json!(1), &json!([])));
    assert_eq!(world.tell(|core, now| core.cancel("none", false, now)).unwrap_err().status(), 404);
}

#[test]
fn an_unchanged_definition_changes_nothing() {
    let (mut world, _) = World::up(1, json!({}));
    let before = world.app();
    let mut same = definition(1);
    same["id"] = json!("web");
    world.change(same, false).unwrap();
    assert_eq!(world.deployments(), json!([]));
    assert_eq!(world.app(), before);
}

#[test]
fn a_removed_app_is_gone_from_view_at_once_and_forgotten_with_its_last_task() {
    let (mut world, tasks) = World::up(2, json!({}));
    world.tell(|core, now| core.remove(&web(), true, now)).unwrap();
    assert_eq!((world.app(), world.take(call::Type::Kill).len()), (Value::Null, 2));
    world.told();
    for task in &tasks {
        world.update(task, TaskState::TaskKilled, None);
    }
    assert!(world.told().contains(&"app_terminated_event"));
    assert!(
        world.core.definitions.records().len() == 0
            && world.core.instances.values().len() == 0
            && world.core.rollouts.all().len() == 0
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

#[test]
fn a_task_the_master_says_nothing_about_is_asked_for_again() {
    let mut world = World::with(1, json!({}));
    let task = world.launch().remove(0);
    let mut world = world.restart();
    world.take(call::Type::Reconcile);
    for wait in [1, 2, 4] {
        world.pass(Duration::from_secs(wait));
        assert_eq!(world.take(call::Type::Reconcile).len(), 1, "after {wait} s");
    }
    world.update(&task, TaskState::TaskGone, None);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.take(call::Type::Reconcile).len(), 0);
    assert_eq!(world.offer().len(), 1, "launched again");
}

#[test]
fn a_task_nobody_wants_is_killed() {
    let mut world = World::new();
    world.update("other.instance-x._app.1", TaskState::TaskRunning, None);
    assert_eq!((world.take(call::Type::Kill).len(), world.take(call::Type::Acknowledge).len()), (1, 1));
    world.update("other.instance-x._app.1", TaskState::TaskKilled, None);
    assert_eq!(world.take(call::Type::Kill).len(), 0);
}

#[test]
fn a_killed_task_is_replaced_or_with_scale_is_not() {
    for (scale, left) in [(false, 1), (true, 0)] {
        let (mut world, task) = World::one(json!({}));
        let id = InstanceId::of_task(&task).unwrap();
        world.tell(|core, now| core.kill_tasks(&[id], Kill { scale, ..Kill::default() }, now)).unwrap();
        world.update(&task, TaskState::TaskKilled, None);
        assert_eq!(world.offer().len(), left);
    }
}

#[test]
fn nothing_is_launched_any_more_when_everything_is_stopped() {
    let (mut world, task) = World::one(json!({}));
    world.tell(|core, _| core.stop_launching());
    world.update(&task, TaskState::TaskKilled, None);
    assert!(world.offer().is_empty());
    assert_eq!(world.restart().offer().len(), 1, "but by the next run");
}

#[test]
fn old_news_does_not_turn_a_task_back() {
    let (mut world, task) = World::one(json!({}));
    let before = world.app();
    world.update(&task, TaskState::TaskStarting, None);
    assert_eq!(world.app(), before);
    world.update(&task, TaskState::TaskKilling, None);
    world.update(&task, TaskState::TaskRunning, None);
    assert_eq!(world.app()["tasks"][0]["state"], "TASK_KILLING");
}

#[test]
fn an_instance_nobody_hears_of_is_given_up_when_its_app_says_so() {
    for (strategy, wait) in [
        (json!({"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0}), 0),
        (json!({"inactiveAfterSeconds": 60, "expungeAfterSeconds": 60}), 60),
    ] {
        let (mut world, task) = World::one(json!({"unreachableStrategy": strategy}));
        world.update(&task, TaskState::TaskUnreachable, None);
        if wait > 0 {
            assert!(world.offer().is_empty(), "not yet");
            assert!(world.core.wake_at() <= world.now.plus(Duration::from_secs(wait)).moment);
            world.pass(Duration::from_secs(wait));
        }
        let next = world.launch().remove(0);
        assert_ne!(next, task);
        world.update(&task, TaskState::TaskRunning, None);
        assert_eq!(world.take(call::Type::Kill).len(), 1, "it came back too late");
    }
}

#[test]
fn an_instance_that_is_heard_of_again_is_left_alone() {
    let (mut world, task) = World::one(json!({"unreachableStrategy": "disabled"}));
    world.update(&task, TaskState::TaskUnreachable, None);
    world.pass(Duration::from_secs(100_000));
    assert!(world.offer().is_empty());
    world.update(&task, TaskState::TaskRunning, Some(true));
    assert_eq!((&world.app()["tasksHealthy"], &world.app()["tasks"][0]["id"]), (&json!(1), &json!(task)));
}

#[test]
fn an_app_whose_name_looks_like_an_instance_of_another_is_told_apart() {
    let mut world = World::with(1, json!({}));
    world.add(2, json!({"id": "/web.instance-2"}));
    assert_eq!(world.bring_up().len(), 3);
    assert_eq!((&world.app()["tasksRunning"], &world.app()["deployments"]), (&json!(1), &json!([])));
}

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
fn a_wiped_task_is_replaced_by_another_instance() {
    let (mut world, task) = World::one(json!({}));
    let id = world.core.instances.find(&task).unwrap().id.clone();
    world.tell(|core, now| core.kill_tasks(&[id], Kill { wipe: true, ..Kill::default() }, now)).unwrap();
    world.update(&task, TaskState::TaskKilled, None);
    let next = world.bring_up().remove(0);
    assert_ne!(InstanceId::of_task(&next), InstanceId::of_task(&task));
}
