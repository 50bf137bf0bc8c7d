//! Work that takes longer than the actor may wait: making sandboxes, starting and killing processes, clearing away.
//!
//! Comes in: [`Job`]s over one channel, done one after the other in their order, so that nothing is cleared away before
//! it was used. Only fetching takes its own time: a slow server holds up nobody else. Goes out: what became of a sandbox
//! or a process, to the actor. Owns: one tokio task, and one for each sandbox that is being filled; what waits for the
//! disk or for processes is done on threads that may.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fetcher::Fetcher;
use processes::Credentials;
use processes::contained::kill_run;
use processes::{Logged, Process, kill_tree};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::core::{Job, Preparation, SandboxError, StartError};
use crate::handle::{Handle, Request};
use crate::layout::Layout;
use crate::strangers::Strangers;
use crate::{containers, sandbox};

/// Sandboxes that are filled at the same time. More wait.
const FETCHES: usize = 16;

/// The jobs that wait, and the task that does them.
#[derive(Debug)]
pub(crate) struct Jobs {
    jobs: Option<mpsc::UnboundedSender<Job>>,
    worker: Option<JoinHandle<()>>,
}

impl Jobs {
    pub(crate) fn start(layout: Layout, actor: Handle, containers: containers::Handle, fetcher: Fetcher) -> Jobs {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let worker = Worker { layout, actor, containers, fetcher, places: Arc::new(Semaphore::new(FETCHES)) };
        Jobs { jobs: Some(jobs), worker: Some(tokio::spawn(worker.run(inbox))) }
    }

    pub(crate) fn add(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The worker ends only when told to.
            let _ = jobs.send(job);
        }
    }

    /// Waits until everything is done.
    pub(crate) async fn finish(&mut self) {
        self.jobs = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.await;
        }
    }
}

#[derive(Debug, Clone)]
struct Worker {
    layout: Layout,
    actor: Handle,
    containers: containers::Handle,
    fetcher: Fetcher,
    places: Arc<Semaphore>,
}

impl Worker {
    async fn run(self, mut inbox: mpsc::UnboundedReceiver<Job>) {
        while let Some(job) = inbox.recv().await {
            match job {
                Job::Prepare(preparation) => self.prepare(preparation).await,
                Job::Start(owner, program, user) => {
                    if let Ok(result) = spawn_blocking(move || start(*program, user.as_deref())).await {
                        self.say(Request::Started(owner, result));
                    }
                }
                Job::DestroyContainers(root) => self.containers.destroy(root).await,
                Job::EndStrangers(known, patience) => {
                    let layout = self.layout.clone();
                    let find = move || Strangers::find(&layout.executor_states(), &layout.pools(), &known);
                    if let Ok(strangers) = spawn_blocking(find).await {
                        tokio::spawn(end_later(strangers, patience));
                    }
                }
                job => {
                    let layout = self.layout.clone();
                    // One that panicked has logged it.
                    let _done = spawn_blocking(move || clear(&layout, job)).await;
                }
            }
        }
    }

    async fn prepare(&self, preparation: Box<Preparation>) {
        let (layout, wanted) = (self.layout.clone(), preparation.clone());
        match spawn_blocking(move || sandbox::make(&layout, &wanted)).await {
            Ok(Ok(user)) => drop(tokio::spawn(self.clone().fill(preparation, user))),
            Ok(Err(error)) => self.say(Request::Prepared(preparation, Err(error))),
            Err(_panicked) => {}
        }
    }

    async fn fill(self, preparation: Box<Preparation>, user: Option<Credentials>) {
        let _place = if preparation.items.is_empty() { None } else { self.places.acquire().await.ok() };
        let (directory, items) = (preparation.directory.clone(), preparation.items.clone());
        let filled = sandbox::fill(&self.fetcher, directory, items, user).await;
        let container = preparation.container.clone();
        let result = filled.map_err(|error| SandboxError::Fetch { container, reason: error.to_string() });
        // An actor that is about to end reads no more.
        let _ = self.actor.send(Request::Prepared(preparation, result)).await;
    }

    /// An actor that is about to end reads no more; nobody may wait for it.
    fn say(&self, request: Request) {
        let actor = self.actor.clone();
        tokio::spawn(async move {
            let _ = actor.send(request).await;
        });
    }
}

fn start(mut program: Logged, user: Option<&str>) -> Result<(Process, OwnedFd), StartError> {
    let credentials = user.map_or(Ok(None), Credentials::to_become);
    program.program.user = credentials.map_err(|error| StartError::User(error.to_string()))?;
    let failed = |error: io::Error| StartError::Spawn { path: program.program.path.clone(), reason: error.to_string() };
    program.start().map_err(failed)
}

fn clear(layout: &Layout, job: Job) {
    match job {
        Job::KillTree(process) => kill_tree(process),
        Job::KillRun(container) => kill_run(&layout.executor_state(&container)),
        Job::Retire(directory) => sandbox::touch(&directory),
        Job::RemoveState(container) => remove(&layout.executor_state(&container)),
        Job::Sweep(live) => sweep(layout, &live),
        Job::LinkName(agent) => {
            if let Err(error) = layout.link_agent(&agent) {
                tracing::warn!(%error, "cannot link the agent's id");
            }
        }
        // These are not a matter of one thread alone.
        Job::Prepare(_) | Job::Start(..) | Job::DestroyContainers(_) | Job::EndStrangers(..) => {}
    }
}

async fn end_later(strangers: Strangers, patience: Duration) {
    if !strangers.is_empty() {
        tracing::warn!(%strangers, ?patience, "not in the books of this agent; they are told to end, then killed");
        tokio::time::sleep(patience).await;
        // Nobody waits for it: an agent that ends meanwhile leaves it to the next one.
        let _ended = spawn_blocking(move || strangers.end()).await;
    }
}

fn sweep(layout: &Layout, live: &BTreeSet<String>) {
    let entries = fs::read_dir(layout.executor_states()).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_str().is_none_or(|name| !live.contains(name))) {
        kill_run(&entry.path());
        remove(&entry.path());
    }
}

fn remove(directory: &Path) {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(directory = %directory.display(), %error, "cannot clear away");
        }
        _ => {}
    }
}
