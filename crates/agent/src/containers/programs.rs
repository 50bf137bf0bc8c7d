//! The task that owns the containers: it starts, watches and signals their programs, and carries out what is decided of
//! them; see the module above.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use ::containers::cgroup::{Cgroup, MemoryReport};
use ::containers::provision::Provision;
use mesos::v1::ContainerId;
use processes::{Contained, End, Process, kill_marked};
use rustix::process::{Signal, pidfd_send_signal};
use shell::{Answer, Inbox};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::attach::AttachPoint;
use super::core::{ContainerAction, Containers, Running, Termination};
use super::launch::{self, Launcher, Started, StartedProgram};
use super::order::{Class, Order};
use super::record::{ContainerRecord, DISCARDED};
use super::room::changes;
use super::session;
use super::signals;
use super::switchboard::Switchboard;
use super::{AttachRefusal, ContainerRequest, Handle, KillRefusal, LaunchRefusal, Launched, Output};
use crate::{memory, sandbox};

/// News from the tasks that watch programs and launch them.
pub(crate) enum Progress {
    Launched(ContainerId, Result<Box<Started>, LaunchRefusal>, Answer<Result<Launched, LaunchRefusal>>),
    Ended(ContainerId, Termination),
    /// The client that launched a session is gone.
    Left(ContainerId),
}

/// The hold on a running program.
#[derive(Debug)]
enum Held {
    Task(Arc<Contained>),
    Session(OwnedFd, Switchboard),
}

impl Held {
    /// Ends it. A session's processes are one group, as long as none of them has left it.
    fn kill(&self) {
        match self {
            Held::Task(contained) => contained.signal_all(Signal::KILL),
            Held::Session(pidfd, _) => {
                let _gone = pidfd_send_signal(pidfd.as_fd(), Signal::KILL);
            }
        }
    }
}

pub(crate) struct Programs {
    pub(super) launcher: Launcher,
    handle: Handle,
    inbox: Inbox<ContainerRequest>,
    pub(super) containers: Containers,
    /// By container, as it is printed, for as long as it runs.
    running: BTreeMap<String, Held>,
    /// The words to give up starts that are under way.
    starting: BTreeMap<String, CancellationToken>,
}

impl Programs {
    pub(crate) fn new(launcher: Launcher, (handle, inbox): (Handle, Inbox<ContainerRequest>)) -> Programs {
        let (containers, running, starting) = (Containers::default(), BTreeMap::new(), BTreeMap::new());
        Programs { launcher, handle, inbox, containers, running, starting }
    }

    /// Ends with the last handle, or when it is told to finish.
    pub(crate) async fn run(mut self) {
        while let Some(request) = self.inbox.request().await {
            self.serve(request).await;
            self.carry_out().await;
            if self.containers.is_finished() {
                return;
            }
        }
    }

    async fn serve(&mut self, request: ContainerRequest) {
        match request {
            ContainerRequest::Launch(order, output, answer) => self.launch(*order, output, answer),
            ContainerRequest::Wait(id, answer) => self.containers.wait(&id, answer),
            ContainerRequest::Kill(id, signal, answer) => self.kill(id, signal, answer),
            ContainerRequest::Remove(id, answer) => {
                let removed = self.containers.remove(&id);
                self.carry_out().await;
                let _gone = answer.send(removed);
            }
            ContainerRequest::AttachOutput(id, output, answer) => {
                self.attach(&id, answer, |streams| streams.watch(output));
            }
            ContainerRequest::AttachInput(id, answer) => self.attach(&id, answer, AttachPoint::input),
            ContainerRequest::List(answer) => drop(answer.send(self.containers.list())),
            ContainerRequest::Destroy(root) => self.containers.destroy(&root),
            ContainerRequest::Finish { everything, done } => self.containers.finish(everything, done),
            ContainerRequest::Progress(Progress::Launched(id, launched, answer)) => {
                let result = self.launched(&id, launched).await;
                self.carry_out().await;
                let _gone = answer.send(result);
            }
            ContainerRequest::Progress(Progress::Ended(id, termination)) => {
                self.running.remove(&id.to_string());
                self.let_go(&id).await;
                self.containers.ended(&id, termination);
            }
            ContainerRequest::Progress(Progress::Left(id)) => self.containers.left(&id),
        }
    }

    pub(super) async fn carry_out(&mut self) {
        for action in self.containers.take_actions() {
            match action {
                ContainerAction::Kill(id) => self.running.get(&id.to_string()).into_iter().for_each(Held::kill),
                ContainerAction::GiveUp(id) => {
                    self.starting.get(&id.to_string()).into_iter().for_each(CancellationToken::cancel);
                }
                ContainerAction::RemoveSandbox(id) => self.remove_sandbox(&id).await,
                ContainerAction::Clear(id) => self.clear(&id).await,
                ContainerAction::KillLeftovers(root) => {
                    let mark = format!("{}/{root}.", self.launcher.layout.containers().display());
                    aside(move || {
                        kill_marked(|mark_of| mark_of.starts_with(&mark));
                        Ok(())
                    });
                }
            }
        }
    }

    fn launch(&mut self, order: Order, output: Option<Output>, answer: Answer<Result<Launched, LaunchRefusal>>) {
        let known = match self.containers.launch(&order) {
            Ok(known) => known,
            Err(result) => return drop(answer.send(result)),
        };
        let (launcher, handle) = (self.launcher.clone(), self.handle.clone());
        let over = launcher.provisioner.end().child_token();
        self.starting.insert(order.id.to_string(), over.clone());
        tokio::spawn(async move {
            let id = order.id.clone();
            let launched = launch::launch(&launcher, order, known, output, over).await.map(Box::new);
            let _ending = handle.send(ContainerRequest::Progress(Progress::Launched(id, launched, answer))).await;
        });
    }

    async fn launched(
        &mut self,
        id: &ContainerId,
        launched: Result<Box<Started>, LaunchRefusal>,
    ) -> Result<Launched, LaunchRefusal> {
        self.starting.remove(&id.to_string());
        match launched {
            Ok(started) => {
                self.started(id, *started).await;
                Ok(Launched::New)
            }
            Err(refusal) => {
                tracing::info!(container = %id, %refusal, "not launched");
                self.let_go(id).await;
                self.containers.refused(id);
                Err(refusal)
            }
        }
    }

    pub(super) async fn started(&mut self, id: &ContainerId, started: Started) {
        let Started { program, sandbox, resources } = started;
        let (class, process, held) = match program {
            StartedProgram::Over(end) => {
                self.let_go(id).await;
                return self.containers.ended(id, termination(end));
            }
            StartedProgram::Task(contained) => {
                let (process, held) = self.watch_task(id, contained);
                (Class::Task, process, held)
            }
            StartedProgram::Session(started, output) => {
                let process = started.process;
                let Ok(held) = self.watch_session(id, started, output) else {
                    aside(move || {
                        processes::kill_tree(process);
                        Ok(())
                    });
                    return self.containers.failed(id);
                };
                (Class::Session, process, held)
            }
        };
        self.running.insert(id.to_string(), held);
        self.containers.started(id, Running { class, process, sandbox, resources });
    }

    fn watch_task(&self, id: &ContainerId, contained: Contained) -> (Process, Held) {
        let process = contained.process();
        let contained = Arc::new(contained);
        let (watched, handle, id) = (contained.clone(), self.handle.clone(), id.clone());
        let cgroup = self.launcher.cgroups.as_ref().map(|cgroups| cgroups.own(&id)).filter(Cgroup::exists);
        tokio::spawn(async move {
            let ended = end_of(&watched, cgroup).await;
            let _ending = handle.send(ContainerRequest::Progress(Progress::Ended(id, ended))).await;
        });
        (process, Held::Task(contained))
    }

    fn watch_session(&self, id: &ContainerId, started: session::Session, output: Option<Output>) -> io::Result<Held> {
        let left = {
            let (handle, id) = (self.handle.clone(), id.clone());
            move || drop(tokio::spawn(async move { handle.send(ContainerRequest::Progress(Progress::Left(id))).await }))
        };
        let (process, pidfd) = (started.process, started.pidfd);
        let own = pidfd.try_clone()?;
        let switchboard = Switchboard::start(started.streams, output, left)?;
        let (handle, id, streams) = (self.handle.clone(), id.clone(), switchboard.clone());
        tokio::spawn(async move {
            let status = processes::group_ended(pidfd, process).await;
            streams.ended();
            let end = status.map_or_else(|| End::Unknown("Nobody can tell how it ended".to_owned()), End::Status);
            let _ending = handle.send(ContainerRequest::Progress(Progress::Ended(id, termination(end)))).await;
        });
        Ok(Held::Session(own, switchboard))
    }

    fn kill(&mut self, id: ContainerId, number: i32, answer: Answer<Result<(), KillRefusal>>) {
        let sent = match (signals::signal(number), self.running.get(&id.to_string())) {
            _ if self.containers.doom(&id) => Ok(()),
            _ if self.containers.is_over(&id) => Err(KillRefusal::Unknown),
            (Err(refusal), _) => Err(refusal),
            (Ok(signal), Some(Held::Task(contained))) => {
                contained.process().signal(signal);
                Ok(())
            }
            (Ok(signal), Some(Held::Session(pidfd, _))) => signals::send(pidfd, signal),
            (Ok(signal), None) => {
                let sent = signals::send_by_books(self.launcher.actor.clone(), id, signal);
                tokio::spawn(async move { answer.send(sent.await) });
                return;
            }
        };
        let _gone = answer.send(sent);
    }

    /// Attaches in a task of its own: a shim may take its time.
    fn attach<T: Send + 'static, F: Future<Output = Result<T, AttachRefusal>> + Send>(
        &self,
        id: &ContainerId,
        answer: Answer<Result<T, AttachRefusal>>,
        attach: impl FnOnce(AttachPoint) -> F + Send + 'static,
    ) {
        let streams = match self.running.get(&id.to_string()) {
            Some(Held::Session(_, switchboard)) => AttachPoint::Session(switchboard.clone()),
            Some(Held::Task(_)) => AttachPoint::Shim(self.launcher.layout.container(id)),
            None if self.containers.is_over(id) => return drop(answer.send(Err(AttachRefusal::Over))),
            None => AttachPoint::Executor(self.launcher.actor.clone(), id.clone()),
        };
        tokio::spawn(async move { answer.send(attach(streams).await) });
    }

    /// Lets go of what a container needs only while it runs: a cgroup of its own, with the processes that are left there,
    /// its images, and what it has changed of those.
    pub(super) async fn let_go(&self, id: &ContainerId) {
        if let Some(cgroups) = self.launcher.removable.clone() {
            let cgroup = cgroups.own(id);
            tokio::spawn(async move { cgroups.destroy(cgroup).await });
        }
        let directory = self.launcher.layout.container(id);
        // The images are let go only after nobody would look for them any more.
        let (changes, forgetting) = (changes(&directory), directory.clone());
        // One that panicked has logged it.
        let forgotten = spawn_blocking(move || Provision::forget(&forgetting)).await.unwrap_or(Ok(false));
        let had_any = forgotten.unwrap_or_else(|error| {
            let directory = directory.display();
            tracing::warn!(%directory, %error, "what was made ready for a container that is over cannot be cleared away");
            true
        });
        if had_any {
            self.launcher.provisioner.let_go(id).await;
            aside(move || if changes.exists() { processes::remove_tree(&changes) } else { Ok(()) });
        }
    }

    /// A session has no sandbox of its own.
    async fn remove_sandbox(&self, id: &ContainerId) {
        let directory = self.launcher.layout.container(id);
        if let Ok(Ok(record)) = spawn_blocking(move || ContainerRecord::read(&directory)).await {
            aside(move || sandbox::remove(&record.sandbox));
        }
    }

    /// The directory has another name before anything else happens, and is gone some time later.
    async fn clear(&self, id: &ContainerId) {
        let layout = &self.launcher.layout;
        let discarded = layout.containers().join(format!("{DISCARDED}{}", uuid::Uuid::new_v4()));
        let (directory, away) = (layout.container(id), discarded.clone());
        if spawn_blocking(move || fs::rename(directory, away)).await.is_ok_and(|renamed| renamed.is_ok()) {
            aside(move || processes::remove_tree(&discarded));
        }
    }
}

/// Runs clean-up on a thread that may block, without waiting for it. What somebody else has cleared away meanwhile, as when a
/// container that has just ended is removed, is no fault.
fn aside(work: impl FnOnce() -> io::Result<()> + Send + 'static) {
    spawn_blocking(move || match work() {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "what is left of a container cannot be cleared away");
        }
        _gone => {}
    });
}

/// The end of a task. One that the kernel killed a process of for want of memory is over, and that is why.
async fn end_of(contained: &Contained, cgroup: Option<Cgroup>) -> Termination {
    let Some(cgroup) = cgroup else { return termination(contained.ended().await) };
    let mut ran_out = None;
    let kill = async |report| {
        contained.signal_all(Signal::KILL);
        ran_out = Some(report);
    };
    let end = memory::watched(&cgroup, contained.ended(), kill).await;
    let known = ran_out.map(|report: MemoryReport| (Some(report.message()), Some(report.limitation())));
    match known {
        Some((message, limitation)) => Termination { message, limitation, ..termination(end) },
        None => termination(end),
    }
}

pub(super) fn termination(end: End) -> Termination {
    match end {
        End::Status(status) => Termination { status: Some(status.as_raw()), ..Termination::default() },
        End::NotStarted(why) | End::Unknown(why) => Termination { message: Some(why), ..Termination::default() },
    }
}
