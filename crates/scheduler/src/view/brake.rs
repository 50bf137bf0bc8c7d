//! The brake on kills for health, as an app shows it to who asks. In: a [`View`] at the core's parts. Out: fields of its JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::paused_until;
use crate::brake::Used;
use crate::core::View;
use crate::ids::AppId;
use crate::time::Now;

impl View<'_> {
    pub(super) fn show_brake(&self, json: &mut Value, id: &AppId, now: Now) {
        let tasks: Vec<_> = self.instances.tasks_of(id).collect();
        let held: Vec<_> =
            tasks.iter().filter(|found| self.brake.holds(id, &found.id)).map(|found| found.task_id()).collect();
        let paused = tasks.iter().filter_map(|found| Some((found.task_id(), paused_until(found.checked.paused?))));
        json["tasksHeldUnhealthy"] = json!(held.len());
        json["heldUnhealthy"] = json!(held);
        json["checksPausedUntil"] = json!(paused.collect::<BTreeMap<_, _>>());
        json["healthKills"] = self.health_kills(id, now);
    }

    /// Null where no brake is on.
    fn health_kills(&self, id: &AppId, now: Now) -> Value {
        let running = self.instances.running(id);
        let used = self.brake.used(id, &self.limits_of(id), running, now.moment);
        used.map_or(Value::Null, |Used { kills, most, window, eases_at }| {
            let next = eases_at.map(|at| now.wall.plus(at.since(now.moment)));
            json!({"used": kills, "most": most, "windowSeconds": window.as_secs_f64(), "nextAt": next})
        })
    }
}
