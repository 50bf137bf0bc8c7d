//! The scheduler's own checks while they run.
//!
//! In: orders of the core. Out: what checks find, and of whom. Owns the check engine, and a task for each host name that is
//! being looked up, which ends with its check. Events wait in a bounded channel while the actor is busy: one that finds it
//! full is dropped, and the next one of its check has what was news in it.

use std::collections::HashMap;
use std::net::SocketAddr;

use checks::{Check, CheckHandle, CheckId, Engine, EngineError, EngineOptions, Event, Outcome, Start};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::core::{CheckOrder, CheckStart, Finding};
use crate::health::Attempt;
use crate::ids::InstanceId;
use crate::lookup;

/// The most events that may wait: those of fifty thousand checks in a third of a second, if each looks once a second.
const EVENTS_WAITING: usize = 16 * 1024;

pub(crate) struct Checkers {
    engine: Engine,
    found: Receiver<Event>,
    find: Sender<Event>,
    looked_up: UnboundedReceiver<Known>,
    look_up: UnboundedSender<Known>,
    running: HashMap<InstanceId, Vec<(CheckId, Running)>>,
    whose: HashMap<CheckId, Whose>,
    next_check: CheckId,
}

/// Until it is dropped.
enum Running {
    LookUp { _task: AbortOnDropHandle<()> },
    Check { handle: CheckHandle },
}

/// The part of a task's health that a check says something about.
#[derive(Clone)]
struct Whose {
    instance: InstanceId,
    incarnation: u32,
    index: usize,
}

/// A check whose host has addresses now.
struct Known {
    check: CheckId,
    start: Box<CheckStart>,
    addresses: Vec<SocketAddr>,
}

impl Checkers {
    pub(crate) fn start() -> Result<Checkers, EngineError> {
        Checkers::with_room_for(EVENTS_WAITING)
    }

    fn with_room_for(events: usize) -> Result<Checkers, EngineError> {
        let (find, found) = channel(events);
        let (look_up, looked_up) = unbounded_channel();
        let engine = Engine::start(EngineOptions::default())?;
        let (running, whose) = (HashMap::new(), HashMap::new());
        Ok(Checkers { engine, found, find, looked_up, look_up, running, whose, next_check: 0 })
    }

    /// Waits until checks have found something, of which it takes so many; may be dropped at any time.
    pub(crate) async fn next(&mut self, events: &mut Vec<Event>, most: usize) {
        loop {
            tokio::select! {
                _ = self.found.recv_many(events, most) => return,
                Some(known) = self.looked_up.recv() => self.begin(known),
            }
        }
    }

    /// The finding, and the instance it is about; nothing if that check has been stopped.
    pub(crate) fn finding(&self, event: Event) -> Option<Finding> {
        let Whose { instance, incarnation, index } = self.whose.get(&event.check).cloned()?;
        Some(Finding {
            instance,
            incarnation,
            index,
            verdict: event.verdict,
            success: matches!(event.outcome, Outcome::Success(_)),
            failure: matches!(event.outcome, Outcome::Failure(_)),
            status: event.outcome.http_status(),
            attempt: Attempt::made(&event),
            state: event.state,
            said: event.said,
        })
    }

    /// Another handle to the engine.
    pub(crate) fn engine(&self) -> Engine {
        self.engine.clone()
    }

    pub(crate) fn order(&mut self, order: CheckOrder) {
        match order {
            CheckOrder::Stop(instance) => self.stop(&instance, |_| true),
            CheckOrder::StopOne(instance, index) => self.stop(&instance, |whose| whose.index == index),
            CheckOrder::Start(start) => self.add(start),
            CheckOrder::Now(instance) => self.check_now(&instance),
        }
    }

    /// An attempt of every check of an instance at once.
    fn check_now(&self, instance: &InstanceId) {
        for (_, running) in self.running.get(instance).into_iter().flatten() {
            if let Running::Check { handle } = running {
                handle.check_now();
            }
        }
    }

    pub(crate) fn stop_all(&mut self) {
        self.running.clear();
        self.whose.clear();
    }

    fn stop(&mut self, instance: &InstanceId, ends: impl Fn(&Whose) -> bool) {
        let Some(checks) = self.running.get_mut(instance) else { return };
        let whose = &mut self.whose;
        checks.retain(|(check, _)| {
            let ends = whose.get(check).is_none_or(&ends);
            if ends {
                whose.remove(check);
            }
            !ends
        });
        if checks.is_empty() {
            self.running.remove(instance);
        }
    }

    fn add(&mut self, start: Box<CheckStart>) {
        self.next_check += 1;
        let (check, instance) = (self.next_check, start.instance.clone());
        let whose = Whose { instance: instance.clone(), incarnation: start.incarnation, index: start.index };
        self.whose.insert(check, whose);
        let running = match start.host.parse() {
            Ok(ip) => self.check(check, &start, &[SocketAddr::new(ip, start.port)]),
            Err(_) => Some(self.look_up(check, start)),
        };
        self.running.entry(instance).or_default().extend(running.map(|running| (check, running)));
    }

    fn look_up(&self, check: CheckId, mut start: Box<CheckStart>) -> Running {
        let known = self.look_up.clone();
        let task = tokio::spawn(async move {
            let begin = Instant::now();
            let addresses = lookup::addresses(&start.host, start.port).await;
            start.age += begin.elapsed();
            let _ = known.send(Known { check, start, addresses });
        });
        Running::LookUp { _task: AbortOnDropHandle::new(task) }
    }

    /// The look-up has ended, and if nobody has stopped the check meanwhile, that begins.
    fn begin(&mut self, Known { check, start, addresses }: Known) {
        let begun = self.whose.contains_key(&check).then(|| self.check(check, &start, &addresses)).flatten();
        let place = self.running.get_mut(&start.instance).into_iter().flatten().find(|(id, _)| *id == check);
        if let (Some((_, running)), Some(begun)) = (place, begun) {
            *running = begun;
        }
    }

    fn check(&self, id: CheckId, start: &CheckStart, addresses: &[SocketAddr]) -> Option<Running> {
        let seed = format!("{}/{}", start.instance, start.index);
        let begin = if start.fresh { Start::Spread } else { Start::Recovered { state: start.state, age: start.age } };
        let spec = start.spec(addresses).unwrap_or_else(|problem| {
            tracing::warn!(instance = %start.instance, index = start.index, %problem, "a check is not made");
            None
        });
        let check =
            Check::new(id, spec?, self.find.clone()).seeded(seed).starting(begin).counted_as(start.series.clone());
        let handle = self.engine.add(check);
        Some(Running::Check { handle })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::Asked;
    use crate::ids::AppId;

    fn start() -> Box<CheckStart> {
        let check = serde_json::from_value(json!({"protocol": "TCP", "port": 1})).unwrap();
        Box::new(CheckStart {
            instance: InstanceId::new(&AppId::new("/web"), "1"),
            incarnation: 1,
            index: 0,
            asked: Asked::Health(check),
            host: "task.invalid".into(),
            port: 1,
            state: Default::default(),
            age: Default::default(),
            fresh: true,
            series: None,
        })
    }

    #[tokio::test]
    async fn a_check_that_is_stopped_during_its_look_up_never_begins() {
        for stops in [true, false] {
            let mut checkers = Checkers::start().unwrap();
            checkers.order(CheckOrder::Start(start()));
            if stops {
                checkers.order(CheckOrder::Stop(start().instance));
            }
            // The look-up was answered before the word to stop came.
            let known = Known { check: 1, start: start(), addresses: vec!["127.0.0.1:1".parse().unwrap()] };
            checkers.begin(known);
            let checks =
                checkers.running.values().flatten().filter(|(_, running)| matches!(running, Running::Check { .. }));
            assert_eq!((checks.count(), checkers.whose.len()), if stops { (0, 0) } else { (1, 1) });
        }
    }

    #[tokio::test]
    async fn what_finds_no_room_is_dropped_and_its_news_comes_with_the_next_event() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let check = json!({"protocol": "HTTP", "port": port, "intervalSeconds": 1, "gracePeriodSeconds": 0});
        let asked = Asked::Health(serde_json::from_value(check).unwrap());
        let mut checkers = Checkers::with_room_for(1).unwrap();
        let begin = CheckStart { asked, host: "127.0.0.1".into(), port, fresh: false, ..*start() };
        checkers.order(CheckOrder::Start(Box::new(begin)));
        for _attempt in 0..3 {
            listener.accept().await.unwrap();
        }
        let (mut events, mut missed) = (Vec::new(), 0);
        while missed == 0 {
            tokio::select! {
                () = checkers.next(&mut events, 1) => {}
                _ = listener.accept() => {}
            }
            missed = events.last().map_or(0, |event| event.missed);
        }
        assert!(events[0].verdict.is_some() && events.last().unwrap().verdict.is_some(), "{events:?}");
        assert_eq!(events.len(), 2, "one had room, the next says how many had none");
    }
}
