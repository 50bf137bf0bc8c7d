//! Limits of runs, in a core whose agent has control groups.

use containers::cgroup::{Assignment, Limits, Policy};

use mesos::v1::cygnet::agent_event::Content;
use mesos::v1::executor::call::Subscribe;
use mesos::v1::task_status::Reason;
use mesos::v1::value::Scalar;
use mesos::v1::{AgentInfo, Resource, TaskResourceLimitation, TaskState};
use processes::Process;
use shell::Now;

use super::wire::{executor_key, launch, settings, subscribed};
use crate::core::{Action, Core, Excess, Job, Settings};
use crate::ids::StreamId;
use crate::layout::Layout;
use crate::log::Recovered;

const MIB: u64 = 1 << 20;
const STREAM: StreamId = StreamId(7);

fn limited() -> (Core, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let policy = Policy { cpu: true, memory: true, ..Policy::default() };
    let root = Assignment { mounts: "/sys/fs/cgroup".into(), name: "mesos/agent-0".into(), policy };
    let settings = Settings { cgroups: Some(root), ..settings(&Layout::create(directory.path()).unwrap()) };
    let mut core = Core::new(settings, AgentInfo::default(), Now::default());
    core.recover(Now::default(), Recovered::default());
    core.take_actions();
    core.master_event(Now::default(), subscribed("S".into()));
    core.take_actions();
    (core, directory)
}

/// The launch of a task that asks for this much memory, and may have twice as much.
fn launch_of(task: &str, executor: Option<&str>, mem: f64) -> Content {
    let Content::Launch(mut launch) = launch(task, executor) else { panic!("a launch") };
    launch.task.resources = vec![Resource::scalar("mem", mem)];
    launch.task.limits = [("mem".to_owned(), Scalar { value: 2.0 * mem })].into();
    Content::Launch(launch)
}

fn memory(limits: &Limits) -> (u64, Option<u64>) {
    let memory = limits.memory.unwrap();
    (memory.bytes / MIB, memory.limit.map(|limit| limit / MIB))
}

/// The limits that jobs set.
fn set(actions: &[Action]) -> Vec<(u64, Option<u64>)> {
    let limits = |action: &Action| match action {
        Action::Job(Job::Prepare(preparation)) => preparation.limits.as_ref().map(memory),
        Action::Job(Job::Limit(_, _, limits)) => Some(memory(limits)),
        _ => None,
    };
    actions.iter().filter_map(limits).collect()
}

fn is_delivered(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::ToExecutor(..)))
}

/// A custom executor that runs one task.
fn running(core: &mut Core) {
    let (now, key) = (Now::default(), executor_key("e"));
    core.master_event(now, launch_of("t1", Some("e"), 64.0));
    let actions = core.take_actions();
    assert_eq!(set(&actions), [(64, Some(128))]);
    let prepared = |action| if let Action::Job(Job::Prepare(preparation)) = action { Some(preparation) } else { None };
    let preparation = actions.into_iter().find_map(prepared).unwrap();
    core.prepared(now, &preparation, Ok(()));
    let started = |action| if let Action::Job(Job::Start(owner, ..)) = action { Some(owner) } else { None };
    let owner = core.take_actions().into_iter().find_map(started).unwrap();
    core.started(now, &owner, Ok(Process { pid: 1, start: 1 }));
    core.subscribe_executor(now, STREAM, &key, Subscribe::default()).unwrap();
    assert!(is_delivered(&core.take_actions()));
}

#[test]
fn a_task_that_comes_waits_until_its_limits_are_in_force() {
    let (mut core, _directory) = limited();
    running(&mut core);
    core.master_event(Now::default(), launch_of("t2", Some("e"), 32.0));
    let actions = core.take_actions();
    assert_eq!(set(&actions), [(96, Some(192))]);
    assert!(!is_delivered(&actions));
    let container = core.frameworks.executor(&executor_key("e")).unwrap().container().clone();
    core.limited(Now::default(), &executor_key("e"), &container);
    assert!(is_delivered(&core.take_actions()));
}

#[test]
fn what_has_had_too_much_is_killed_and_its_tasks_have_failed_for_that() {
    let (mut core, _directory) = limited();
    running(&mut core);
    let container = core.frameworks.executor(&executor_key("e")).unwrap().container().clone();
    let limitation = TaskResourceLimitation { resources: vec![Resource::scalar("mem", 128.0)] };
    let excess = Excess {
        reason: Reason::ContainerLimitationMemory,
        message: "too much".to_owned(),
        limitation: limitation.clone(),
    };
    core.exceeded(Now::default(), &executor_key("e"), &container, excess);
    let actions = core.take_actions();
    assert!(actions.iter().any(|action| matches!(action, Action::Job(Job::KillTree(_)))), "{actions:?}");
    assert!(actions.iter().any(|action| matches!(action, Action::Job(Job::RemoveCgroup(of)) if *of == container)));
    let status = core.frameworks.executors().find_map(|executor| executor.tasks().terminated().next());
    let status = status.unwrap().wire().statuses.last().unwrap().clone();
    assert_eq!((status.state(), status.reason()), (TaskState::TaskFailed, Reason::ContainerLimitationMemory));
    assert_eq!((status.message(), status.limitation.as_ref()), ("too much", Some(&limitation)));
}

#[test]
fn the_agents_own_executor_takes_nothing_of_its_tasks_limits() {
    let (mut core, _directory) = limited();
    core.master_event(Now::default(), launch_of("t", None, 64.0));
    assert_eq!(set(&core.take_actions()), [(64, Some(128))]);
}
