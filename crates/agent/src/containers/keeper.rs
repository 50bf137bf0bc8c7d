//! The task that owns the book; see the module above.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use executor::contained::{Contained, End};
use fetcher::Fetcher;
use mesos::v1::{ContainerId, Resource};
use rustix::process::{Signal, pidfd_send_signal};
use shell::{Answer, Inbox};
use tokio::task::spawn_blocking;

use super::attach::Streams;
use super::book::{Book, Termination, is_below};
use super::launch::{self, Program, Running};
use super::order::{Class, Order};
use super::parent::Parent;
use super::record::Record;
use super::recovery::DISCARDED;
use super::signals;
use super::switchboard::Switchboard;
use super::{AttachRefusal, Handle, KillRefusal, LaunchRefusal, Launched, Listed, Output, Request};
use crate::handle;
use crate::layout::Layout;
use crate::processes::{self, Process, WaitStatus, kill_marked};
use crate::sandbox;

/// What does not change.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) executor_binary: PathBuf,
    /// What task containers find in their environment.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) switch_user: bool,
}

/// What launches need.
#[derive(Debug, Clone)]
pub(super) struct Surround {
    pub(super) settings: Settings,
    pub(super) layout: Layout,
    pub(super) fetcher: Fetcher,
    pub(super) actor: handle::Handle,
}

/// News from the keeper's own tasks.
pub(crate) enum Progress {
    Launched(ContainerId, Result<Box<Running>, LaunchRefusal>, Answer<Result<Launched, LaunchRefusal>>),
    Ended(ContainerId, End),
    /// Whoever launched a session is gone.
    Left(ContainerId),
}

/// What holds a running container.
#[derive(Debug)]
pub(super) struct Hold {
    process: Process,
    program: Held,
    sandbox: PathBuf,
    resources: Vec<Resource>,
}

#[derive(Debug)]
enum Held {
    Task(Arc<Contained>),
    Session(Arc<OwnedFd>, Switchboard),
}

impl Hold {
    /// Ends it. A session's processes are one group, as long as none of them has left it.
    fn end(&self) {
        match &self.program {
            Held::Task(contained) => contained.kill(),
            Held::Session(pidfd, _) => {
                let _gone = pidfd_send_signal(pidfd.as_fd(), Signal::KILL);
            }
        }
    }
}

/// See the module's words.
pub(crate) struct Keeper {
    pub(super) around: Surround,
    handle: Handle,
    inbox: Inbox<Request>,
    pub(super) book: Book<Hold>,
    /// Those in which there have been sessions: what these started may have left their groups.
    joined: BTreeSet<String>,
    /// Waits until nothing runs that must not.
    finishing: Option<(bool, Answer<()>)>,
}

impl Keeper {
    pub(crate) fn new(
        settings: Settings,
        layout: Layout,
        fetcher: Fetcher,
        actor: handle::Handle,
        (handle, inbox): (Handle, Inbox<Request>),
    ) -> Keeper {
        let around = Surround { settings, layout, fetcher, actor };
        Keeper { around, handle, inbox, book: Book::default(), joined: BTreeSet::new(), finishing: None }
    }

    /// Ends with the last handle, or when it is told to finish.
    pub(crate) async fn run(mut self) {
        while let Some(request) = self.inbox.request().await {
            self.serve(request);
            if self.is_finished() {
                return;
            }
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Launch(order, output, answer) => self.launch(*order, output, answer),
            Request::Wait(id, answer) => self.book.wait(&id, answer),
            Request::Kill(id, signal, answer) => self.kill(id, signal, answer),
            Request::Remove(id, answer) => {
                let removed = self.book.remove(&id);
                if removed == Ok(true) {
                    self.remove_sandbox(&id);
                    self.clear(&id);
                    self.destroy(&id);
                }
                let _gone = answer.send(removed.map(drop));
            }
            Request::AttachOutput(id, output, answer) => {
                self.attach(&id, answer, |streams| streams.watch(output));
            }
            Request::AttachInput(id, answer) => self.attach(&id, answer, Streams::input),
            Request::List(answer) => drop(answer.send(self.list())),
            Request::Destroy(root) => self.destroy(&root),
            Request::Finish { everything, done } => self.finish(everything, done),
            Request::Progress(progress) => self.progressed(progress),
        }
    }

    fn launch(&mut self, order: Order, output: Option<Output>, answer: Answer<Result<Launched, LaunchRefusal>>) {
        let id = order.id.clone();
        if self.finishing.is_some() {
            return drop(answer.send(Err(LaunchRefusal::Order("The agent is shutting down".to_owned()))));
        }
        if !self.book.begin(&id) {
            return drop(answer.send(Ok(Launched::Already)));
        }
        if order.class == Class::Session {
            self.joined.insert(id.root().to_string());
        }
        let known = id.parent.as_deref().and_then(|parent| self.book.running(parent));
        let known = known.map(|hold| Parent { sandbox: hold.sandbox.clone(), main: Some(hold.process), user: None });
        let (around, handle) = (self.around.clone(), self.handle.clone());
        tokio::spawn(async move {
            let launched = launch::launch(&around, order, known, output).await.map(Box::new);
            handle.say(Request::Progress(Progress::Launched(id, launched, answer))).await;
        });
    }

    fn progressed(&mut self, progress: Progress) {
        match progress {
            Progress::Launched(id, Ok(running), answer) => {
                self.started(&id, *running);
                drop(answer.send(Ok(Launched::New)));
            }
            Progress::Launched(id, Err(refusal), answer) => {
                tracing::info!(container = %id, %refusal, "not launched");
                self.book.failed(&id);
                self.clear(&id);
                drop(answer.send(Err(refusal)));
            }
            Progress::Ended(id, end) => self.ended(&id, end),
            Progress::Left(id) => {
                if let Some(hold) = self.book.running(&id) {
                    hold.end();
                } else {
                    self.book.doom(&id);
                }
            }
        }
    }

    pub(super) fn started(&mut self, id: &ContainerId, running: Running) {
        let Running { program, sandbox, resources } = running;
        let held = match program {
            Program::Task(contained) => self.watch_task(id, contained),
            Program::Over(end) => return self.ended(id, end),
            Program::Session(started, output) => self.watch_session(id, started, output),
        };
        let Some((process, program)) = held else { return self.book.failed(id) };
        if let Some(doomed) = self.book.started(id, Hold { process, program, sandbox, resources }) {
            doomed.end();
        }
    }

    fn watch_task(&self, id: &ContainerId, contained: Contained) -> Option<(Process, Held)> {
        let (pid, start) = contained.process();
        let contained = Arc::new(contained);
        let (watched, handle, id) = (contained.clone(), self.handle.clone(), id.clone());
        tokio::spawn(async move {
            let end = watched.ended().await;
            handle.say(Request::Progress(Progress::Ended(id, end))).await;
        });
        Some((Process { pid, start }, Held::Task(contained)))
    }

    fn watch_session(
        &self,
        id: &ContainerId,
        started: super::session::Started,
        output: Option<Output>,
    ) -> Option<(Process, Held)> {
        let left = {
            let (handle, id) = (self.handle.clone(), id.clone());
            move || drop(tokio::spawn(async move { handle.say(Request::Progress(Progress::Left(id))).await }))
        };
        let (process, pidfd) = (started.process, started.pidfd);
        let own = pidfd.try_clone().map(Arc::new);
        let board = Switchboard::start(started.streams, output, left);
        let (Ok(own), Ok(board)) = (own, board) else {
            processes::kill_tree(process);
            return None;
        };
        let (handle, id, streams) = (self.handle.clone(), id.clone(), board.clone());
        tokio::spawn(async move {
            let status = processes::group_ended(pidfd, process).await.map(WaitStatus::as_raw);
            streams.ended();
            let end = status.map_or_else(|| End::Unknown("Nobody can tell how it ended".to_owned()), End::Status);
            handle.say(Request::Progress(Progress::Ended(id, end))).await;
        });
        Some((process, Held::Session(own, board)))
    }

    /// What is nested in it goes with it.
    fn ended(&mut self, id: &ContainerId, end: End) {
        self.book.running_below(id).into_iter().for_each(Hold::end);
        if self.book.ended(id, termination(end)) {
            self.clear(id);
        }
    }

    fn kill(&mut self, id: ContainerId, number: i32, answer: Answer<Result<(), KillRefusal>>) {
        if self.book.doom(&id) {
            return drop(answer.send(Ok(())));
        }
        let known = self.book.running(&id).map(|hold| &hold.program);
        let sent = match (signals::signal(number), known) {
            _ if self.book.is_over(&id) => Err(KillRefusal::Unknown),
            (Err(refusal), _) => Err(refusal),
            (Ok(signal), Some(Held::Task(contained))) => {
                contained.signal(signal);
                Ok(())
            }
            (Ok(signal), Some(Held::Session(pidfd, _))) => signals::send(pidfd, signal),
            (Ok(signal), None) => {
                let sent = signals::send_by_books(self.around.actor.clone(), id, signal);
                tokio::spawn(async move { answer.send(sent.await) });
                return;
            }
        };
        let _gone = answer.send(sent);
    }

    /// A shim may take its time, and nobody else has to wait for it.
    fn attach<T: Send + 'static, F: Future<Output = Result<T, AttachRefusal>> + Send>(
        &self,
        id: &ContainerId,
        answer: Answer<Result<T, AttachRefusal>>,
        attach: impl FnOnce(Streams) -> F + Send + 'static,
    ) {
        let streams = match self.book.running(id).map(|hold| &hold.program) {
            Some(Held::Session(_, switchboard)) => Streams::Session(switchboard.clone()),
            Some(Held::Task(_)) => Streams::Shim(self.around.layout.container(id)),
            None if self.book.is_over(id) => return drop(answer.send(Err(AttachRefusal::Over))),
            None => Streams::Executor(self.around.actor.clone(), id.clone()),
        };
        tokio::spawn(async move { answer.send(attach(streams).await) });
    }

    fn list(&self) -> Vec<Listed> {
        let listed = |(id, hold): (&ContainerId, Option<&Hold>)| Listed {
            id: id.clone(),
            process: hold.map(|hold| hold.process),
            resources: hold.map(|hold| hold.resources.clone()).unwrap_or_default(),
        };
        self.book.alive().map(listed).collect()
    }

    fn destroy(&mut self, root: &ContainerId) {
        let (gone, running) = self.book.orphan(|id| id == root || is_below(id, root));
        running.into_iter().for_each(Hold::end);
        gone.iter().for_each(|id| self.clear(id));
        if self.joined.remove(&root.to_string()) {
            let mark = format!("{}/{root}.", self.around.layout.containers().display());
            tokio::spawn(spawn_blocking(move || kill_marked(|mark_of| mark_of.starts_with(&mark))));
        }
    }

    fn finish(&mut self, everything: bool, done: Answer<()>) {
        let alive = self.book.alive().filter_map(|(_, hold)| hold);
        alive.filter(|hold| everything || matches!(hold.program, Held::Session(..))).for_each(Hold::end);
        self.finishing = Some((everything, done));
    }

    fn is_finished(&mut self) -> bool {
        let Some((everything, _)) = self.finishing else { return false };
        let mut alive = self.book.alive();
        let lasting = |hold: Option<&Hold>| hold.is_some_and(|hold| matches!(hold.program, Held::Task(_)));
        alive.all(|(_, hold)| !everything && lasting(hold))
    }

    /// What it left in a sandbox of its own goes too. A session has none.
    fn remove_sandbox(&self, id: &ContainerId) {
        if let Ok(record) = Record::read(&self.around.layout.container(id)) {
            tokio::spawn(spawn_blocking(move || sandbox::remove(&record.sandbox)));
        }
    }

    /// Nothing of it is needed any more, but what it left in its sandbox.
    fn clear(&self, id: &ContainerId) {
        let layout = &self.around.layout;
        let discarded = layout.containers().join(format!("{DISCARDED}{}", uuid::Uuid::new_v4()));
        // Its name may be taken anew at once.
        if fs::rename(layout.container(id), &discarded).is_ok() {
            tokio::spawn(spawn_blocking(move || fs::remove_dir_all(&discarded)));
        }
    }
}

pub(super) fn termination(end: End) -> Termination {
    match end {
        End::Status(status) => Termination { status: Some(status), message: None },
        End::NotStarted(why) | End::Unknown(why) => Termination { status: None, message: Some(why) },
    }
}
