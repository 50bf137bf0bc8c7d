//! Places for those who read logs: so many in all, and so many for one client. Whoever waits for a client that takes
//! nothing gives its place up to the next who asks, and has to ask again when the client goes on: so slow readers keep
//! nobody out.
//!
//! In: clients, and whether their readers get on. Out: places, or why there is none. [`room`] decides, and is pure.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// The most logs that are read at a time.
const IN_ALL: usize = 256;

/// The most that are read for one client.
const OF_ONE: usize = 64;

/// The time after which a reader whose client takes nothing may lose its place.
const STALLED: Duration = Duration::from_secs(2);

/// All places.
pub(super) struct Places {
    begun: Instant,
    taken: Mutex<Vec<Weak<Holder>>>,
}

/// A place, for as long as this is kept and it is not given to somebody else.
#[derive(Debug)]
pub(crate) struct Place {
    begun: Instant,
    holder: Arc<Holder>,
}

#[derive(Debug)]
struct Holder {
    client: String,
    /// The millisecond, counted from the beginning and from 1, since which it waits for its client; 0 if it does not.
    waits_since: AtomicU64,
    is_out: AtomicBool,
}

/// There is no place for a client.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    #[error(
        "{OF_ONE} logs are being read by {0} already, which is the most for one client: end one of these, or read those of fewer tasks at a time"
    )]
    OfOne(String),
    #[error(
        "{IN_ALL} logs are being read already, which is the most at a time: try again when one of the others is done"
    )]
    InAll,
}

impl Places {
    pub(super) fn new() -> Places {
        Places { begun: Instant::now(), taken: Mutex::default() }
    }

    pub(super) async fn take(&self, client: &str) -> Result<Place, Full> {
        self.take_at(client, millis(self.begun)).await
    }

    async fn take_at(&self, client: &str, now: u64) -> Result<Place, Full> {
        let mut taken = self.taken.lock().await;
        taken.retain(|place| place.strong_count() > 0);
        let holders: Vec<Arc<Holder>> = taken.iter().filter_map(Weak::upgrade).collect();
        let held: Vec<(&str, Option<Duration>)> =
            holders.iter().map(|holder| (holder.client.as_str(), holder.waits(now))).collect();
        if let Some(out) = room(&held, client)?.and_then(|at| holders.get(at)) {
            out.is_out.store(true, Ordering::Relaxed);
            taken.retain(|place| !std::ptr::eq(place.as_ptr(), Arc::as_ptr(out)));
        }
        let holder =
            Holder { client: client.to_owned(), waits_since: AtomicU64::new(0), is_out: AtomicBool::new(false) };
        let holder = Arc::new(holder);
        taken.push(Arc::downgrade(&holder));
        Ok(Place { begun: self.begun, holder })
    }
}

impl Place {
    /// The reader has something for its client, and waits until that takes it.
    pub(crate) fn waits(&self) {
        self.holder.waits_from(millis(self.begun));
    }

    /// The reader goes on. False if the place was given to somebody else meanwhile.
    pub(crate) fn goes_on(&self) -> bool {
        self.holder.waits_since.store(0, Ordering::Relaxed);
        !self.holder.is_out.load(Ordering::Relaxed)
    }
}

impl Holder {
    fn waits_from(&self, now: u64) {
        self.waits_since.store(now.saturating_add(1), Ordering::Relaxed);
    }

    /// The time for which it has waited for its client.
    fn waits(&self, now: u64) -> Option<Duration> {
        let since = self.waits_since.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_millis(now.saturating_sub(since)))
    }
}

fn millis(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The place that this client may have in place of its holder, or none if there is a free one. Holders are clients, and
/// for how long they have waited for these.
fn room(held: &[(&str, Option<Duration>)], client: &str) -> Result<Option<usize>, Full> {
    let own = held.iter().filter(|(of, _)| *of == client).count();
    if own < OF_ONE && held.len() < IN_ALL {
        return Ok(None);
    }
    let may_be_taken = |of: &str| own < OF_ONE || of == client;
    let stalled = held.iter().enumerate().filter_map(|(at, (of, waits))| {
        let waits = waits.filter(|waits| *waits >= STALLED && may_be_taken(of))?;
        Some((waits, at))
    });
    match stalled.max() {
        Some((_, at)) => Ok(Some(at)),
        None if own >= OF_ONE => Err(Full::OfOne(client.to_owned())),
        None => Err(Full::InAll),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READS: Option<Duration> = None;

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn there_is_room_for_so_many_of_one_client_and_in_all() {
        assert_eq!(room(&[("a", READS); OF_ONE - 1], "a"), Ok(None));
        assert_eq!(room(&[("a", READS); OF_ONE], "a"), Err(Full::OfOne("a".to_owned())));
        assert_eq!(room(&[("a", READS); OF_ONE], "b"), Ok(None), "others are not kept out");
        assert_eq!(room(&[("a", READS); IN_ALL], "b"), Err(Full::InAll));
    }

    #[test]
    fn the_place_of_the_one_that_waited_longest_is_given_away() {
        let mut held = [("a", READS); OF_ONE];
        (held[3].1, held[5].1, held[7].1) = (seconds(2), seconds(9), seconds(1));
        assert_eq!(room(&held, "a"), Ok(Some(5)));
        held[5].1 = READS;
        assert_eq!(room(&held, "a"), Ok(Some(3)));
        held[3].1 = seconds(1);
        assert_eq!(room(&held, "a"), Err(Full::OfOne("a".to_owned())), "it may be about to take it");
        let mut held = [("a", READS); IN_ALL];
        held[9] = ("c", seconds(3));
        assert_eq!(room(&held, "b"), Ok(Some(9)));
        assert_eq!(room(&held, "a"), Err(Full::OfOne("a".to_owned())), "not by one that has more than others");
    }

    #[tokio::test]
    async fn a_place_that_is_kept_for_a_client_that_takes_nothing_is_lost() {
        let places = Places::new();
        let mut kept = Vec::new();
        for _ in 0..OF_ONE {
            kept.push(places.take_at("a", 0).await.unwrap());
        }
        kept[2].holder.waits_from(0);
        assert!(places.take_at("a", 1999).await.is_err());
        let new = places.take_at("a", 2000).await.unwrap();
        assert!(places.take_at("a", 2000).await.is_err(), "it is given away once");
        assert!(!kept[2].goes_on() && kept[3].goes_on() && new.goes_on());
        kept.pop();
        assert!(places.take_at("a", 2000).await.is_ok(), "a place that is given back is free");
    }
}
