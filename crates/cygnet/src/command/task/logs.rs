//! `cygnet task logs`: what a task wrote, or what all tasks of an app or pod did, through the scheduler. Followed to the
//! end of the task, or of the app; tasks that start meanwhile are heard, too.
//!
//! [`said`] is what comes of one task.

mod said;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::said::{Listener, Said, Shape};
use super::ids;
use super::members::Whole;
use crate::api::{Api, encoded};
use crate::output::complaint;

/// The time between two looks for tasks that are new.
const LOOK: Duration = Duration::from_secs(1);

/// Lines that wait to be printed.
const QUEUED: usize = 256;

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
        Some(whole) if logs.follow => follow_all(api, logs, &whole).await,
        Some(whole) => print_all(api, logs, &whole).await,
        None => {
            let task = ids::known(api, &logs.id).await?;
            let shape = if api.json { Shape::Json } else { Shape::Plain };
            one(api, &task, &logs.query(true), |said| said.print(shape)).await
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

/// Hears all of a task.
async fn one(api: &Api, task: &str, query: &str, mut heard: impl FnMut(&Said)) -> anyhow::Result<()> {
    let mut listener = Listener::open(api, task, query).await?;
    while let Some(said) = listener.next().await? {
        heard(&said);
    }
    Ok(())
}

/// The tasks of an app or pod, one after the other.
async fn print_all(api: &Api, logs: &Logs, whole: &Whole) -> anyhow::Result<()> {
    let shape = shape(api);
    let (mut failed, mut tasks) = (0, whole.tasks(api).await?);
    if tasks.is_empty() {
        tasks.extend(last_of_none(api, whole).await?);
    }
    for task in tasks {
        if let Err(error) = one(api, &task, &logs.query(true), |said| said.print(shape)).await {
            failed += 1;
            complaint(format!("cygnet: {task}: {error:#}"));
        }
    }
    ensure!(failed == 0, "the output of {failed} tasks is not whole");
    Ok(())
}

/// The task to look at where none runs: the one that ended last. Which it is, or that there is none, is said.
async fn last_of_none(api: &Api, whole: &Whole) -> anyhow::Result<Option<String>> {
    let last = whole.last_ended(api).await?;
    complaint(match &last {
        Some(task) => format!("cygnet: no task runs now; this is the one that ended last, {task}"),
        None => "cygnet: no task runs now".to_owned(),
    });
    Ok(last)
}

/// The tasks of an app or pod, as they write, until it is gone and they have ended.
async fn follow_all(api: &Api, logs: &Logs, whole: &Whole) -> anyhow::Result<()> {
    let (shape, mut known, mut listeners) = (shape(api), BTreeSet::new(), JoinSet::new());
    let (sender, mut heard) = mpsc::channel::<Said>(QUEUED);
    let mut look = tokio::time::interval(LOOK);
    let (mut was_there, mut is_there) = (true, true);
    while is_there || !listeners.is_empty() {
        tokio::select! {
            Some(said) = heard.recv() => said.print(shape),
            _ = listeners.join_next(), if !listeners.is_empty() => {}
            _ = look.tick() => {
                // A scheduler that does not answer may be back.
                let Ok(tasks) = whole.tasks(api).await else { is_there = whole.exists(api).await; continue };
                for task in tasks.into_iter().filter(|task| known.insert(task.clone())) {
                    listeners.spawn(listen(api.clone(), task, logs.query(was_there), sender.clone()));
                }
                was_there = false;
            }
        }
    }
    while let Ok(said) = heard.try_recv() {
        said.print(shape);
    }
    Ok(())
}

async fn listen(api: Api, task: String, query: String, heard: mpsc::Sender<Said>) {
    let all = async {
        let mut listener = Listener::open(&api, &task, &query).await?;
        while let Some(said) = listener.next().await? {
            heard.send(said).await?;
        }
        anyhow::Ok(())
    };
    if let Err(error) = all.await {
        complaint(format!("cygnet: {task}: {error:#}"));
    }
}

/// The shape in which several tasks are told apart.
fn shape(api: &Api) -> Shape {
    if api.json { Shape::Json } else { Shape::Marked }
}
