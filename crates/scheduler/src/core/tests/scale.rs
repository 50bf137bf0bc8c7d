//! The core at the sizes it is made for, and in the time that is promised of the whole: in a release build. A debug build
//! looks at a tenth, and not at the clock. Measured is what the core works, so that nobody else who is busy counts.

use harness::wait::worked;

use super::*;
use crate::core::ToldOfChecks as Told;
use crate::definition::RunSpec;

/// The number of messages the actor takes into one batch.
const BATCH: usize = 1024;

/// The part of each size that is looked at.
const PART: usize = if cfg!(debug_assertions) { 10 } else { 1 };

#[track_caller]
fn within(limit: Duration, begun: Duration) {
    let took = worked() - begun;
    assert!(cfg!(debug_assertions) || took < limit, "took {took:?}");
}

/// So many apps of so many healthy instances each, as a store has them.
fn running(apps: usize, instances: usize) -> World {
    let now = Timestamp::from_millis(1_000_000);
    let mut loaded = Loaded::default();
    for number in 0..apps {
        let mut definition = definition(u32::try_from(instances).unwrap());
        let id = AppId::new(&format!("/group/app-{number}"));
        definition["id"] = json!(id);
        let update: AppUpdate = serde_json::from_value(definition).unwrap();
        let app = update.create(id.clone(), now).unwrap();
        let all = (0..instances).map(|instance| instance_of(&app, instance, now));
        loaded.instances.extend(all.map(|instance| (instance.id.clone(), instance)));
        loaded.apps.insert(id, AppRecord::new(app));
    }
    World::of(loaded, now)
}

fn instance_of(app: &RunSpec, number: usize, now: Timestamp) -> Instance {
    let mut instance = Instance::scheduled(InstanceId::new(&app.id, &number.to_string()), app, now);
    instance.enter(crate::instance::Condition::Running, now);
    instance.place.agent_id = Some("agent".into());
    instance.times.staged_at = Some(now);
    instance.checked.health[0].succeeded(now);
    instance
}

impl World {
    fn tasks(&self) -> Vec<String> {
        self.core.instances.values().map(Instance::task_id).collect()
    }

    /// Takes updates as the actor does; how many records were written.
    fn take_in(&mut self, updates: &[TaskStatus]) -> usize {
        let mut written = 0;
        for batch in updates.chunks(BATCH) {
            self.now = self.now.plus(Duration::from_millis(1));
            batch.iter().for_each(|update| self.core.update(update, self.now));
            self.core.tick(self.now);
            let effects = self.core.effects(self.now);
            self.calls.extend(effects.calls);
            self.events.extend(effects.events);
            written += effects.batch.len();
        }
        written
    }
}

fn answer(task: &str, healthy: bool, reason: Reason) -> TaskStatus {
    let mut update = status(task, TaskState::TaskRunning);
    update.healthy = Some(healthy);
    update.reason = Some(reason.into());
    update
}

#[test]
fn a_hundred_thousand_tasks_are_reconciled_without_a_write_and_an_event() {
    let mut world = running(500 / PART, 200);
    let asked: usize =
        world.take(call::Type::Reconcile).iter().filter_map(|call| Some(call.reconcile.as_ref()?.tasks.len())).sum();
    assert_eq!(asked, 100_000 / PART);
    let answers: Vec<_> = world.tasks().iter().map(|task| answer(task, true, Reason::Reconciliation)).collect();
    world.told();
    let begun = worked();
    assert_eq!(world.take_in(&answers), 0);
    assert_eq!(world.told().len(), 0);
    within(Duration::from_secs(30), begun);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.take(call::Type::Reconcile).len(), 0, "nothing was left without an answer");
}

#[test]
fn ten_thousand_flips_at_once_are_all_seen_in_time() {
    let mut world = running(500 / PART, 20);
    let flips: Vec<_> =
        world.tasks().iter().map(|task| answer(task, false, Reason::TaskHealthCheckStatusUpdated)).collect();
    world.told();
    let begun = worked();
    assert_eq!(world.take_in(&flips), 10_000 / PART, "each is written once");
    within(Duration::from_secs(5), begun);
    assert_eq!(world.told().iter().filter(|kind| **kind == "instance_health_changed_event").count(), 10_000 / PART);
}

#[test]
fn ten_thousand_instances_of_five_hundred_apps_find_their_place_in_time() {
    let mut world = World::new();
    let apps: Vec<_> = (0..500 / PART).map(|number| format!("/group/app-{number}")).collect();
    let wanted = apps.iter().map(|id| {
        let update: AppUpdate = serde_json::from_value(definition(20)).unwrap();
        let id = AppId::new(id);
        (id.clone(), Some(update.create(id, world.now.wall).unwrap()))
    });
    let wanted = wanted.collect();
    world
        .tell(|core, now| core.change_set(wanted, crate::deployment::Dependencies::new(), Terms::default(), now))
        .unwrap();
    let offers: Vec<_> =
        (0..100).map(|agent| Offer { agent_id: format!("agent-{agent}").into(), ..large_offer() }).collect();
    let begun = worked();
    world.tell(|core, now| core.offers(&offers, now));
    let accepts = world.take(call::Type::Accept);
    let launched: usize = accepts
        .iter()
        .filter_map(|call| call.accept.as_ref())
        .flat_map(|accept| &accept.operations)
        .filter_map(|operation| operation.launch.as_ref())
        .map(|launch| launch.task_infos.len())
        .sum();
    assert_eq!((launched, accepts.len()), (10_000 / PART, 100), "spread over all agents");
    within(Duration::from_secs(30), begun);
}

#[test]
fn what_is_not_well_among_a_hundred_thousand_is_said_in_time_however_many_are() {
    let mut world = running(500 / PART, 200);
    let page = crate::view::Page { group: AppId::root(), limit: 50, after: None };
    let look = |world: &World, count: usize| {
        let begun = worked();
        let overview = world.core.view().overview(&page, world.now).unwrap();
        within(Duration::from_millis(50), begun);
        assert_eq!((&overview["notWellCount"], &overview["total"]["apps"]["all"]), (&json!(count), &json!(500 / PART)));
        assert_eq!(overview["notWell"].as_array().unwrap().len(), count.min(50));
    };
    look(&world, 0);
    world.tell(Core::looked);
    for (told, count) in [(Told::Silent(Duration::ZERO), 100_000 / PART), (Told::Nothing, 0)] {
        world.tell(|core, now| core.told_of_checks("agent", told, now));
        look(&world, count);
    }
    let mut sick: Vec<_> =
        world.tasks().iter().map(|task| answer(task, false, Reason::TaskHealthCheckStatusUpdated)).collect();
    let rest = sick.split_off(10);
    world.take_in(&sick);
    look(&world, 10);
    world.take_in(&rest);
    look(&world, 100_000 / PART);
}

#[test]
fn the_metrics_of_a_hundred_thousand_are_told_in_time_and_the_core_waits_for_less() {
    for (apps, instances) in [(500 / PART, 200), (10_000 / PART, 10)] {
        let world = running(apps, instances);
        let begun = worked();
        let numbers = world.core.view().monitoring(world.now);
        within(Duration::from_millis(15), begun);
        let mut page = mesos::server::Exposition::default();
        numbers.tell(&mut page);
        within(Duration::from_millis(if apps > 500 { 250 } else { 50 }), begun);
        let text = page.into_text();
        let healthy = text.lines().filter(|line| line.contains("state=\"healthy\"}"));
        assert_eq!(healthy.count(), apps);
    }
}
