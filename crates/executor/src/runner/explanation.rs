//! The explanation of a task to a framework that wants one: its checks' past attempts while it runs, and how it ended.
//!
//! In: the question of the agent, or the task's end. Out: an answer to the agent, or the part `end` of the terminal update.

use std::path::Path;

use mesos::v1::cygnet::{CheckHistory, TaskEnd, TaskHistory};
use mesos::v1::executor::call::History;
use processes::read_end;

use super::Runner;
use crate::clock::{now, time_of_day};
use crate::life::Exit;
use crate::monitor::{Question, milliseconds};
use crate::wire::Outgoing;

/// The most lines, and the most bytes, of a task's stderr that its terminal update carries.
const LAST_LINES: usize = 20;
const LAST_BYTES: u64 = 4 * 1024;

impl Runner {
    /// Has all checks made at once. Says by which question; nothing of a task that is not checked.
    pub(super) fn check_now(&mut self) -> Option<Question> {
        Some(self.checking.monitor.as_mut()?.check_now(now(), time_of_day()))
    }

    /// Answers the agent's question for past attempts, and which question has new ones made.
    pub(super) async fn tell_history(&self, uuid: Vec<u8>, asked: Option<Question>) {
        let history = TaskHistory {
            checks: self.histories().await,
            asked_ms: asked.map(|question| milliseconds(question.at)),
            asked_ago_ms: asked.and_then(|question| u64::try_from(question.ago?.as_millis()).ok()),
        };
        self.say(Outgoing::History(History { uuid, history }));
    }

    /// The past attempts of its health checks; of none if it is not checked.
    pub(super) async fn histories(&self) -> Vec<CheckHistory> {
        match (&self.task, &self.checking.monitor) {
            (Some(task), Some(monitor)) => monitor.histories(task).await,
            _ => Vec::new(),
        }
    }

    /// The part of a terminal update that explains the end, if the framework wants it.
    pub(super) fn end(&mut self, exit: Option<Exit>) -> Option<TaskEnd> {
        let checks = std::mem::take(&mut self.checking.past);
        self.task.as_ref().filter(|task| task.explained())?;
        let (exit_status, signal) = match exit {
            Some(Exit::Status(status)) => (Some(status), None),
            Some(Exit::Signal(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        let last_errors = last_lines(&self.config.sandbox.join("stderr"));
        Some(TaskEnd { exit_status, signal, last_errors, checks })
    }
}

/// The last lines of a file that is there and has any.
fn last_lines(file: &Path) -> Option<String> {
    let end = read_end(file, LAST_BYTES).ok()?;
    let text = String::from_utf8_lossy(&end);
    let text = text.trim_end();
    let start = text.rmatch_indices('\n').nth(LAST_LINES - 1).map_or(0, |(at, _)| at + 1);
    text.get(start..).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_told() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stderr");
        let told = |text: &str| {
            std::fs::write(&file, text).unwrap();
            last_lines(&file)
        };
        assert_eq!(told(""), None);
        assert_eq!(told("one\ntwo\n").as_deref(), Some("one\ntwo"));
        let many: String = (0..30).map(|number| format!("{number}\n")).collect();
        let last = told(&many).unwrap();
        assert_eq!((last.lines().next(), last.lines().count()), (Some("10"), 20));
        assert_eq!(told(&"x".repeat(10_000)).map(|text| text.len()), Some(4096));
        assert_eq!(last_lines(&directory.path().join("none")), None);
    }
}
