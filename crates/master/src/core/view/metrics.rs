//! `/metrics/snapshot`: names and meanings as Mesos has them.

use std::collections::BTreeMap;

use mesos::v1::TaskState;
use mesos::v1::scheduler::call;

use super::super::Core;
use super::super::framework::Framework;

type Metrics = BTreeMap<String, f64>;

/// Tasks are counted where they are while they live; what ended is counted since the master started.
const LIVE: [(TaskState, &str); 5] = [
    (TaskState::TaskStaging, "staging"),
    (TaskState::TaskStarting, "starting"),
    (TaskState::TaskRunning, "running"),
    (TaskState::TaskKilling, "killing"),
    (TaskState::TaskUnreachable, "unreachable"),
];
const ENDED: [(TaskState, &str); 8] = [
    (TaskState::TaskFinished, "finished"),
    (TaskState::TaskFailed, "failed"),
    (TaskState::TaskKilled, "killed"),
    (TaskState::TaskLost, "lost"),
    (TaskState::TaskError, "error"),
    (TaskState::TaskDropped, "dropped"),
    (TaskState::TaskGone, "gone"),
    (TaskState::TaskGoneByOperator, "gone_by_operator"),
];
const CALLS: [(call::Type, &str); 10] = [
    (call::Type::Accept, "launch_tasks"),
    (call::Type::Decline, "decline_offers"),
    (call::Type::Revive, "revive_offers"),
    (call::Type::Suppress, "suppress_offers"),
    (call::Type::Kill, "kill_task"),
    (call::Type::Acknowledge, "status_update_acknowledgement"),
    (call::Type::Reconcile, "reconcile_tasks"),
    (call::Type::Message, "framework_to_executor"),
    (call::Type::Request, "resource_request"),
    (call::Type::Teardown, "unregister_framework"),
];

impl Core {
    /// Every metric, by name.
    pub(crate) fn metrics(&self) -> Metrics {
        let mut metrics = Metrics::new();
        self.put_general(&mut metrics);
        self.put_agents(&mut metrics);
        self.put_frameworks(&mut metrics);
        self.put_tasks(&mut metrics);
        self.put_resources(&mut metrics);
        self.put_messages(&mut metrics);
        metrics
    }

    fn put_general(&self, metrics: &mut Metrics) {
        let uptime = self.now.unix.saturating_sub(self.identity.started);
        put(metrics, "uptime_secs", uptime.as_secs_f64());
        put(metrics, "elected", 1.0);
        put(metrics, "outstanding_offers", self.offers.iter().count() as f64);
        metrics.insert("allocator/mesos/offer_filters".to_owned(), self.allocator.filters() as f64);
    }

    fn put_agents(&self, metrics: &mut Metrics) {
        let connected = self.agents.values().filter(|agent| agent.is_connected()).count();
        let away = self.agents.len() - connected;
        for (name, count) in [
            ("slaves_connected", connected),
            ("slaves_active", connected),
            ("slaves_disconnected", away),
            ("slaves_inactive", away),
            ("slaves_unreachable", self.absent.unreachable.len()),
        ] {
            put(metrics, name, count as f64);
        }
        let counters = &self.counters;
        for (name, count) in [
            ("slave_registrations", counters.agents_registered),
            ("slave_reregistrations", counters.agents_reregistered),
            ("slave_removals", counters.agents_removed),
            ("slave_removals/reason_unregistered", counters.agents_unregistered),
            ("slave_removals/reason_unhealthy", counters.agents_removed - counters.agents_unregistered),
            ("recovery_slave_removals", counters.recovery_removals),
        ] {
            put(metrics, name, count as f64);
        }
    }

    fn put_frameworks(&self, metrics: &mut Metrics) {
        let connected = self.frameworks.values().filter(|framework| framework.is_connected()).count();
        let away = self.frameworks.len() - connected;
        put(metrics, "frameworks_connected", connected as f64);
        put(metrics, "frameworks_active", connected as f64);
        put(metrics, "frameworks_disconnected", away as f64);
        put(metrics, "frameworks_inactive", away as f64);
    }

    fn put_tasks(&self, metrics: &mut Metrics) {
        let mut counts: BTreeMap<TaskState, usize> = BTreeMap::new();
        for task in self.frameworks.values().flat_map(|framework| framework.tasks.values()) {
            *counts.entry(task.state()).or_default() += 1;
        }
        let unreachable = self.frameworks.values().map(|framework: &Framework| framework.unreachable.len()).sum();
        counts.insert(TaskState::TaskUnreachable, unreachable);
        for (state, name) in LIVE {
            let count = counts.get(&state).copied().unwrap_or_default();
            put(metrics, &format!("tasks_{name}"), count as f64);
        }
        for (state, name) in ENDED {
            put(metrics, &format!("tasks_{name}"), self.counters.ended(state) as f64);
        }
    }

    /// Nothing here is revocable, but tools ask for it.
    fn put_resources(&self, metrics: &mut Metrics) {
        for name in ["cpus", "gpus", "mem", "disk"] {
            let total: f64 = self.agents.values().map(|agent| agent.total.scalar(name)).sum();
            let used = self.agents.values().flat_map(|agent| agent.used.values());
            let used: f64 = used.map(|used| used.scalar(name)).sum();
            for (name, total, used) in [(name.to_owned(), total, used), (format!("{name}_revocable"), 0.0, 0.0)] {
                put(metrics, &format!("{name}_total"), total);
                put(metrics, &format!("{name}_used"), used);
                put(metrics, &format!("{name}_percent"), if total > 0.0 { used / total } else { 0.0 });
            }
        }
    }

    fn put_messages(&self, metrics: &mut Metrics) {
        for (kind, name) in CALLS {
            put(metrics, &format!("messages_{name}"), self.counters.calls(kind) as f64);
        }
        let counters = &self.counters;
        for (name, count) in [
            ("messages_register_framework", counters.frameworks_registered),
            ("messages_reregister_framework", counters.frameworks_reregistered),
            ("messages_register_slave", counters.agents_registered),
            ("messages_reregister_slave", counters.agents_reregistered),
            ("messages_unregister_slave", counters.agents_unregistered),
            ("messages_status_update", counters.valid_status_updates + counters.invalid_status_updates),
            ("messages_exited_executor", counters.exited_executors),
            ("valid_status_updates", counters.valid_status_updates),
            ("invalid_status_updates", counters.invalid_status_updates),
            ("valid_status_update_acknowledgements", counters.valid_acknowledgements),
            ("invalid_status_update_acknowledgements", counters.invalid_acknowledgements),
            ("valid_framework_to_executor_messages", counters.valid_framework_messages),
            ("invalid_framework_to_executor_messages", counters.invalid_framework_messages),
            ("valid_executor_to_framework_messages", counters.valid_executor_messages),
            ("invalid_executor_to_framework_messages", counters.invalid_executor_messages),
            ("messages_executor_to_framework", counters.valid_executor_messages + counters.invalid_executor_messages),
            ("operations/total", counters.operations),
            ("operations/dropped", counters.operations_dropped),
        ] {
            put(metrics, name, count as f64);
        }
    }
}

fn put(metrics: &mut Metrics, name: &str, value: f64) {
    metrics.insert(format!("master/{name}"), value);
}
