//! What takes longer than the actor may wait: making sandboxes, killing trees of processes, clearing away.
//!
//! Comes in: [`Chore`]s over one channel, carried out one after the other in their order, so that nothing is cleared
//! away before it was used. Only fetching takes its own time: a slow server holds up nobody else. Goes out: what became
//! of a sandbox, to the actor. Owns: one tokio task, and one for each sandbox that is being filled.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use executor::sandbox;
use fetcher::{Fetcher, Want};
use mesos::v1::{AgentId, ContainerId};
use processes::Credentials;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::actor::{Handle, Request};
use crate::core::Preparation;
use crate::layout::{Layout, private_directory, relink};
use crate::processes::{Known, Process, Strangers, kill_run, kill_tree};
use crate::users;

/// Sandboxes that are filled at the same time. More wait.
const FETCHES: usize = 16;

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Chore {
    Prepare(Box<Preparation>),
    KillTree(Process),
    KillRun(ContainerId),
    /// Says that a sandbox was last used now.
    Retire(PathBuf),
    RemoveState(ContainerId),
    Sweep(BTreeSet<String>),
    EndStrangers(Known, Duration),
    Link(AgentId),
}

/// How to hand out chores.
#[derive(Debug)]
pub(crate) struct Chores {
    chores: Option<mpsc::UnboundedSender<Chore>>,
    worker: Option<JoinHandle<()>>,
}

impl Chores {
    pub(crate) fn start(layout: Layout, actor: Handle, fetcher: Fetcher) -> Chores {
        let (chores, inbox) = mpsc::unbounded_channel();
        let fetches = Fetches { fetcher, places: Arc::new(Semaphore::new(FETCHES)), actor: actor.clone() };
        Chores { chores: Some(chores), worker: Some(tokio::spawn(work(layout, actor, fetches, inbox))) }
    }

    pub(crate) fn add(&self, chore: Chore) {
        if let Some(chores) = &self.chores {
            // The worker ends only when told to.
            let _ = chores.send(chore);
        }
    }

    /// Waits until everything is done.
    pub(crate) async fn finish(&mut self) {
        self.chores = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.await;
        }
    }
}

async fn work(layout: Layout, actor: Handle, fetches: Fetches, mut inbox: mpsc::UnboundedReceiver<Chore>) {
    while let Some(chore) = inbox.recv().await {
        let layout = layout.clone();
        let done = tokio::task::spawn_blocking(move || carry_out(&layout, chore)).await;
        if let Ok(Some(Request::Prepared(preparation, Ok(())))) = done {
            tokio::spawn(fetches.clone().fill(preparation));
        } else if let Ok(Some(request)) = done {
            // An actor that is about to end reads no more; nobody may wait for it.
            let actor = actor.clone();
            tokio::spawn(async move {
                let _ = actor.send(request).await;
            });
        }
    }
}

/// How sandboxes are filled.
#[derive(Debug, Clone)]
struct Fetches {
    fetcher: Fetcher,
    places: Arc<Semaphore>,
    actor: Handle,
}

impl Fetches {
    async fn fill(self, preparation: Box<Preparation>) {
        let result = match preparation.items.is_empty() {
            true => Ok(()),
            false => self.fetch(&preparation).await,
        };
        // An actor that is about to end reads no more.
        let _ = self.actor.send(Request::Prepared(preparation, result)).await;
    }

    async fn fetch(&self, preparation: &Preparation) -> Result<(), String> {
        let _place = self.places.acquire().await.map_err(|error| error.to_string())?;
        let user = preparation.user.as_deref().map_or(Ok(None), users::credentials);
        // A pool runs the tasks of a framework whose user is unknown here as itself.
        let user = if preparation.pooled { user.unwrap_or_default() } else { user.map_err(launch)? };
        let want = Want { items: preparation.items.clone(), sandbox: preparation.directory.clone(), user };
        let container = &preparation.container;
        let all = |error| launch(format!("Failed to fetch all URIs for container '{container}': {error}"));
        self.fetcher.fetch(want).await.map_err(all)
    }
}

fn launch(error: impl std::fmt::Display) -> String {
    format!("Failed to launch container: {error}")
}

fn carry_out(layout: &Layout, chore: Chore) -> Option<Request> {
    match chore {
        Chore::Prepare(preparation) => {
            let result = prepare(layout, &preparation);
            return Some(Request::Prepared(preparation, result));
        }
        Chore::KillTree(process) => kill_tree(process),
        Chore::KillRun(container) => kill_run(&layout.executor_state(&container)),
        Chore::Retire(sandbox) => touch(&sandbox),
        Chore::RemoveState(container) => remove(&layout.executor_state(&container)),
        Chore::Sweep(live) => sweep(layout, &live),
        Chore::EndStrangers(known, patience) => {
            let strangers = Strangers::find(&layout.executor_states(), &layout.pools(), &known);
            tokio::spawn(end_later(strangers, patience));
        }
        Chore::Link(agent) => {
            if let Err(error) = layout.link_agent(&agent) {
                tracing::warn!(%error, "cannot link the agent's id");
            }
        }
    }
    None
}

async fn end_later(strangers: Strangers, patience: Duration) {
    if !strangers.is_empty() {
        tracing::warn!(%strangers, ?patience, "not in the books of this agent; they are told to end, then killed");
        tokio::time::sleep(patience).await;
        // Nobody waits for it: an agent that ends meanwhile leaves it to the next one.
        let _ended = tokio::task::spawn_blocking(move || strangers.end()).await;
    }
}

fn touch(path: &Path) {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    // One that is gone needs no age.
    let _gone = utimensat(CWD, path, &times, AtFlags::empty());
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

/// The sandbox with its two log files, the `latest` link, and the place for the executor's state.
fn prepare(layout: &Layout, preparation: &Preparation) -> Result<(), String> {
    let cannot = |error: String| format!("Failed to create sandbox: {error}");
    let user = preparation.user.as_deref().map_or(Ok(None), users::credentials);
    // A pool runs the tasks of a framework whose user is unknown here as itself.
    let user = if preparation.pooled { user.unwrap_or_default() } else { user.map_err(cannot)? };
    make(layout, preparation, user.as_ref()).map_err(|error| cannot(error.to_string()))
}

fn make(layout: &Layout, preparation: &Preparation, user: Option<&Credentials>) -> io::Result<()> {
    let (sandbox, state) = (&preparation.directory, layout.executor_state(&preparation.container));
    fs::create_dir_all(sandbox)?;
    private_directory(&state)?;
    let directory = sandbox::directory(sandbox)?;
    directory.set_permissions(Permissions::from_mode(preparation.mode))?;
    let owned = [directory, sandbox::append(&sandbox.join("stdout"))?, sandbox::append(&sandbox.join("stderr"))?];
    // What a pool keeps of its executors is its own.
    let state = if preparation.pooled { None } else { Some(File::open(&state)?) };
    if let Some(user) = user {
        owned.iter().chain(&state).try_for_each(|file| fchown(file, Some(user.uid), Some(user.gid)))?;
    }
    match sandbox.parent() {
        Some(runs) => relink(sandbox, &runs.join("latest")),
        None => Ok(()),
    }
}
