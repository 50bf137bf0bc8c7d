//! Counts since the start, under the names Marathon's documents give them. In: calls to the master, offers and states of
//! tasks, as they pass. Pure.

use std::collections::BTreeMap;

use mesos::states;
use mesos::v1::TaskState;
use mesos::v1::scheduler::{Call, call};

/// Counts that only grow.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Deployments begun.
    pub deployments: u64,
    /// Offers that came.
    pub offers: u64,
    /// The number of times that tasks were told to end.
    pub kills: u64,
    used: u64,
    declined: u64,
    launches: u64,
    group_launches: u64,
    tasks: u64,
    revives: u64,
    suppressions: u64,
    updates: BTreeMap<String, u64>,
}

impl Counters {
    /// These go to the master.
    pub(super) fn called(&mut self, calls: &[Call]) {
        for call in calls {
            match call.r#type() {
                call::Type::Accept => self.accepted(call.accept.as_ref()),
                call::Type::Decline => self.declined += call.decline.as_ref().map_or(0, |call| count(&call.offer_ids)),
                call::Type::Revive => self.revives += 1,
                call::Type::Suppress => self.suppressions += 1,
                call::Type::Kill => self.kills += 1,
                _ => {}
            }
        }
    }

    fn accepted(&mut self, accept: Option<&call::Accept>) {
        let Some(accept) = accept else { return };
        self.used += count(&accept.offer_ids);
        for operation in &accept.operations {
            if let Some(launch) = &operation.launch {
                self.launches += 1;
                self.tasks += count(&launch.task_infos);
            }
            if let Some(launch) = &operation.launch_group {
                self.group_launches += 1;
                self.tasks += count(&launch.task_group.tasks);
            }
        }
    }

    /// The master told the state of a task.
    pub(super) fn updated(&mut self, state: TaskState) {
        *self.updates.entry(states::name(state).to_ascii_lowercase()).or_default() += 1;
    }

    /// By name. What cannot happen here is there, too, and 0: who looks for it finds it.
    pub(crate) fn named(&self) -> Vec<(String, u64)> {
        let fixed = [
            ("marathon.deployments.counter", self.deployments),
            ("marathon.deployments.dismissed.counter", 0),
            ("marathon.mesos.calls.revive.counter", self.revives),
            ("marathon.mesos.calls.suppress.counter", self.suppressions),
            ("marathon.mesos.offer-operations.launch-group.counter", self.group_launches),
            ("marathon.mesos.offer-operations.launch.counter", self.launches),
            ("marathon.mesos.offer-operations.reserve.counter", 0),
            ("marathon.mesos.offers.declined.counter", self.declined),
            ("marathon.mesos.offers.incoming.counter", self.offers),
            ("marathon.mesos.offers.used.counter", self.used),
            ("marathon.tasks.launched.counter", self.tasks),
        ];
        let updates =
            self.updates.iter().map(|(state, count)| (format!("marathon.mesos.task-updates.{state}.counter"), *count));
        fixed.into_iter().map(|(name, count)| (name.to_owned(), count)).chain(updates).collect()
    }
}

fn count<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}
