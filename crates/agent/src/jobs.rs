//! Work that takes longer than the actor may wait: making sandboxes, starting and killing processes, clearing away.
//!
//! Comes in: [`Job`]s over one channel. Sandboxes and starts are done one after the other in their order; kills and
//! removals wait for those before them, so that nothing is cleared away before it was used, but hold up none after them.
//! Fetching takes its own time, too, and so do containers of executors with images. Goes out: the fate of a sandbox or a
//! process, to the actor. Owns: two tokio tasks, and one for each sandbox that is being filled, each container that is
//! being made and each cgroup that goes; what waits for the disk or for processes is done on threads that may.

mod blocking;
mod contained;
mod making;
mod sweeps;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use ::containers::cgroup::Limits;
use fetcher::Fetcher;
use mesos::v1::ContainerId;
use processes::Credentials;
use processes::{Logged, Process, kill_tree};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::making::Making;
use crate::cgroups::Cgroups;
use crate::containers::{self, ContainerRequest};
use crate::core::{Job, Owner, Preparation, Provisioning, SandboxError, StartError, Unprovided};
use crate::docker::{self, Docker};
use crate::handle::{Handle, Request};
use crate::ids::ExecutorKey;
use crate::layout::Layout;
use crate::networks::Networks;
use crate::provisioner::Provisioner;
use crate::sandbox;

/// The longest that an agent which ends waits for cgroups to go.
const LEAVE: Duration = Duration::from_secs(5);

/// Sandboxes that are filled at the same time. More wait.
const FETCHES: usize = 16;

/// The jobs that wait, and the task that does them.
#[derive(Debug)]
pub(crate) struct Jobs {
    jobs: Option<mpsc::UnboundedSender<Job>>,
    worker: Option<JoinHandle<()>>,
    /// Starts without an answer that has reached the actor.
    starting: usize,
    /// Nothing is started any more.
    ending: CancellationToken,
    /// The end of all waiting for the needs of runs.
    providing: CancellationToken,
}

impl Jobs {
    pub(crate) fn start(surroundings: Surroundings) -> Jobs {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let (places, ending) = (Arc::new(Semaphore::new(FETCHES)), CancellationToken::new());
        let providing = surroundings.provisioner.end();
        let worker = Worker { surroundings, places, ending: ending.clone() };
        Jobs { jobs: Some(jobs), worker: Some(tokio::spawn(worker.run(inbox))), starting: 0, ending, providing }
    }

    pub(crate) fn add(&mut self, job: Job) {
        self.starting += usize::from(matches!(job, Job::Start(..) | Job::Contain(..)));
        if let Some(jobs) = &self.jobs {
            // The worker ends only when told to.
            let _ = jobs.send(job);
        }
    }

    pub(crate) fn start_answered(&mut self) {
        self.starting = self.starting.saturating_sub(1);
    }

    pub(crate) fn are_starts_answered(&self) -> bool {
        self.starting == 0
    }

    /// Waits until everything is done, but for starts: nobody reads their answers any more.
    pub(crate) async fn finish(&mut self) {
        self.ending.cancel();
        self.providing.cancel();
        self.jobs = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.await;
        }
    }
}

/// The parts of the agent that jobs reach.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) layout: Layout,
    pub(crate) actor: Handle,
    pub(crate) containers: containers::Handle,
    pub(crate) fetcher: Fetcher,
    pub(crate) cgroups: Option<Cgroups>,
    /// The control groups to remove, which may be of an earlier life.
    pub(crate) removable: Option<Cgroups>,
    pub(crate) provisioner: Provisioner,
    pub(crate) networks: Networks,
    pub(crate) docker: Option<Docker>,
    /// The command of shims, but for their directories.
    pub(crate) shim: Vec<String>,
}

#[derive(Debug, Clone)]
struct Worker {
    surroundings: Surroundings,
    places: Arc<Semaphore>,
    ending: CancellationToken,
}

impl Worker {
    async fn run(self, mut inbox: mpsc::UnboundedReceiver<Job>) {
        let (removals, waiting) = mpsc::unbounded_channel();
        let removing = tokio::spawn(self.clone().remove(waiting));
        let mut making = Making::default();
        while let Some(job) = inbox.recv().await {
            match job {
                Job::Provision(wanted) => self.provision(wanted),
                Job::Abandon(container, tasks) => self.surroundings.provisioner.abandon(container, tasks),
                Job::Prepare(preparation) => self.prepare(preparation).await,
                Job::Start(..) | Job::Contain(..) if self.ending.is_cancelled() => {}
                Job::Start(owner, program, user) => self.start(owner, program, user).await,
                Job::Contain(key, run, executor) => {
                    let under_way = making.begin(&run, &self.ending);
                    tokio::spawn(self.clone().contain(key, run, *executor, under_way));
                }
                Job::Limit(key, container, limits) => self.limit(key, container, limits).await,
                Job::EndStrangers(known, patience) => self.end_strangers(known, patience).await,
                Job::Sweep(live) => self.sweep(live).await,
                Job::LinkName(_) => self.clear(job).await,
                // The other worker ends with this one only.
                job => {
                    let start = making.give_up(&job);
                    drop(removals.send((job, start)));
                }
            }
        }
        drop(removals);
        // What goes on without end is found by the next agent.
        let _late = timeout(LEAVE, making.done()).await;
        let _ = removing.await;
    }

    /// Kills and removals, after the starts and preparations that were decided before them, and beside later ones. One whose
    /// start goes on has to wait for the end of that, and holds up nobody.
    async fn remove(self, mut inbox: mpsc::UnboundedReceiver<(Job, Option<CancellationToken>)>) {
        let mut going = JoinSet::new();
        while let Some((job, start)) = inbox.recv().await {
            while going.try_join_next().is_some() {}
            // What is under way for a run ends before its state goes; networks and cgroups may take their time.
            let takes_long = start.is_some() || matches!(job, Job::RemoveCgroup(_) | Job::RemoveState(_));
            let removing = self.clone().remove_one(job, start);
            match takes_long {
                true => drop(going.spawn(removing)),
                false => removing.await,
            }
        }
        // The next agent removes the rest.
        let _late = timeout(LEAVE, going.join_all()).await;
    }

    async fn remove_one(self, job: Job, start: Option<CancellationToken>) {
        if let Some(done) = &start {
            done.cancelled().await;
        }
        match job {
            Job::DestroyContainers(root) => {
                // Without anybody who has containers there are none.
                let _gone = self.surroundings.containers.send(ContainerRequest::Destroy(root)).await;
            }
            Job::RemoveCgroup(container) => {
                if let Some(cgroups) = self.surroundings.removable.clone() {
                    cgroups.destroy(cgroups.of_run(&container)).await;
                }
            }
            Job::RemoveState(container) => {
                if start.is_some() {
                    // It may have begun just before it was given up.
                    self.clear(Job::KillRun(container.clone())).await;
                }
                self.remove_state(container).await;
            }
            Job::KillRun(ref container) => {
                self.end_docker(container).await;
                self.clear(job).await;
            }
            job => self.clear(job).await,
        }
    }

    /// The container of Docker's that the executor of a run may have left.
    async fn end_docker(&self, container: &ContainerId) {
        let state = self.surroundings.layout.executor_state(container);
        // One that panicked has logged it.
        let _told = spawn_blocking(move || docker::end_run(&state)).await;
    }

    /// Changes the limits of a run. One whose limits cannot be changed keeps those it has.
    async fn limit(&self, key: ExecutorKey, container: ContainerId, limits: Limits) {
        if let Some(cgroups) = self.surroundings.cgroups.clone() {
            let cgroup = cgroups.of_run(&container);
            if let Ok(Err(error)) = spawn_blocking(move || cgroup.create(&limits)).await {
                tracing::error!(%container, %error, "a container keeps the limits it had");
            }
        }
        self.say(Request::Limited(key, container));
    }

    async fn clear(&self, job: Job) {
        let layout = self.surroundings.layout.clone();
        // One that panicked has logged it.
        let _done = spawn_blocking(move || blocking::clear(&layout, job)).await;
    }

    async fn remove_state(&self, container: ContainerId) {
        self.end_docker(&container).await;
        self.surroundings.provisioner.release(&container).await;
        self.clear(Job::RemoveState(container)).await;
    }

    /// Ordered at once, so that what ends it comes after it.
    fn provision(&self, wanted: Box<Provisioning>) {
        let providing = self.surroundings.provisioner.provide(wanted.clone());
        let worker = self.clone();
        tokio::spawn(async move {
            let result = providing.await.map_err(Unprovided::from);
            worker.say(Request::Provisioned(wanted, result));
        });
    }

    async fn prepare(&self, preparation: Box<Preparation>) {
        let (surroundings, wanted) = (self.surroundings.clone(), preparation.clone());
        match spawn_blocking(move || blocking::make(&surroundings, &wanted)).await {
            Ok(Ok(user)) => drop(tokio::spawn(self.clone().fill(preparation, user))),
            Ok(Err(error)) => self.say(Request::Prepared(preparation, Err(error))),
            Err(_panicked) => {}
        }
    }

    async fn start(&self, owner: Owner, program: Box<Logged>, user: Option<String>) {
        let mut program = program;
        if let (Owner::Executor(_, container), Some(cgroups)) = (&owner, &self.surroundings.cgroups) {
            program.program.birthplace = Some(cgroups.of_run(container).birthplace());
        }
        let started = spawn_blocking(move || blocking::start(*program, user.as_deref())).await;
        self.started(owner, started.unwrap_or_else(|_panicked| Err(StartError::Panicked))).await;
    }

    async fn started(&self, owner: Owner, started: Result<(Process, OwnedFd), StartError>) {
        match started {
            // It would be in no record.
            Ok((process, _)) if self.ending.is_cancelled() => drop(spawn_blocking(move || kill_tree(process)).await),
            result => self.say(Request::Started(owner, result)),
        }
    }

    async fn fill(self, preparation: Box<Preparation>, user: Option<Credentials>) {
        let _place = if preparation.items.is_empty() { None } else { self.places.acquire().await.ok() };
        let (directory, items) = (preparation.directory.clone(), preparation.items.clone());
        let filled = sandbox::fill(&self.surroundings.fetcher, directory, items, user).await;
        let container = preparation.container.clone();
        let result = filled.map_err(|error| SandboxError::Fetch { container, source: Box::new(error) });
        // An actor that is about to end reads no more.
        let _ = self.surroundings.actor.send(Request::Prepared(preparation, result)).await;
    }

    /// An actor that is about to end reads no more; nobody may wait for it.
    fn say(&self, request: Request) {
        let actor = self.surroundings.actor.clone();
        tokio::spawn(async move {
            let _ = actor.send(request).await;
        });
    }
}

#[cfg(test)]
mod tests;
