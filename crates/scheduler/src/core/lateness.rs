//! Knowledge of late checks: whether the executors of tasks make the checks they owe, as agents tell it while somebody looks. A
//! verdict stands until another one comes, and none comes from a checker that is stopped or starved.
//!
//! In: that somebody looks, and what agents tell, with the time. Out: the agents to ask, and what is known by now of an
//! executor. Pure; neither stored nor decided by: it is for people.
//!
//! Invariants: while nobody looks nobody is asked, and no agent is asked twice within [`PACE`]; what is known is forgotten once
//! it is not [`FRESH`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::Core;
use crate::instance::{Condition, Instance};
use crate::time::{Moment, Now, Timestamp};

/// The least time from one round of questions to the next.
const PACE: Duration = Duration::from_secs(5);

/// The age up to which an answer says how it is now: who looks every five seconds gets the next one before.
const FRESH: Duration = Duration::from_secs(15);

/// The number of questions in a row that an agent has to leave unanswered: it may only be starting again.
const UNANSWERED: u32 = 2;

/// A question to an agent: whose checks are late there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LateQuestion {
    pub agent_id: String,
    pub host: String,
    pub framework_id: String,
}

/// The answer of an agent, or the lack of one. Lengths of time, so that its clock does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Executors with checks that are late, and how long ago an attempt ended; and how many more there are.
    Late(BTreeMap<String, Duration>, u64),
    /// The process that makes the checks has not answered for so long.
    Silent(Duration),
    /// Nothing, and it never will: it does not know the question, or has nothing of ours.
    Nothing,
    /// The agent does not answer, and why.
    Unanswered(String),
}

/// An executor of which no check is known to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unchecked {
    pub since: Timestamp,
    /// True if its process answers nothing; else it does, and is behind.
    pub is_silent: bool,
}

/// An agent that does not tell all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Untelling<'a> {
    pub agent_id: &'a str,
    pub host: &'a str,
    pub since: Timestamp,
    pub lack: Lack<'a>,
}

/// The thing that it does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack<'a> {
    /// Anything, and why.
    All(&'a str),
    /// The names of so many more executors that are late.
    Names(u64),
}

#[derive(Debug, Default)]
pub(crate) struct Lateness {
    /// The last round of questions.
    asked: Option<Moment>,
    /// By the agents' ids: those of that round.
    agents: BTreeMap<String, Agent>,
}

#[derive(Debug, Default)]
struct Agent {
    host: String,
    /// True while a question is under way, each of which is told of.
    is_asked: bool,
    told: Option<(Now, State)>,
}

/// The answer of an agent, by our clock.
#[derive(Debug)]
enum State {
    Late(BTreeMap<String, Timestamp>, u64),
    Silent(Timestamp),
    Nothing,
    Unanswered { since: Timestamp, times: u32, why: String },
}

impl Lateness {
    fn is_due(&self, now: Now) -> bool {
        self.asked.is_none_or(|asked| now.moment.since(asked) >= PACE)
    }

    /// Begins a round: the agents to ask, of those that matter, by id and with their hosts.
    fn ask<'a>(&mut self, agents: &BTreeMap<&'a str, &'a str>, now: Now) -> Vec<(&'a str, &'a str)> {
        self.asked = Some(now.moment);
        self.agents.retain(|id, _| agents.contains_key(id.as_str()));
        let mut asked = Vec::new();
        for (id, host) in agents {
            let agent = self.agents.entry((*id).to_owned()).or_default();
            if !agent.is_asked {
                (agent.is_asked, agent.host) = (true, (*host).to_owned());
                asked.push((*id, *host));
            }
        }
        asked
    }

    /// An agent has answered, or did not.
    fn take(&mut self, agent_id: &str, told: Told, now: Now) {
        let Some(agent) = self.agents.get_mut(agent_id) else { return };
        agent.is_asked = false;
        let state = State::of(told, agent.told.take().map(|(_, before)| before), now.wall);
        agent.told = Some((now, state));
    }

    /// The thing that is known of an executor, if it does not make all its checks.
    pub(crate) fn of(&self, agent_id: &str, executor_id: &str, now: Now) -> Option<Unchecked> {
        match self.agents.get(agent_id)?.fresh(now)? {
            State::Late(late, _) => late.get(executor_id).map(|since| Unchecked { since: *since, is_silent: false }),
            State::Silent(since) => Some(Unchecked { since: *since, is_silent: true }),
            State::Nothing | State::Unanswered { .. } => None,
        }
    }

    /// True if nothing is known of any executor but that it makes its checks.
    pub(crate) fn is_quiet(&self, now: Now) -> bool {
        let is_quiet = |state: &State| match state {
            State::Late(late, _) => late.is_empty(),
            State::Silent(_) => false,
            State::Nothing | State::Unanswered { .. } => true,
        };
        self.agents.values().all(|agent| agent.fresh(now).is_none_or(is_quiet))
    }

    /// The agents that do not tell all.
    pub(crate) fn untelling(&self, now: Now) -> impl Iterator<Item = Untelling<'_>> {
        self.agents.iter().filter_map(move |(agent_id, agent)| {
            let (since, lack) = match agent.fresh(now)? {
                State::Unanswered { since, times, why } if *times >= UNANSWERED => (*since, Lack::All(why)),
                State::Late(late, more) if *more > 0 => (late.values().min().copied()?, Lack::Names(*more)),
                _ => return None,
            };
            Some(Untelling { agent_id, host: &agent.host, since, lack })
        })
    }

    /// The time as of which all agents have told; none if some have not, or too long ago.
    pub(crate) fn as_of(&self, now: Now) -> Option<Timestamp> {
        self.asked.filter(|asked| now.moment.since(*asked) <= FRESH)?;
        let told = |agent: &Agent| agent.fresh(now).and(agent.told.as_ref()).map(|(at, _)| at.wall);
        self.agents.values().map(told).try_fold(now.wall, |oldest, told| Some(oldest.min(told?)))
    }

    /// True if the last round was of late, and is over.
    pub(crate) fn is_settled(&self, now: Now) -> bool {
        let is_of_late = self.asked.is_some_and(|asked| now.moment.since(asked) <= 2 * PACE);
        is_of_late && !self.agents.values().any(|agent| agent.is_asked)
    }
}

impl Agent {
    fn fresh(&self, now: Now) -> Option<&State> {
        let (_, state) = self.told.as_ref().filter(|(at, _)| now.moment.since(at.moment) <= FRESH)?;
        Some(state)
    }
}

impl State {
    fn of(told: Told, before: Option<State>, now: Timestamp) -> State {
        let ago = |ago: Duration| {
            let millis = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_millis(now.millis().saturating_sub(millis))
        };
        match (told, before) {
            (Told::Late(late, more), _) => {
                State::Late(late.into_iter().map(|(executor, time)| (executor, ago(time))).collect(), more)
            }
            (Told::Silent(lasting), _) => State::Silent(ago(lasting)),
            (Told::Nothing, _) => State::Nothing,
            (Told::Unanswered(why), Some(State::Unanswered { since, times, .. })) => {
                State::Unanswered { since, times: times.saturating_add(1), why }
            }
            (Told::Unanswered(why), _) => State::Unanswered { since: now, times: 1, why },
        }
    }
}

impl Core {
    /// Somebody looks: the agents that have tasks with checks are asked whether these are made, unless they were just now.
    pub(crate) fn looked(&mut self, now: Now) {
        if !self.lateness.is_due(now) {
            return;
        }
        let framework_id = self.link.framework_id().unwrap_or_default();
        let agents: BTreeMap<&str, &str> = self.instances.values().filter_map(checked_at).collect();
        let question = |(agent_id, host): (&str, &str)| LateQuestion {
            agent_id: agent_id.to_owned(),
            host: host.to_owned(),
            framework_id: framework_id.to_owned(),
        };
        self.out.ask(self.lateness.ask(&agents, now).into_iter().map(question));
    }

    /// An agent was asked.
    pub(crate) fn told_of_checks(&mut self, agent_id: &str, told: Told, now: Now) {
        self.lateness.take(agent_id, told, now);
    }
}

/// The agent, by its id and its host, of an instance that runs there and has checks.
pub(crate) fn checked_at(instance: &Instance) -> Option<(&str, &str)> {
    let is_checked = instance.condition == Condition::Running && !instance.checked.health.is_empty();
    let agent_id = instance.place.agent_id.as_deref().filter(|_| is_checked)?;
    Some((agent_id, instance.place.host.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Now {
        let start = Now { moment: Moment::from_millis(0), wall: Timestamp::from_millis(1_000_000) };
        start.plus(SECOND * seconds)
    }

    fn late(executor: &str, seconds: u64) -> Told {
        Told::Late(BTreeMap::from([(executor.to_owned(), Duration::from_secs(seconds))]), 0)
    }

    fn asked(lateness: &mut Lateness, ids: &[&'static str], seconds: u32) -> Vec<&'static str> {
        let now = at(seconds);
        if !lateness.is_due(now) {
            return Vec::new();
        }
        let agents = ids.iter().map(|id| (*id, "box")).collect();
        lateness.ask(&agents, now).into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn an_agent_is_asked_every_five_seconds_and_not_again_while_it_owes_an_answer() {
        let mut lateness = Lateness::default();
        assert_eq!((lateness.as_of(at(0)), lateness.is_settled(at(0))), (None, false));
        assert_eq!(asked(&mut lateness, &["a", "b"], 0), ["a", "b"]);
        lateness.take("a", Told::Nothing, at(1));
        assert_eq!((lateness.as_of(at(1)), lateness.is_settled(at(1))), (None, false), "b owes an answer");
        assert_eq!(asked(&mut lateness, &["a", "b"], 4), [""; 0]);
        assert_eq!(asked(&mut lateness, &["a", "b"], 5), ["a"]);
        lateness.take("b", Told::Nothing, at(6));
        lateness.take("a", Told::Nothing, at(7));
        assert_eq!((lateness.as_of(at(8)), lateness.is_settled(at(8))), (Some(at(6).wall), true));
        assert_eq!(asked(&mut lateness, &["a"], 10), ["a"], "b has no tasks any more");
        lateness.take("a", Told::Nothing, at(11));
        assert_eq!((lateness.as_of(at(25)), lateness.as_of(at(26))), (Some(at(11).wall), None), "nobody looks");
    }

    #[test]
    fn late_executors_are_known_by_our_clock_and_as_long_as_that_is_fresh() {
        let mut lateness = Lateness::default();
        asked(&mut lateness, &["a"], 0);
        lateness.take("a", late("web.1", 9), at(10));
        let unchecked = Unchecked { since: at(1).wall, is_silent: false };
        assert_eq!(lateness.of("a", "web.1", at(25)), Some(unchecked));
        assert_eq!((lateness.of("a", "web.2", at(25)), lateness.of("b", "web.1", at(25))), (None, None));
        assert!(!lateness.is_quiet(at(25)) && lateness.is_quiet(at(26)));
        assert_eq!(lateness.of("a", "web.1", at(26)), None);
        lateness.take("a", Told::Silent(3 * SECOND), at(30));
        let silent = Unchecked { since: at(27).wall, is_silent: true };
        assert_eq!(lateness.of("a", "web.2", at(30)), Some(silent));
        lateness.take("a", late("web.1", 0), at(31));
        assert_eq!(lateness.of("a", "web.2", at(31)), None, "it goes away with the next answer");
        lateness.take("unknown", Told::Silent(SECOND), at(31));
        assert_eq!(lateness.of("unknown", "web.1", at(31)), None);
    }

    #[test]
    fn an_agent_that_does_not_answer_twice_is_told_itself_and_not_its_tasks() {
        let mut lateness = Lateness::default();
        asked(&mut lateness, &["a"], 0);
        lateness.take("a", Told::Unanswered("is away".into()), at(1));
        assert_eq!(lateness.untelling(at(1)).count(), 0, "it may only be starting again");
        lateness.take("a", Told::Unanswered("is still away".into()), at(6));
        let untelling = Untelling { agent_id: "a", host: "box", since: at(1).wall, lack: Lack::All("is still away") };
        assert_eq!(lateness.untelling(at(6)).collect::<Vec<_>>(), [untelling]);
        assert!(lateness.is_quiet(at(6)) && lateness.of("a", "web.1", at(6)).is_none());
        lateness.take("a", Told::Late(BTreeMap::from([("web.1".to_owned(), SECOND)]), 7), at(7));
        assert_eq!(lateness.untelling(at(7)).map(|found| found.lack).collect::<Vec<_>>(), [Lack::Names(7)]);
    }
}
