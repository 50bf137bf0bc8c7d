//! Starts that are answered late: their executor or pool is over, or to end, by then.

use std::time::Duration;

use mesos::v1::cygnet::agent_event::{self, Content};
use processes::Process;
use shell::Now;

use super::wire::{FRAMEWORK, executor_key, fresh, launch, subscribed};
use crate::core::{Action, Core, Job, Owner, Preparation, StartError, State};
use crate::layout::Layout;

const PROCESS: Process = Process { pid: 1, start: 1 };

/// A core whose jobs are done, or not, by the test.
struct Bench {
    core: Core,
    now: Now,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(directory.path()).unwrap();
        let (mut core, now) = (fresh(&layout), Now::default());
        core.take_actions();
        core.master_event(now, subscribed("S".into()));
        core.take_actions();
        Bench { core, now, _directory: directory }
    }

    fn launch(&mut self, task: &str, executor: Option<&str>) -> Vec<Job> {
        self.core.master_event(self.now, launch(task, executor));
        self.jobs()
    }

    fn prepared(&mut self, preparation: &Preparation) -> Owner {
        self.core.prepared(self.now, preparation, Ok(()));
        start(self.jobs()).expect("its process is started")
    }

    fn pass(&mut self, seconds: u64) -> Vec<Job> {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.core.wake(self.now);
        self.jobs()
    }

    fn jobs(&mut self) -> Vec<Job> {
        let job = |action| if let Action::Job(job) = action { Some(job) } else { None };
        self.core.take_actions().into_iter().filter_map(job).collect()
    }
}

fn start(jobs: Vec<Job>) -> Option<Owner> {
    jobs.into_iter().find_map(|job| if let Job::Start(owner, ..) = job { Some(owner) } else { None })
}

fn preparation(jobs: Vec<Job>) -> Box<Preparation> {
    let preparation = |job| if let Job::Prepare(preparation) = job { Some(preparation) } else { None };
    jobs.into_iter().find_map(preparation).expect("a sandbox is made")
}

#[test]
fn a_start_that_fails_late_ends_its_own_run_only() {
    let mut bench = Bench::new();
    let first = preparation(bench.launch("t1", Some("own")));
    let late = bench.prepared(&first);
    let framework_id = FRAMEWORK.into();
    bench.core.master_event(bench.now, Content::ShutdownFramework(agent_event::ShutdownFramework { framework_id }));
    bench.pass(5);
    assert!(bench.core.frameworks.executor(&executor_key("own")).is_none(), "the first run is over");
    let second = preparation(bench.launch("t2", Some("own")));
    assert_ne!(second.container, first.container);
    bench.core.started(bench.now, &late, Err(StartError::User("nobody".to_owned())));
    let executor = bench.core.frameworks.executor(&executor_key("own")).unwrap();
    assert!(matches!(executor.state(), State::Preparing { .. }), "{executor:?}");
    let owner = bench.prepared(&second);
    bench.core.started(bench.now, &owner, Err(StartError::User("nobody".to_owned())));
    assert!(!bench.core.frameworks.executor(&executor_key("own")).unwrap().is_live(), "its own failure ends it");
}

#[test]
fn a_pool_that_is_dismissed_before_it_runs_and_never_comes_is_killed() {
    let mut bench = Bench::new();
    let first = preparation(bench.launch("t1", None));
    let pool = bench.prepared(&first);
    bench.core.stop(bench.now);
    bench.pass(5);
    bench.pass(5);
    assert!(!bench.core.frameworks.executors().any(|executor| executor.is_live()), "only the pool is left");
    bench.pass(10);
    bench.core.started(bench.now, &pool, Ok(PROCESS));
    assert!(!bench.jobs().iter().any(|job| matches!(job, Job::KillTree(_))), "it has time to leave");
    let killed = bench.pass(5);
    assert!(killed.iter().any(|job| matches!(job, Job::KillTree(PROCESS))), "{killed:?}");
    bench.core.process_ended(bench.now, &pool, Some(9));
    assert!(bench.core.pools.is_empty(), "nothing keeps the agent from leaving");
}
