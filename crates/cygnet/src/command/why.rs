//! The reasons for how things are, in the scheduler's words and with the times that stand beside them: the next thing that
//! is done here, however it is shown, [`check`] what a check found, [`instance`] an instance that is not well, [`ended`] one that is no more.
//! Pure.

mod cause;
mod check;
mod ended;
mod instance;

use serde_json::Value;

pub(crate) use self::cause::{cause, causes};
pub(crate) use self::check::{attempt, failures, found, heard};
pub(crate) use self::ended::{each_end, how_it_ended, show_end};
pub(crate) use self::instance::{health, needs_words, show_instance, show_waiting, unchecked};
use super::age::when;
use super::table::text;

/// The form of a moment beside the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// How long it is until then: for what is read at once.
    Left,
    /// The time of day: for lines that stay.
    Clock,
}

/// The next thing that is done, and when; nothing if there is none.
pub(crate) fn next(action: &Value, style: Style) -> String {
    let moment = match style {
        Style::Left => left(action),
        Style::Clock => clock(&action["at"]).map(|clock| format!("{} {clock}", link(action))),
    };
    [Some(text(&action["text"])), moment].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn left(action: &Value) -> Option<String> {
    let when = when(action["at"].as_str()?);
    match when.strip_prefix("in ") {
        Some(left) if link(action) == "until" => Some(format!("for {left}")),
        None if when.is_empty() => None,
        None if action["kind"] != "end" => Some("due now".to_owned()),
        _ => Some(when),
    }
}

/// The scheduler's word between what is done and its moment.
fn link(action: &Value) -> &str {
    action["link"].as_str().unwrap_or("at")
}

/// The time of day of a moment.
pub(crate) fn clock(moment: &Value) -> Option<String> {
    let clock = moment.as_str()?.split_once('T')?.1;
    Some(format!("{} UTC", clock.get(..8)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_done_next_is_told_with_its_time() {
        let next = |kind: &str, at: Value| next(&json!({"kind": kind, "text": "is done", "at": at}), Style::Left);
        assert_eq!(next("offer", Value::Null), "is done");
        assert_eq!(next("launch", json!("2000-01-01T00:00:00Z")), "is done, due now");
        assert!(next("end", json!("2000-01-01T00:00:00Z")).ends_with(" ago"));
        assert!(next("grace", json!("2200-01-01T00:00:00Z")).starts_with("is done, in "));
        assert_eq!(super::next(&Value::Null, Style::Left), "");
    }

    #[test]
    fn the_word_between_what_is_done_and_its_moment_is_the_schedulers() {
        let [held, grace] =
            ["it admits the next kill", "failures count after its grace period (2 failures so far, last: 503)"];
        let clocked = |text: &str, link: &str, style| {
            super::next(&json!({"kind": "any", "text": text, "at": "2200-01-02T10:20:30.123Z", "link": link}), style)
        };
        assert_eq!(clocked(held, "at", Style::Clock), "it admits the next kill, at 10:20:30 UTC");
        assert_eq!(clocked(grace, "from", Style::Clock), format!("{grace}, from 10:20:30 UTC"));
        assert_eq!(clocked("is not checked", "until", Style::Clock), "is not checked, until 10:20:30 UTC");
        assert!(clocked("is not checked", "until", Style::Left).starts_with("is not checked, for 1"));
        assert!(clocked(held, "at", Style::Left).starts_with("it admits the next kill, in 1"));
        let of_before = json!({"text": "is done", "at": "2200-01-02T10:20:30Z"});
        assert_eq!(super::next(&of_before, Style::Clock), "is done, at 10:20:30 UTC");
    }
}
