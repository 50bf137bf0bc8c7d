//! Stories of launches that take long, as they do while an image is pulled.

use super::*;

impl World {
    /// The agent says how far the image of a task is. Returns how many changes that is to be stored.
    fn pulling(&mut self, task: &str, words: &str) -> usize {
        let message = Some(format!("Pulling app: {words}"));
        let status = TaskStatus { message, uuid: None, ..status(task, TaskState::TaskStaging) };
        self.tell(|core, now| {
            core.update(&status, now);
            core.instances.write(Batch::default()).len()
        })
    }
}

#[test]
fn a_pull_that_goes_on_never_times_out_and_one_of_which_nothing_is_heard_does() {
    let mut world = World::with(1, json!({}));
    let task = world.launch().remove(0);
    for minute in 0..60 {
        world.pass(Duration::from_secs(60));
        world.pulling(&task, &format!("layer {minute}"));
    }
    world.pulling(&task, "the last layer");
    world.pass(Duration::from_secs(200));
    world.pulling(&task, "the last layer");
    assert_eq!(world.take(call::Type::Kill).len(), 0, "an hour of pulling");
    for _ in 0..3 {
        world.pass(Duration::from_secs(99));
        let reason = Some(Reason::Reconciliation.into());
        let answer = TaskStatus { uuid: None, reason, ..status(&task, TaskState::TaskStaging) };
        world.tell(|core, now| core.update(&answer, now));
    }
    assert_eq!(world.take(call::Type::Kill).len(), 0);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.take(call::Type::Kill).len(), 1, "answers of the master are no sign that it goes on");
}

#[test]
fn a_scheduler_that_starts_again_gives_a_pull_its_time_anew() {
    let mut world = World::with(1, json!({}));
    let task = world.launch().remove(0);
    for _ in 0..10 {
        world.pass(Duration::from_secs(60));
        world.pulling(&task, "a layer");
    }
    let mut world = world.restart();
    world.pass(Duration::from_secs(100));
    assert_eq!(world.take(call::Type::Kill).len(), 0);
    world.pass(Duration::from_secs(250));
    assert_eq!(world.take(call::Type::Kill).len(), 1);
}

#[test]
fn words_about_a_pull_are_shown_and_not_stored() {
    let mut world = World::with(1, json!({}));
    let task = world.launch().remove(0);
    assert_eq!(world.pulling(&task, "1 of 3 layers"), 0);
    let shown = world.app()["tasks"][0]["message"].clone();
    assert_eq!(shown, json!("Pulling app: 1 of 3 layers"));
    let launching = |world: &World| world.core.view().launching_json();
    assert_eq!(launching(&world)[0]["id"], world.app()["id"]);
    assert_eq!(launching(&world)[0]["message"], shown);
    world.update(&task, TaskState::TaskRunning, None);
    assert_eq!(launching(&world), json!([]), "it runs");
}

#[test]
fn words_about_a_pull_of_a_pods_container_are_shown_and_not_stored() {
    let mut world = World::of_pod();
    let group = world.offer_groups().remove(0);
    let task = &group.task_group.tasks[0].task_id.value;
    for _ in 0..10 {
        world.pass(Duration::from_secs(60));
        assert_eq!(world.pulling(task, "1 of 3 layers"), 0);
    }
    assert_eq!(world.take(call::Type::Kill).len(), 0);
    assert_eq!(world.instance()["containers"][0]["message"], json!("Pulling app: 1 of 3 layers"));
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
fn an_instance_that_fails_is_launched_again_after_a_growing_delay() {
    let (mut world, task) = World::one(json!({}));
    world.update(&task, TaskState::TaskFailed, None);
    assert_eq!(world.app()["lastTaskFailure"]["message"], "said so");
    assert!(world.offer().is_empty(), "not before the delay is over");
    let queue = world.core.view().queue_json(crate::view::QueueEmbed { offers: false, why: false }, world.now);
    assert_eq!((&queue["queue"][0]["count"], &queue["queue"][0]["delay"]["overdue"]), (&json!(1), &json!(true)));
    let wake = world.core.wake_at();
    assert!(wake > world.now.moment && wake <= world.now.plus(Duration::from_secs(1)).moment);
    world.take(call::Type::Revive);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.take(call::Type::Revive).len(), 1, "asks for offers when the delay is over");
    assert_eq!(world.offer().len(), 1);
}
