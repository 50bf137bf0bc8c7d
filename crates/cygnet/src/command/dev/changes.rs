//! The changes from one look at all apps to the next, as lines for people and as JSON for scripts. Pure.

use serde_json::{Value, json};

use super::snapshot::{Failure, Held, Row, Snapshot};

/// Something to tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change<'a> {
    /// A task is new, or not as it was; or another number of instances waits.
    Task(&'a Row),
    /// A task is there no more.
    Gone(&'a Row),
    /// A task ended badly.
    Failed(&'a Failure),
    /// The brake on kills holds, for another number of tasks than before.
    Held(&'a Held),
    /// The brake holds no more.
    Released(&'a Held),
}

/// In the order to tell them: how a task ended before that it is gone.
pub(super) fn changes<'a>(before: &'a Snapshot, now: &'a Snapshot) -> Vec<Change<'a>> {
    let failed = now.failures.iter().filter(|failure| !before.failures.contains(failure)).map(Change::Failed);
    let gone = before.rows.iter().filter(|row| now.row(row).is_none()).map(Change::Gone);
    let changed = now.rows.iter().filter(|row| !before.row(row).is_some_and(|old| old.is_as(row))).map(Change::Task);
    let held = now.held.iter().filter(|held| !before.held.contains(held)).map(Change::Held);
    let free = |held: &&Held| now.held.iter().all(|now| now.app != held.app);
    let released = before.held.iter().filter(free).map(Change::Released);
    failed.chain(gone).chain(changed).chain(held).chain(released).collect()
}

impl Change<'_> {
    /// A line for people.
    pub(super) fn line(&self) -> String {
        match self {
            Change::Task(row) if row.task.is_empty() => {
                let why = if row.why.is_empty() { String::new() } else { format!(": {}", row.why) };
                format!("{}: {} waiting to be launched{why}", row.app, row.instances)
            }
            Change::Task(row) => task_line(row),
            Change::Gone(row) if row.task.is_empty() => format!("{}: none waiting any more", row.app),
            Change::Gone(row) => format!("{} gone", row.task),
            Change::Failed(failure) => format!("{} {}: {}", failure.task, failure.state, failure.message),
            Change::Held(held) => held.text(),
            Change::Released(held) => format!("{}: tasks are killed for their health again", held.app),
        }
    }

    /// An object for scripts.
    pub(super) fn json(&self) -> Value {
        match self {
            Change::Task(row) if row.task.is_empty() => waiting(row, row.instances),
            Change::Task(row) => json!({"event": "task", "app": row.app, "task": row.task, "state": row.state,
                "health": row.health, "checksPassing": row.checks.0, "checks": row.checks.1,
                "lastFailure": row.last_failure, "ports": row.ports.split(',').filter_map(|port| port.parse().ok()).collect::<Vec<u16>>(),
                "startedAt": row.started_at}),
            Change::Gone(row) if row.task.is_empty() => waiting(row, 0),
            Change::Gone(row) => json!({"event": "gone", "app": row.app, "task": row.task}),
            Change::Failed(failure) => json!({"event": "failed", "app": failure.app, "task": failure.task,
                "state": failure.state, "message": failure.message, "at": failure.at}),
            Change::Held(held) => json!({"event": "brake", "app": held.app, "held": held.tasks}),
            Change::Released(held) => json!({"event": "brake", "app": held.app, "held": 0}),
        }
    }
}

fn task_line(row: &Row) -> String {
    let mut line = format!("{} {}", row.task, row.state);
    if !row.ports.is_empty() {
        line += &format!(" on port {}", row.ports);
    }
    if row.checks.1 > 0 {
        line += &format!(", {} ({} of {} checks)", row.health, row.checks.0, row.checks.1);
    }
    if !row.last_failure.is_empty() {
        line += &format!(", last failure: {}", row.last_failure);
    }
    line
}

fn waiting(row: &Row, instances: u64) -> Value {
    json!({"event": "waiting", "app": row.app, "instances": instances})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, health: &'static str) -> Row {
        let (app, task, state) = ("/web".to_owned(), id.to_owned(), "running".to_owned());
        Row { app, task, state, health, checks: (1, 1), ports: "31000".into(), instances: 1, ..Row::default() }
    }

    fn snapshot(rows: &[Row]) -> Snapshot {
        Snapshot { rows: rows.to_vec(), ..Snapshot::default() }
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = snapshot(&[task("a", "healthy"), task("b", "healthy")]);
        let now = snapshot(&[task("a", "unhealthy"), task("c", "unknown")]);
        assert!(changes(&now, &now).is_empty());
        let told = changes(&before, &now);
        assert_eq!(told, [Change::Gone(&before.rows[1]), Change::Task(&now.rows[0]), Change::Task(&now.rows[1])]);
    }

    #[test]
    fn a_failure_is_told_once_and_first() {
        let (app, task_id) = ("/web".to_owned(), "a".to_owned());
        let (state, message, at) = ("failed".to_owned(), "Command exited with status 3".to_owned(), String::new());
        let failure = Failure { app, task: task_id, state, message, at };
        let before = snapshot(&[task("a", "healthy")]);
        let now = Snapshot { rows: Vec::new(), failures: vec![failure], ..Snapshot::default() };
        let lines: Vec<String> = changes(&before, &now).iter().map(Change::line).collect();
        assert_eq!(lines, ["a failed: Command exited with status 3", "a gone"]);
        assert!(changes(&now, &now).is_empty());
    }

    #[test]
    fn the_brake_is_told_when_it_holds_and_when_it_lets_go() {
        let held =
            |tasks| Snapshot { held: vec![Held { app: "/web".into(), tasks, used: None }], ..Snapshot::default() };
        let line =
            |before: &Snapshot, now: &Snapshot| changes(before, now).iter().map(Change::line).collect::<Vec<_>>();
        assert_eq!(line(&held(1), &held(3)), ["/web: held by the brake; 3 unhealthy and not killed for now"]);
        assert_eq!(line(&held(3), &Snapshot::default()), ["/web: tasks are killed for their health again"]);
        assert!(line(&held(3), &held(3)).is_empty());
    }

    #[test]
    fn lines_say_what_there_is_to_say() {
        assert_eq!(Change::Task(&task("a", "healthy")).line(), "a running on port 31000, healthy (1 of 1 checks)");
        let plain = Row { checks: (0, 0), ports: String::new(), ..task("a", "-") };
        assert_eq!(Change::Task(&plain).line(), "a running");
        let waiting = Row { app: "/web".into(), instances: 2, why: "waits for an offer".into(), ..Row::default() };
        assert_eq!(Change::Task(&waiting).line(), "/web: 2 waiting to be launched: waits for an offer");
        assert_eq!(Change::Gone(&waiting).json()["instances"], 0);
        let ports = |ports: &str| Change::Task(&Row { ports: ports.into(), ..task("a", "-") }).json()["ports"].clone();
        assert_eq!((ports("31000,31001"), ports("")), (json!([31000, 31001]), json!([])), "numbers");
    }
}
