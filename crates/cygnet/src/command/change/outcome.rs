//! The ways in which a change stops being followed, in words and as JSON. Pure.

use std::time::Duration;

use serde_json::{Value, json};

use super::crashes::Crash;

/// The time for which something without checks ran, of that after which it counts as well.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub ran: Duration,
    pub of: Duration,
    /// True if the person who watched wants to do something else; else the timeout passed.
    pub left: bool,
}

/// The reason why a change is no longer followed.
#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    /// It is done; nobody waited until what has no checks had run for its time.
    Unsettled(Cut),
    Failed(String),
    /// An end of what it started.
    Crashed {
        crashes: Vec<Crash>,
        /// True if it still starts more of them.
        goes_on: bool,
    },
    /// Nothing was to be done, and the app is not well.
    Unwell {
        app: String,
        why: String,
    },
    /// Its canaries are up, and it waits to be continued or cancelled.
    Canary,
    /// No event said how it ended.
    Unknown,
    /// The person who watched wants to do something else.
    Left,
    /// It took longer than the timeout.
    Late(Duration),
}

impl Outcome {
    /// True if the command has done what it was to do.
    pub(super) fn is_good(&self) -> bool {
        match self {
            Outcome::Done | Outcome::Unknown | Outcome::Canary => true,
            Outcome::Unsettled(cut) => !cut.left,
            _ => false,
        }
    }

    /// The words for a deployment.
    pub(super) fn words(&self, id: &str) -> String {
        let go_on = format!("`cygnet deployment watch {id}` follows it, `cygnet deployment cancel {id}` takes it back");
        match self {
            Outcome::Done => "done".to_owned(),
            Outcome::Unsettled(Cut { ran, of, .. }) => {
                format!("done; it has run for {}s of {of:?} (--min-healthy)", ran.as_secs())
            }
            Outcome::Unknown => "ended; how was not heard: `cygnet app list` shows what there is".to_owned(),
            Outcome::Canary => format!(
                "the canary is up: `cygnet deployment continue {id}` goes on, `cygnet deployment cancel {id}` takes it back"
            ),
            Outcome::Crashed { crashes, goes_on } => {
                let texts: Vec<&str> = crashes.iter().map(|crash| crash.text.as_str()).collect();
                let rest = if *goes_on { format!("\n  the deployment {id} goes on: {go_on}") } else { String::new() };
                texts.join("\n") + &rest
            }
            Outcome::Unwell { app, why } => {
                format!("nothing to do, and {app} is not well: {why}\n  `cygnet status {app}` says more")
            }
            Outcome::Failed(reason) if reason.is_empty() => format!("the deployment {id} failed"),
            Outcome::Failed(reason) => format!("the deployment {id} failed: {reason}"),
            Outcome::Left => format!("the deployment {id} goes on: {go_on}"),
            Outcome::Late(limit) => {
                format!("the deployment {id} did not end within {limit:?} and goes on: {go_on}")
            }
        }
    }

    /// The same for scripts.
    pub(super) fn json(&self, id: &str) -> Value {
        let result = match self {
            Outcome::Done => "success",
            Outcome::Unsettled(cut) if cut.left => "unsettled",
            Outcome::Unsettled(_) => "success",
            Outcome::Unknown => "ended",
            Outcome::Canary => "canary",
            Outcome::Unwell { .. } => "unwell",
            Outcome::Crashed { .. } => "crashed",
            Outcome::Failed(_) => "failed",
            Outcome::Left | Outcome::Late(_) => "running",
        };
        let mut json = json!({"deploymentId": id, "result": result});
        if let Outcome::Crashed { crashes, .. } = self {
            json["crashes"] = crashes.iter().map(|crash| crash.json.clone()).collect();
        }
        if let Outcome::Unsettled(cut) = self {
            json["ranSeconds"] = json!(cut.ran.as_secs());
        }
        if let Outcome::Unwell { why, .. } = self {
            json["why"] = json!(why);
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_a_failure_with_what_to_do_if_more_are_started() {
        let crash = Crash { text: "/a does not stay".to_owned(), json: json!({"app": "/a"}) };
        let crashed = |goes_on| Outcome::Crashed { crashes: vec![crash.clone()], goes_on };
        assert_eq!(crashed(false).words("d"), "/a does not stay");
        assert!(crashed(true).words("d").contains("cygnet deployment cancel d"));
        assert_eq!(
            crashed(false).json("d"),
            json!({"deploymentId": "d", "result": "crashed", "crashes": [{"app": "/a"}]})
        );
    }

    #[test]
    fn what_is_done_does_not_go_on() {
        let cut = Cut { ran: Duration::from_millis(7_900), of: Duration::from_secs(10), left: false };
        let unsettled = Outcome::Unsettled(cut);
        assert_eq!(unsettled.words("d"), "done; it has run for 7s of 10s (--min-healthy)");
        assert_eq!(unsettled.json("d"), json!({"deploymentId": "d", "result": "success", "ranSeconds": 7}));
        assert_eq!(Outcome::Unsettled(Cut { left: true, ..cut }).json("d")["result"], "unsettled");
    }

    #[test]
    fn only_what_is_done_or_waits_for_a_word_is_a_success() {
        assert!(Outcome::Done.is_good() && Outcome::Canary.is_good());
        let unwell = Outcome::Unwell { app: "/a".to_owned(), why: "front: timeout".to_owned() };
        assert_eq!(
            (&unwell.json("d")["result"], &unwell.json("d")["why"]),
            (&json!("unwell"), &json!("front: timeout"))
        );
        for failure in [unwell, Outcome::Failed(String::new()), Outcome::Left, Outcome::Late(Duration::from_secs(1))] {
            assert!(!failure.is_good(), "{failure:?}");
        }
    }
}
