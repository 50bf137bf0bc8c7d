//! `GET /v2/queue`: what waits to be launched, and, where that is asked for, why in words and what is being pulled. In: a
//! [`View`] at the core's parts. Out: JSON, in Marathon's shape but for what is embedded.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::core::{AppRecord, View};
use crate::ids::InstanceId;
use crate::instance::Instance;
use crate::time::Now;

/// The parts that are only there for who asks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct QueueEmbed {
    /// The last offers that were of no use.
    pub offers: bool,
    /// The words for why offers were of no use.
    pub why: bool,
}

impl View<'_> {
    /// The apps and pods of which instances wait, and what the queue knows of each.
    pub(crate) fn queue_json(&self, embed: QueueEmbed, now: Now) -> Value {
        let waiting = self.instances.waiting().filter_map(|(app, ids)| Some((self.definitions.get(app)?, ids)));
        let entry = |(record, ids): (&AppRecord, &BTreeSet<InstanceId>)| {
            let since = ids.iter().filter_map(|id| Some(self.instances.get(id)?.times.since)).min();
            let left = self.queue.delay(&record.app.id, now.moment).as_secs();
            let refusals = self.queue.refusals(&record.app.id).cloned().unwrap_or_default();
            let (name, shown) = record.app.shown();
            let mut item = json!({name: shown, "count": ids.len(), "since": since,
                "delay": {"timeLeftSeconds": left, "overdue": left == 0}, "processedOffersSummary": refusals.json()});
            if embed.why {
                item["why"] = json!(refusals.words());
            }
            if embed.offers {
                item["lastUnusedOffers"] = refusals.last_json(embed.why);
            }
            // Clients of before Marathon 1.9 refuse fields they do not know, and hardly anybody has another role.
            let role = self.definitions.role_of(&record.app);
            if role != "*" {
                item["role"] = json!(role);
            }
            item
        };
        json!({"queue": waiting.map(entry).collect::<Vec<_>>()})
    }

    /// The instances that have left the queue, and of which their agents tell what they still wait for: images.
    pub(crate) fn launching_json(&self) -> Value {
        let told = self.instances.starting().filter(|(instance, _)| instance.message.is_some());
        let entry = |instance: &Instance| {
            json!({"id": instance.app, "instance": instance.id, "host": instance.place.host,
                "since": instance.times.since, "message": instance.message})
        };
        told.map(|(instance, _)| entry(instance)).collect()
    }
}
