//! Tasks that wait for images: killed, failed, or found again, alone or beside others of their executor.

use mesos::v1::container_info::{MesosInfo, Type};
use mesos::v1::cygnet::agent_event::{Content, Kill, LaunchGroup};
use mesos::v1::{ContainerInfo, ExecutorInfo, Image, TaskGroupInfo, TaskInfo, TaskState, executor_info, image};

use super::bench::Bench;
use super::wire::{FRAMEWORK, executor_key, framework};
use crate::core::provisioning::Unprovided;
use crate::core::{Job, Provisioning, State};

fn task(id: &str) -> TaskInfo {
    let docker = image::Docker { name: format!("image-of-{id}"), ..image::Docker::default() };
    let image = Image { r#type: image::Type::Docker.into(), docker: Some(docker), ..Image::default() };
    let container = ContainerInfo {
        r#type: Type::Mesos.into(),
        mesos: Some(MesosInfo { image: Some(image) }),
        ..ContainerInfo::default()
    };
    TaskInfo { task_id: id.into(), container: Some(container), ..TaskInfo::default() }
}

fn group(tasks: &[&str]) -> Content {
    let r#type = Some(executor_info::Type::Default.into());
    let executor = ExecutorInfo { executor_id: "groups".into(), r#type, ..ExecutorInfo::default() };
    let task_group = TaskGroupInfo { tasks: tasks.iter().map(|id| task(id)).collect() };
    Content::LaunchGroup(LaunchGroup { framework: framework(), executor, task_group })
}

fn kill(task: &str) -> Content {
    Content::Kill(Kill { framework_id: FRAMEWORK.into(), task_id: task.into(), kill_policy: None })
}

/// The tasks of each order.
fn ordered(jobs: &[Job]) -> Vec<Provisioning> {
    let order = |job: &Job| if let Job::Provision(wanted) = job { Some(Provisioning::clone(wanted)) } else { None };
    jobs.iter().filter_map(order).collect()
}

fn names(wanted: &Provisioning) -> Vec<&str> {
    wanted.tasks.iter().map(|needs| needs.task.value.as_str()).collect()
}

fn abandoned(jobs: &[Job]) -> Vec<Vec<String>> {
    let order = |job: &Job| match job {
        Job::Abandon(_, tasks) => Some(tasks.iter().map(|task| task.value.clone()).collect()),
        _ => None,
    };
    jobs.iter().filter_map(order).collect()
}

/// A core with an executor of groups, after so many launches.
struct Launched {
    bench: Bench,
    orders: Vec<Provisioning>,
}

impl Launched {
    fn new(groups: &[&[&str]]) -> Launched {
        let mut launched = Launched { bench: Bench::new(), orders: Vec::new() };
        for tasks in groups {
            let jobs = launched.bench.hear(group(tasks));
            launched.orders.extend(ordered(&jobs));
        }
        assert_eq!(launched.orders.len(), groups.len(), "an order for each launch");
        launched
    }

    fn answer(&mut self, order: usize, result: Result<(), &str>) -> Vec<Job> {
        let result = result.map(|()| None).map_err(|why| Unprovided::Image(why.into()));
        self.bench.core.provisioned(self.bench.now, &self.orders[order].clone(), result);
        self.bench.jobs()
    }

    fn state(&self, task: &str) -> TaskState {
        let executor = self.bench.core.frameworks.executor(&executor_key("groups")).unwrap();
        executor.tasks().get(&task.into()).unwrap().state()
    }

    fn executor(&self) -> State {
        self.bench.core.frameworks.executor(&executor_key("groups")).unwrap().state()
    }
}

fn is_prepared(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| matches!(job, Job::Prepare(_)))
}

#[test]
fn a_kill_of_a_later_group_gives_up_what_is_under_way_for_it_alone() {
    let mut launched = Launched::new(&[&["a", "b"], &["c", "d"]]);
    assert_eq!(launched.orders.iter().map(names).collect::<Vec<_>>(), [["a", "b"], ["c", "d"]]);
    let jobs = launched.bench.hear(kill("d"));
    assert_eq!(abandoned(&jobs), [["c", "d"]]);
    assert_eq!((launched.state("c"), launched.state("d")), (TaskState::TaskKilled, TaskState::TaskKilled));
    assert!(!is_prepared(&launched.answer(1, Err("given up"))), "that changes nothing");
    assert_eq!((launched.executor(), launched.state("a")), (State::Provisioning, TaskState::TaskStaging));
    assert!(is_prepared(&launched.answer(0, Ok(()))));
    assert!(abandoned(&launched.bench.hear(kill("a"))).is_empty(), "it waits for nothing any more");
}

#[test]
fn a_run_whose_only_tasks_are_killed_meanwhile_is_over() {
    let mut launched = Launched::new(&[&["a", "b"]]);
    let jobs = launched.bench.hear(kill("a"));
    assert!(jobs.iter().any(|job| matches!(job, Job::RemoveState(_))), "{jobs:?}");
    assert_eq!((launched.executor(), launched.state("b")), (State::Terminated, TaskState::TaskKilled));
    assert!(launched.answer(0, Ok(())).is_empty(), "the answer comes too late");
}

#[test]
fn tasks_that_cannot_have_what_they_need_fail_alone() {
    let mut launched = Launched::new(&[&["a"], &["b"]]);
    launched.answer(0, Err("no such image"));
    assert_eq!((launched.state("a"), launched.state("b")), (TaskState::TaskFailed, TaskState::TaskStaging));
    assert_eq!(launched.executor(), State::Provisioning);
    assert!(is_prepared(&launched.answer(1, Ok(()))));

    let mut launched = Launched::new(&[&["a"], &["b"]]);
    launched.answer(1, Err("no such image"));
    launched.answer(0, Err("no such image"));
    assert_eq!(launched.executor(), State::Terminated, "nobody needs it");
}

#[test]
fn an_agent_that_comes_back_orders_again_what_was_under_way_each_launch_by_itself() {
    let mut launched = Launched::new(&[&["a", "b"], &["c"]]);
    let jobs = launched.bench.restart();
    assert_eq!(ordered(&jobs), launched.orders);
}
