//! `cygnet task logs`: what a task wrote, or what all tasks of an app or pod did, through the scheduler. Followed to the
//! end of the task, or of the app; tasks that start meanwhile are heard, too.
//!
//! [`listener`] hears one task, [`said`] is a line of it; [`follow`] follows all tasks of an app, in the order that [`chains`]
//! knows.

mod chains;
mod follow;
mod listener;
mod said;

use anyhow::{bail, ensure};
use clap::Args;

use self::listener::{Listener, Told};
use self::said::Shape;
use super::ids;
use super::members::Whole;
use crate::api::{Api, encoded};
use crate::output::complaint;

/// The task, and the part of its output that is wanted.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The task's id; or that of an app or pod: of all its tasks then, each line with its task
    id: String,
    /// Go on as it writes more, until it has ended
    #[arg(short, long)]
    follow: bool,
    /// Only so many lines of each stream before the end
    #[arg(long, short = 'n', value_name = "LINES")]
    tail: Option<u32>,
    /// Only what was written since then: a time before now, such as 10m, or a moment, such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only what it wrote to standard output
    #[arg(long)]
    stdout: bool,
    /// Only what it wrote to standard error
    #[arg(long, conflicts_with = "stdout")]
    stderr: bool,
}

/// Prints it.
pub(super) async fn print(api: &Api, logs: &Logs) -> anyhow::Result<()> {
    match Whole::of(api, &logs.id).await? {
        Some(whole) if logs.follow => follow::follow(api, logs, &whole).await,
        Some(whole) => print_all(api, logs, &whole).await,
        None => {
            let task = ids::known(api, &logs.id).await?;
            let shape = if api.json { Shape::Json } else { Shape::Plain };
            one(api, &task, logs, shape).await
        }
    }
}

impl Logs {
    /// The query of a task that was there at the beginning, or of one that joined.
    fn query(&self, was_there: bool) -> String {
        let stream = [("stdout", self.stdout), ("stderr", self.stderr)].into_iter().find(|(_, only)| *only);
        let stream = stream.map(|(name, _)| format!("stream={name}"));
        let tail = self.tail.filter(|_| was_there).map(|lines| format!("tail={lines}"));
        let since = self.since.as_ref().filter(|_| was_there).map(|since| format!("since={}", encoded(since)));
        let all = [Some(format!("follow={}", self.follow)), stream, tail, since];
        all.into_iter().flatten().collect::<Vec<_>>().join("&")
    }
}

/// Prints all of a task. If it is followed, a scheduler that goes away is waited for.
async fn one(api: &Api, task: &str, logs: &Logs, shape: Shape) -> anyhow::Result<()> {
    let mut listener = Listener::open(api, task, &logs.query(true)).await?;
    loop {
        match listener.next().await? {
            Told::Line(said) => said.print(shape),
            Told::Gap(stream) => complaint(gap(task, &stream)),
            Told::Lost(reason) | Told::Refused(reason) if !logs.follow => bail!("its output broke off: {reason}"),
            Told::Lost(reason) => complaint(lost(&reason)),
            Told::Refused(reason) => complaint(refused(task, &reason)),
            Told::Back => complaint(BACK),
            Told::End(_) => return Ok(()),
        }
    }
}

const BACK: &str = "cygnet: the scheduler is back; what is followed goes on where it was";

fn lost(reason: &str) -> String {
    format!("cygnet: the scheduler is lost: {reason}; what is followed goes on when it is back")
}

fn refused(task: &str, reason: &str) -> String {
    format!("cygnet: {task}: {reason}; it is tried again")
}

fn gap(task: &str, stream: &str) -> String {
    format!("cygnet: {task}: some of its {stream} is missing here: it was rotated away before it was read")
}

/// The tasks of an app or pod, one after the other.
async fn print_all(api: &Api, logs: &Logs, whole: &Whole) -> anyhow::Result<()> {
    let shape = shape(api);
    let (mut failed, mut tasks) = (0, whole.tasks(api).await?);
    if tasks.is_empty() {
        tasks.extend(last_of_none(api, whole).await?);
    }
    for task in tasks {
        if let Err(error) = one(api, &task, logs, shape).await {
            failed += 1;
            complaint(format!("cygnet: {task}: {error:#}"));
        }
    }
    ensure!(failed == 0, "the output of {failed} tasks is not whole");
    Ok(())
}

/// The task to look at where none runs: the one that ended last. Which it is, or that there is none, is said.
async fn last_of_none(api: &Api, whole: &Whole) -> anyhow::Result<Option<String>> {
    let last = whole.ended(api).await?.into_iter().next();
    complaint(match &last {
        Some(task) => format!("cygnet: no task runs now; this is the one that ended last, {task}"),
        None => "cygnet: no task runs now".to_owned(),
    });
    Ok(last)
}

/// The shape in which several tasks are told apart.
fn shape(api: &Api) -> Shape {
    if api.json { Shape::Json } else { Shape::Marked }
}
