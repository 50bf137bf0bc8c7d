//! The end of changes that were followed: whether what they started stays, and how many of several went well. In: what was
//! answered to changes, and deployments that succeeded. Out: the last words about each, and the exit code.
//!
//! `--timeout` is about deployments. Where it passes once they are done, while apps without checks are looked at, what was
//! seen of these until then counts.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::ensure;
use tokio::time::Instant;

use super::super::crashes::Crash;
use super::super::ends::Done;
use super::super::outcome::{Cut, Outcome};
use super::super::settling::{self, Started};
use super::super::{progress, unchanged};
use super::Follower;
use crate::api::Changed;
use crate::output::{complaint, json_line};
use crate::screen;
use crate::signals::Stop;

/// A deployment that did what was wanted of it.
#[derive(Debug)]
pub(super) struct Good {
    pub name: String,
    pub id: String,
    pub done: Done,
    pub outcome: Outcome,
}

/// The findings about apps without checks after their deployments.
#[derive(Debug)]
struct Settled {
    unchecked: Vec<Started>,
    crashes: BTreeMap<String, Crash>,
    /// None if they were looked at for the whole time.
    cut: Option<Cut>,
}

impl Follower<'_> {
    /// Follows several changes by their names: the failure of one keeps no other back, and at the end all are counted.
    pub(crate) async fn all(&mut self, sent: Vec<(String, anyhow::Result<Changed>)>) -> anyhow::Result<ExitCode> {
        let (count, mut good, mut failed) = (sent.len(), Vec::new(), 0);
        for (name, answer) in sent {
            let result = match answer {
                Ok(answer) => self.until_ended(&name, &answer).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(one) => good.extend(one),
                Err(error) => {
                    failed += 1;
                    complaint(format!("cygnet: {name}: {error:#}"));
                }
            }
        }
        for (name, error) in self.conclude(good).await? {
            failed += 1;
            complaint(format!("cygnet: {name}: {error:#}"));
        }
        ensure!(failed == 0, "{failed} of {count} did not succeed");
        Ok(ExitCode::SUCCESS)
    }

    /// Follows what was answered to a change; nothing is left to be settled where nothing began, or nobody waits for it.
    pub(super) async fn until_ended(&mut self, name: &str, answer: &Changed) -> anyhow::Result<Option<Good>> {
        if self.api.json {
            json_line(&answer.body);
        }
        match answer.deployment.as_deref() {
            None => return self.nothing(name).await.map(|()| None),
            Some(id) if self.ends.is_none() => {
                let canary = if self.to_canary { "a canary starts, " } else { "" };
                let text = format!("{canary}deployment {id} has begun: `cygnet deployment watch {id}` follows it");
                self.say(&self.of(name, &text));
            }
            Some(id) => {
                let good = self.followed(name, id).await?;
                return self.or_earlier(name, good).await;
            }
        }
        Ok(None)
    }

    /// Nothing began: what was sent is there already, and well or not.
    async fn nothing(&self, name: &str) -> anyhow::Result<()> {
        let trouble = if self.defines { unchanged::trouble(self.api, name).await } else { None };
        if let Some(why) = trouble {
            return self.tell(name, "", &Outcome::Unwell { app: name.to_owned(), why });
        }
        self.say(&self.of(name, "nothing to do"));
        Ok(())
    }

    /// The good end of a change that changed nothing; the earlier change to the same while that is under way.
    async fn or_earlier(&mut self, name: &str, good: Option<Good>) -> anyhow::Result<Option<Good>> {
        if !good.as_ref().is_some_and(|good| self.changed_nothing(good)) {
            return Ok(good);
        }
        let Some(earlier) = unchanged::under_way(self.api, name).await else { return Ok(good) };
        self.say(&self.of(name, &format!("nothing to do; the deployment {earlier} is under way already")));
        self.followed(name, &earlier).await
    }

    fn changed_nothing(&self, good: &Good) -> bool {
        self.defines && good.done.apps.is_empty() && matches!(good.outcome, Outcome::Done)
    }

    /// The exit code after one that went well so far.
    pub(super) async fn settled(&mut self, good: Option<Good>) -> anyhow::Result<ExitCode> {
        match self.conclude(good.into_iter().collect()).await?.pop() {
            Some((_, error)) => Err(error),
            None => Ok(ExitCode::SUCCESS),
        }
    }

    /// Looks on for the time after which what has no checks counts as well, and tells how each is; comes back with those
    /// that are not.
    async fn conclude(&mut self, good: Vec<Good>) -> anyhow::Result<Vec<(String, anyhow::Error)>> {
        let settled = self.looked_on(&good).await?;
        if self.live {
            screen::erase();
        }
        let mut bad = Vec::new();
        for one in good {
            let trouble = if self.changed_nothing(&one) { unchanged::trouble(self.api, &one.name).await } else { None };
            let outcome = match trouble {
                Some(why) => Outcome::Unwell { app: one.name.clone(), why },
                None => settled.outcome_of(&one),
            };
            bad.extend(self.tell(&one.name, &one.id, &outcome).err().map(|error| (one.name, error)));
        }
        Ok(bad)
    }

    /// Looks at what these started and what cannot say for itself how it is, no longer than somebody waits for it.
    async fn looked_on(&mut self, good: &[Good]) -> anyhow::Result<Settled> {
        let unchecked = settling::unchecked(self.api, &good.iter().map(|one| &one.done).collect::<Vec<_>>()).await;
        let mut stop = Stop::listen()?;
        let of = self.min_healthy;
        if !unchecked.is_empty() && !of.is_zero() {
            self.show_unless_json(vec![progress::settling(unchecked.iter().map(|one| &one.app), of)]);
        }
        let (begun, mut crashes, late) = (Instant::now(), BTreeMap::new(), self.late());
        let left = tokio::select! {
            () = settling::look_on(self.api, &unchecked, of, &mut crashes) => None,
            () = stop.asked() => Some(true),
            _ = late => Some(false),
        };
        let cut = left.map(|left| Cut { ran: begun.elapsed(), of, left });
        Ok(Settled { unchecked, crashes, cut })
    }
}

impl Settled {
    /// The outcome of one, now that it is known what of it crashed. Canaries go on to wait for a word.
    fn outcome_of(&self, one: &Good) -> Outcome {
        let is_its = |app: &String| one.done.apps.contains(app);
        let crashes: Vec<Crash> =
            self.crashes.iter().filter(|(app, _)| is_its(app)).map(|(_, crash)| crash.clone()).collect();
        let goes_on = matches!(one.outcome, Outcome::Canary);
        let cut = self.cut.filter(|_| self.unchecked.iter().any(|started| is_its(&started.app)));
        match cut {
            _ if !crashes.is_empty() => Outcome::Crashed { crashes, goes_on },
            Some(cut) if goes_on && cut.left => Outcome::Left,
            _ if goes_on => Outcome::Canary,
            Some(cut) => Outcome::Unsettled(cut),
            None => Outcome::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn good(app: &str, outcome: Outcome) -> Good {
        let done = Done { version: String::new(), apps: vec![app.to_owned()] };
        Good { name: app.to_owned(), id: "d".to_owned(), done, outcome }
    }

    fn settled(crashed: &[&str], left: bool) -> Settled {
        let started = |app: &str| Started { app: app.to_owned(), since: String::new() };
        let crash = |app: &&str| ((*app).to_owned(), Crash { text: String::new(), json: json!(null) });
        let cut = Cut { ran: Duration::from_secs(7), of: Duration::from_secs(10), left };
        let unchecked = ["/a", "/b"].map(started).into();
        Settled { unchecked, crashes: crashed.iter().map(crash).collect(), cut: Some(cut) }
    }

    #[test]
    fn a_timeout_after_a_deployment_is_no_failure_of_it() {
        let cut = settled(&["/b"], false);
        let outcome = cut.outcome_of(&good("/a", Outcome::Done));
        assert!(matches!(outcome, Outcome::Unsettled(_)) && outcome.is_good(), "{outcome:?}");
        let outcome = cut.outcome_of(&good("/b", Outcome::Done));
        assert!(matches!(outcome, Outcome::Crashed { .. }), "seen by then: {outcome:?}");
        let outcome = cut.outcome_of(&good("/checked", Outcome::Done));
        assert!(matches!(outcome, Outcome::Done), "its checks had their say: {outcome:?}");
        assert!(matches!(cut.outcome_of(&good("/a", Outcome::Canary)), Outcome::Canary));
    }

    #[test]
    fn whoever_leaves_early_is_not_told_that_all_is_well() {
        let left = settled(&[], true);
        assert!(!left.outcome_of(&good("/a", Outcome::Done)).is_good());
        assert!(matches!(left.outcome_of(&good("/a", Outcome::Canary)), Outcome::Left), "that one does go on");
    }
}
