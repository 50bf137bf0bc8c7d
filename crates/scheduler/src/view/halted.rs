//! Apps that somebody left on their way: their deployment was stopped where it was, some instances are of another
//! definition than the one that was sent last, and nothing goes on. In: a [`View`] at the core's parts. Out: [`Halted`], for
//! the overview and beside an app.

use serde_json::{Value, json};

use super::next::standstill;
use crate::core::{AppRecord, View};
use crate::ids::AppId;
use crate::progress::Counts;
use crate::time::Timestamp;

/// An app that is not as wanted, and on no way to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Halted<'a> {
    pub app: &'a AppId,
    /// The time when its deployment was stopped.
    pub since: Timestamp,
    /// The deployment, if it was written down.
    deployment: Option<&'a str>,
    old: usize,
    new: usize,
    wanted: u32,
}

impl<'a> View<'a> {
    /// The apps of a group that are left on their way.
    pub(super) fn halted_within(&self, group: &AppId) -> impl Iterator<Item = Halted<'a>> {
        let records = self.definitions.records().filter(move |record| record.app.id.is_within(group));
        records.filter_map(|record| self.halted(record))
    }

    /// Nothing of an app that is as wanted, or has a deployment.
    pub(super) fn halted(&self, record: &'a AppRecord) -> Option<Halted<'a>> {
        let app = &record.app.id;
        if !record.halted || record.removed || self.rollouts.of(app).is_some() {
            return None;
        }
        let counts = Counts::of(self.instances.of(app), record.app.config_version());
        let (old, new, wanted) = (counts.old(), counts.new_ones(), record.app.instances);
        let is_as_wanted = old == 0 && new == usize::try_from(wanted).unwrap_or(usize::MAX);
        let since = record.stopped.as_ref().map_or(record.app.version, |stopped| stopped.at);
        let deployment = record.stopped.as_ref().map(|stopped| stopped.deployment.as_str());
        (!is_as_wanted).then_some(Halted { app, since, deployment, old, new, wanted })
    }
}

impl Halted<'_> {
    pub(super) fn json(self) -> Value {
        json!({
            "text": "is left half way", "since": self.since, "why": self.why(),
            "nextAction": standstill(), "before": Value::Null,
        })
    }

    fn why(self) -> String {
        let deployment = self.deployment.map_or_else(String::new, |id| format!(" {id}"));
        let (old, new, wanted) = (self.old, self.new, self.wanted);
        let stopped = format!("deployment{deployment} was stopped where it was");
        match old {
            0 => format!("{new} of {wanted} instances are there: {stopped}"),
            1 => format!("1 instance is of an older version, {new} of {wanted} of the newest: {stopped}"),
            _ => format!("{old} instances are of an older version, {new} of {wanted} of the newest: {stopped}"),
        }
    }
}
