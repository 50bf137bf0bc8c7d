//! Stories of what monitoring is told: each app's instances by what they are in, and counts that only grow.

use harness::metrics::Metrics;
use mesos::server::Exposition;

use super::*;

impl World {
    /// The page that a monitor reads, which breaks no rule of its format.
    fn metrics(&self) -> Metrics {
        let mut page = Exposition::default();
        self.core.view().monitoring(self.now).tell(&mut page);
        Metrics::parse(&page.into_text())
    }

    fn measured(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Vec<_> = labels.iter().copied().chain([("app", "/web")]).collect();
        self.metrics().value(name, &labels)
    }

    /// The number of the app's instances in a state.
    fn in_state(&self, state: &str) -> f64 {
        self.measured("cygnet_app_instances", &[("state", state)]).unwrap()
    }
}

#[test]
fn an_instance_is_in_one_state_at_a_time_from_its_launch_to_its_health() {
    let mut world = World::with(1, json!({}));
    let is_only = |world: &World, state: &str| {
        let all: f64 = world.metrics().samples["cygnet_app_instances"].iter().map(|(_, count)| count).sum();
        assert_eq!((world.in_state(state), all), (1.0, 1.0), "{state}");
    };
    is_only(&world, "waiting");
    world.pass(Duration::from_secs(3));
    let task = world.launch().remove(0);
    is_only(&world, "staging");
    assert_eq!(world.measured("cygnet_launch_delay_seconds_count", &[]), Some(0.0));
    world.update(&task, TaskState::TaskRunning, None);
    is_only(&world, "unknown");
    assert_eq!(world.measured("cygnet_launch_delay_seconds_count", &[]), Some(1.0));
    assert!(world.measured("cygnet_launch_delay_seconds_sum", &[]) >= Some(3.0));
    assert_eq!(world.measured("cygnet_app_healthy_ratio", &[]), Some(0.0));
    assert!(world.measured("cygnet_app_deployment_start_time_seconds", &[]).is_some());
    world.update(&task, TaskState::TaskRunning, Some(true));
    is_only(&world, "healthy");
    assert_eq!(world.measured("cygnet_app_healthy_ratio", &[]), Some(1.0));
    assert_eq!(world.measured("cygnet_app_deployment_start_time_seconds", &[]), None);
    assert_eq!(world.metrics().value("cygnet_deployments_ended_total", &[("result", "succeeded")]), Some(1.0));
}

#[test]
fn failures_count_by_kind_and_kills_for_health_count_once_each() {
    let (mut world, task) = World::running(json!({}));
    let failed = |world: &World| world.measured("cygnet_check_failures_total", &[("check", "0"), ("kind", "status")]);
    assert_eq!(failed(&world), None);
    for failure in 1..=3 {
        world.pass(Duration::from_secs(5));
        let told = world.failure(&task, 0, failure);
        world.tell(|core, now| [&told, &told].into_iter().for_each(|told| core.update(told, now)));
    }
    assert_eq!(failed(&world), Some(3.0), "what is told again is no other failure");
    for failure in 1..=3 {
        world.pass(Duration::from_secs(5));
        world.fails(&task, failure, 3);
    }
    assert_eq!(failed(&world), Some(6.0));
    assert_eq!(world.measured("cygnet_health_kills_total", &[]), Some(1.0));
    assert_eq!(world.in_state("killing"), 1.0);
    world.update(&task, TaskState::TaskKilled, Some(false));
    assert_eq!(world.measured("cygnet_task_ends_total", &[("state", "killed")]), Some(1.0));
    assert_eq!(world.measured("cygnet_restarts_total", &[]), Some(1.0));
    assert_eq!(world.measured("cygnet_launches_total", &[]), Some(1.0), "it is not launched again yet");
    assert_eq!(world.in_state("waiting"), 1.0);
}

#[test]
fn a_loop_of_crashes_shows_in_failures_in_a_row_and_the_delay() {
    let (mut world, task) = World::one(json!({}));
    world.update(&task, TaskState::TaskFailed, None);
    assert_eq!(world.measured("cygnet_app_failures_in_a_row", &[]), Some(1.0));
    assert!(world.measured("cygnet_app_backoff_seconds", &[]) > Some(0.0));
    assert_eq!(world.measured("cygnet_task_ends_total", &[("state", "failed")]), Some(1.0));
}

#[test]
fn what_the_brake_holds_is_not_among_the_unhealthy() {
    let (mut world, tasks) = World::up(3, json!({"brake": {"share": 0.0, "least": 1}}));
    for failure in 1..=3 {
        world.pass(Duration::from_secs(5));
        tasks.iter().for_each(|task| world.fails(task, failure, 0));
    }
    assert_eq!((world.in_state("killing"), world.in_state("held"), world.in_state("unhealthy")), (1.0, 2.0, 0.0));
    assert_eq!(world.measured("cygnet_brake_held", &[]), Some(2.0));
    assert_eq!(world.measured("cygnet_brake_holds_total", &[]), Some(2.0));
}

#[test]
fn nothing_is_told_of_an_app_that_is_gone() {
    let (mut world, task) = World::one(json!({}));
    world.pass(Duration::from_secs(5));
    world.fails(&task, 1, 0);
    assert!(world.metrics().samples.contains_key("cygnet_check_failures_total"));
    world.tell(|core, now| core.remove(&web(), false, now)).unwrap();
    world.update(&task, TaskState::TaskKilled, None);
    let apps = world.metrics().samples.into_values().flatten().filter(|(labels, _)| labels.contains_key("app"));
    assert_eq!(apps.count(), 0);
    world.add(1, json!({}));
    assert_eq!(world.measured("cygnet_launches_total", &[]), Some(0.0), "it is another app");
}

#[test]
fn what_was_held_and_is_on_an_agent_that_is_away_is_unreachable_and_nothing_else() {
    let (mut world, tasks) =
        World::up(10, json!({"unreachableStrategy": {"inactiveAfterSeconds": 300, "expungeAfterSeconds": 600}}));
    for failure in 1..=3 {
        tasks.iter().for_each(|task| world.fails(task, failure, 0));
    }
    assert_eq!((world.in_state("held"), world.in_state("killing"), world.in_state("unhealthy")), (5.0, 5.0, 0.0));
    let killed = world.killed();
    let held: Vec<_> = tasks.iter().filter(|task| !killed.contains(task)).cloned().collect();
    world.told();
    world.update(&held[0], TaskState::TaskUnreachable, None);
    assert_eq!((world.in_state("held"), world.in_state("unreachable"), world.in_state("unhealthy")), (4.0, 1.0, 0.0));
    assert!(world.told().contains(&"unhealthy_instance_kill_released_event"));
    world.fails(&held[0], 4, 0);
    assert_eq!((world.in_state("held"), world.in_state("unreachable")), (5.0, 0.0), "it is back, and no better");
}

#[test]
fn failures_in_a_row_are_none_once_the_app_was_left_alone_for_its_longest_delay() {
    let (mut world, task) = World::running(json!({"healthChecks": [], "maxLaunchDelaySeconds": 60}));
    world.update(&task, TaskState::TaskFailed, None);
    world.pass(Duration::from_secs(1));
    for task in world.launch() {
        world.update(&task, TaskState::TaskRunning, None);
    }
    let in_a_row = |world: &World| world.measured("cygnet_app_failures_in_a_row", &[]);
    assert_eq!((in_a_row(&world), world.core.queue.failing(world.now.moment).count()), (Some(1.0), 1));
    world.pass(Duration::from_secs(61));
    assert_eq!(in_a_row(&world), Some(0.0));
    assert_eq!(world.core.queue.failing(world.now.moment).count(), 0, "and nobody looks at its instances again");
}
