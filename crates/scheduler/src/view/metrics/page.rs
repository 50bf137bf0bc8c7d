//! The same metrics for Prometheus. In: numbers by their names. Out: families, each with a help text. Pure.
//!
//! Marathon's names say themselves what is a gauge and what a counter, and so break the rules that Prometheus has for names of
//! these types. They stay as they are, because dashboards know them, and are told without a type. Our own keep the rules.

use mesos::server::{Exposition, FamilyType};

use super::Metrics;

/// The beginnings of names that go on with the state of a task, or with what became of a connection.
const UPDATES: &str = "marathon.mesos.task-updates.";
const CONNECTIONS: &str = "cygnet.connections.";

const OPEN: &str = "cygnet.connections.open";

impl Metrics {
    /// Adds all of them to a page.
    pub(crate) fn tell(&self, page: &mut Exposition) {
        let gauges = self.gauges.iter().map(|(name, value)| (*name, *value));
        let counters = self.counters.iter().map(|(name, count)| (name.as_str(), *count));
        for (name, value) in gauges.chain(counters) {
            let (family, kind) = family(name);
            page.family(&family, kind, help(name)).count(&[], value);
        }
    }
}

/// The name and the type for Prometheus. What ends a name of our own says whether it is a gauge; connections that are open
/// are counted, and go.
fn family(name: &str) -> (String, FamilyType) {
    let told = |name: &str| name.replace(['.', '-'], "_");
    let Some((own, end)) = name.rsplit_once('.').filter(|_| name.starts_with("cygnet.")) else {
        return (told(name), FamilyType::Untyped);
    };
    match end == "gauge" || own == OPEN {
        true => (told(own), FamilyType::Gauge),
        false => (told(own) + "_total", FamilyType::Counter),
    }
}

/// The meaning of a metric.
fn help(name: &str) -> &'static str {
    let known = HELP.iter().find(|(known, _)| *known == name).map(|(_, help)| *help);
    known.unwrap_or_else(|| match name {
        _ if name.starts_with(UPDATES) => "Updates of tasks that told this state.",
        _ if name.starts_with(CONNECTIONS) => "Connections of clients to the scheduler, by what became of them.",
        _ => "A number of the scheduler.",
    })
}

const HELP: &[(&str, &str)] = &[
    ("marathon.apps.active.gauge", "Apps that are defined."),
    ("marathon.pods.active.gauge", "Pods that are defined."),
    ("marathon.groups.active.gauge", "Groups that there are, the root included."),
    ("marathon.deployments.active.gauge", "Deployments that are in progress."),
    ("marathon.instances.staged.gauge", "Instances whose task has been launched, and does not run yet."),
    ("marathon.instances.running.gauge", "Instances whose task runs."),
    ("marathon.instances.healthy.gauge", "Instances whose health checks succeed."),
    ("marathon.instances.unhealthy.gauge", "Instances whose health checks fail."),
    ("marathon.instances.launch-queue.gauge", "Instances that wait for their launch."),
    ("marathon.instances.launch-overdue.gauge", "Instances that do not run although the time for that has passed."),
    ("marathon.instances.inflight-kills.gauge", "Instances that were told to end, and have not."),
    ("marathon.instances.inflight-kill-attempts.gauge", "Kills that the master was asked for since the start."),
    ("marathon.instances.held-unhealthy.gauge", "Unhealthy instances that the brake keeps from being killed."),
    ("cygnet.tasks.departed.gauge", "Tasks on agents that are away that no instance stands for any more."),
    ("cygnet.reconciliation.unanswered.gauge", "Instances of whose tasks the master was asked, and has not told."),
    ("marathon.uptime.gauge.seconds", "Time since the start of the scheduler."),
    ("marathon.leadership.duration.gauge.seconds", "Time for which the scheduler has led, which is since its start."),
    ("marathon.deployments.counter", "Deployments that were begun."),
    (
        "marathon.deployments.dismissed.counter",
        "Deployments that were dismissed because there were too many: none ever.",
    ),
    ("marathon.mesos.calls.revive.counter", "Calls for offers."),
    ("marathon.mesos.calls.suppress.counter", "Calls for no offers."),
    ("marathon.mesos.offer-operations.launch-group.counter", "Operations on offers that launched groups of tasks."),
    ("marathon.mesos.offer-operations.launch.counter", "Operations on offers that launched tasks."),
    ("marathon.mesos.offer-operations.reserve.counter", "Operations on offers that reserved: none ever."),
    ("marathon.mesos.offers.declined.counter", "Offers that were declined."),
    ("marathon.mesos.offers.incoming.counter", "Offers that came."),
    ("marathon.mesos.offers.used.counter", "Offers on which something was launched."),
    ("marathon.tasks.launched.counter", "Tasks that were launched."),
];

#[cfg(test)]
mod tests {
    use harness::metrics::Metrics as Page;

    use super::*;

    #[test]
    fn each_number_has_a_help_text_and_keeps_its_name() {
        let gauges = HELP.iter().map(|(name, _)| (*name, 3)).collect();
        let counters = ["marathon.mesos.task-updates.task_running.counter", "cygnet.connections.open.count"];
        let counters = counters.into_iter().chain(["cygnet.connections.refused.count"]);
        let counters = counters.map(|name| (name.to_owned(), 4)).collect();
        let mut page = Exposition::default();
        Metrics { gauges, counters }.tell(&mut page);
        let text = page.into_text();
        let told = Page::parse(&text);
        assert_eq!(told.types.len(), HELP.len() + 3);
        let is_ours = |name: &str| name.starts_with("cygnet_");
        assert!(told.types.iter().all(|(name, kind)| is_ours(name) != (kind == "untyped")));
        assert_eq!(
            (told.types["cygnet_connections_open"].as_str(), told.types["cygnet_tasks_departed"].as_str()),
            ("gauge", "gauge")
        );
        assert_eq!(told.types["cygnet_connections_refused_total"], "counter");
        assert_eq!(told.value("marathon_instances_launch_queue_gauge", &[]), Some(3.0));
        assert_eq!(told.value("marathon_mesos_task_updates_task_running_counter", &[]), Some(4.0));
        assert!(!text.contains("A number of"), "{text}");
    }
}
