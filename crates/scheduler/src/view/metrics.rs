//! Metrics, by the names Marathon's documents give them: how many there are now, and what was done since the start.

mod page;

use std::collections::BTreeSet;

use crate::core::View;
use crate::ids::AppId;
use crate::time::{Moment, Now};

/// All metrics of the core.
pub(crate) struct Metrics {
    /// Numbers that go up and down.
    pub gauges: Vec<(&'static str, u64)>,
    /// Numbers that only grow.
    pub counters: Vec<(String, u64)>,
}

impl View<'_> {
    pub(crate) fn metrics(&self, now: Now) -> Metrics {
        Metrics { gauges: self.gauges(now), counters: self.out.counted().named() }
    }

    fn gauges(&self, now: Now) -> Vec<(&'static str, u64)> {
        let all = self.instances.all_states();
        let (pods, apps): (Vec<_>, Vec<_>) =
            self.definitions.within(&AppId::root()).partition(|app| app.pod().is_some());
        let is_overdue = |since: Moment| now.moment.since(since) > self.launches.task_launch_timeout;
        let overdue = self.instances.starting().filter(|(_, since)| is_overdue(*since)).count();
        let counts = [
            ("marathon.apps.active.gauge", apps.len()),
            ("marathon.pods.active.gauge", pods.len()),
            ("marathon.groups.active.gauge", self.all_groups().len()),
            ("marathon.deployments.active.gauge", self.rollouts.all().len()),
            ("marathon.instances.staged.gauge", all.staged),
            ("marathon.instances.running.gauge", all.running),
            ("marathon.instances.healthy.gauge", all.healthy),
            ("marathon.instances.unhealthy.gauge", all.unhealthy),
            ("marathon.instances.launch-queue.gauge", self.instances.waiting().map(|(_, ids)| ids.len()).sum()),
            ("marathon.instances.launch-overdue.gauge", overdue),
            ("marathon.instances.inflight-kills.gauge", self.kills.len()),
            ("marathon.instances.held-unhealthy.gauge", self.brake.held().count()),
            // Not Marathon's: tasks that no instance stands for and that may still run; tasks of which the master was asked, and has not told.
            ("cygnet.tasks.departed.gauge", self.kills.departed().len()),
            ("cygnet.reconciliation.unanswered.gauge", self.reconciliation.unanswered().len()),
        ];
        let up = now.moment.since(self.out.begun()).as_secs();
        let counts = counts.map(|(name, count)| (name, u64::try_from(count).unwrap_or(u64::MAX)));
        // There is no other candidate: who is up leads.
        let times = [("marathon.uptime.gauge.seconds", up), ("marathon.leadership.duration.gauge.seconds", up)];
        let attempts = [("marathon.instances.inflight-kill-attempts.gauge", self.out.counted().kills)];
        counts.into_iter().chain(times).chain(attempts).collect()
    }

    /// The root, those that somebody named, and those that something is in.
    fn all_groups(&self) -> BTreeSet<AppId> {
        let named = self.definitions.groups().flat_map(|group| [vec![group.id.clone()], group.id.ancestors()].concat());
        let implied = self.definitions.within(&AppId::root()).flat_map(|app| app.id.ancestors());
        named.chain(implied).chain([AppId::root()]).collect()
    }
}
