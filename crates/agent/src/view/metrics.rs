//! Numbers under the names that monitoring of Mesos agents looks for.

use std::collections::BTreeMap;

use mesos::v1::TaskState;

use super::{bag, used};
use crate::core::{Count, Snapshot, State};

/// Everything the agent counts.
pub(crate) fn of(snapshot: &Snapshot) -> BTreeMap<String, f64> {
    let count = |event| snapshot.counters.get(event) as f64;
    let uptime = snapshot.now.elapsed.saturating_sub(snapshot.started.elapsed);
    let mut metrics = BTreeMap::from([
        ("slave/uptime_secs", uptime.as_secs_f64()),
        ("slave/registered", f64::from(u8::from(snapshot.link.is_connected()))),
        ("slave/recovery_time_secs", snapshot.recovery.as_secs_f64()),
        ("slave/recovery_errors", 0.0),
        ("slave/frameworks_active", snapshot.frameworks.len() as f64),
        ("slave/valid_status_updates", count(Count::ValidUpdate)),
        ("slave/invalid_status_updates", count(Count::InvalidUpdate)),
        ("slave/valid_framework_messages", count(Count::ValidMessage)),
        ("slave/invalid_framework_messages", count(Count::InvalidMessage)),
        ("slave/container_launch_errors", count(Count::LaunchError)),
        ("slave/tasks_finished", count(Count::Finished)),
        ("slave/tasks_failed", count(Count::Failed)),
        ("slave/tasks_killed", count(Count::Killed)),
        ("slave/tasks_lost", count(Count::Lost)),
        ("slave/tasks_gone", count(Count::Gone)),
        ("slave/executors_terminated", count(Count::ExecutorTerminated)),
        ("slave/executors_preempted", 0.0),
    ])
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    of_tasks(snapshot, &mut metrics);
    of_executors(snapshot, &mut metrics);
    of_resources(snapshot, &mut metrics);
    metrics
}

fn of_tasks(snapshot: &Snapshot, metrics: &mut BTreeMap<String, f64>) {
    let states = [
        ("staging", TaskState::TaskStaging),
        ("starting", TaskState::TaskStarting),
        ("running", TaskState::TaskRunning),
        ("killing", TaskState::TaskKilling),
    ];
    for (name, state) in states {
        let tasks = snapshot.live_executors().flat_map(|(_, executor)| executor.tasks().unfinished());
        metrics.insert(format!("slave/tasks_{name}"), tasks.filter(|task| task.state() == state).count() as f64);
    }
}

fn of_executors(snapshot: &Snapshot, metrics: &mut BTreeMap<String, f64>) {
    let mut count = |name: &str, wanted: fn(State) -> bool| {
        let executors = snapshot.live_executors().filter(|(_, executor)| wanted(executor.state()));
        metrics.insert(format!("slave/executors_{name}"), executors.count() as f64);
    };
    count("registering", |state| {
        matches!(state, State::Provisioning | State::Preparing { .. } | State::Registering { .. })
    });
    count("running", |state| matches!(state, State::Running));
    count("terminating", |state| matches!(state, State::Terminating { .. }));
}

fn of_resources(snapshot: &Snapshot, metrics: &mut BTreeMap<String, f64>) {
    let (total, used) = (bag(&snapshot.link.info().resources), used(snapshot));
    for name in ["cpus", "gpus", "mem", "disk"] {
        let (total, used) = (total.flatten().scalar(name), used.flatten().unallocate().scalar(name));
        let percent = if total > 0.0 { used / total } else { 0.0 };
        for (what, value) in [("total", total), ("used", used), ("percent", percent)] {
            metrics.insert(format!("slave/{name}_{what}"), value);
            metrics.insert(format!("slave/{name}_revocable_{what}"), 0.0);
        }
    }
}
