//! The order of jobs, and their end.

use ::containers::cgroup::Policy;
use std::collections::BTreeSet;

use ::containers::provision::Settings;
use harness::patience::PATIENCE;
use harness::wait::until;
use mesos::v1::ContainerId;
use processes::{Logs, Program, Rotations};
use tokio::time::timeout;

use super::*;
use crate::core::Core;
use crate::isolation::Isolation;
use crate::provisioner::Maker;
use crate::{NetworkOptions, Options};

struct Bench {
    jobs: Jobs,
    inbox: shell::Inbox<Request, Core>,
    containers: containers::Handle,
    programs: shell::Inbox<ContainerRequest>,
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
        layout,
        actor,
        containers: containers.clone(),
        fetcher: Fetcher::uncached(),
        cgroups: None,
        removable,
        networks,
        provisioner,
    };
    let jobs = Jobs::start(surroundings);
    Bench { jobs, inbox, containers, programs, _directory: directory }
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
