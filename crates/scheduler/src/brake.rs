//! A brake on kills for health: not more than a share of the instances of an app, and of all, within a window. Pure.
//!
//! When a database or a network fails, everything that depends on it fails its health checks at once. To kill and start
//! all of it again helps nobody. What is beyond the share is held until the window has moved on.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::ids::AppId;
use crate::time::Timestamp;

/// How many may be killed for their health.
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

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Brake {
    limits: BrakeLimits,
    /// Within the window, the oldest first.
    kills: VecDeque<(Timestamp, AppId)>,
    /// The same, by app.
    by_app: BTreeMap<AppId, usize>,
}

impl Brake {
    /// From now on these limits hold.
    pub(crate) fn set_limits(&mut self, limits: BrakeLimits) {
        self.limits = limits;
    }

    /// Whether it can hold anything at all.
    #[must_use]
    pub(crate) fn is_on(&self) -> bool {
        !self.limits.window.is_zero()
    }

    /// Whether one more may be killed now, of `instances` of this app, and of `all`.
    pub(crate) fn admits(&mut self, app: &AppId, instances: usize, all: usize, now: Timestamp) -> bool {
        self.forget(now);
        let limits = &self.limits;
        let killed = self.by_app.get(app).copied().unwrap_or(0);
        !self.is_on()
            || (killed < most(limits.app_share, limits.app_least, instances)
                && self.kills.len() < most(limits.cluster_share, limits.cluster_least, all))
    }

    /// One was killed.
    pub(crate) fn killed(&mut self, app: &AppId, at: Timestamp) {
        self.forget(at);
        self.kills.push_back((at, app.clone()));
        *self.by_app.entry(app.clone()).or_default() += 1;
    }

    /// When the next kill leaves the window, so that another one may follow.
    #[must_use]
    pub(crate) fn eases_at(&self) -> Option<Timestamp> {
        self.kills.front().map(|(at, _)| at.plus(self.limits.window))
    }

    fn forget(&mut self, now: Timestamp) {
        while self.eases_at().is_some_and(|at| at <= now) {
            let Some((_, app)) = self.kills.pop_front() else { return };
            if let Some(count) = self.by_app.get_mut(&app) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.by_app.remove(&app);
                }
            }
        }
    }
}

fn most(share: f64, least: usize, all: usize) -> usize {
    ((share * all as f64 + 1e-9).floor() as usize).max(least)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(0).plus(Duration::from_secs(seconds))
    }

    fn kill_all(brake: &mut Brake, app: &str, instances: usize, all: usize, now: Timestamp) -> usize {
        let app = AppId::new(app);
        let tries = (0..instances).filter(|_| {
            let admitted = brake.admits(&app, instances, all, now);
            if admitted {
                brake.killed(&app, now);
            }
            admitted
        });
        tries.count()
    }

    fn brake(limits: BrakeLimits) -> Brake {
        Brake { limits, ..Brake::default() }
    }

    #[test]
    fn half_of_an_app_a_quarter_of_all_and_a_few_in_any_case() {
        let limits = BrakeLimits::default();
        for (instances, all, killed) in
            [(1, 1, 1), (4, 4, 3), (10, 100, 5), (60, 60, 20), (100, 1000, 50), (1000, 1000, 250)]
        {
            assert_eq!(kill_all(&mut brake(limits), "a", instances, all, at(0)), killed, "{instances} of {all}");
        }
        let off = BrakeLimits { window: Duration::ZERO, ..limits };
        assert_eq!(kill_all(&mut brake(off), "a", 100, 100, at(0)), 100);
    }

    #[test]
    fn it_eases_when_the_window_has_moved_on() {
        let mut brake = Brake::default();
        assert_eq!(kill_all(&mut brake, "a", 10, 100, at(0)), 5);
        assert_eq!(brake.eases_at(), Some(at(60)));
        assert_eq!(kill_all(&mut brake, "a", 10, 100, at(59)), 0);
        assert_eq!(kill_all(&mut brake, "b", 10, 100, at(59)), 5, "another app has its own share");
        assert_eq!(kill_all(&mut brake, "a", 10, 100, at(60)), 5);
    }

    proptest! {
        #[test]
        fn no_window_has_more_than_the_share(
            steps in proptest::collection::vec((0u64..20, 0u8..3, 1usize..15), 1..200), app_share in 0.0f64..=1.0
        ) {
            let limits = BrakeLimits { app_share, app_least: 1, cluster_share: 0.3, cluster_least: 2, ..BrakeLimits::default() };
            let (mut brake, mut now, mut killed) = (brake(limits), 0, Vec::new());
            for (wait, app, tries) in steps {
                now += wait;
                for _ in 0..tries {
                    let id = AppId::new(&app.to_string());
                    if brake.admits(&id, 15, 45, at(now)) {
                        brake.killed(&id, at(now));
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
