//! Starts that are under way beside all other jobs, each of a run. Whatever ends a run gives its start up, and waits until
//! nothing of that is going on any more.

use std::collections::BTreeMap;

use mesos::v1::ContainerId;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::core::Job;

/// By their runs.
#[derive(Debug, Default)]
pub(super) struct Making(BTreeMap<String, Start>);

/// The word to give a start up, and the word that it is over.
#[derive(Debug)]
struct Start {
    given_up: CancellationToken,
    done: CancellationToken,
}

/// The side of a start that goes on: its end is that of the start.
#[derive(Debug)]
pub(super) struct UnderWay {
    /// It is of no use any more.
    pub(super) given_up: CancellationToken,
    _done: DropGuard,
}

impl Making {
    /// A start begins, which is given up when the agent ends, too.
    pub(super) fn begin(&mut self, run: &ContainerId, ending: &CancellationToken) -> UnderWay {
        self.0.retain(|_, start| !start.done.is_cancelled());
        let start = Start { given_up: ending.child_token(), done: CancellationToken::new() };
        let under_way = UnderWay { given_up: start.given_up.clone(), _done: start.done.clone().drop_guard() };
        self.0.insert(run.to_string(), start);
        under_way
    }

    /// Gives up the start of a run that this job ends. Returns the word that it is over, if it is going on.
    pub(super) fn give_up(&self, job: &Job) -> Option<CancellationToken> {
        let (Job::KillRun(run) | Job::RemoveState(run) | Job::RemoveCgroup(run)) = job else { return None };
        let start = self.0.get(&run.to_string()).filter(|start| !start.done.is_cancelled())?;
        start.given_up.cancel();
        Some(start.done.clone())
    }

    /// Comes back when none goes on.
    pub(super) async fn done(&self) {
        for start in self.0.values() {
            start.done.cancelled().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_run_gives_up_its_start_and_no_other() {
        let (mut making, ending) = (Making::default(), CancellationToken::new());
        let one = making.begin(&"one".into(), &ending);
        let two = making.begin(&"two".into(), &ending);
        assert!(making.give_up(&Job::RemoveState("three".into())).is_none());
        let over = making.give_up(&Job::KillRun("one".into())).unwrap();
        assert!(one.given_up.is_cancelled() && !two.given_up.is_cancelled() && !over.is_cancelled());
        drop(one);
        over.cancelled().await;
        assert!(making.give_up(&Job::RemoveState("one".into())).is_none(), "nothing is left to wait for");
        ending.cancel();
        assert!(two.given_up.is_cancelled());
        drop(two);
        making.done().await;
    }
}
