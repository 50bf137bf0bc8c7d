//! A whole agent: bound to its port and work directory, then run.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ::containers::unpack::Bounds;
use fetcher::Fetcher;
use mesos::v1::AgentInfo;
use processes::reap_orphans;
use rustix::process::{geteuid, getpid, set_child_subreaper};
use store::{IfLost, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::actor::Actor;
use crate::containers::{self, ContainerRequest, Launcher, Programs};
use crate::core::{Core, Settings, Snapshot, Timeouts};
use crate::disk::{self, DiskWatch};
use crate::docker::{Docker, containerizers, logins};
use crate::error::AgentError;
use crate::files::Files;
use crate::gc::{self, Collector};
use crate::handle::{Handle, Shutdown};
use crate::http::{Measured, Shared, router};
use crate::inheritance;
use crate::isolation::Isolation;
use crate::jobs::{Jobs, Surroundings};
use crate::layout::Layout;
use crate::log_watch::LogWatch;
use crate::networks::Networks;
use crate::options::Options;
use crate::provisioner::{ImageCollector, Images, Maker, Provisioner, Source};
use crate::registration::Registration;
use crate::{log, machine};
use mesos::server::{Front, serve};
use shell::{Clock, reachable};

/// The longest that containers which end with the agent may take.
const CONTAINERS_PATIENCE: Duration = Duration::from_secs(5);

/// An agent that has its port and its work directory, and waits to be run.
#[derive(Debug)]
pub struct Agent {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
    layout: Layout,
    store: Store,
}

impl Agent {
    /// Takes the port and the work directory. Nothing is answered or started before [`Agent::run`].
    pub async fn bind(options: Options) -> Result<Agent, AgentError> {
        let (listener, address) = shell::bind("agent", options.listen, options.port).await?;
        let layout = Layout::create(&options.work_dir)?;
        let store = Store::open(layout.store(), IfLost::BeginAnew)?;
        Ok(Agent { listener, address, options, layout, store })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `shutdown` says how to end, or until it cannot go on.
    pub async fn run(self, shutdown: impl Future<Output = Shutdown> + Send) -> Result<(), AgentError> {
        let clock = Clock::start()?;
        let address = reachable(self.address);
        adopt_orphans();
        self.layout.link_binary(&program(&self.options)?)?;
        let has_images = self.options.containers.has_images() && geteuid().is_root();
        let networks = Networks::of(&self.options.networks, self.layout.root())?;
        let isolation = Isolation::of(&self.options, self.layout.root())?.with_images(has_images);
        let isolation = isolation.with_networks(networks.ability())?;
        let cgroups = isolation.cgroups().cloned();
        let docker = Docker::find(&self.options).await?;
        let settings = settings(&self.options, &self.layout, address, &isolation, docker.as_ref())?;
        let files = Files::new(self.layout.sandboxes(), self.layout.standalone(), self.options.log.clone());
        let mut core = Core::new(settings, self.info(address)?, clock.now());
        core.recover(clock.now(), log::recover(&self.store).await?);
        let (handle, requests) = shell::inbox("agent");
        let fetcher = fetcher(&self.options, &self.layout);
        let registration = Registration {
            master: self.options.master.clone(),
            credential: self.options.credential.clone(),
            backoff_factor: self.options.registration_backoff_factor,
            actor: handle.clone(),
        };
        let images = self.images()?;
        let maker = Maker {
            layout: self.layout.clone(),
            settings: self.options.containers.settings.clone(),
            images: images.clone(),
            networks: networks.clone(),
            actor: handle.clone(),
        };
        let provisioner = Provisioner::start(maker);
        let books = core.snapshot(clock.now());
        let launcher = self.launcher(&books.settings, &fetcher, &handle, &isolation, &provisioner);
        let (containers, keeping) = self.keep_containers(books, launcher).await?;
        let collecting_images = images.clone().map(|images| tokio::spawn(self.image_collector(images).run()));
        let jobs = Jobs::start(Surroundings {
            layout: self.layout.clone(),
            actor: handle.clone(),
            containers: containers.clone(),
            fetcher: fetcher.clone(),
            cgroups: cgroups.clone(),
            removable: isolation.removable().cloned(),
            provisioner,
            networks: networks.clone(),
            docker,
            shim: vec![program(&self.options)?.display().to_string(), "shim".to_owned()],
        });
        let (used, disk) = watch::channel(disk::Used::new());
        let measuring = isolation.measures_disk().then(|| tokio::spawn(self.disk_watch(handle.clone(), used).run()));
        let keeping_short = tokio::spawn(LogWatch { actor: handle.clone() }.run());
        let (statistics, collected) = watch::channel(gc::Statistics::default());
        let collecting = tokio::spawn(self.collector(handle.clone(), statistics).run());
        let (leave, leaving) = watch::channel(Shutdown::Keep);
        let mut actor =
            Actor::new(core, handle.clone(), jobs, registration, leaving.clone()).with_cgroups(cgroups.clone());
        let stopped = CancellationToken::new();
        let logging = self.options.logging.clone();
        let (actor_handle, kept) = (handle.clone(), containers.clone());
        let measured = Measured { cgroups, disk };
        let shared =
            Shared { images, actor: actor_handle, files, fetcher, containers: kept, collected, measured, logging };
        let routes = router(shared, &self.options.authentication);
        let front = Front::new(self.options.hostname.as_deref());
        let serving = tokio::spawn(serve(self.listener, routes, front, stopped.clone()));
        // From here on executors find the agent.
        self.layout.write_endpoint(&address.to_string())?;
        let reaping = tokio::spawn(reap_orphans());
        let told = CancellationToken::new();
        let ended = tokio::select! {
            ended = shell::run(&mut actor, clock, self.store, requests, told.clone()) => ended,
            () = relay(shutdown, &leave, &told) => Ok(()),
        };
        actor.finish().await;
        let shutdown = *leaving.borrow();
        let finish = |done| ContainerRequest::Finish { everything: shutdown == Shutdown::StopTasks, done };
        let _late = timeout(CONTAINERS_PATIENCE, containers.ask(finish)).await;
        if shutdown == Shutdown::StopTasks {
            let _late = timeout(CONTAINERS_PATIENCE, networks.retire()).await;
        }
        keeping.abort();
        stopped.cancel();
        reaping.abort();
        collecting.abort();
        keeping_short.abort();
        collecting_images.into_iter().for_each(|collecting| collecting.abort());
        measuring.into_iter().for_each(|measuring| measuring.abort());
        let _ = serving.await;
        ended
    }

    fn collector(&self, actor: Handle, statistics: watch::Sender<gc::Statistics>) -> Collector {
        let (delay, headroom) = (self.options.gc_delay, self.options.gc_disk_headroom);
        Collector { layout: self.layout.clone(), delay, headroom, actor, statistics }
    }

    /// The images, if the operator wants any.
    fn images(&self) -> Result<Option<Images>, AgentError> {
        let options = &self.options.containers;
        if !options.has_images() {
            return Ok(None);
        }
        let source = Source::of(options)?;
        let directory = options.docker_store_dir.clone().unwrap_or_else(|| self.layout.images());
        let unpack = vec![program(&self.options)?.display().to_string(), "unpack".to_owned()];
        let store = ::containers::store::Store::open(&directory, unpack, Bounds::default());
        let store =
            store.map_err(|error| AgentError::Option { name: "docker_store_dir", reason: error.to_string() })?;
        let images = Images::new(store, source, options.settings.secrets_directory.clone());
        images.renew(&self.layout);
        Ok(Some(images))
    }

    fn image_collector(&self, images: Images) -> ImageCollector {
        ImageCollector::new(images, &self.options.containers.image_gc)
    }

    fn disk_watch(&self, actor: Handle, used: watch::Sender<disk::Used>) -> DiskWatch {
        let (interval, enforced) =
            (self.options.container_disk_watch_interval, self.options.enforce_container_disk_quota);
        DiskWatch { interval, enforced, actor, used }
    }

    fn launcher(
        &self,
        core: &Settings,
        fetcher: &Fetcher,
        actor: &Handle,
        isolation: &Isolation,
        provisioner: &Provisioner,
    ) -> Launcher {
        let settings = containers::ContainerSettings {
            executor_binary: core.executor_binary.clone(),
            environment: core.container_environment(),
            switch_user: self.options.switch_user,
            log_rotations: self.options.log_rotations,
            operator: self.options.containers.settings.clone(),
        };
        Launcher {
            settings,
            layout: self.layout.clone(),
            fetcher: fetcher.clone(),
            actor: actor.clone(),
            cgroups: isolation.cgroups().cloned(),
            removable: isolation.removable().cloned(),
            provisioner: provisioner.clone(),
        }
    }

    /// Takes up the containers of the operator API that are still there.
    async fn keep_containers(
        &self,
        books: Snapshot,
        launcher: Launcher,
    ) -> Result<(containers::Handle, JoinHandle<()>), AgentError> {
        let (handle, inbox) = shell::inbox("agent");
        let mut programs = Programs::new(launcher, (handle.clone(), inbox));
        let recovered = programs.recover(|id| books.is_root(id)).await;
        recovered.map_err(AgentError::file("recover", self.layout.containers()))?;
        Ok((handle, tokio::spawn(programs.run())))
    }

    fn info(&self, address: SocketAddr) -> Result<AgentInfo, AgentError> {
        Ok(AgentInfo {
            hostname: self.options.hostname.clone().unwrap_or_else(|| address.ip().to_string()),
            port: Some(address.port().into()),
            resources: machine::resources(self.options.resources.as_deref(), self.layout.root())?,
            attributes: machine::attributes(self.options.attributes.as_deref())?,
            ..AgentInfo::default()
        })
    }
}

fn fetcher(options: &Options, layout: &Layout) -> Fetcher {
    let directory = options.fetcher_cache_dir.clone().unwrap_or_else(|| layout.fetcher_cache());
    Fetcher::new(&directory, options.fetcher_cache_size_bytes).with_bound(options.fetcher_download_bytes)
}

/// Passes the word on, and never ends by itself: the actor does.
async fn relay(shutdown: impl Future<Output = Shutdown>, leave: &watch::Sender<Shutdown>, told: &CancellationToken) {
    leave.send_replace(shutdown.await);
    told.cancel();
    std::future::pending().await
}

/// Makes orphaned processes children of the agent instead of an unrelated one.
fn adopt_orphans() {
    if let Err(error) = set_child_subreaper(Some(getpid())) {
        tracing::warn!(%error, "orphans of executors will be adopted by somebody else");
    }
}

/// The executor's program, which must be there and is from now on known by its whole path.
fn program(options: &Options) -> Result<std::path::PathBuf, AgentError> {
    let binary = &options.executor_binary;
    let wrong = |error: io::Error| AgentError::Option {
        name: "executor_binary",
        reason: format!("{}: {error}", binary.display()),
    };
    let path = binary.canonicalize().map_err(wrong)?;
    File::open(&path).map_err(wrong)?;
    Ok(path)
}

fn settings(
    options: &Options,
    layout: &Layout,
    address: SocketAddr,
    isolation: &Isolation,
    docker: Option<&Docker>,
) -> Result<Settings, AgentError> {
    Ok(Settings {
        address,
        layout: layout.clone(),
        executor_binary: program(options)?,
        environment: inheritance::of(std::env::vars_os()),
        executor_environment_variables: options.executor_environment_variables.clone(),
        timeouts: Timeouts {
            recovery: options.recovery_timeout,
            executor_reregistration: options.executor_reregistration_timeout,
            executor_registration: options.executor_registration_timeout,
            executor_shutdown_grace: options.executor_shutdown_grace_period,
            pool_linger: options.pool_linger,
            farewell: options.farewell_timeout,
        },
        switch_user: options.switch_user,
        fetcher_download_bytes: options.fetcher_download_bytes,
        cgroups: isolation.cgroups().map(|cgroups| cgroups.root().clone()),
        containers: options.containers.settings.clone(),
        bridge: options.networks.mesos_bridge_name.clone(),
        docker_config: options.containers.docker_config.as_deref().map(logins),
        docker_socket: docker.map(Docker::socket),
        log_rotations: options.log_rotations,
        flags: options.flags(address.port(), isolation.flag(), containerizers(docker)),
    })
}
