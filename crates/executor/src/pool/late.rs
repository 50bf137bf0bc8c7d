//! The answer to the agent's question whose checks are late. In: what the engine says, and which executor each of its numbers
//! is. Out: the executors, the latest first, and no more of them than people read. Pure.

use std::collections::HashMap;
use std::time::Duration;

use checks::Late;
use health::Kind;
use mesos::v1::ExecutorId;
use mesos::v1::cygnet::pool_call::{self, late::Executor};

/// The most executors that are named.
const MOST: usize = 256;

pub(super) fn told<'a>(
    uuid: Vec<u8>,
    late: &[Late],
    named: impl Iterator<Item = (u32, &'a ExecutorId)>,
) -> pool_call::Late {
    let mut worst: HashMap<u32, Duration> = HashMap::new();
    for late in late.iter().filter(|late| Kind::of(late.id) != Kind::Check) {
        worst.entry(late.owner).and_modify(|ago| *ago = late.ago.max(*ago)).or_insert(late.ago);
    }
    let mut all: Vec<(Duration, &ExecutorId)> =
        named.filter_map(|(number, executor)| Some((*worst.get(&number)?, executor))).collect();
    all.sort_unstable_by(|(one, first), (other, second)| other.cmp(one).then_with(|| first.value.cmp(&second.value)));
    let more = u32::try_from(all.len().saturating_sub(MOST)).unwrap_or(u32::MAX);
    let executor = |(ago, executor): (Duration, &ExecutorId)| Executor {
        executor_id: executor.clone(),
        ago_ms: u64::try_from(ago.as_millis()).unwrap_or(u64::MAX),
    };
    let executors = all.into_iter().take(MOST).map(executor).collect();
    pool_call::Late { uuid, executors, more: (more > 0).then_some(more) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(owner: u32, kind: Kind, seconds: u64) -> Late {
        Late { owner, id: kind.id(), ago: Duration::from_secs(seconds) }
    }

    #[test]
    fn executors_are_told_once_each_the_latest_first_and_of_what_is_judged_alone() {
        let names: Vec<ExecutorId> = ["a", "b", "c"].map(ExecutorId::from).into();
        let all = [
            late(1, Kind::Health(0), 5),
            late(2, Kind::Health(0), 7),
            late(1, Kind::Health(1), 9),
            late(3, Kind::Check, 60),
            late(4, Kind::Health(0), 60),
        ];
        let told = told(b"u".to_vec(), &all, (1..).zip(&names));
        let shown: Vec<_> = told.executors.iter().map(|one| (one.executor_id.value.as_str(), one.ago_ms)).collect();
        assert_eq!((shown, told.more), (vec![("a", 9000), ("b", 7000)], None), "4 has ended");
    }

    #[test]
    fn of_very_many_the_latest_are_named_and_the_rest_is_a_number() {
        let names: Vec<ExecutorId> =
            (0..MOST + 3).map(|number| ExecutorId::from(number.to_string().as_str())).collect();
        let all: Vec<Late> = (0..1000).map(|number| late(number, Kind::Health(0), number.into())).collect();
        let told = told(Vec::new(), &all, (0..).zip(&names));
        assert_eq!((told.executors.len(), told.more), (MOST, Some(3)));
        assert_eq!(told.executors[0].executor_id, names[MOST + 2]);
    }
}
