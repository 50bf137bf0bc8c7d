//! A brake on kills for health: not more than a share of the instances of an app, and of all, within a window. An app may
//! have another share and window than others, or none at all. Pure.
//!
//! If a database or a network fails, everything that depends on it fails its health checks at once. To kill and start
//! all of it again helps nobody. What is beyond the share is held until the window has moved on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::definition::{AppBrake, Seconds};
use crate::ids::{AppId, InstanceId};
use crate::time::Moment;

/// Limits on kills for health.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrakeLimits {
    /// Within how long; zero turns the brake off.
    pub window: Duration,
    /// The share of an app's instances, from 0 to 1,
    pub app_share: f64,
    /// or so many, whichever is more.
    pub app_least: usize,
    /// The share of all instances, from 0 to 1,
    pub cluster_share: f64,
    /// or so many, whichever is more.
    pub cluster_least: usize,
}

impl Default for BrakeLimits {
    /// Within a minute, half of an app but three in any case, and a quarter of all but twenty in any case.
    fn default() -> Self {
        BrakeLimits {
            window: Duration::from_secs(60),
            app_share: 0.5,
            app_least: 3,
            cluster_share: 0.25,
            cluster_least: 20,
        }
    }
}

/// Limits on kills for health of one app.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AppLimits {
    /// Within how long; zero: all, at once.
    window: Duration,
    share: f64,
    least: usize,
}

impl AppLimits {
    fn is_on(&self) -> bool {
        !self.window.is_zero()
    }
}

/// Kills for health of one app within its window, of how many the brake admits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) kills: usize,
    pub(crate) most: usize,
    pub(crate) window: Duration,
    /// The time at which the oldest of them leaves the window.
    pub(crate) eases_at: Option<Moment>,
}

#[derive(Debug, Default)]
pub(crate) struct Brake {
    limits: BrakeLimits,
    /// The times at which some of all were killed, within the window; the oldest first.
    kills: VecDeque<Moment>,
    /// The same by app, within its own window.
    by_app: BTreeMap<AppId, VecDeque<Moment>>,
    /// By app, instances that are unhealthy and not killed for now, because so many were: of no app an empty list.
    held: BTreeMap<AppId, BTreeSet<InstanceId>>,
}

impl Brake {
    /// Nothing was killed yet.
    pub(crate) fn new(limits: BrakeLimits) -> Brake {
        Brake { limits, ..Brake::default() }
    }

    /// True if something of an app with this brake of its own can be held.
    pub(crate) fn may_hold(&self, own: Option<&AppBrake>) -> bool {
        own.is_some() || !self.limits.window.is_zero()
    }

    /// The limits of an app with this brake of its own.
    pub(crate) fn limits_of(&self, own: Option<&AppBrake>) -> AppLimits {
        let BrakeLimits { window, app_share, app_least, .. } = self.limits;
        let all = AppLimits { window, share: app_share, least: app_least };
        let Some(own) = own else { return all };
        let usual = if window.is_zero() { BrakeLimits::default().window } else { window };
        AppLimits {
            window: if own.enabled { own.window_seconds.map_or(usual, Seconds::duration) } else { Duration::ZERO },
            share: own.share.unwrap_or(app_share),
            least: own.least.map_or(app_least, |least| usize::try_from(least).unwrap_or(usize::MAX)),
        }
    }

    /// True if one more may be killed now, of `instances` of this app, and of `all`.
    pub(crate) fn admits(
        &mut self,
        app: &AppId,
        limits: &AppLimits,
        instances: usize,
        all: usize,
        now: Moment,
    ) -> bool {
        self.move_on(app, limits, now);
        let killed = self.by_app.get(app).map_or(0, VecDeque::len);
        let BrakeLimits { window, cluster_share, cluster_least, .. } = self.limits;
        !limits.is_on()
            || (killed < most(limits.share, limits.least, instances)
                && (window.is_zero() || self.kills.len() < most(cluster_share, cluster_least, all)))
    }

    pub(crate) fn killed(&mut self, app: &AppId, limits: &AppLimits, at: Moment) {
        self.kills.push_back(at);
        self.by_app.entry(app.clone()).or_default().push_back(at);
        self.move_on(app, limits, at);
    }

    /// The time at which one of those that are held may follow: when a kill leaves a window.
    pub(crate) fn eases_at(&self, limits_of: impl Fn(&AppId) -> AppLimits) -> Option<Moment> {
        let all = self.kills.front().map(|at| at.plus(self.limits.window));
        let own = |app: &AppId| Some(self.by_app.get(app)?.front()?.plus(limits_of(app).window));
        (!self.held.is_empty()).then(|| self.held.keys().filter_map(own).chain(all).min()).flatten()
    }

    /// The share of an app with so many instances that is used up; nothing where no brake is on.
    pub(crate) fn used(&self, app: &AppId, limits: &AppLimits, instances: usize, now: Moment) -> Option<Used> {
        let &AppLimits { window, share, least } = limits;
        let kills = self.by_app.get(app).into_iter().flatten().map(|at| at.plus(window));
        let leave: Vec<_> = kills.filter(|leaves| *leaves > now).collect();
        let (kills, most) = (leave.len(), most(share, least, instances));
        limits.is_on().then(|| Used { kills, most, window, eases_at: leave.first().copied() })
    }

    /// An instance is not killed for now. Says whether it was not held before.
    pub(crate) fn hold(&mut self, app: &AppId, id: &InstanceId) -> bool {
        self.held.entry(app.clone()).or_default().insert(id.clone())
    }

    /// An instance is not held any more. Says whether it was.
    pub(crate) fn release(&mut self, app: &AppId, id: &InstanceId) -> bool {
        let Some(held) = self.held.get_mut(app) else { return false };
        let was_there = held.remove(id);
        if held.is_empty() {
            self.held.remove(app);
        }
        was_there
    }

    /// The instances of an app that are held.
    pub(crate) fn held_of(&self, app: &AppId) -> impl Iterator<Item = &InstanceId> + use<'_> {
        self.held.get(app).into_iter().flatten()
    }

    /// True if this instance is held.
    pub(crate) fn holds(&self, app: &AppId, id: &InstanceId) -> bool {
        self.held.get(app).is_some_and(|held| held.contains(id))
    }

    pub(crate) fn held(&self) -> impl Iterator<Item = &InstanceId> {
        self.held.values().flatten()
    }

    /// An app is gone, and so is what was killed of it.
    pub(crate) fn forget(&mut self, app: &AppId) {
        self.by_app.remove(app);
    }

    fn move_on(&mut self, app: &AppId, limits: &AppLimits, now: Moment) {
        drop_before(&mut self.kills, self.limits.window, now);
        if let Some(kills) = self.by_app.get_mut(app) {
            drop_before(kills, limits.window, now);
            if kills.is_empty() {
                self.by_app.remove(app);
            }
        }
    }
}

fn drop_before(kills: &mut VecDeque<Moment>, window: Duration, now: Moment) {
    while kills.front().is_some_and(|at| at.plus(window) <= now) {
        kills.pop_front();
    }
}

fn most(share: f64, least: usize, all: usize) -> usize {
    ((share * all as f64 + 1e-9).floor() as usize).max(least)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(0).plus(Duration::from_secs(seconds))
    }

    fn kill_all(brake: &mut Brake, app: &str, instances: usize, all: usize, now: Moment) -> usize {
        kill_all_of(brake, app, None, (instances, all), now)
    }

    fn kill_all_of(
        brake: &mut Brake,
        app: &str,
        own: Option<AppBrake>,
        (instances, all): (usize, usize),
        now: Moment,
    ) -> usize {
        let (app, limits) = (AppId::new(app), brake.limits_of(own.as_ref()));
        let tries = (0..instances).filter(|_| {
            let admitted = brake.admits(&app, &limits, instances, all, now);
            if admitted {
                brake.killed(&app, &limits, now);
            }
            admitted
        });
        tries.count()
    }

    fn own(json: serde_json::Value) -> Option<AppBrake> {
        Some(serde_json::from_value(json).unwrap())
    }

    #[test]
    fn half_of_an_app_a_quarter_of_all_and_a_few_in_any_case() {
        let limits = BrakeLimits::default();
        for (instances, all, killed) in
            [(1, 1, 1), (4, 4, 3), (10, 100, 5), (60, 60, 20), (100, 1000, 50), (1000, 1000, 250)]
        {
            assert_eq!(kill_all(&mut Brake::new(limits), "a", instances, all, at(0)), killed, "{instances} of {all}");
        }
        let off = BrakeLimits { window: Duration::ZERO, ..limits };
        assert_eq!(kill_all(&mut Brake::new(off), "a", 100, 100, at(0)), 100);
    }

    #[test]
    fn it_eases_when_the_window_has_moved_on() {
        let mut brake = Brake::default();
        assert_eq!(kill_all(&mut brake, "a", 10, 100, at(0)), 5);
        let (a, limits) = (AppId::new("a"), brake.limits_of(None));
        let id = InstanceId::new(&a, "u");
        assert_eq!(brake.eases_at(|_| limits), None, "none is held");
        assert!(brake.hold(&a, &id) && !brake.hold(&a, &id));
        assert_eq!((brake.eases_at(|_| limits), brake.held().count(), brake.held_of(&a).count()), (Some(at(60)), 1, 1));
        assert!(brake.release(&a, &id) && !brake.release(&a, &id));
        assert_eq!(brake.eases_at(|_| limits), None);
        assert_eq!(kill_all(&mut brake, "a", 10, 100, at(59)), 0);
        assert_eq!(kill_all(&mut brake, "b", 10, 100, at(59)), 5, "another app has its own share");
        assert_eq!(kill_all(&mut brake, "a", 10, 100, at(60)), 5);
    }

    #[test]
    fn it_tells_how_far_it_is_used_up_as_it_admits() {
        let (mut brake, a) = (Brake::default(), AppId::new("a"));
        let limits = brake.limits_of(None);
        let used =
            |brake: &Brake, now| brake.used(&a, &limits, 10, now).map(|used| (used.kills, used.most, used.eases_at));
        assert_eq!(used(&brake, at(0)), Some((0, 5, None)));
        (0..3).for_each(|second| brake.killed(&a, &limits, at(second)));
        assert_eq!(used(&brake, at(3)), Some((3, 5, Some(at(60)))));
        assert_eq!(used(&brake, at(60)), Some((2, 5, Some(at(61)))));
        assert_eq!(
            brake.used(&a, &brake.limits_of(own(serde_json::json!({"enabled": false})).as_ref()), 10, at(3)),
            None
        );
    }

    #[test]
    fn an_app_may_have_limits_of_its_own() {
        let mut brake = Brake::default();
        let strict = own(serde_json::json!({"share": 0.1, "least": 0, "windowSeconds": 300}));
        assert_eq!(kill_all_of(&mut brake, "strict", strict, (10, 100), at(0)), 1);
        let (id, limits) = (AppId::new("strict"), brake.limits_of(strict.as_ref()));
        assert_eq!(kill_all_of(&mut brake, "strict", strict, (10, 100), at(299)), 0);
        brake.hold(&id, &InstanceId::new(&id, "u"));
        assert_eq!(brake.eases_at(|_| limits), Some(at(300)));
        assert_eq!(kill_all_of(&mut brake, "strict", strict, (10, 100), at(300)), 1);
        assert_eq!(kill_all_of(&mut brake, "loose", own(serde_json::json!({"share": 1})), (10, 100), at(300)), 10);
        assert_eq!(kill_all_of(&mut brake, "off", own(serde_json::json!({"enabled": false})), (50, 100), at(300)), 50);
        assert_eq!(kill_all(&mut brake, "usual", 10, 100, at(300)), 0, "what others may is counted for all");
    }

    #[test]
    fn an_app_may_have_a_brake_where_there_is_none() {
        let off = BrakeLimits { window: Duration::ZERO, ..BrakeLimits::default() };
        let (mut brake, wanted) = (Brake::new(off), own(serde_json::json!({})));
        assert!(brake.may_hold(wanted.as_ref()) && !brake.may_hold(None));
        assert_eq!(kill_all_of(&mut brake, "a", wanted, (10, 100), at(0)), 5);
        assert_eq!(kill_all_of(&mut brake, "a", wanted, (10, 100), at(59)), 0);
        assert_eq!(kill_all_of(&mut brake, "a", wanted, (10, 100), at(60)), 5);
    }

    proptest! {
        #[test]
        fn no_window_has_more_than_the_share(
            steps in proptest::collection::vec((0u64..20, 0u8..3, 1usize..15), 1..200), app_share in 0.0f64..=1.0
        ) {
            let limits = BrakeLimits { app_share, app_least: 1, cluster_share: 0.3, cluster_least: 2, ..BrakeLimits::default() };
            let (mut brake, mut now, mut killed) = (Brake::new(limits), 0, Vec::new());
            for (wait, app, tries) in steps {
                now += wait;
                for _ in 0..tries {
                    let (id, limits) = (AppId::new(&app.to_string()), brake.limits_of(None));
                    if brake.admits(&id, &limits, 15, 45, at(now)) {
                        brake.killed(&id, &limits, at(now));
                        killed.push((now, app));
                    }
                }
                let recent = killed.iter().filter(|(at, _)| at + 60 > now);
                let of_app = recent.clone().filter(|(_, of)| *of == app).count();
                prop_assert!(of_app <= most(app_share, 1, 15) && recent.count() <= most(0.3, 2, 45));
            }
        }
    }
}
