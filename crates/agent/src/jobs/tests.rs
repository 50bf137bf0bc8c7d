//! The order of jobs, and their end.

use ::containers::cgroup::Policy;
use std::collections::{BTreeMap, BTreeSet};

use ::containers::provision::{Provision, Settings};
use harness::patience::PATIENCE;
use harness::wait::until;
use mesos::v1::{CommandInfo, ContainerId, ContainerInfo};
use processes::{Logs, Program, Rotations};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::time::timeout;

use super::*;
use crate::core::{ContainedExecutor, Core};
use crate::isolation::Isolation;
use crate::provisioner::Maker;
use crate::{NetworkOptions, Options};

struct Bench {
    jobs: Jobs,
    inbox: shell::Inbox<Request, Core>,
    containers: containers::Handle,
    programs: shell::Inbox<ContainerRequest>,
    layout: Layout,
    _directory: tempfile::TempDir,
}

fn bench() -> Bench {
    bench_removing(None)
}

fn bench_removing(removable: Option<Cgroups>) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let (actor, inbox) = shell::inbox("agent");
    let (containers, programs) = shell::inbox("agent");
    let layout = Layout::create(directory.path()).unwrap();
    let networks = Networks::of(&NetworkOptions::default(), directory.path()).unwrap();
    let (settings, actor_too) = (Settings::default(), actor.clone());
    let maker = Maker { layout: layout.clone(), settings, images: None, networks: networks.clone(), actor: actor_too };
    let provisioner = Provisioner::start(maker);
    let surroundings = Surroundings {
        docker: None,
        shim: Vec::new(),
        layout: layout.clone(),
        actor,
        containers: containers.clone(),
        fetcher: Fetcher::uncached(),
        cgroups: None,
        removable,
        networks,
        provisioner,
    };
    let jobs = Jobs::start(surroundings);
    Bench { jobs, inbox, containers, programs, layout, _directory: directory }
}

/// A start that fails, for want of a program.
fn start(bench: &mut Bench) {
    let path = "/nonexistent/program".into();
    let program = Program { path, working_directory: "/".into(), ..Program::default() };
    let logs = Logs { stdout: "/dev/null".into(), stderr: "/dev/null".into() };
    bench.jobs.add(Job::Start(
        Owner::Pool("F".into()),
        Box::new(Logged { program, logs, rotations: Rotations::default() }),
        None,
    ));
}

#[tokio::test]
async fn an_end_starts_nothing_that_still_waits() {
    let mut bench = bench();
    start(&mut bench);
    assert!(!bench.jobs.are_starts_answered());
    bench.jobs.finish().await;
    assert_eq!(bench.inbox.take(&mut Vec::new(), 1).await, 0, "no answer, for nothing was started");
}

#[tokio::test]
async fn a_removal_that_takes_long_delays_no_start() {
    let mut bench = bench();
    // Nobody takes anything out of this channel, so that the removal waits as soon as it is full.
    while timeout(Duration::ZERO, bench.containers.send(ContainerRequest::Destroy(ContainerId::default())))
        .await
        .is_ok()
    {}
    bench.jobs.add(Job::DestroyContainers(ContainerId::default()));
    start(&mut bench);
    let mut messages = Vec::new();
    let taken = timeout(Duration::from_secs(10), bench.inbox.take(&mut messages, 1)).await;
    assert_eq!(taken, Ok(1), "the start is answered");
    drop(bench.programs);
    bench.jobs.finish().await;
}

/// The owner of the next start that is answered.
async fn answered(bench: &mut Bench) -> Owner {
    let mut messages = Vec::new();
    timeout(PATIENCE, bench.inbox.take(&mut messages, 1)).await.expect("a start is answered");
    match messages.remove(0) {
        shell::Message::Request(Request::Started(owner, _)) => owner,
        _ => panic!("it is another answer"),
    }
}

/// The disk with all that is ready for the executor takes its time.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_takes_long_delays_nobody_and_is_given_up_before_its_state_goes() {
    let mut bench = bench();
    let run = ContainerId::from("run");
    let state = bench.layout.executor_state(&run);
    let slow = Provision::path(&state, &"own".into());
    std::fs::create_dir_all(slow.parent().unwrap()).unwrap();
    mknodat(CWD, &slow, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let executor = ContainedExecutor {
        id: "own".into(),
        command: CommandInfo::default(),
        container: ContainerInfo::default(),
        user: None,
        inherited: BTreeMap::new(),
        own: BTreeMap::new(),
        sandbox: state.join("sandbox"),
        rotations: Rotations::default(),
    };
    let key = ExecutorKey { framework: "F".into(), executor: "own".into() };
    bench.jobs.add(Job::Contain(key.clone(), run.clone(), Box::new(executor)));
    start(&mut bench);
    assert_eq!(answered(&mut bench).await, Owner::Pool("F".into()));
    bench.jobs.add(Job::RemoveState(run.clone()));
    bench.jobs.add(Job::RemoveState("another".into()));
    start(&mut bench);
    assert_eq!(answered(&mut bench).await, Owner::Pool("F".into()));
    assert!(state.exists(), "somebody reads there");
    let writing = tokio::task::spawn_blocking(move || std::fs::write(slow, "{"));
    assert_eq!(answered(&mut bench).await, Owner::Executor(key, run));
    until("the state to go", PATIENCE, || (!state.exists()).then_some(()));
    writing.await.unwrap().unwrap();
    bench.jobs.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_control_groups_removes_those_of_runs_that_are_over() {
    let directory = tempfile::tempdir().unwrap();
    let options =
        |isolation: &str| Options { isolation: Some(isolation.into()), ..Options::new("", directory.path(), "") };
    let isolation = |asked| Isolation::of(&options(asked), directory.path());
    let Ok(before) = isolation("cgroups/cpu") else {
        println!("SKIPPED an_agent_without_control_groups_removes_those_of_runs_that_are_over: needs root and cgroups");
        return;
    };
    let cgroups = before.cgroups().unwrap();
    let [live, over] = ["live", "over"].map(|name| cgroups.of_run(&ContainerId { value: name.into(), parent: None }));
    [&live, &over].iter().for_each(|cgroup| cgroup.create(&Policy::default().limits(&[])).unwrap());
    let now = isolation("posix/cpu").unwrap();
    assert!(now.cgroups().is_none());
    let mut bench = bench_removing(now.removable().cloned());
    bench.jobs.add(Job::Sweep(BTreeSet::from(["live".to_owned()])));
    until("what is over is gone", PATIENCE, || (!over.exists()).then_some(()));
    assert!(live.exists());
    bench.jobs.add(Job::RemoveCgroup(ContainerId { value: "live".into(), parent: None }));
    bench.jobs.finish().await;
    assert!(!live.exists());
}
