//! Numbers under the names that monitoring of Mesos agents looks for.

use std::collections::BTreeMap;

use mesos::v1::TaskState;

use super::bag;
use crate::core::Core;
use crate::core::executor::State;
use shell::Now;

impl Core {
    /// Everything the agent counts.
    pub(crate) fn metrics(&self, now: Now) -> BTreeMap<String, f64> {
        let counters = self.counters;
        let mut metrics = BTreeMap::from([
            ("slave/uptime_secs", now.elapsed.saturating_sub(self.started.elapsed).as_secs_f64()),
            ("slave/registered", f64::from(u8::from(self.connected))),
            ("slave/recovery_time_secs", counters.recovery.as_secs_f64()),
            ("slave/recovery_errors", 0.0),
            ("slave/frameworks_active", self.frameworks.len() as f64),
            ("slave/valid_status_updates", counters.valid_updates as f64),
            ("slave/invalid_status_updates", counters.invalid_updates as f64),
            ("slave/valid_framework_messages", counters.valid_messages as f64),
            ("slave/invalid_framework_messages", counters.invalid_messages as f64),
            ("slave/container_launch_errors", counters.launch_errors as f64),
            ("slave/tasks_finished", counters.finished as f64),
            ("slave/tasks_failed", counters.failed as f64),
            ("slave/tasks_killed", counters.killed as f64),
            ("slave/tasks_lost", counters.lost as f64),
            ("slave/tasks_gone", counters.gone as f64),
            ("slave/executors_terminated", counters.executors_terminated as f64),
            ("slave/executors_preempted", 0.0),
            // What a container consists of is processes: there is nothing that could refuse to be destroyed.
            ("containerizer/mesos/container_destroy_errors", 0.0),
        ])
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        self.task_metrics(&mut metrics);
        self.executor_metrics(&mut metrics);
        self.resource_metrics(&mut metrics);
        metrics
    }

    fn task_metrics(&self, metrics: &mut BTreeMap<String, f64>) {
        let states = [
            ("staging", TaskState::TaskStaging),
            ("starting", TaskState::TaskStarting),
            ("running", TaskState::TaskRunning),
            ("killing", TaskState::TaskKilling),
        ];
        for (name, state) in states {
            let tasks = self.live_executors().flat_map(|executor| executor.unfinished());
            let count = tasks.filter(|task| task.state() == state).count();
            metrics.insert(format!("slave/tasks_{name}"), count as f64);
        }
    }

    fn executor_metrics(&self, metrics: &mut BTreeMap<String, f64>) {
        let mut count = |name: &str, wanted: fn(State) -> bool| {
            let executors = self.live_executors().filter(|executor| wanted(executor.state));
            metrics.insert(format!("slave/executors_{name}"), executors.count() as f64);
        };
        count("registering", |state| matches!(state, State::Preparing { .. } | State::Registering { .. }));
        count("running", |state| matches!(state, State::Running));
        count("terminating", |state| matches!(state, State::Terminating { .. }));
    }

    fn resource_metrics(&self, metrics: &mut BTreeMap<String, f64>) {
        let (total, used) = (bag(&self.info.resources), self.used());
        for name in ["cpus", "gpus", "mem", "disk"] {
            let (total, used) = (total.flatten().scalar(name), used.flatten().unallocate().scalar(name));
            let percent = if total > 0.0 { used / total } else { 0.0 };
            for (what, value) in [("total", total), ("used", used), ("percent", percent)] {
                metrics.insert(format!("slave/{name}_{what}"), value);
                metrics.insert(format!("slave/{name}_revocable_{what}"), 0.0);
            }
        }
    }
}
