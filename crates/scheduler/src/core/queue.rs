//! The launch queue: from when on an app may be launched again, why offers were of no use to it, and whether the master is
//! to make offers at all. Pure. Which instances wait is for [`super::Core`] to say.
//!
//! Invariants: offers are asked for when something may be launched that the last ones were not asked for, once, and none
//! are wanted while nothing may be launched; refusals are kept only of apps with instances that wait, and delays only as
//! long as another failure would make them longer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mesos::v1::Offer;
use mesos::v1::scheduler::Call;

use crate::backoff::Backoff;
use crate::definition::RunSpec;
use crate::ids::AppId;
use crate::matching::Refused;
use crate::refusals::{Refusals, Unused};
use crate::time::{Moment, Timestamp};

#[derive(Debug)]
pub(crate) struct Queue {
    backoffs: BTreeMap<AppId, Backoff>,
    refusals: BTreeMap<AppId, Refusals>,
    /// True if nothing is to be launched any more.
    leaving: bool,
    suppressed: bool,
    /// The time at which offers were last asked for, for all that might be launched then; none if something waits that
    /// came later.
    asked_at: Option<Moment>,
    /// Decides which ports of an offer a task gets.
    dice: fastrand::Rng,
}

impl Queue {
    /// Empty. `seed` decides ports.
    pub(super) fn new(seed: u64) -> Queue {
        let (backoffs, refusals) = (BTreeMap::new(), BTreeMap::new());
        Queue {
            backoffs,
            refusals,
            leaving: false,
            suppressed: false,
            asked_at: None,
            dice: fastrand::Rng::with_seed(seed),
        }
    }

    pub(super) fn dice(&mut self) -> fastrand::Rng {
        self.dice.fork()
    }

    /// From now on nothing is launched.
    pub(super) fn stop(&mut self) {
        self.leaving = true;
    }

    /// Something waits that offers were not asked for.
    pub(super) fn has_more(&mut self) {
        self.asked_at = None;
    }

    /// The master makes offers to those who subscribe.
    pub(super) fn subscribed(&mut self, now: Moment) {
        self.suppressed = false;
        self.asked_at = Some(now);
    }

    /// True if an app may be launched now.
    pub(super) fn is_due(&self, app: &AppId, now: Moment) -> bool {
        !self.leaving && self.backoffs.get(app).is_none_or(|backoff| backoff.until() <= now)
    }

    /// The end of the first of the delays that were under way when offers were last asked for. What the others left of
    /// them was declined for a while, so they are asked for again.
    pub(super) fn next_launch_at<'a>(&self, waiting: impl Iterator<Item = &'a AppId>) -> Option<Moment> {
        let delays = waiting.filter_map(|app| Some(self.backoffs.get(app)?.until()));
        delays.filter(|until| !self.leaving && self.asked_at.is_none_or(|asked| asked < *until)).min()
    }

    /// The call that asks for offers when something may be launched that the last ones were not asked for, or for none when
    /// nothing waits, so that a steady state costs nothing.
    pub(super) fn ask<'a>(
        &mut self,
        mut waiting: impl Iterator<Item = &'a AppId> + Clone,
        now: Moment,
    ) -> Option<Call> {
        let is_new = self.asked_at.is_none() || self.next_launch_at(waiting.clone()).is_some_and(|at| at <= now);
        let wanted = waiting.any(|app| self.is_due(app, now));
        if wanted && (self.suppressed || is_new) {
            self.subscribed(now);
            return Some(Call::revive(None));
        }
        (!wanted && !std::mem::replace(&mut self.suppressed, true)).then(|| Call::suppress(None))
    }

    /// A launch of this app failed: the next one waits.
    pub(super) fn failed(&mut self, app: &RunSpec, now: Moment) {
        let known = self.backoffs.get(&app.id);
        let backoff = known.map_or_else(|| Backoff::first(app, now), |known| known.failed(app, now));
        self.backoffs.insert(app.id.clone(), backoff);
    }

    /// Forgets failures after which an app was left alone for long enough. Offers must have been asked for since the end of
    /// its delay.
    pub(super) fn forget_past(&mut self, now: Moment) {
        let asked = self.asked_at;
        let is_asked = |backoff: &Backoff| asked.is_none_or(|asked| backoff.until() <= asked);
        self.backoffs.retain(|_, backoff| backoff.is_in_a_row(now) || !is_asked(backoff));
    }

    /// An app is launched without a delay from now on.
    pub(super) fn reset(&mut self, app: &AppId) {
        self.backoffs.remove(app);
    }

    /// The time for which an app is not launched.
    pub(crate) fn delay(&self, app: &AppId, now: Moment) -> Duration {
        self.backoffs.get(app).map_or(Duration::ZERO, |backoff| backoff.left(now))
    }

    /// The failures in a row of an app: none once it was left alone for as long as its longest delay.
    pub(crate) fn failures(&self, app: &AppId, now: Moment) -> u32 {
        self.backoffs.get(app).filter(|backoff| backoff.is_in_a_row(now)).map_or(0, Backoff::failures)
    }

    /// The apps with failures in a row.
    pub(crate) fn failing(&self, now: Moment) -> impl Iterator<Item = &AppId> {
        self.backoffs.iter().filter(move |(_, backoff)| backoff.is_in_a_row(now)).map(|(app, _)| app)
    }

    /// True of an app with failures in a row.
    pub(crate) fn fails(&self, app: &AppId, now: Moment) -> bool {
        self.failures(app, now) > 0
    }

    /// Remembers which offers were of no use to which apps; what several could not use is kept once.
    pub(super) fn note_refusals(&mut self, offers: &[Offer], refused: BTreeMap<AppId, Refused>, now: Timestamp) {
        let mut kept: BTreeMap<usize, Arc<Offer>> = BTreeMap::new();
        for (app, refused) in refused {
            let last = refused.last.into_iter().filter_map(|(place, reasons)| {
                let offer = match kept.get(&place) {
                    Some(offer) => offer.clone(),
                    None => kept.entry(place).or_insert(Arc::new(offers.get(place)?.clone())).clone(),
                };
                Some(Unused { offer, reasons, at: now })
            });
            let last = last.collect();
            self.refusals.entry(app).or_default().note(refused.used, &refused.unused, last, now);
        }
    }

    pub(crate) fn refusals(&self, app: &AppId) -> Option<&Refusals> {
        self.refusals.get(app)
    }

    /// Nothing of an app waits any more.
    pub(super) fn is_served(&mut self, app: &AppId) {
        self.refusals.remove(app);
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::scheduler::call;

    use super::*;
    use crate::definition::Seconds;

    #[test]
    fn offers_are_asked_for_once_and_again_when_a_delay_ends_or_more_waits() {
        let at = Moment::from_millis;
        let app = RunSpec::new(AppId::new("a"), Timestamp::from_millis(0));
        let (none, one) = ([], [app.id.clone()]);
        let mut queue = Queue::new(1);
        let ask = |queue: &mut Queue, waiting: &[AppId], now| queue.ask(waiting.iter(), now).map(|call| call.r#type());
        assert_eq!(ask(&mut queue, &none, at(0)), Some(call::Type::Suppress));
        assert_eq!(ask(&mut queue, &none, at(0)), None);
        assert_eq!(ask(&mut queue, &one, at(1)), Some(call::Type::Revive));
        assert_eq!(ask(&mut queue, &one, at(1)), None);
        queue.has_more();
        assert_eq!(ask(&mut queue, &one, at(2)), Some(call::Type::Revive));
        queue.failed(&app, at(3));
        assert_eq!(ask(&mut queue, &one, at(3)), Some(call::Type::Suppress), "nothing may be launched for now");
        let until = queue.next_launch_at(one.iter()).unwrap();
        assert_eq!(until.since(at(3)), queue.delay(&app.id, at(3)));
        assert_eq!(ask(&mut queue, &one, until), Some(call::Type::Revive));
        queue.stop();
        assert_eq!(ask(&mut queue, &one, until), Some(call::Type::Suppress));
    }
    #[test]
    fn failures_are_forgotten_once_offers_were_asked_for_after_their_delay() {
        let at = Moment::from_millis;
        let mut app = RunSpec::new(AppId::new("a"), Timestamp::from_millis(0));
        app.max_launch_delay_seconds = Seconds::whole(3);
        let (waiting, late) = ([app.id.clone()], at(10_000));
        let mut queue = Queue::new(1);
        queue.subscribed(at(0));
        queue.failed(&app, at(1));
        queue.forget_past(at(4_001));
        assert_eq!((queue.failures(&app.id, at(4_001)), queue.backoffs.len()), (1, 1));
        queue.forget_past(late);
        assert_eq!((queue.failures(&app.id, late), queue.backoffs.len()), (0, 1), "it still waits for offers");
        assert!(queue.ask(waiting.iter(), late).is_some());
        queue.forget_past(late);
        assert!(queue.backoffs.is_empty());
    }
}
