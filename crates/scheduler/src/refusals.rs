//! Why offers were of no use to an app that waits for some: counted, and the last ones kept, as `/v2/queue` shows it. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use mesos::v1::value::{Range, Ranges, Scalar, Set};
use mesos::v1::{Attribute, Offer, Resource};
use serde_json::{Value, json};

use crate::definition::RunSpec;
use crate::definition::constraint::Constraint;
use crate::stock::{self, Stock};
use crate::time::Timestamp;

/// Why an offer is of no use, in the order in which it is looked at; names are Marathon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    UnfulfilledRole,
    UnfulfilledConstraint,
    AgentMaintenance,
    InsufficientCpus,
    InsufficientMemory,
    InsufficientDisk,
    InsufficientPorts,
}

impl Reason {
    /// The same for people, of one offer or of several.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Reason::UnfulfilledRole => "belonged to another role",
            Reason::UnfulfilledConstraint => "did not meet its constraints",
            Reason::AgentMaintenance => "came shortly before maintenance",
            Reason::InsufficientCpus => "had too few CPUs left",
            Reason::InsufficientMemory => "had too little memory left",
            Reason::InsufficientDisk => "had too little disk space left",
            Reason::InsufficientPorts => "lacked ports that it needs",
        }
    }
}

pub(crate) const REASONS: [Reason; 7] = [
    Reason::UnfulfilledRole,
    Reason::UnfulfilledConstraint,
    Reason::AgentMaintenance,
    Reason::InsufficientCpus,
    Reason::InsufficientMemory,
    Reason::InsufficientDisk,
    Reason::InsufficientPorts,
];

/// Numbers of offers that were of no use, by reason.
pub(crate) type Counts = BTreeMap<Reason, usize>;

/// Of how many agents the last offer that was of no use is remembered, for each app: those heard of last.
pub(crate) const AGENTS: usize = 100;

/// An offer that was of no use to an app, and all that it lacked for that.
#[derive(Debug, Clone)]
pub(crate) struct Unused {
    /// Shared by all apps it was of no use to.
    pub offer: Arc<Offer>,
    /// In the order in which they are looked at; at least one.
    pub reasons: Vec<Reason>,
    /// The time at which it was looked at.
    pub at: Timestamp,
}

/// The fate of the offers an app has seen since its instances wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    used: usize,
    unused: usize,
    last_used: Option<Timestamp>,
    last_unused: Option<Timestamp>,
    /// The last offer of each agent, by the order in which they came.
    last: VecDeque<Unused>,
    all: Counts,
}

impl Refusals {
    /// Some offers were looked at: so many were used, the others were of no use, of which `last` are the last.
    pub(crate) fn note(&mut self, used: usize, unused: &Counts, last: Vec<Unused>, now: Timestamp) {
        if used > 0 {
            self.used += used;
            self.last_used = Some(now);
        }
        if !unused.is_empty() {
            self.unused += unused.values().sum::<usize>();
            self.last_unused = Some(now);
            unused.iter().for_each(|(reason, count)| *self.all.entry(*reason).or_default() += count);
        }
        self.remember(last);
    }

    fn remember(&mut self, last: Vec<Unused>) {
        let agents: BTreeSet<&str> = last.iter().map(Unused::agent).collect();
        self.last.retain(|known| !agents.contains(known.agent()));
        self.last.extend(last);
        let surplus = self.last.len().saturating_sub(AGENTS);
        self.last.drain(..surplus);
    }

    /// Numbers of the last offers, one of each agent, by the question they failed at.
    fn last_counts(&self) -> Counts {
        let mut counts = Counts::new();
        let first = self.last.iter().filter_map(|unused| unused.reasons.first());
        first.for_each(|reason| *counts.entry(*reason).or_default() += 1);
        counts
    }

    /// The lack that most of the last offers had.
    pub(crate) fn main_reason(&self) -> Option<Reason> {
        self.last_counts().into_iter().max_by_key(|(_, count)| *count).map(|(reason, _)| reason)
    }

    /// The lack that most of the last offers had, in words, with what the app asks for.
    pub(crate) fn main_lack(&self, app: &RunSpec) -> Option<String> {
        let reason = self.main_reason()?;
        let amounts = |name: &str, wanted: f64, unit: &str| {
            let most = self.last.iter().map(|unused| Stock::of(&unused.offer).scalar(name)).fold(0.0, f64::max);
            // The share of its executor comes on top.
            (wanted > most).then(|| format!("asked for are {wanted}{unit}, the most offered is {most}{unit}"))
        };
        let more = match reason {
            Reason::InsufficientCpus => amounts("cpus", app.cpus, ""),
            Reason::InsufficientMemory => amounts("mem", app.mem, " MiB"),
            Reason::InsufficientDisk => amounts("disk", app.disk, " MiB"),
            Reason::UnfulfilledConstraint => {
                Some(app.constraints.iter().map(Constraint::to_string).collect::<Vec<_>>().join(", "))
            }
            Reason::UnfulfilledRole | Reason::AgentMaintenance | Reason::InsufficientPorts => None,
        };
        Some(format!("{}{}", reason.words(), more.map(|more| format!(": {more}")).unwrap_or_default()))
    }

    /// As `processedOffersSummary`.
    pub(crate) fn json(&self) -> Value {
        let (last, all) = (funnel(&self.last_counts(), 0), funnel(&self.all, self.used));
        let mut json = json!({
            "processedOffersCount": self.used + self.unused, "unusedOffersCount": self.unused,
            "rejectSummaryLastOffers": last, "rejectSummaryLaunchAttempt": all,
        });
        for (name, moment) in [("lastUnusedOfferAt", self.last_unused), ("lastUsedOfferAt", self.last_used)] {
            if let Some(moment) = moment {
                json[name] = json!(moment);
            }
        }
        json
    }

    /// The lacks of the last offers, one of each agent, for people.
    pub(crate) fn words(&self) -> Vec<String> {
        let all = self.last.len();
        let counts = self.last_counts().into_iter();
        counts.map(|(reason, count)| format!("{count} of the last {all} offers {}", reason.words())).collect()
    }

    /// As `lastUnusedOffers`, with the same for people if that is wanted.
    pub(crate) fn last_json(&self, explained: bool) -> Value {
        let one = |unused: &Unused| {
            let mut json = unused.json();
            if explained {
                json["why"] = unused.reasons.iter().map(|reason| reason.words()).collect();
            }
            json
        };
        self.last.iter().map(one).collect()
    }
}

impl Unused {
    fn agent(&self) -> &str {
        &self.offer.agent_id.value
    }

    fn json(&self) -> Value {
        let reasons: Vec<_> = self.reasons.iter().map(|reason| format!("{reason:?}")).collect();
        json!({"offer": offer_json(&self.offer), "reason": reasons, "timestamp": self.at})
    }
}

/// An offer in Marathon's shape.
fn offer_json(offer: &Offer) -> Value {
    let resource = |resource: &Resource| {
        let mut json = json!({"name": resource.name, "role": stock::role(resource)});
        show(&mut json, resource.scalar.as_ref(), resource.ranges.as_ref(), resource.set.as_ref());
        json
    };
    let attribute = |attribute: &Attribute| {
        let mut json = json!({"name": attribute.name});
        show(&mut json, attribute.scalar.as_ref(), attribute.ranges.as_ref(), attribute.set.as_ref());
        if let Some(text) = &attribute.text {
            json["text"] = json!(text.value);
        }
        json
    };
    json!({
        "id": offer.id.value, "hostname": offer.hostname, "agentId": offer.agent_id.value,
        "resources": offer.resources.iter().map(resource).collect::<Vec<_>>(),
        "attributes": offer.attributes.iter().map(attribute).collect::<Vec<_>>(),
    })
}

/// Shows the one of these that there is.
fn show(json: &mut Value, scalar: Option<&Scalar>, ranges: Option<&Ranges>, set: Option<&Set>) {
    if let Some(scalar) = scalar {
        json["scalar"] = json!(scalar.value);
    }
    if let Some(ranges) = ranges {
        let range = |range: &Range| json!({"begin": range.begin, "end": range.end});
        json["ranges"] = ranges.range.iter().map(range).collect();
    }
    if let Some(set) = set {
        json["set"] = json!(set.item);
    }
}

/// Numbers of offers that came to each question, and that failed there.
fn funnel(counts: &Counts, used: usize) -> Value {
    let mut left = used + counts.values().sum::<usize>();
    let question = |reason: &Reason| {
        let declined = counts.get(reason).copied().unwrap_or(0);
        let step = json!({"reason": format!("{reason:?}"), "declined": declined, "processed": left});
        left -= declined;
        step
    };
    REASONS.iter().map(question).collect()
}

#[cfg(test)]
mod tests {
    use mesos::v1::value::Text;

    use super::*;
    use crate::ids::AppId;

    fn unused(agent: &str, reasons: &[Reason]) -> Unused {
        let offer = Arc::new(Offer { agent_id: agent.into(), ..Offer::default() });
        Unused { offer, reasons: reasons.to_vec(), at: Timestamp::from_millis(0) }
    }

    #[test]
    fn offers_fall_out_one_question_after_the_other() {
        let mut refusals = Refusals::default();
        let now = Timestamp::from_millis(0);
        let cpus = [Reason::InsufficientCpus, Reason::InsufficientPorts];
        let last = vec![unused("x", &cpus), unused("y", &cpus), unused("z", &[Reason::InsufficientPorts])];
        refusals.note(1, &Counts::from([(Reason::InsufficientCpus, 2), (Reason::InsufficientPorts, 1)]), last, now);
        let last = ["y", "z", "u"].iter().map(|agent| unused(agent, &[Reason::UnfulfilledConstraint])).collect();
        refusals.note(0, &Counts::from([(Reason::UnfulfilledConstraint, 3)]), last, now);
        let json = refusals.json();
        assert_eq!((&json["processedOffersCount"], &json["unusedOffersCount"]), (&json!(7), &json!(6)));
        assert_eq!(
            json["rejectSummaryLastOffers"][1],
            json!({"reason": "UnfulfilledConstraint", "declined": 3, "processed": 4}),
            "the last offer of each of four agents"
        );
        assert_eq!(json["rejectSummaryLastOffers"][3]["processed"], 1);
        let attempt = &json["rejectSummaryLaunchAttempt"];
        assert_eq!(attempt[3], json!({"reason": "InsufficientCpus", "declined": 2, "processed": 4}));
        assert_eq!(attempt[6], json!({"reason": "InsufficientPorts", "declined": 1, "processed": 2}));
        assert_eq!(refusals.main_reason(), Some(Reason::UnfulfilledConstraint));
        let words =
            ["3 of the last 4 offers did not meet its constraints", "1 of the last 4 offers had too few CPUs left"];
        assert_eq!(refusals.words(), words);
        assert_eq!(refusals.last_json(true)[0]["why"], json!(["had too few CPUs left", "lacked ports that it needs"]));
        assert_eq!(refusals.last_json(false)[0]["why"], Value::Null, "not in Marathon's shape");
    }

    #[test]
    fn the_last_offer_of_each_agent_is_kept_and_only_so_many() {
        let mut refusals = Refusals::default();
        for round in 0..3 {
            for agent in 0..2 * AGENTS {
                let reason = if round == 2 { Reason::InsufficientCpus } else { Reason::InsufficientDisk };
                let last = vec![unused(&agent.to_string(), &[reason])];
                refusals.note(0, &Counts::from([(reason, 1)]), last, Timestamp::from_millis(0));
            }
        }
        assert_eq!(refusals.last.len(), AGENTS);
        assert!(refusals.last.iter().all(|unused| unused.reasons == [Reason::InsufficientCpus]));
    }

    #[test]
    fn what_is_lacking_is_said_in_words_with_what_is_asked_for() {
        let mut app = RunSpec::new(AppId::new("a"), Timestamp::from_millis(0));
        app.mem = 4096.0;
        app.constraints = vec![serde_json::from_value(json!(["rack", "CLUSTER", "b"])).unwrap()];
        let lack = |reason: Reason, mem: f64| {
            let offer = Arc::new(Offer { resources: vec![Resource::scalar("mem", mem)], ..Offer::default() });
            let mut refusals = Refusals::default();
            let last = vec![Unused { offer, reasons: vec![reason], at: Timestamp::from_millis(0) }];
            refusals.note(0, &Counts::from([(reason, 1)]), last, Timestamp::from_millis(0));
            refusals.main_lack(&app).unwrap()
        };
        let [memory, constraint] = [Reason::InsufficientMemory, Reason::UnfulfilledConstraint];
        assert_eq!(
            lack(memory, 512.5),
            "had too little memory left: asked for are 4096 MiB, the most offered is 512.5 MiB"
        );
        assert_eq!(lack(memory, 4096.0), "had too little memory left", "its executor needs some, too");
        assert_eq!(lack(constraint, 1.0), "did not meet its constraints: rack:CLUSTER:b");
        assert_eq!(Refusals::default().main_lack(&app), None);
    }

    #[test]
    fn an_offer_is_shown_as_marathon_shows_it() {
        let ports = Resource { role: Some("web".into()), ..Resource::ports(1..=2) };
        let rack = Attribute { name: "rack".into(), text: Some(Text { value: "a".into() }), ..Attribute::default() };
        let offer = Offer {
            id: "o".into(),
            hostname: "box".into(),
            agent_id: "x".into(),
            resources: vec![Resource::scalar("cpus", 0.5), ports],
            attributes: vec![rack],
            ..Offer::default()
        };
        assert_eq!(
            offer_json(&offer),
            json!({"id": "o", "hostname": "box", "agentId": "x", "attributes": [{"name": "rack", "text": "a"}],
                "resources": [{"name": "cpus", "role": "*", "scalar": 0.5},
                    {"name": "ports", "role": "web", "ranges": [{"begin": 1, "end": 2}]}]})
        );
    }
}
