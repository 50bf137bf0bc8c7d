//! Starts that are answered late: their executor or pool is over, or to end, by then.

use mesos::v1::cygnet::agent_event::{self, Content};
use processes::{Process, UserError};

use super::bench::{Bench, preparation};
use super::wire::{FRAMEWORK, executor_key};
use crate::core::{Job, StartError, State};

const PROCESS: Process = Process { pid: 1, start: 1 };

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
    bench.core.started(bench.now, &late, Err(StartError::User(UserError::Unknown("nobody".to_owned()))));
    let executor = bench.core.frameworks.executor(&executor_key("own")).unwrap();
    assert!(matches!(executor.state(), State::Preparing { .. }), "{executor:?}");
    let owner = bench.prepared(&second);
    bench.core.started(bench.now, &owner, Err(StartError::User(UserError::Unknown("nobody".to_owned()))));
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
