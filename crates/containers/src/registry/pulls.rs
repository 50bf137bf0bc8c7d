//! One pull of an image, or of a blob, however many wait for it. Pure.
//!
//! Comes in: waiters that come and go, pulls that end. Goes out: [`Order`]s to whoever pulls, and the waiters to tell.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The pulls under way, what each is called, and the waiters by their ids.
#[derive(Debug)]
pub struct Pulls<K, W> {
    /// As many as may be under way at once.
    most: usize,
    pulls: BTreeMap<K, Pull<W>>,
    /// The order in which the next ones are started.
    queue: VecDeque<K>,
}

#[derive(Debug)]
struct Pull<W> {
    waiters: BTreeSet<W>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Queued,
    Running,
    /// It was told to stop, and has not stopped yet.
    Stopping,
}

/// A thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<K> {
    /// Begin to pull.
    Start(K),
    /// Stop pulling: nobody waits any more. Its end is to be told all the same.
    Stop(K),
}

impl<K: Ord + Clone, W: Ord> Pulls<K, W> {
    /// None yet, and at most so many at once.
    pub fn new(most: usize) -> Pulls<K, W> {
        Pulls { most: most.max(1), pulls: BTreeMap::new(), queue: VecDeque::new() }
    }

    /// Somebody wants it.
    pub fn want(&mut self, key: K, waiter: W) -> Vec<Order<K>> {
        let queue = &mut self.queue;
        let pull = self.pulls.entry(key.clone()).or_insert_with(|| {
            queue.push_back(key);
            Pull { waiters: BTreeSet::new(), stage: Stage::Queued }
        });
        pull.waiters.insert(waiter);
        self.start_queued()
    }

    /// Somebody wants it no more.
    pub fn leave(&mut self, key: &K, waiter: &W) -> Vec<Order<K>> {
        let Some(pull) = self.pulls.get_mut(key) else { return Vec::new() };
        if !pull.waiters.remove(waiter) || !pull.waiters.is_empty() {
            return Vec::new();
        }
        match pull.stage {
            Stage::Queued => {
                self.pulls.remove(key);
                self.queue.retain(|queued| queued != key);
            }
            Stage::Running => {
                pull.stage = Stage::Stopping;
                return vec![Order::Stop(key.clone())];
            }
            Stage::Stopping => {}
        }
        Vec::new()
    }

    /// A pull has ended, one way or the other. The waiters are to be told how, except those that came after it was told
    /// to stop and did: for them it starts anew.
    pub fn ended(&mut self, key: &K, succeeded: bool) -> (BTreeSet<W>, Vec<Order<K>>) {
        let Some(pull) = self.pulls.remove(key) else { return (BTreeSet::new(), Vec::new()) };
        let stopped = pull.stage == Stage::Stopping && !succeeded;
        if stopped && !pull.waiters.is_empty() {
            self.queue.push_back(key.clone());
            self.pulls.insert(key.clone(), Pull { stage: Stage::Queued, ..pull });
            return (BTreeSet::new(), self.start_queued());
        }
        (pull.waiters, self.start_queued())
    }

    /// The waiters for a pull.
    pub fn waiters(&self, key: &K) -> impl Iterator<Item = &W> {
        self.pulls.get(key).into_iter().flat_map(|pull| &pull.waiters)
    }

    fn start_queued(&mut self) -> Vec<Order<K>> {
        let running = self.pulls.len() - self.queue.len();
        let free = self.most.saturating_sub(running).min(self.queue.len());
        let started: Vec<_> = self.queue.drain(..free).collect();
        for key in &started {
            if let Some(pull) = self.pulls.get_mut(key) {
                pull.stage = Stage::Running;
            }
        }
        started.into_iter().map(Order::Start).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Order::{Start, Stop};
    use super::*;

    #[test]
    fn many_wait_for_one_pull_and_are_told_together() {
        let mut pulls = Pulls::new(3);
        assert_eq!(pulls.want("nginx", 1), [Start("nginx")]);
        assert_eq!((pulls.want("nginx", 2), pulls.want("nginx", 2)), (vec![], vec![]));
        assert_eq!(pulls.want("redis", 3), [Start("redis")]);
        assert_eq!(pulls.waiters(&"nginx").collect::<Vec<_>>(), [&1, &2]);
        assert_eq!(pulls.ended(&"nginx", false), (BTreeSet::from([1, 2]), vec![]));
        assert_eq!(pulls.want("nginx", 1), [Start("nginx")], "what has failed may be wanted again");
    }

    #[test]
    fn a_pull_that_nobody_waits_for_is_stopped() {
        let mut pulls = Pulls::new(3);
        pulls.want("nginx", 1);
        pulls.want("nginx", 2);
        assert_eq!((pulls.leave(&"nginx", &1), pulls.leave(&"nginx", &1)), (vec![], vec![]));
        assert_eq!((pulls.leave(&"redis", &2), pulls.leave(&"nginx", &2)), (vec![], vec![Stop("nginx")]));
        assert_eq!(pulls.ended(&"nginx", false), (BTreeSet::new(), vec![]));
        assert_eq!(pulls.ended(&"nginx", false), (BTreeSet::new(), vec![]));
    }

    #[test]
    fn whoever_comes_while_it_stops_gets_a_pull_that_starts_when_the_other_has_ended() {
        for succeeded in [false, true] {
            let mut pulls = Pulls::new(3);
            pulls.want("nginx", 1);
            assert_eq!(pulls.leave(&"nginx", &1), [Stop("nginx")]);
            assert_eq!(pulls.want("nginx", 2), []);
            assert_eq!((pulls.leave(&"nginx", &2), pulls.want("nginx", 3)), (vec![], vec![]));
            let told = pulls.ended(&"nginx", succeeded);
            let expected =
                if succeeded { (BTreeSet::from([3]), vec![]) } else { (BTreeSet::new(), vec![Start("nginx")]) };
            assert_eq!(told, expected, "it may have been too late to stop it");
        }
    }

    #[test]
    fn only_so_many_are_under_way_and_the_others_follow_in_order() {
        let mut pulls = Pulls::new(2);
        for (waiter, key) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
            let expected = if waiter < 2 { vec![Start(key)] } else { vec![] };
            assert_eq!(pulls.want(key, waiter), expected);
        }
        assert_eq!(pulls.leave(&"c", &2), [], "it had not begun");
        assert_eq!(pulls.ended(&"b", true), (BTreeSet::from([1]), vec![Start("d")]));
        assert_eq!(pulls.leave(&"a", &0), [Stop("a")]);
        assert_eq!(pulls.want("f", 6), [], "what stops still counts");
        assert_eq!(pulls.ended(&"a", false), (BTreeSet::new(), vec![Start("e")]));
    }
    const MOST: usize = 2;

    /// A step of the world: somebody comes or leaves, or one of the running pulls ends.
    #[derive(Clone, Debug)]
    enum Happening {
        Want(u8, u8),
        Leave(u8, u8),
        End(prop::sample::Index, bool),
    }

    fn happening() -> impl Strategy<Value = Happening> {
        prop_oneof![
            (0..4_u8, 0..3_u8).prop_map(|(key, waiter)| Happening::Want(key, waiter)),
            (0..4_u8, 0..3_u8).prop_map(|(key, waiter)| Happening::Leave(key, waiter)),
            (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(at, well)| Happening::End(at, well)),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_nobody_is_forgotten(
            happenings in prop::collection::vec(happening(), 0..60),
            last in any::<prop::sample::Index>(),
        ) {
            let mut pulls = Pulls::new(MOST);
            let mut waiting = BTreeSet::new();
            // Each with whether it was told to stop.
            let mut running = BTreeMap::new();
            let (mut orders, mut told);
            let ends = vec![Happening::End(last, true); 100];
            for happening in happenings.into_iter().chain(ends) {
                (told, orders) = match happening {
                    Happening::Want(key, waiter) => {
                        waiting.insert((key, waiter));
                        (BTreeSet::new(), pulls.want(key, waiter))
                    }
                    Happening::Leave(key, waiter) => {
                        waiting.remove(&(key, waiter));
                        (BTreeSet::new(), pulls.leave(&key, &waiter))
                    }
                    Happening::End(..) if running.is_empty() => continue,
                    Happening::End(at, well) => {
                        let key = *running.keys().nth(at.index(running.len())).unwrap();
                        let stopped = running.remove(&key).unwrap();
                        let (told, orders) = pulls.ended(&key, well);
                        prop_assert!(stopped || !told.is_empty(), "somebody waited for it");
                        (told.into_iter().map(|waiter| (key, waiter)).collect(), orders)
                    }
                };
                for one in &told {
                    prop_assert!(waiting.remove(one), "told to somebody who does not wait: {one:?}");
                }
                for order in orders {
                    match order {
                        Start(key) => prop_assert_eq!(running.insert(key, false), None, "started twice"),
                        Stop(key) => prop_assert_eq!(running.insert(key, true), Some(false), "stopped twice"),
                    }
                }
                prop_assert!(running.len() <= MOST);
                prop_assert!(waiting.is_empty() || !running.is_empty(), "somebody waits for nothing");
            }
            prop_assert!(waiting.is_empty() && pulls.pulls.is_empty() && pulls.queue.is_empty());
        }
    }
}
