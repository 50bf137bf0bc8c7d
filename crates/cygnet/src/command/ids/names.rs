//! Short ids of tasks: the beginning of their instance's uuid, and the incarnation.

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
            apps.iter().flat_map(ids).filter_map(|id| Some(split(&id)?.0.to_owned())).collect();
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
    match split(task) {
        Some((uuid, incarnation)) => format!("{}.{incarnation}", uuid.get(..length).unwrap_or(uuid)),
        None => task.to_owned(),
    }
}

/// The uuid of an instance, and its incarnation.
fn split(task: &str) -> Option<(&str, &str)> {
    let (_, rest) = task.split_once(".instance-")?;
    Some(rest.split_once("._app.").unwrap_or((rest, "1")))
}

/// True if this may stand for the task.
pub(super) fn is_short(typed: &str, id: &str) -> bool {
    let instance = id.split_once(".instance-").map_or("", |(_, instance)| instance);
    let named = split(id).zip(typed.rsplit_once('.'));
    let is_name = named.is_some_and(|((uuid, incarnation), (piece, number))| {
        piece.len() >= USUAL && uuid.starts_with(piece) && incarnation == number
    });
    id.starts_with(typed) || id.ends_with(typed) || instance.starts_with(typed) || is_name
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
