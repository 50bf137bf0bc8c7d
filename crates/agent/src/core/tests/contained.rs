//! Executors of frameworks in containers with images: what is made for them takes what it takes, and nothing of it is left.

use mesos::v1::container_info::MesosInfo;
use mesos::v1::cygnet::agent_event::{Content, Kill, Launch};
use mesos::v1::{CommandInfo, ContainerInfo, ExecutorInfo, Image, TaskInfo, container_info, image};
use processes::Process;

use super::bench::{Bench, preparation};
use super::wire::{FRAMEWORK, executor_key, framework};
use crate::core::{Job, Owner, Provisioning};
use crate::ids::StreamId;

const PROCESS: Process = Process { pid: 1, start: 1 };

fn launch() -> Content {
    let docker = image::Docker { name: "app:1".to_owned(), ..image::Docker::default() };
    let image = Image { r#type: image::Type::Docker.into(), docker: Some(docker), ..Image::default() };
    let container = ContainerInfo {
        r#type: container_info::Type::Mesos.into(),
        mesos: Some(MesosInfo { image: Some(image) }),
        ..ContainerInfo::default()
    };
    let executor = ExecutorInfo {
        executor_id: "own".into(),
        command: Some(CommandInfo { value: Some("true".to_owned()), ..CommandInfo::default() }),
        container: Some(container),
        ..ExecutorInfo::default()
    };
    let task = TaskInfo { task_id: "t".into(), executor: Some(executor), ..TaskInfo::default() };
    Content::Launch(Launch { framework: framework(), task, executor: None })
}

fn wanted(jobs: Vec<Job>) -> Box<Provisioning> {
    let wanted = |job| if let Job::Provision(wanted) = job { Some(wanted) } else { None };
    jobs.into_iter().find_map(wanted).expect("its image is wanted")
}

/// Everything up to the container that is being made.
fn making(bench: &mut Bench) -> Owner {
    let wanted = wanted(bench.hear(launch()));
    bench.core.provisioned(bench.now, &wanted, Ok(None));
    let preparation = preparation(bench.jobs());
    bench.core.prepared(bench.now, &preparation, Ok(()));
    let owner = |job| if let Job::Contain(key, run, _) = job { Some(Owner::Executor(key, run)) } else { None };
    bench.jobs().into_iter().find_map(owner).expect("its container is made")
}

fn kills(jobs: &[Job]) -> usize {
    jobs.iter().filter(|job| matches!(job, Job::KillRun(_))).count()
}

#[test]
fn nobody_joins_a_container_before_it_is_there() {
    let mut bench = Bench::new();
    let wanted = wanted(bench.hear(launch()));
    let root = bench.core.snapshot(bench.now).root(&wanted.container).unwrap();
    assert!(root.is_apart && root.process.is_none());
}

#[test]
fn the_time_to_subscribe_begins_with_the_process() {
    let mut bench = Bench::new();
    let owner = making(&mut bench);
    assert_eq!(kills(&bench.pass(3600)), 0, "a large image is copied");
    bench.core.started(bench.now, &owner, Ok(PROCESS));
    bench.jobs();
    assert_eq!(kills(&bench.pass(59)), 0);
    assert!(kills(&bench.pass(1)) > 0);
}

#[test]
fn one_that_has_subscribed_before_its_start_is_known_stays() {
    let mut bench = Bench::new();
    let owner = making(&mut bench);
    bench.core.subscribe_executor(bench.now, StreamId(1), &executor_key("own"), Default::default()).unwrap();
    bench.core.started(bench.now, &owner, Ok(PROCESS));
    bench.jobs();
    assert_eq!(kills(&bench.pass(3600)), 0);
}

#[test]
fn a_kill_gives_up_what_is_being_made() {
    let mut bench = Bench::new();
    let _owner = making(&mut bench);
    let jobs =
        bench.hear(Content::Kill(Kill { framework_id: FRAMEWORK.into(), task_id: "t".into(), kill_policy: None }));
    assert_eq!(kills(&jobs), 1, "{jobs:?}");
    assert!(jobs.iter().any(|job| matches!(job, Job::RemoveState(_))), "{jobs:?}");
}

#[test]
fn a_container_whose_process_nobody_has_written_down_is_ended_with_its_run() {
    let mut bench = Bench::new();
    making(&mut bench);
    bench.restart();
    let jobs = bench.pass(2);
    assert!(kills(&jobs) > 0, "{jobs:?}");
}
