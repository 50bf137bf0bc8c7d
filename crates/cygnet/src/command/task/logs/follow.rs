//! All tasks of an app or a pod as they write, until it is gone and they have ended. The event stream says which there are,
//! so that none is too short-lived to be heard; who is heard when, [`Chains`] know.
//!
//! In: events, and what the tasks write. Out: lines with their tasks, and on standard error how tasks ended and what is
//! next. Owns a tokio task for each task that is listened to, whose lines come by one channel, and one for the event stream:
//! lines may come faster than that can be opened again.

use serde_json::Value;
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinSet;

use super::chains::Chains;
use super::listener::{Listener, Told};
use super::said::{Shape, mark};
use super::{BACK, Logs, gap, last_of_none, lost, refused, shape};
use crate::api::Api;
use crate::api::events::{Event, of_types};
use crate::api::kept::{Heard, Kept};
use crate::command::table::{state, text};
use crate::command::task::members::Whole;
use crate::command::why::{Style, how_it_ended, next};
use crate::output::complaint;

/// The events that tell of tasks, and those after which the app may be gone.
const TYPES: [&str; 4] = ["status_update_event", "deployment_success", "deployment_failed", "app_terminated_event"];

/// Lines that wait to be printed.
const QUEUED: usize = 256;

/// A task, and what is told of its output.
type FromTask = (String, anyhow::Result<Told>);

/// See the module.
pub(super) async fn follow(api: &Api, logs: &Logs, whole: &Whole) -> anyhow::Result<()> {
    let events = Kept::open(api, of_types(&TYPES)).await?;
    let (happens, mut happening) = mpsc::channel(QUEUED);
    let mut hearing = JoinSet::new();
    hearing.spawn(hear(events, happens));
    let (sender, mut heard) = mpsc::channel(QUEUED);
    let mut follower = Follower {
        api,
        logs,
        whole,
        shape: shape(api),
        chains: Chains::default(),
        is_there: true,
        sender,
        listeners: JoinSet::new(),
    };
    follower.begin().await?;
    while follower.is_there || !follower.chains.is_idle() {
        tokio::select! {
            Some((task, told)) = heard.recv() => follower.told(&task, told).await,
            Some(happened) = happening.recv() => follower.happened(happened?).await,
            Some(_) = follower.listeners.join_next() => {}
        }
    }
    Ok(())
}

struct Follower<'a> {
    api: &'a Api,
    logs: &'a Logs,
    whole: &'a Whole,
    shape: Shape,
    chains: Chains,
    /// False once the app is known to be gone.
    is_there: bool,
    sender: Sender<FromTask>,
    listeners: JoinSet<()>,
}

impl Follower<'_> {
    /// Listens to the tasks that run, or to the one that ended last if none does.
    async fn begin(&mut self) -> anyhow::Result<()> {
        let (mut ended, mut tasks) = (self.whole.ended(self.api).await?, self.whole.tasks(self.api).await?);
        if tasks.is_empty() {
            tasks.extend(last_of_none(self.api, self.whole).await?);
        }
        ended.retain(|task| !tasks.contains(task));
        ended.iter().for_each(|task| self.chains.skip(task));
        tasks.into_iter().for_each(|task| self.there_is(task, true));
        Ok(())
    }

    /// Looks for tasks of which no event may have told.
    async fn look(&mut self) {
        let (Ok(ended), Ok(tasks)) = (self.whole.ended(self.api).await, self.whole.tasks(self.api).await) else {
            self.is_there = self.whole.exists(self.api).await;
            return;
        };
        ended.into_iter().rev().chain(tasks).for_each(|task| self.there_is(task, false));
    }

    fn there_is(&mut self, task: String, was_there: bool) {
        if self.chains.add(&task) {
            self.listen(task, was_there);
        }
    }

    fn listen(&mut self, task: String, was_there: bool) {
        let listener = Listener::patient(self.api, &task, &self.logs.query(was_there));
        self.listeners.spawn(listen(listener, task, self.sender.clone()));
    }

    async fn happened(&mut self, heard: Heard) {
        match heard {
            Heard::Event(event) => self.event(&event).await,
            Heard::Lost(reason) | Heard::Refused(reason) => complaint(lost(&reason)),
            Heard::Again { was_lost } => {
                if was_lost {
                    complaint(BACK);
                }
                self.look().await;
            }
        }
    }

    async fn event(&mut self, event: &Event) {
        if event.kind != TYPES[0] {
            self.is_there = self.whole.exists(self.api).await;
        } else if event.data["appId"] == self.whole.id() && event.data["taskStatus"] != "TASK_KILLED" {
            self.there_is(text(&event.data["taskId"]), false);
        }
    }

    async fn told(&mut self, task: &str, told: anyhow::Result<Told>) {
        match told {
            Ok(Told::Line(said)) => said.print(self.shape),
            Ok(Told::Gap(stream)) => complaint(gap(task, &stream)),
            Ok(Told::Refused(reason)) => complaint(refused(task, &reason)),
            // The event stream has lost the scheduler, too, and says so.
            Ok(Told::Lost(_) | Told::Back) => {}
            Ok(Told::End(ended)) => self.ended(task, &ended).await,
            Err(error) => {
                complaint(format!("cygnet: {task}: {error:#}"));
                // It may have ended before it could write anything.
                let ended = self.whole.end_of(self.api, task).await.ok().flatten();
                self.ended(task, &ended.unwrap_or_default()).await;
            }
        }
    }

    /// Nothing more comes of a task: says how it ended, if nobody asked for that, and listens to the next one.
    async fn ended(&mut self, task: &str, ended: &Value) {
        if !ended.is_null() {
            let next = self.whole.next_of(self.api, task).await.ok().flatten();
            complaint(words(task, ended, next.as_ref()));
        }
        if let Some(next) = self.chains.over(task) {
            self.listen(next, false);
        }
    }
}

async fn hear(mut events: Kept, happens: Sender<anyhow::Result<Heard>>) {
    loop {
        let heard = events.next().await;
        let is_over = heard.is_err();
        if happens.send(heard).await.is_err() || is_over {
            return;
        }
    }
}

async fn listen(mut listener: Listener, task: String, sender: Sender<FromTask>) {
    loop {
        let told = listener.next().await;
        let is_over = matches!(told, Ok(Told::End(_)) | Err(_));
        if sender.send((task.clone(), told)).await.is_err() || is_over {
            return;
        }
    }
}

/// The end of a task that nobody asked for, and what comes after it.
fn words(task: &str, ended: &Value, action: Option<&Value>) -> String {
    let how = Some(how_it_ended(ended)).filter(|how| !how.is_empty()).unwrap_or_else(|| state(&ended["state"]));
    let action = action.filter(|action| !action.is_null());
    let then = action.map_or_else(String::new, |action| format!(", which {}", next(action, Style::Clock)));
    format!("cygnet: {} ended: {how}; the next one is waited for{then}", mark(task))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_end_is_told_with_its_status_and_what_is_waited_for() {
        let task = "web.instance-0123456789ab._app.2";
        let ended = json!({"state": "TASK_FAILED", "message": "Command exited with status 3", "exitStatus": 3});
        let next =
            json!({"kind": "launch", "text": "is launched again after 2 failures", "at": "2030-01-02T10:20:30.123Z"});
        assert_eq!(
            words(task, &ended, Some(&next)),
            "cygnet: 01234567.2 ended: Command exited with status 3; the next one is waited for, which is launched again \
             after 2 failures, at 10:20:30 UTC"
        );
        let ended = json!({"state": "TASK_LOST"});
        assert_eq!(words(task, &ended, None), "cygnet: 01234567.2 ended: lost; the next one is waited for");
    }
}
