//! The APIs over HTTP: routes, and what all of them share. Each handler reads a request, asks the actor, and answers.
//!
//! Comes in: requests. Goes out: answers and event streams. Owns no task; [`serve`] owns the connections.

mod access;
mod administration;
mod agent;
mod answer;
mod files;
mod legacy;
mod metrics;
mod operator;
mod scheduler;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{MethodFilter, MethodRouter, get, post};
use mesos::server::{self, MESOS_STREAM_ID, guarded, mesos_paths, only_get, only_post};

use crate::ids::StreamId;
use crate::options::Options;
use crate::request::Handle;

/// The state that handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) actor: Handle,
    /// `host:port`, where others reach this master.
    pub(crate) authority: String,
    pub(crate) options: Arc<Options>,
}

/// All routes. Paths are forgiving the way Mesos' are: `/master/state`, `/state/` and `/state.json` are all `/state`.
pub(crate) fn router(shared: Shared) -> Router {
    let logging = get(server::toggle_logging).post(server::toggle_logging).with_state(shared.options.logging.clone());
    let called = |path, route: MethodRouter<Shared>| (path, route.fallback(only_post));
    let read = |path, route: MethodRouter<Shared>| (path, route.fallback(only_get));
    let changes = MethodFilter::POST.or(MethodFilter::PUT).or(MethodFilter::DELETE);
    let mut routes = vec![
        called("/api/v1/scheduler", post(scheduler::call)),
        called("/cygnet/v1/agent", post(agent::call)),
        called("/api/v1", post(operator::call)),
        called("/teardown", post(legacy::teardown)),
        read("/health", get(server::health)),
        read("/version", get(server::version)),
        read("/redirect", get(legacy::redirect)),
        read("/flags", get(legacy::flags)),
        read("/metrics/snapshot", get(metrics::snapshot)),
        read("/system/stats", get(server::system_stats)),
        read("/logging/toggle", logging),
        read("/weights", get(administration::weights).put(administration::update_weights)),
        read("/files/browse", get(files::browse)),
        read("/files/read", get(files::read)),
        read("/files/download", get(files::download)),
        read("/files/debug", get(files::debug)),
    ];
    routes.extend(legacy::READS.map(|known| read(known.path, get(legacy::read))));
    let empty = || get(administration::empty).on(changes, administration::refuse);
    routes.extend(administration::EMPTY.map(|(path, _)| read(path, empty())));
    routes.extend(administration::REFUSED.map(|(path, _)| called(path, post(administration::refuse))));
    let known: Vec<_> = routes.iter().map(|(path, _)| *path).collect();
    let router = routes.into_iter().fold(Router::new(), |router, (path, route)| router.route(path, route));
    let authentication = shared.options.authentication.clone();
    let credentials = authentication.credentials.clone();
    let router = guarded(router.with_state(shared), credentials, move |path| authentication.realm(path));
    mesos_paths("master", &known, router)
}

/// A fresh id for a stream.
fn new_stream_id() -> StreamId {
    StreamId::new(uuid::Uuid::new_v4().to_string())
}

/// The stream a request says it belongs to. What is not text matches no stream.
fn sent_stream_id(headers: &HeaderMap) -> Option<StreamId> {
    headers.get(MESOS_STREAM_ID).map(|value| StreamId::new(String::from_utf8_lossy(value.as_bytes())))
}
