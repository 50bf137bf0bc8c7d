//! Questions for past attempts, which only an executor answers that has started its task.

use mesos::v1::executor::call::{Content, Subscribe, Update};
use mesos::v1::task_status::Source;
use mesos::v1::{TaskState, TaskStatus};

use super::bench::{Bench, preparation};
use super::wire::{FRAMEWORK, executor_key};
use crate::core::{Inquiry, Unasked};
use crate::ids::{StreamId, TaskKey};

#[test]
fn an_executor_is_not_asked_before_its_task_runs() {
    let mut bench = Bench::new();
    let preparation = preparation(bench.launch("t1", None));
    bench.prepared(&preparation);
    let task = TaskKey { framework: FRAMEWORK.into(), task: "t1".into() };
    let key = executor_key("t1");
    let ask = |bench: &mut Bench| bench.core.ask_history(&task, Inquiry::Past, vec![1]);
    assert_eq!(ask(&mut bench), Err(Unasked::NotSubscribed));
    bench.core.subscribe_executor(bench.now, StreamId(1), &key, Subscribe::default()).unwrap();
    assert_eq!(ask(&mut bench), Err(Unasked::NotRunning));
    for (number, state, answer) in
        [(1, TaskState::TaskStarting, Err(Unasked::NotRunning)), (2, TaskState::TaskRunning, Ok(()))]
    {
        let (state, source) = (state.into(), Some(Source::Executor.into()));
        let status =
            TaskStatus { task_id: "t1".into(), state, source, uuid: Some(vec![number; 16]), ..TaskStatus::default() };
        bench.core.executor_call(bench.now, &key, Content::Update(Update { status })).unwrap();
        assert_eq!(ask(&mut bench), answer);
    }
}
