//! `/metrics/snapshot`: names and meanings as Mesos has them. Nothing here walks the tasks; they are counted as they go.

use std::collections::BTreeMap;

use mesos::v1::TaskState;
use mesos::v1::offer::operation;
use mesos::v1::scheduler::{call, event};

use super::Core;
use super::counters::Tally;
use super::frameworks::Framework;

/// Every metric, by name.
pub(crate) type Metrics = BTreeMap<String, f64>;

/// Tasks are counted where they are while they live; what ended is counted since the master started.
const LIVE: [(TaskState, &str); 4] = [
    (TaskState::TaskStaging, "staging"),
    (TaskState::TaskStarting, "starting"),
    (TaskState::TaskRunning, "running"),
    (TaskState::TaskKilling, "killing"),
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
const CALLS: [(call::Type, &str); 11] = [
    (call::Type::Accept, "launch_tasks"),
    (call::Type::Decline, "decline_offers"),
    (call::Type::Revive, "revive_offers"),
    (call::Type::Suppress, "suppress_offers"),
    (call::Type::Kill, "kill_task"),
    (call::Type::Acknowledge, "status_update_acknowledgement"),
    (call::Type::Reconcile, "reconcile_tasks"),
    (call::Type::ReconcileOperations, "reconcile_operations"),
    (call::Type::Message, "framework_to_executor"),
    (call::Type::Request, "resource_request"),
    (call::Type::Teardown, "unregister_framework"),
];

/// Operations that change resources: none of them is supported, so they are only ever dropped.
const OPERATIONS: [(operation::Type, &str); 8] = [
    (operation::Type::Reserve, "reserve"),
    (operation::Type::Unreserve, "unreserve"),
    (operation::Type::Create, "create"),
    (operation::Type::Destroy, "destroy"),
    (operation::Type::GrowVolume, "grow_volume"),
    (operation::Type::ShrinkVolume, "shrink_volume"),
    (operation::Type::CreateDisk, "create_disk"),
    (operation::Type::DestroyDisk, "destroy_disk"),
];
const NEVER: [&str; 7] = ["error", "failed", "finished", "gone_by_operator", "pending", "recovering", "unreachable"];

impl Core {
    pub(crate) fn metrics(&mut self, now: shell::Now) -> Metrics {
        self.now = now;
        let mut metrics = Metrics::new();
        self.put_general(&mut metrics);
        self.put_agents(&mut metrics);
        self.put_frameworks(&mut metrics);
        self.put_tasks(&mut metrics);
        self.put_resources(&mut metrics);
        self.put_messages(&mut metrics);
        self.put_operations(&mut metrics);
        self.put_allocator(&mut metrics);
        // Nobody is answered before the registry has been read, nor before what led to the answer is in it.
        metrics.insert("registrar/log/recovered".to_owned(), 1.0);
        metrics.insert("registrar/queued_operations".to_owned(), 0.0);
        // The registry is in one place.
        metrics.insert("registrar/log/ensemble_size".to_owned(), 1.0);
        for framework in self.frameworks.live() {
            self.put_framework(framework, &mut metrics);
        }
        metrics
    }

    fn put_general(&self, metrics: &mut Metrics) {
        let uptime = self.now.unix.saturating_sub(self.identity.started);
        put(metrics, "uptime_secs", uptime.as_secs_f64());
        put(metrics, "elected", 1.0);
        put(metrics, "outstanding_offers", self.offers.iter().count() as f64);
        put(metrics, "operator_event_stream_subscribers", self.out.listeners() as f64);
    }

    fn put_agents(&self, metrics: &mut Metrics) {
        let connected = self.agents.here().filter(|agent| agent.is_connected()).count();
        let active = self.agents.here().filter(|agent| self.agents.is_active(agent)).count();
        for (name, count) in [
            ("slaves_connected", connected),
            ("slaves_active", active),
            ("slaves_disconnected", self.agents.here().len() - connected),
            ("slaves_inactive", self.agents.here().len() - active),
            ("slaves_unreachable", self.agents.absent().unreachable.len()),
        ] {
            put(metrics, name, count as f64);
        }
        let counters = &self.counters.agents;
        let others = counters.unregistered + counters.replaced;
        for (name, count) in [
            ("slave_registrations", counters.registrations.first),
            ("slave_reregistrations", counters.registrations.again),
            ("slave_removals", counters.removed),
            ("slave_removals/reason_unregistered", counters.unregistered),
            ("slave_removals/reason_registered", counters.replaced),
            ("slave_removals/reason_unhealthy", counters.removed.saturating_sub(others)),
            ("slave_unreachable_scheduled", counters.unreachable_scheduled),
            ("slave_unreachable_completed", counters.unreachable_completed),
            ("slave_unreachable_canceled", counters.unreachable_canceled),
            // The older names of the three before.
            ("slave_shutdowns_scheduled", counters.unreachable_scheduled),
            ("slave_shutdowns_completed", counters.unreachable_completed),
            ("slave_shutdowns_canceled", counters.unreachable_canceled),
            ("recovery_slave_removals", counters.recovery_removals),
        ] {
            put(metrics, name, count as f64);
        }
    }

    fn put_frameworks(&self, metrics: &mut Metrics) {
        let connected = self.frameworks.live().filter(|framework| framework.is_connected()).count();
        let away = self.frameworks.live().len() - connected;
        put(metrics, "frameworks_connected", connected as f64);
        put(metrics, "frameworks_active", connected as f64);
        put(metrics, "frameworks_disconnected", away as f64);
        put(metrics, "frameworks_inactive", away as f64);
    }

    fn put_tasks(&self, metrics: &mut Metrics) {
        for (state, name) in LIVE {
            let count: u64 = self.frameworks.live().map(|framework| framework.tasks.in_state(state)).sum();
            put(metrics, &format!("tasks_{name}"), count as f64);
        }
        let unreachable: usize = self.frameworks.live().map(|framework| framework.tasks.unreachable().len()).sum();
        put(metrics, "tasks_unreachable", unreachable as f64);
        for (state, name) in ENDED {
            put(metrics, &format!("tasks_{name}"), self.counters.ended.of(state) as f64);
        }
        for ((state, source, reason), count) in self.counters.causes() {
            let names = [state.as_str_name(), source.as_str_name(), reason.as_str_name()];
            put(metrics, &names.map(str::to_ascii_lowercase).join("/"), count as f64);
        }
    }

    /// Nothing here is revocable, but tools ask for it.
    fn put_resources(&self, metrics: &mut Metrics) {
        for name in ["cpus", "gpus", "mem", "disk"] {
            let total: f64 = self.agents.here().map(|agent| agent.total().scalar(name)).sum();
            let used = self.agents.used();
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
            put(metrics, &format!("messages_{name}"), self.counters.calls.of(kind) as f64);
        }
        let counters = &self.counters;
        for (name, count) in [
            ("dropped_messages", 0),
            ("event_queue_dispatches", 0),
            ("event_queue_messages", 0),
            ("http_cache_hits", 0),
            ("messages_authenticate", 0),
            ("messages_deactivate_framework", 0),
            ("messages_update_slave", 0),
            ("messages_operation_status_update", 0),
            ("messages_operation_status_update_acknowledgement", 0),
            ("messages_register_framework", counters.frameworks.first),
            ("messages_reregister_framework", counters.frameworks.again),
            ("messages_register_slave", counters.agents.registrations.first),
            ("messages_reregister_slave", counters.agents.registrations.again),
            ("messages_unregister_slave", counters.agents.unregistered),
            ("messages_status_update", counters.status_updates.total()),
            ("messages_exited_executor", counters.exited_executors),
            ("valid_status_updates", counters.status_updates.valid),
            ("invalid_status_updates", counters.status_updates.invalid),
            ("valid_status_update_acknowledgements", counters.acknowledgements.valid),
            ("invalid_status_update_acknowledgements", counters.acknowledgements.invalid),
            ("valid_framework_to_executor_messages", counters.framework_messages.valid),
            ("invalid_framework_to_executor_messages", counters.framework_messages.invalid),
            ("valid_executor_to_framework_messages", counters.executor_messages.valid),
            ("invalid_executor_to_framework_messages", counters.executor_messages.invalid),
            ("messages_executor_to_framework", counters.executor_messages.total()),
            ("valid_operation_status_updates", 0),
            ("invalid_operation_status_updates", 0),
            ("valid_operation_status_update_acknowledgements", 0),
            ("invalid_operation_status_update_acknowledgements", 0),
        ] {
            put(metrics, name, count as f64);
        }
    }

    fn put_operations(&self, metrics: &mut Metrics) {
        let dropped = &self.counters.operations_dropped;
        let kinds = OPERATIONS.iter().map(|(kind, name)| (format!("operations/{name}"), dropped.of(*kind)));
        for (name, count) in kinds.chain([("operations".to_owned(), dropped.total())]) {
            put(metrics, &format!("{name}/total"), count as f64);
            put(metrics, &format!("{name}/dropped"), count as f64);
            for never in NEVER {
                put(metrics, &format!("{name}/{never}"), 0.0);
            }
        }
    }

    fn put_allocator(&self, metrics: &mut Metrics) {
        // The allocator is called directly: nothing ever waits for it. Under its older name, too.
        metrics.insert("allocator/event_queue_dispatches".to_owned(), 0.0);
        let mut put = |name: String, value: f64| metrics.insert(format!("allocator/mesos/{name}"), value);
        put("event_queue_dispatches".to_owned(), 0.0);
        put("allocation_runs".to_owned(), self.counters.allocation_runs as f64);
        put("offer_filters".to_owned(), self.allocator.filters_by_role().values().sum::<usize>() as f64);
        for name in ["cpus", "mem", "disk"] {
            let total: f64 = self.agents.here().map(|agent| agent.total().scalar(name)).sum();
            let used = self.agents.used().map(|used| used.scalar(name));
            let offered = self.offers.iter().map(|offer| offer.resources.scalar(name));
            put(format!("resources/{name}/total"), total);
            put(format!("resources/{name}/offered_or_allocated"), used.chain(offered).sum());
        }
        for (role, share) in self.allocator.shares() {
            put(format!("roles/{role}/shares/dominant"), share);
        }
        for (role, active) in self.allocator.filters_by_role() {
            put(format!("offer_filters/roles/{role}/active"), active as f64);
        }
    }

    /// `master/frameworks/<name>/<id>/...`
    fn put_framework(&self, framework: &Framework, metrics: &mut Metrics) {
        let prefix = format!("frameworks/{}/{}", percent_encoded(&framework.info().name), framework.id());
        let mut put_own = |name: &str, value: u64| put(metrics, &format!("{prefix}/{name}"), value as f64);
        let counters = &framework.counters;
        put_own("subscribed", framework.is_connected().into());
        put_own("offers/sent", counters.offers_sent);
        put_own("offers/accepted", counters.offers_accepted);
        put_own("offers/declined", counters.offers_declined);
        put_own("offers/rescinded", counters.offers_rescinded);
        put_own("tasks/active/task_unreachable", framework.tasks.unreachable().len() as u64);
        put_own("tasks/active/task_unknown", 0);
        for (state, name) in LIVE {
            put_own(&format!("tasks/active/task_{name}"), framework.tasks.in_state(state));
        }
        for (state, name) in ENDED {
            put_own(&format!("tasks/terminal/task_{name}"), counters.ended.of(state));
        }
        for role in framework.roles() {
            put_own(&format!("roles/{role}/suppressed"), self.allocator.is_suppressed(framework.id(), &role).into());
        }
        let kinds = |of: i32| call::Type::try_from(of).ok().map(|kind| kind.as_str_name());
        put_tally("calls", &counters.calls, 1..=17, kinds, &mut put_own);
        let kinds = |of: i32| event::Type::try_from(of).ok().map(|kind| kind.as_str_name());
        put_tally("events", &counters.events, 1..=11, kinds, &mut put_own);
        let kinds = |of: i32| operation::Type::try_from(of).ok().map(|kind| kind.as_str_name());
        put_tally("operations", &counters.operations, 1..=14, kinds, &mut put_own);
    }
}

/// All kinds there are, with how often each was seen, and their sum.
fn put_tally(
    family: &str,
    tally: &Tally,
    kinds: impl Iterator<Item = i32>,
    name: impl Fn(i32) -> Option<&'static str>,
    put: &mut impl FnMut(&str, u64),
) {
    put(family, tally.total());
    for (kind, name) in kinds.filter_map(|kind| Some((kind, name(kind)?))) {
        put(&format!("{family}/{}", name.to_ascii_lowercase()), tally.of(kind));
    }
}

fn put(metrics: &mut Metrics, name: &str, value: f64) {
    metrics.insert(format!("master/{name}"), value);
}

/// The name of a role as part of a metric's: a letter that is not plain, such as a slash, would make several names of it.
fn percent_encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(encode).collect()
}
