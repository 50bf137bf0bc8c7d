//! The APIs over HTTP: routes, and what all of them share. Each handler reads a request, asks the actor, and answers.
//!
//! Comes in: requests. Goes out: answers and event streams. Owns no task; [`serve`] owns the connections.

mod access;
mod containers;
mod executor;
mod files;
mod histories;
mod history;
mod late;
mod legacy;
mod monitoring;
mod negotiate;
mod operator;
mod pool;
mod statistics;

use axum::Router;
use axum::routing::{MethodRouter, any, get, post};
use fetcher::Fetcher;
use mesos::server::{self, LoggingLevel, Refusal, guarded, mesos_paths, only_get, only_post};
use tokio::sync::watch;

use crate::cgroups::Cgroups;
use crate::containers::Handle as Containers;
use crate::disk;
use crate::files::Files;
use crate::gc;
use crate::handle::{Handle, look};
use crate::provisioner::Images;
pub use access::Authentication;

#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) actor: Handle,
    pub(crate) files: Files,
    pub(crate) fetcher: Fetcher,
    pub(crate) containers: Containers,
    pub(crate) collected: watch::Receiver<gc::Statistics>,
    pub(crate) measured: Measured,
    pub(crate) logging: Option<LoggingLevel>,
    pub(crate) images: Option<Images>,
}

/// The sources of what containers use.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) cgroups: Option<Cgroups>,
    pub(crate) disk: watch::Receiver<disk::Used>,
}

/// All paths. They are forgiving the way Mesos' are: `/slave(1)/state`, `/state/` and `/state.json` are all `/state`.
const PATHS: [&str; 22] = [
    "/api/v1/executor",
    "/cygnet/v1/pool",
    "/cygnet/v1/history",
    "/cygnet/v1/histories",
    "/cygnet/v1/late",
    "/cygnet/v1/checks",
    "/cygnet/v1/metrics",
    "/api/v1",
    "/health",
    "/version",
    "/state",
    "/flags",
    "/metrics/snapshot",
    "/containers",
    "/monitor/statistics",
    "/files/browse",
    "/files/read",
    "/files/download",
    "/files/debug",
    "/system/stats",
    "/logging/toggle",
    "/",
];

pub(crate) fn router(shared: Shared, authentication: &Authentication) -> Router {
    let called = |route: MethodRouter<Shared>| route.fallback(only_post);
    let read = |route: MethodRouter<Shared>| route.fallback(only_get);
    let logging = get(server::toggle_logging).post(server::toggle_logging).with_state(shared.logging.clone());
    let routes = Router::new()
        .route("/api/v1/executor", called(post(executor::call)))
        .route("/cygnet/v1/pool", called(post(pool::call)))
        .route("/cygnet/v1/history", read(get(history::history)))
        .route("/cygnet/v1/histories", read(get(histories::histories)))
        .route("/cygnet/v1/late", read(get(late::late)))
        .route("/cygnet/v1/checks", called(post(history::check_now)))
        .route("/cygnet/v1/metrics", read(get(monitoring::metrics)))
        .route("/api/v1", any(operator::call))
        .route("/health", read(get(server::health)))
        .route("/version", read(get(server::version)))
        .route("/state", read(get(legacy::state)))
        .route("/flags", read(get(legacy::flags)))
        .route("/metrics/snapshot", read(get(legacy::metrics)))
        .route("/containers", read(get(legacy::containers)))
        .route("/monitor/statistics", read(get(legacy::statistics)))
        .route("/files/browse", read(get(files::browse)))
        .route("/files/read", read(get(files::read)))
        .route("/files/download", read(get(files::download)))
        .route("/logging/toggle", logging)
        .route("/files/debug", read(get(files::debug)))
        .route("/system/stats", read(get(server::system_stats)))
        .route("/", read(get(legacy::root)))
        .with_state(shared);
    let (credentials, authentication) = (authentication.credentials.clone(), authentication.clone());
    let guarded = guarded(routes, credentials, move |path| authentication.realm(path));
    mesos_paths("slave(1)", &PATHS, guarded)
}

/// Refuses requests while executors may still come back.
async fn recovered(shared: &Shared) -> Result<(), Refusal> {
    match look(&shared.actor).await?.recovering {
        true => Err(Refusal::unavailable("Agent has not finished recovery")),
        false => Ok(()),
    }
}
