//! The part of a task's output that somebody asks for. Pure, but for the clock that `since=10m` is counted back from.

use super::super::answer::{Query, Rejected};
use crate::logs::Mark;
use crate::time::Timestamp;

/// The logs of a task, as its sandbox names them.
pub(super) const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// One, or both in this order.
    pub streams: Vec<&'static str>,
    /// So many lines of each before the end.
    pub tail: Option<usize>,
    pub since: Option<Timestamp>,
    /// True: until the task has ended.
    pub follow: bool,
    /// The places up to which somebody had it before.
    pub marks: Vec<(&'static str, Mark)>,
}

impl Wish {
    /// The wish of a request that names this event as the last one it had.
    pub(super) fn of(query: &Query, last_id: Option<&str>) -> Result<Wish, Rejected> {
        Ok(Wish {
            streams: streams(query.get("stream"))?,
            tail: query.get("tail").map(tail).transpose()?,
            since: query.get("since").map(|text| since(text, Timestamp::now())).transpose()?,
            follow: query.flag("follow", false),
            marks: last_id.filter(|id| !id.is_empty()).map_or_else(|| Ok(Vec::new()), marks)?,
        })
    }

    /// The place in this stream up to which it was read before.
    pub(super) fn mark(&self, stream: &str) -> Option<Mark> {
        self.marks.iter().find(|(name, _)| *name == stream).map(|(_, mark)| *mark)
    }
}

/// The id of an event: the places up to which the streams were read by then.
pub(super) fn id(marks: impl Iterator<Item = (&'static str, Mark)>) -> String {
    marks.map(|(stream, mark)| format!("{stream}:{mark}")).collect::<Vec<_>>().join(",")
}

fn marks(id: &str) -> Result<Vec<(&'static str, Mark)>, Rejected> {
    let one = |part: &str| {
        let (named, mark) = part.split_once(':')?;
        let stream = STREAMS.into_iter().find(|stream| *stream == named)?;
        Some((stream, mark.parse().ok()?))
    };
    let unknown = || Rejected::new(400, "Last-Event-ID is the id of an event of a task's logs, as it came with that");
    let marks: Option<Vec<_>> = id.split(',').take(STREAMS.len() + 1).map(one).collect();
    marks.filter(|marks| marks.len() <= STREAMS.len()).ok_or_else(unknown)
}

fn streams(named: Option<&str>) -> Result<Vec<&'static str>, Rejected> {
    let Some(named) = named else { return Ok(STREAMS.to_vec()) };
    let found = STREAMS.into_iter().find(|stream| *stream == named);
    let unknown = || Rejected::new(400, format!("stream is 'stdout' or 'stderr', or both if absent, not '{named}'"));
    found.map(|stream| vec![stream]).ok_or_else(unknown)
}

fn tail(text: &str) -> Result<usize, Rejected> {
    text.parse().map_err(|_| Rejected::new(400, format!("tail is a number of lines, not '{text}'")))
}

/// A moment, or a time before now.
fn since(text: &str, now: Timestamp) -> Result<Timestamp, Rejected> {
    let before = || {
        let time = text.parse::<jiff::SignedDuration>().ok()?;
        let millis = i64::try_from(time.as_millis()).ok().filter(|millis| *millis >= 0)?;
        Some(Timestamp::from_millis(now.millis().saturating_sub(millis)))
    };
    let unknown = "since is a moment such as 2030-01-31T12:00:00Z, or a time before now such as 90s, 10m or 2h";
    Timestamp::parse(text).or_else(before).ok_or_else(|| Rejected::new(400, format!("{unknown}, not '{text}'")))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn wish(query: &str) -> Result<Wish, Rejected> {
        returned(query, None)
    }

    fn returned(query: &str, last_id: Option<&str>) -> Result<Wish, Rejected> {
        Wish::of(&Query::of(&Request::builder().uri(format!("/?{query}")).body(()).unwrap()), last_id)
    }

    #[test]
    fn nothing_said_is_all_of_both() {
        let all = Wish { streams: STREAMS.to_vec(), tail: None, since: None, follow: false, marks: Vec::new() };
        assert_eq!(wish("").unwrap(), all);
        let one = Wish { streams: vec!["stderr"], tail: Some(3), follow: true, ..all };
        assert_eq!(wish("stream=stderr&tail=3&follow").unwrap(), one);
    }

    #[test]
    fn a_moment_or_a_time_before_now_can_be_said() {
        let now = Timestamp::from_millis(10_000_000);
        for (text, millis) in
            [("90s", 9_910_000), ("10m", 9_400_000), ("2h", 2_800_000), ("1970-01-01T00:00:01Z", 1000)]
        {
            assert_eq!(since(text, now).unwrap().millis(), millis, "{text}");
        }
        for text in ["", "10", "-5m", "yesterday", "99999999999999999h"] {
            assert!(since(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for query in ["stream=both", "stream=", "tail=-1", "tail=x", "tail=", "since=soon"] {
            assert!(wish(query).is_err(), "{query}");
        }
    }

    #[test]
    fn who_was_there_before_comes_back_with_the_places_in_the_last_id() {
        let [out, err]: [Mark; 2] = ["0.1f4.100.abc.17", "2.0.3.5"].map(|text| text.parse().unwrap());
        let id = id([("stdout", out), ("stderr", err)].into_iter());
        let wish = returned("follow=true", Some(&id)).unwrap();
        assert_eq!((wish.mark("stdout"), wish.mark("stderr")), (Some(out), Some(err)));
        assert_eq!(returned("", Some("stderr:2.0.3.5")).unwrap().mark("stdout"), None);
        assert!(returned("", Some("")).unwrap().marks.is_empty(), "as a browser says that it had none");
        for bad in ["17", "stdout", "stdout:", "stdin:0.0.0.0", "stdout:0.0.0.0,", &[&*id, &id, &id].join(",")] {
            assert!(returned("", Some(bad)).is_err(), "{bad}");
        }
    }
}
