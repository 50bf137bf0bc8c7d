//! `cygnet task stats`: what tasks use, as their agents measure it: once, over a second, or again and again.
//!
//! In: the tasks, and twice or more what their containers have used so far. Out: a table, or with `--json` an object for
//! each task.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, ensure};
use mesos::client::Client;
use mesos::v1::agent::{Call, Response, call};
use mesos::v1::{ContainerId, ResourceStatistics};
use serde_json::{Value, json};

use super::whereabouts::Whereabouts;
use crate::command::table::{lines, print, table};
use crate::output::json_line;
use crate::screen::{self, Size};

/// The time over which processors are measured.
const APART: Duration = Duration::from_secs(1);

/// The manner of showing them.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub json: bool,
    /// Again and again, until it is interrupted.
    pub watch: bool,
}

/// The use of each task so far.
type Sample<'a> = Vec<(&'a str, ResourceStatistics)>;

/// Shows what these tasks use.
pub(super) async fn show(places: &[Whereabouts], how: How) -> anyhow::Result<()> {
    let mut before = measured(places).await?;
    ensure!(places.is_empty() || !before.is_empty(), "no such task runs: `cygnet task list` has those that do");
    loop {
        tokio::time::sleep(APART).await;
        let now = measured(places).await?;
        let rows: Vec<Usage<'_>> =
            now.iter().map(|(task, used)| Usage { task, used, cpus: cpus(&before, task, used) }).collect();
        shown(&rows, how);
        if !how.watch || rows.is_empty() {
            return Ok(());
        }
        before = now;
    }
}

fn shown(rows: &[Usage<'_>], how: How) {
    if how.json {
        rows.iter().for_each(|row| json_line(row.json()));
        return;
    }
    let mut shown = table(&["task", "cpus", "memory", "of", "threads", "received", "sent"]);
    rows.iter().for_each(|row| shown.add_row(row.cells()));
    if how.watch && std::io::stdout().is_terminal() {
        screen::draw(lines(&shown, Some(Size::of_terminal().columns)));
    } else {
        print(&shown);
    }
}

/// Asks each agent once.
async fn measured(places: &[Whereabouts]) -> anyhow::Result<Sample<'_>> {
    let mut agents: Vec<&Client> = Vec::new();
    for place in places {
        if agents.iter().all(|agent| agent.authority() != place.agent.authority()) {
            agents.push(&place.agent);
        }
    }
    let mut containers = Vec::new();
    for agent in agents {
        containers.extend(measured_by(agent).await?);
    }
    let of = |place: &Whereabouts| containers.iter().find(|(id, _)| *id == place.container).map(|(_, used)| *used);
    Ok(places.iter().filter_map(|place| Some((place.task.as_str(), of(place)?))).collect())
}

async fn measured_by(agent: &Client) -> anyhow::Result<Vec<(ContainerId, ResourceStatistics)>> {
    let asked = call::GetContainers { show_nested: Some(true), show_standalone: None };
    let answer: Response = agent.ask("/api/v1", &Call::get_containers(Some(asked))).await?;
    let all =
        answer.get_containers.context("the agent answers something else than which containers it has")?.containers;
    Ok(all.into_iter().filter_map(|one| Some((one.container_id, one.resource_statistics?))).collect())
}

/// The use of a task.
#[derive(Debug)]
struct Usage<'a> {
    task: &'a str,
    used: &'a ResourceStatistics,
    /// Processors, if they were measured twice.
    cpus: Option<f64>,
}

/// The processors that a task used since the sample before.
fn cpus(before: &Sample<'_>, task: &str, now: &ResourceStatistics) -> Option<f64> {
    let (_, before) = before.iter().find(|(known, _)| *known == task)?;
    let busy = |used: &ResourceStatistics| Some(used.cpus_user_time_secs? + used.cpus_system_time_secs?);
    let (took, busy) = (now.timestamp - before.timestamp, busy(now)? - busy(before)?);
    (took > 0.0).then(|| (busy / took).max(0.0))
}

impl Usage<'_> {
    fn cells(&self) -> [String; 7] {
        let used = self.used;
        let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let cpus = self.cpus.map_or_else(|| "-".to_owned(), |cpus| format!("{cpus:.2}"));
        [
            self.task.to_owned(),
            cpus,
            bytes(used.mem_total_bytes),
            bytes(used.mem_limit_bytes),
            number(used.threads),
            bytes(used.net_rx_bytes),
            bytes(used.net_tx_bytes),
        ]
    }

    fn json(&self) -> Value {
        let used = self.used;
        json!({"task": self.task, "cpus": self.cpus, "cpusLimit": used.cpus_limit.or(used.cpus_soft_limit),
            "memBytes": used.mem_total_bytes, "memLimitBytes": used.mem_limit_bytes,
            "processes": used.processes, "threads": used.threads,
            "receivedBytes": used.net_rx_bytes, "sentBytes": used.net_tx_bytes})
    }
}

/// An amount as people read it; what is not measured has none.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn bytes(amount: Option<u64>) -> String {
    let Some(amount) = amount else { return "-".to_owned() };
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut amount, mut unit) = (amount as f64, 0);
    while amount >= 1000.0 && unit + 1 < units.len() {
        amount /= 1024.0;
        unit += 1;
    }
    let unit = units.get(unit).copied().unwrap_or_default();
    if amount >= 10.0 || amount.fract() == 0.0 { format!("{amount:.0} {unit}") } else { format!("{amount:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(at: f64, busy: f64) -> ResourceStatistics {
        ResourceStatistics {
            timestamp: at,
            cpus_user_time_secs: Some(busy / 2.0),
            cpus_system_time_secs: Some(busy / 2.0),
            mem_total_bytes: Some(12_582_912),
            ..ResourceStatistics::default()
        }
    }

    #[test]
    fn processors_are_time_over_time() {
        let before = vec![("a", used(10.0, 1.0))];
        assert_eq!(cpus(&before, "a", &used(12.0, 2.0)), Some(0.5));
        assert_eq!(cpus(&before, "a", &used(10.0, 2.0)), None, "no time has passed");
        assert_eq!(cpus(&before, "a", &used(12.0, 0.0)), Some(0.0), "another container");
        assert_eq!(cpus(&before, "b", &used(12.0, 2.0)), None);
    }

    #[test]
    fn amounts_are_read_at_a_glance() {
        for (amount, text) in [
            (None, "-"),
            (Some(0), "0 B"),
            (Some(999), "999 B"),
            (Some(1000), "1.0 KiB"),
            (Some(12_582_912), "12 MiB"),
            (Some(1_610_612_736), "1.5 GiB"),
        ] {
            assert_eq!(bytes(amount), text, "{amount:?}");
        }
    }

    #[test]
    fn what_is_not_measured_is_left_open() {
        let usage = Usage { task: "a", used: &used(1.0, 1.0), cpus: None };
        assert_eq!(usage.cells(), ["a", "-", "12 MiB", "-", "-", "-", "-"]);
        assert_eq!(usage.json()["receivedBytes"], Value::Null);
    }
}
