//! Admission: which connections a listener takes, and which it closes to make room. Pure.
//!
//! In: connections that come, their stages, and the time. Out: whom to admit and whom to close. A connection that waits
//! for its peer can be closed at little loss, so as long as there is one, a newcomer gets in: the peer with the most of
//! them gives way, first with connections that never said anything. If all are busy with answers, a few more are
//! admitted for a short time each, so that an operator can still look.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

/// The time a new connection may take until its first request is there.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// The time a body may take before its connection can be closed to make room.
const BODY: Duration = Duration::from_secs(10);

/// The time a connection of the reserve may last.
const RESERVED: Duration = Duration::from_secs(10);

/// Connections beyond the capacity, when all others are busy with answers.
const RESERVE: usize = 32;

/// The number of a connection, in the order they came.
pub(super) type Id = u64;

/// The progress of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// No request has come yet.
    Silent,
    /// A request was answered, the next has not come.
    Idle,
    /// The body of a request is on its way.
    Receiving,
    /// A request is being answered. Event streams stay here.
    Answering,
}

/// The answer to a newcomer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may stay; another one has to be closed for it.
    Admitted { id: Id, instead_of: Option<Id> },
    /// There is no room, not even for a moment.
    Refused,
}

#[derive(Debug)]
struct Connection {
    network: IpAddr,
    stage: Stage,
    since: Duration,
    /// The time at which it is closed whatever it does.
    ends: Option<Duration>,
}

/// The connections of one peer.
#[derive(Debug, Default)]
struct Peer {
    open: usize,
    /// The connections that are not being answered, the first to give way first.
    waiting: BTreeSet<(Stage, Duration, Id)>,
}

/// Invariant: `peers` and `deadlines` say the same of each connection as `connections`.
#[derive(Debug)]
pub(super) struct Connections {
    capacity: usize,
    connections: HashMap<Id, Connection>,
    peers: HashMap<IpAddr, Peer>,
    deadlines: BTreeSet<(Duration, Id)>,
    next: Id,
}

impl Connections {
    pub(super) fn new(capacity: usize) -> Connections {
        let (connections, peers, deadlines) = (HashMap::new(), HashMap::new(), BTreeSet::new());
        Connections { capacity, connections, peers, deadlines, next: 0 }
    }

    /// A connection has come.
    pub(super) fn admit(&mut self, now: Duration, peer: IpAddr) -> Admission {
        let is_full = self.connections.len() >= self.capacity;
        let instead_of = if is_full { self.release(now) } else { None };
        let open = self.connections.len();
        if open >= self.capacity.saturating_add(RESERVE) {
            return Admission::Refused;
        }
        let ends = (open >= self.capacity).then(|| now.saturating_add(RESERVED));
        Admission::Admitted { id: self.insert(now, peer, ends), instead_of }
    }

    /// A connection has got further.
    pub(super) fn reached(&mut self, now: Duration, id: Id, stage: Stage) {
        let Some(mut connection) = self.take(id) else { return };
        (connection.stage, connection.since) = (stage, now);
        self.put(id, connection);
    }

    /// A connection is closed.
    pub(super) fn ended(&mut self, id: Id) {
        let _already_closed = self.take(id);
    }

    /// Connections whose time is up. Each is told once.
    pub(super) fn expire(&mut self, now: Duration) -> Vec<Id> {
        let late: Vec<Id> = self.deadlines.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        late.iter().for_each(|id| self.ended(*id));
        late
    }

    /// The next time at which one expires.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Gives up the connection that can best be closed now: of the peer with the most connections, at the earliest
    /// stage, for the longest time.
    pub(super) fn release(&mut self, now: Duration) -> Option<Id> {
        let first = |peer: &Peer| peer.waiting.first().copied().filter(|waiting| waits_for_its_peer(*waiting, now));
        let yielding = self.peers.values().filter_map(|peer| Some((peer.open, first(peer)?)));
        let (_, (_, _, id)) =
            yielding.max_by_key(|(open, (stage, since, id))| (*open, Reverse((*stage, *since, *id))))?;
        self.ended(id);
        Some(id)
    }

    fn insert(&mut self, now: Duration, peer: IpAddr, ends: Option<Duration>) -> Id {
        self.next += 1;
        self.put(self.next, Connection { network: network(peer), stage: Stage::Silent, since: now, ends });
        self.next
    }

    fn put(&mut self, id: Id, connection: Connection) {
        let peer = self.peers.entry(connection.network).or_default();
        peer.open += 1;
        peer.waiting.extend(connection.waiting(id));
        self.deadlines.extend(connection.deadline().map(|at| (at, id)));
        self.connections.insert(id, connection);
    }

    fn take(&mut self, id: Id) -> Option<Connection> {
        let connection = self.connections.remove(&id)?;
        if let Entry::Occupied(mut peer) = self.peers.entry(connection.network) {
            peer.get_mut().open -= 1;
            connection.waiting(id).map(|waiting| peer.get_mut().waiting.remove(&waiting));
            if peer.get().open == 0 {
                peer.remove();
            }
        }
        connection.deadline().map(|at| self.deadlines.remove(&(at, id)));
        Some(connection)
    }
}

impl Connection {
    fn deadline(&self) -> Option<Duration> {
        let first = (self.stage == Stage::Silent).then(|| self.since.saturating_add(FIRST_REQUEST));
        [first, self.ends].into_iter().flatten().min()
    }

    fn waiting(&self, id: Id) -> Option<(Stage, Duration, Id)> {
        (self.stage != Stage::Answering).then_some((self.stage, self.since, id))
    }
}

fn waits_for_its_peer((stage, since, _): (Stage, Duration, Id), now: Duration) -> bool {
    stage != Stage::Receiving || now.saturating_sub(since) >= BODY
}

/// The peer an address belongs to: whoever has one IPv6 address has all of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn admitted(connections: &mut Connections, now: Duration, peer: IpAddr) -> (Id, Option<Id>) {
        match connections.admit(now, peer) {
            Admission::Admitted { id, instead_of } => (id, instead_of),
            Admission::Refused => panic!("there is room"),
        }
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_one_that_was_silent_longest() {
        let mut all = Connections::new(2);
        let (first, _) = admitted(&mut all, seconds(0), HERE);
        let (second, _) = admitted(&mut all, seconds(1), HERE);
        assert_eq!(admitted(&mut all, seconds(2), HERE).1, Some(first));
        assert_eq!(admitted(&mut all, seconds(3), HERE).1, Some(second));
    }

    #[test]
    fn a_connection_that_has_asked_before_stays_while_there_are_silent_ones() {
        let mut all = Connections::new(2);
        let (asked, _) = admitted(&mut all, seconds(0), HERE);
        all.reached(seconds(0), asked, Stage::Idle);
        let (silent, _) = admitted(&mut all, seconds(5), HERE);
        assert_eq!(admitted(&mut all, seconds(6), HERE).1, Some(silent));
    }

    #[test]
    fn the_peer_with_the_most_connections_gives_way() {
        let mut all = Connections::new(3);
        let (alone, _) = admitted(&mut all, seconds(0), THERE);
        let (first, _) = admitted(&mut all, seconds(1), HERE);
        all.reached(seconds(1), first, Stage::Idle);
        admitted(&mut all, seconds(2), HERE);
        let (_, closed) = admitted(&mut all, seconds(3), HERE);
        assert_ne!(closed, Some(alone), "it has one of three");
    }

    #[test]
    fn streams_are_never_closed_to_make_room() {
        let mut all = Connections::new(1);
        let (stream, _) = admitted(&mut all, seconds(0), HERE);
        all.reached(seconds(0), stream, Stage::Answering);
        let (guest, closed) = admitted(&mut all, seconds(1), HERE);
        assert_eq!(closed, None);
        assert_eq!(all.expire(seconds(11)), [guest], "the reserve is for a short look");
        assert!(all.expire(seconds(1000)).is_empty());
    }

    #[test]
    fn the_reserve_is_bounded() {
        let mut all = Connections::new(1);
        let (stream, _) = admitted(&mut all, seconds(0), HERE);
        all.reached(seconds(0), stream, Stage::Answering);
        for _ in 0..RESERVE {
            let (id, _) = admitted(&mut all, seconds(1), HERE);
            all.reached(seconds(1), id, Stage::Answering);
        }
        assert_eq!(all.admit(seconds(1), HERE), Admission::Refused);
        assert_eq!(all.expire(seconds(11)).len(), RESERVE);
        assert!(matches!(all.admit(seconds(11), HERE), Admission::Admitted { .. }));
    }

    #[test]
    fn a_connection_that_says_nothing_is_closed_after_seconds_one_that_is_idle_is_not() {
        let mut all = Connections::new(10);
        let (silent, _) = admitted(&mut all, seconds(0), HERE);
        let (idle, _) = admitted(&mut all, seconds(0), HERE);
        all.reached(seconds(1), idle, Stage::Idle);
        assert_eq!(all.next_expiry(), Some(seconds(10)));
        assert_eq!(all.expire(seconds(10)), [silent]);
        assert_eq!(all.next_expiry(), None);
    }

    #[test]
    fn a_body_that_takes_long_gives_way_one_that_has_just_begun_does_not() {
        let mut all = Connections::new(1);
        let (slow, _) = admitted(&mut all, seconds(0), HERE);
        all.reached(seconds(0), slow, Stage::Receiving);
        let (guest, closed) = admitted(&mut all, seconds(1), HERE);
        assert_eq!(closed, None);
        all.reached(seconds(1), guest, Stage::Answering);
        assert_eq!(admitted(&mut all, seconds(10), HERE).1, Some(slow));
    }

    #[test]
    fn one_that_has_ended_counts_no_more() {
        let mut all = Connections::new(1);
        let (id, _) = admitted(&mut all, seconds(0), HERE);
        all.ended(id);
        all.ended(id);
        assert_eq!(admitted(&mut all, seconds(0), HERE).1, None);
        assert_eq!(all.peers[&HERE].open, 1);
    }
}
