//! The output of one task as the scheduler tells it; when it breaks off it goes on where it was.

use anyhow::bail;
use serde_json::Value;

use super::said::Said;
use crate::api::kept::{Heard, Kept};
use crate::api::{Api, encoded};
use crate::command::table::text;

/// Something that is told of a task's output.
#[derive(Debug)]
pub(super) enum Told {
    Line(Said),
    /// Some of this stream is gone.
    Gap(String),
    /// The scheduler does not answer, for this reason.
    Lost(String),
    /// It does not tell it now, for this reason.
    Refused(String),
    /// It goes on.
    Back,
    /// There will be no more; how the task ended, if nobody asked for its end.
    End(Value),
}

/// The lines of a task as they come.
#[derive(Debug)]
pub(super) struct Listener {
    task: String,
    stream: Kept,
}

impl Listener {
    /// Listens to a task.
    pub(super) async fn open(api: &Api, task: &str, query: &str) -> anyhow::Result<Listener> {
        Ok(Listener { task: task.to_owned(), stream: Kept::open(api, path(task, query)).await? })
    }

    /// Listens to a task as soon as the scheduler answers.
    pub(super) fn patient(api: &Api, task: &str, query: &str) -> Listener {
        Listener { task: task.to_owned(), stream: Kept::patient(api, path(task, query)) }
    }

    /// The next thing told; nothing comes after the end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Told> {
        loop {
            let event = match self.stream.next().await? {
                Heard::Event(event) => event,
                Heard::Lost(reason) => return Ok(Told::Lost(reason)),
                Heard::Refused(reason) => return Ok(Told::Refused(reason)),
                Heard::Again { was_lost: true } => return Ok(Told::Back),
                Heard::Again { was_lost: false } => continue,
            };
            match event.kind.as_str() {
                "line" => return Ok(Told::Line(Said::of(&self.task, &event.data))),
                "gap" => return Ok(Told::Gap(text(&event.data["stream"]))),
                "end" => return Ok(Told::End(event.data["ended"].clone())),
                "error" => bail!("{}", event.data["message"].as_str().unwrap_or("its output broke off")),
                _ => {}
            }
        }
    }
}

fn path(task: &str, query: &str) -> String {
    format!("/v2/tasks/{}/logs?{query}", encoded(task))
}
