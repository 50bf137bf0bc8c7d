//! The reasons for how things are, in the scheduler's words and with the times that stand beside them: the next thing that
//! is done here, [`check`] what a check found, [`instance`] an instance that is not well, [`ended`] one that is no more.
//! Pure.

mod cause;
mod check;
mod ended;
mod instance;

use serde_json::Value;

pub(crate) use self::cause::{cause, causes};
pub(crate) use self::check::{attempt, found, heard};
pub(crate) use self::ended::{how_it_ended, show_end};
pub(crate) use self::instance::{health, needs_words, show_instance, show_waiting};
use super::age::when;
use super::table::text;

/// The next thing that is done, and when; nothing if there is none.
pub(crate) fn next(action: &Value) -> String {
    if action.is_null() {
        return String::new();
    }
    match when(&text(&action["at"])) {
        none if none.is_empty() => text(&action["text"]),
        passed if passed.ends_with(" ago") && action["kind"] != "end" => format!("{}, due now", text(&action["text"])),
        when => format!("{}, {when}", text(&action["text"])),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_done_next_is_told_with_its_time() {
        let next = |kind: &str, at: Value| next(&json!({"kind": kind, "text": "is done", "at": at}));
        assert_eq!(next("offer", Value::Null), "is done");
        assert_eq!(next("launch", json!("2000-01-01T00:00:00Z")), "is done, due now");
        assert!(next("end", json!("2000-01-01T00:00:00Z")).ends_with(" ago"));
        assert!(next("grace", json!("2200-01-01T00:00:00Z")).starts_with("is done, in "));
        assert_eq!(super::next(&Value::Null), "");
    }
}
