//! Short ids of tasks: the beginning of their instance's uuid, in a pod the container, and the incarnation.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command::table::{items, text};

/// The usual length of a piece of a uuid.
const USUAL: usize = 8;

/// The short ids of tasks that are shown together: long enough to tell them apart.
#[derive(Debug)]
pub(crate) struct Names {
    length: usize,
}

impl Names {
    /// For the tasks of these apps, those that are to come and those that ended.
    pub(crate) fn of(apps: &[Value]) -> Names {
        let ids = |app: &Value| {
            let named =
                |list: &str, field: &str| items(&app[list]).iter().map(|one| text(&one[field])).collect::<Vec<_>>();
            [named("tasks", "id"), named("waiting", "instance"), named("ended", "taskId")].concat()
        };
        let uuids: BTreeSet<String> =
            apps.iter().flat_map(ids).filter_map(|id| Some(split(&id)?.uuid.to_owned())).collect();
        let shared =
            |(one, other): (&String, &String)| one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        let longest = uuids.iter().zip(uuids.iter().skip(1)).map(shared).max();
        Names { length: longest.map_or(USUAL, |longest| (longest + 1).max(USUAL)) }
    }

    /// Of a task.
    pub(crate) fn short(&self, task: &str) -> String {
        of_length(task, self.length)
    }

    /// Of an instance that has no task yet.
    pub(crate) fn instance(&self, waiting: &Value) -> String {
        self.short(&format!("{}._app.{}", text(&waiting["instance"]), text(&waiting["incarnation"])))
    }
}

/// Of a task by itself.
pub(crate) fn shown(task: &str) -> String {
    of_length(task, USUAL)
}

fn of_length(task: &str, length: usize) -> String {
    let Some(Parts { uuid, container, incarnation }) = split(task) else { return task.to_owned() };
    let container = container.map_or_else(String::new, |container| format!(".{container}"));
    format!("{}{container}.{incarnation}", uuid.get(..length).unwrap_or(uuid))
}

/// The parts of a task's id that tell it from others of its app or pod.
struct Parts<'a> {
    uuid: &'a str,
    /// None of an app: its instances have but one.
    container: Option<&'a str>,
    incarnation: &'a str,
}

fn split(task: &str) -> Option<Parts<'_>> {
    let (_, rest) = task.split_once(".instance-")?;
    let (uuid, rest) = rest.split_once('.').unwrap_or((rest, "1"));
    let (container, incarnation) = match rest.rsplit_once('.') {
        Some(("_app", incarnation)) => (None, incarnation),
        Some((container, incarnation)) => (Some(container), incarnation),
        None => (None, rest),
    };
    Some(Parts { uuid, container, incarnation })
}

/// True if this may stand for the task. Without its container it may be any of an instance of a pod.
pub(super) fn is_short(typed: &str, id: &str) -> bool {
    let instance = id.split_once(".instance-").map_or("", |(_, instance)| instance);
    let is_name = split(id).is_some_and(|parts| parts.are_meant_by(typed));
    id.starts_with(typed) || id.ends_with(typed) || instance.starts_with(typed) || is_name
}

impl Parts<'_> {
    fn are_meant_by(&self, typed: &str) -> bool {
        let Some((piece, incarnation)) = typed.rsplit_once('.') else { return false };
        let (piece, container) = piece.split_once('.').map_or((piece, None), |(piece, one)| (piece, Some(one)));
        piece.len() >= USUAL
            && self.uuid.starts_with(piece)
            && (container.is_none() || container == self.container)
            && incarnation == self.incarnation
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tasks_are_told_apart_by_little() {
        assert_eq!(shown("web.instance-0123456789ab._app.2"), "01234567.2");
        assert_eq!(shown("other"), "other");
    }

    #[test]
    fn containers_of_a_pod_are_told_apart_and_each_is_found_by_what_is_shown() {
        let [web, log, later] = ["web.1", "log.1", "web.2"].map(|name| format!("clock.instance-0123456789ab.{name}"));
        assert_eq!([&web, &log, &later].map(|id| shown(id)), ["01234567.web.1", "01234567.log.1", "01234567.web.2"]);
        for (typed, meant) in [
            ("01234567.web.1", [true, false, false]),
            ("01234567.log.1", [false, true, false]),
            ("01234567.1", [true, true, false]),
            ("01234567.2", [false, false, true]),
            ("01234567.we.1", [false, false, false]),
        ] {
            assert_eq!([&web, &log, &later].map(|id| is_short(typed, id)), meant, "{typed}");
        }
    }

    #[test]
    fn short_ids_are_longer_where_that_tells_them_apart() {
        let app = json!({"tasks": [{"id": "a.instance-0123456789ab._app.2"}, {"id": "a.instance-9999._app.1"}],
            "waiting": [{"instance": "a.instance-0123456799cd", "incarnation": 3}],
            "ended": [{"taskId": "a.instance-0123456789ab._app.1"}]});
        let names = Names::of(std::slice::from_ref(&app));
        assert_eq!(names.short("a.instance-0123456789ab._app.2"), "012345678.2");
        assert_eq!(names.instance(&app["waiting"][0]), "012345679.3");
        assert!(is_short("012345678.2", "a.instance-0123456789ab._app.2"));
        assert!(!is_short("012345678.1", "a.instance-0123456789ab._app.2"), "another incarnation");
        assert!(!is_short("0123.2", "a.instance-0123456789ab._app.2"), "too little");
    }
}
