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
