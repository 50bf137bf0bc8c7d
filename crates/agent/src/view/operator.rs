//! The operator API's reads.

use std::sync::Arc;

use mesos::v1::agent::response::{self, GetAgent, GetExecutors, GetFlags, GetFrameworks, GetState, GetTasks};
use mesos::v1::agent::{Response, call};
use mesos::v1::{Confidential, Flag, Task as Wire};

use crate::core::{Executor, Framework, Snapshot, Task};

/// The answer to a call that is answered from the books alone, if it is one.
pub(crate) fn answer(snapshot: &Snapshot, kind: call::Type) -> Option<Response> {
    Some(match kind {
        call::Type::GetAgent => {
            let agent_info = Some(snapshot.link.agent_info());
            Response::get_agent(GetAgent { agent_info, ..GetAgent::default() })
        }
        call::Type::GetFlags => Response::get_flags(flags(snapshot)),
        call::Type::GetFrameworks => Response::get_frameworks(frameworks(snapshot)),
        call::Type::GetExecutors => Response::get_executors(executors(snapshot)),
        call::Type::GetTasks => Response::get_tasks(tasks(snapshot)),
        call::Type::GetState => Response::get_state(GetState {
            get_tasks: Some(tasks(snapshot)),
            get_executors: Some(executors(snapshot)),
            get_frameworks: Some(frameworks(snapshot)),
        }),
        _ => return None,
    })
}

fn flags(snapshot: &Snapshot) -> GetFlags {
    let flag = |(name, value): (&String, &String)| Flag { name: name.clone(), value: Some(value.clone()) };
    GetFlags { flags: snapshot.settings.flags.iter().map(flag).collect() }
}

fn frameworks(snapshot: &Snapshot) -> GetFrameworks {
    let entry = |known: &Arc<Framework>| response::get_frameworks::Framework { framework_info: known.info().clone() };
    GetFrameworks {
        frameworks: snapshot.frameworks.iter().map(entry).collect(),
        completed_frameworks: snapshot.completed_frameworks.iter().map(entry).collect(),
    }
}

fn executors(snapshot: &Snapshot) -> GetExecutors {
    let entry = |known: &Executor| response::get_executors::Executor { executor_info: known.info().shown() };
    let over = snapshot.executors().map(|(_, executor)| executor).filter(|executor| !executor.is_live());
    GetExecutors {
        executors: snapshot.live_executors().map(|(_, executor)| entry(executor)).collect(),
        completed_executors: over.chain(snapshot.completed_executors()).map(entry).collect(),
    }
}

fn tasks(snapshot: &Snapshot) -> GetTasks {
    let wire = |task: &Task| -> Wire { task.wire().clone() };
    let here = || snapshot.executors().map(|(_, executor)| executor.tasks());
    let completed = here().chain(snapshot.completed_executors().map(Executor::tasks));
    GetTasks {
        pending_tasks: Vec::new(),
        queued_tasks: here().flat_map(|tasks| tasks.queued()).map(wire).collect(),
        launched_tasks: here().flat_map(|tasks| tasks.launched()).map(wire).collect(),
        terminated_tasks: here().flat_map(|tasks| tasks.terminated()).map(wire).collect(),
        completed_tasks: completed.flat_map(|tasks| tasks.completed()).map(wire).collect(),
    }
}
